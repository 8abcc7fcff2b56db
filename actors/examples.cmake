# The actors of the examples: in Baton's build, and in examples/ where that is a project of its own. Those that need
# fast_float are left out where it has not been found.
set(here ${CMAKE_CURRENT_LIST_DIR})

baton_actor(greeter ${here}/greeter/main.cpp)

baton_module(student SOURCES ${here}/student/student_actor.cpp LINKS baton::session)
baton_actor(student ${here}/student/main.cpp)
target_link_libraries(student PRIVATE baton::student)

baton_actor(taxi ${here}/taxi_ride/taxi_main.cpp)
baton_actor(passenger ${here}/taxi_ride/passenger_main.cpp)

baton_module(word_table SOURCES ${here}/word_counter/word_table.cpp LINKS baton::base)
baton_actor(word_counter ${here}/word_counter/main.cpp)
target_link_libraries(word_counter PRIVATE baton::word_table)

if(TARGET FastFloat::fast_float)
  set(column_reader header npy part_parser parts row_index statistics text_file utf8)
  list(TRANSFORM column_reader PREPEND ${here}/column_reader/)
  list(TRANSFORM column_reader APPEND .cpp)
  baton_module(columns SOURCES ${column_reader} LINKS baton::base FastFloat::fast_float)
  baton_actor(column_reader ${here}/column_reader/main.cpp)
  target_link_libraries(column_reader PRIVATE baton::columns)
endif()

baton_actor(darkroom ${here}/darkroom/main.cpp)
baton_actor(range_maker ${here}/range_maker/main.cpp)
baton_actor(passing_student ${here}/passing_student/main.cpp)
foreach(actor taxi passenger passing_student)
  target_link_libraries(${actor} PRIVATE baton::sync)
endforeach()
