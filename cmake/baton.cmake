# What every target of the project shares, and the functions that make one.

find_package(Threads REQUIRED)
find_package(fmt REQUIRED)
find_package(spdlog REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(CLI11 REQUIRED)
find_package(Boost 1.74 REQUIRED COMPONENTS stacktrace_backtrace)
find_package(PkgConfig REQUIRED)
pkg_check_modules(ZeroMQ REQUIRED IMPORTED_TARGET libzmq)

add_library(baton_options INTERFACE)
target_include_directories(baton_options INTERFACE ${PROJECT_SOURCE_DIR})
target_compile_options(baton_options INTERFACE
  -Wall -Wextra -Wconversion -Wshadow -Werror
  $<$<CXX_COMPILER_ID:Clang>:-Wno-undefined-var-template>
  # g++ 12 warns of std::string's own code when it optimises (GCC bugs 105329 and 105651).
  "$<$<AND:$<CXX_COMPILER_ID:GNU>,$<VERSION_LESS:$<CXX_COMPILER_VERSION>,13>>:-Wno-restrict;-Wno-stringop-overflow>")
if(BATON_TESTS)
  target_compile_definitions(baton_options INTERFACE BATON_CRASH_POINTS)  # runtime/base/crash_point.hpp
endif()
if(BATON_SANITIZE)
  target_compile_options(baton_options INTERFACE -fsanitize=${BATON_SANITIZE} -fno-omit-frame-pointer)
  target_link_options(baton_options INTERFACE -fsanitize=${BATON_SANITIZE})
endif()
if(BATON_SANITIZE MATCHES undefined)
  target_compile_options(baton_options INTERFACE -fno-sanitize-recover=undefined)
endif()

# baton_module(NAME SOURCES... LINKS targets...): one layer of the runtime, linked only with what it may use.
function(baton_module name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LINKS;PRIVATE_LINKS" ${ARGN})
  add_library(baton_${name} STATIC ${ARG_SOURCES})
  add_library(baton::${name} ALIAS baton_${name})
  target_link_libraries(baton_${name} PUBLIC baton_options ${ARG_LINKS} PRIVATE ${ARG_PRIVATE_LINKS})
endfunction()

# baton_actor(NAME SOURCES...): a program that a coordinator can spawn.
function(baton_actor name)
  add_executable(${name} ${ARGN})
  target_link_libraries(${name} PRIVATE baton::actor)
  set_target_properties(${name} PROPERTIES ENABLE_EXPORTS ON)  # so that errors can name functions
endfunction()
