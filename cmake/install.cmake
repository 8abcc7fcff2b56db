# What `cmake --install` puts where, and the CMake package of it:
#
#     find_package(baton REQUIRED)
#     baton_actor(greeter greeter_main.cpp)                        # a program that a coordinator can spawn
#     target_link_libraries(my_scenario PRIVATE baton::session)    # a program that plays with them
#     target_link_libraries(greeter PRIVATE baton::sync)           # either, with locks, barriers, queues
#     target_link_libraries(my_worker PRIVATE baton::pool_worker)  # an actor whose functions a pool runs; who has
#                                                                  # the pool links baton::pool
#     target_link_libraries(my_tests PRIVATE baton::testing)       # tests of actors, without processes
#     target_link_libraries(my_tool PRIVATE baton::command_line)   # options by CLI11, which the program has itself
#
# and baton.pc for pkg-config, which has all of these in one.
#
# Public headers go to include/baton. The documents go to share/doc/baton, with the examples, which are a project of
# their own there; nothing else is installed.
include(CMakePackageConfigHelpers)

# Scripts and users find the programs in PATH.
install(TARGETS baton coordinator sync DESTINATION ${CMAKE_INSTALL_BINDIR})

# In the order of the source tree, in which their links lead from one to the other.
set(baton_documents ${CMAKE_INSTALL_DATAROOTDIR}/doc/baton)
install(FILES README.md CONTRIBUTING.md DESTINATION ${baton_documents})
install(FILES bench/README.md DESTINATION ${baton_documents}/bench)
install(DIRECTORY model DESTINATION ${baton_documents} FILES_MATCHING PATTERN "*.md")
install(DIRECTORY docs examples DESTINATION ${baton_documents} PATTERN __pycache__ EXCLUDE)
foreach(actor audience column_reader darkroom greeter passing_student range_maker student taxi_ride word_counter)
  install(DIRECTORY actors/${actor} DESTINATION ${baton_documents}/actors)
endforeach()
install(FILES actors/examples.cmake DESTINATION ${baton_documents}/actors)

# Those of pool and sync: baton_public_headers.
install(DIRECTORY runtime/include/baton DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})

set(baton_package ${CMAKE_INSTALL_LIBDIR}/cmake/baton)
# In the order in which a linker needs them: each before those that it uses.
set(baton_libraries testing pool_worker pool sync actor session command_line throw_trace inbox lanes process holdings
  transport roster vitals ledger memory wire base)
# With libzmq inside, a program needs none.
set(baton_requires_zeromq " libzmq")
if(TARGET baton_zeromq)
  list(APPEND baton_libraries zeromq)
  set(baton_requires_zeromq "")
  set(baton_exports " -Wl,--exclude-libs,libbaton_zeromq.a")
endif()
list(TRANSFORM baton_libraries PREPEND baton_ OUTPUT_VARIABLE targets)
install(TARGETS baton_headers ${targets} EXPORT baton-targets ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(EXPORT baton-targets NAMESPACE baton:: DESTINATION ${baton_package})
configure_package_config_file(cmake/baton-config.cmake.in ${PROJECT_BINARY_DIR}/baton-config.cmake
  INSTALL_DESTINATION ${baton_package})
# Before 1.0 a minor version may change what programs see.
write_basic_package_version_file(${PROJECT_BINARY_DIR}/baton-config-version.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/baton-config.cmake ${PROJECT_BINARY_DIR}/baton-config-version.cmake
  cmake/baton_actor.cmake DESTINATION ${baton_package})

# For builds without CMake: `pkg-config --cflags --libs baton`. It finds the rest from where it lies itself, since the
# prefix is known only when installing.
list(TRANSFORM baton_libraries PREPEND -lbaton_ OUTPUT_VARIABLE baton_link_options)
list(JOIN baton_link_options " " baton_link_options)
file(RELATIVE_PATH baton_prefix_from_pkgconfig /${CMAKE_INSTALL_LIBDIR}/pkgconfig /)
cmake_path(SET baton_prefix_from_pkgconfig NORMALIZE ${baton_prefix_from_pkgconfig}.)
configure_file(cmake/baton.pc.in ${PROJECT_BINARY_DIR}/baton.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/baton.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
