# baton_actor(NAME SOURCES...): a program that a coordinator can spawn. The same function here, in a project that
# add_subdirectory()s this one, and in one that has found the installed package.
function(baton_actor name)
  add_executable(${name} ${ARGN})
  target_link_libraries(${name} PRIVATE baton::actor)
  set_target_properties(${name} PROPERTIES ENABLE_EXPORTS ON)  # so that errors can name functions
endfunction()
