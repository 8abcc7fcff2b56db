# What `cmake --install` puts where, and the CMake package of it:
#
#     find_package(baton REQUIRED)
#     baton_actor(greeter greeter_main.cpp)                        # a program that a coordinator can spawn
#     target_link_libraries(my_scenario PRIVATE baton::session)    # a program that plays with them
#     target_link_libraries(greeter PRIVATE baton::sync)           # either, with locks, barriers, queues
#     target_link_libraries(my_worker PRIVATE baton::pool_worker)  # an actor whose functions a pool runs; who has
#                                                                  # the pool links baton::pool
#
# Public headers go to include/baton; nothing else is installed.
include(CMakePackageConfigHelpers)

# Scripts and users find the programs in PATH.
install(TARGETS baton coordinator sync DESTINATION ${CMAKE_INSTALL_BINDIR})

install(DIRECTORY runtime/include/baton DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})  # those of pool and sync: baton_public_headers

set(baton_package ${CMAKE_INSTALL_LIBDIR}/cmake/baton)
install(TARGETS baton_headers baton_base baton_wire baton_memory baton_ledger baton_holdings baton_vitals baton_transport baton_inbox baton_process
  baton_throw_trace baton_session baton_actor baton_pool baton_pool_worker baton_sync
  EXPORT baton-targets ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(EXPORT baton-targets NAMESPACE baton:: DESTINATION ${baton_package})
configure_package_config_file(cmake/baton-config.cmake.in ${PROJECT_BINARY_DIR}/baton-config.cmake
  INSTALL_DESTINATION ${baton_package})
# Before 1.0 a minor version may change what programs see.
write_basic_package_version_file(${PROJECT_BINARY_DIR}/baton-config-version.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/baton-config.cmake ${PROJECT_BINARY_DIR}/baton-config-version.cmake
  cmake/baton_actor.cmake DESTINATION ${baton_package})
