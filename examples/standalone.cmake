# What Baton's own build has, for the examples as a project of their own.
if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release)
endif()
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR})
include_directories(${CMAKE_CURRENT_LIST_DIR}/..)  # "actors/greeter/greeter.hpp"

find_package(baton REQUIRED)
find_package(CLI11 REQUIRED)
find_package(FastFloat)
if(NOT FastFloat_FOUND)
  message(STATUS "fast_float is not here (libfast-float-dev in Debian): 07_columns is left out")
endif()

function(baton_module name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LINKS" ${ARGN})
  add_library(baton_${name} STATIC ${ARG_SOURCES})
  add_library(baton::${name} ALIAS baton_${name})
  target_link_libraries(baton_${name} PUBLIC ${ARG_LINKS})
endfunction()

function(baton_program name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LINKS" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE ${ARG_LINKS})
endfunction()

include(${CMAKE_CURRENT_LIST_DIR}/../actors/examples.cmake)
