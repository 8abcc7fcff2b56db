# What every target of the project shares, and the functions that make one.

find_package(Threads REQUIRED)
find_package(fmt REQUIRED)
find_package(spdlog REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(CLI11 REQUIRED)
find_package(Boost 1.74 REQUIRED CONFIG COMPONENTS stacktrace_backtrace)
find_package(PkgConfig REQUIRED)
pkg_check_modules(ZeroMQ REQUIRED IMPORTED_TARGET libzmq)

set(baton_gcc_12 $<AND:$<CXX_COMPILER_ID:GNU>,$<VERSION_LESS:$<CXX_COMPILER_VERSION>,13>>)
# Our own rules are those of our directories: they reach neither who links us nor a project around this one.
add_compile_options(-Wall -Wextra -Wconversion -Wshadow
  # g++ 12 warns of std::string's own code when it optimises (GCC bugs 105329 and 105651).
  "$<${baton_gcc_12}:-Wno-restrict;-Wno-stringop-overflow;-Wno-array-bounds>")
if(BATON_WERROR)
  add_compile_options(-Werror)
endif()
# The Python module links the same libraries; programs too, so that all can share one precompiled header.
add_compile_options(-fPIC)

# Internal headers are found from the top ("runtime/ledger/ledger.hpp"), by our own directories alone: a project around
# this one may have folders runtime/ and actors/ of its own.
include_directories(${PROJECT_SOURCE_DIR})

# What our public headers ask of those who include them, and so the only options that are installed: where they are, the
# language, and the sanitizers, which must be in all of a program or in none of it.
add_library(baton_headers INTERFACE)
set_target_properties(baton_headers PROPERTIES EXPORT_NAME headers)
target_compile_features(baton_headers INTERFACE cxx_std_20)
target_include_directories(baton_headers INTERFACE
  $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/runtime/include> $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
if(BATON_TESTS)
  target_compile_definitions(baton_headers INTERFACE BATON_CRASH_POINTS)  # runtime/base/crash_point.hpp
endif()
if(BATON_SANITIZE)
  target_compile_options(baton_headers INTERFACE -fsanitize=${BATON_SANITIZE} -fno-omit-frame-pointer)
  target_link_options(baton_headers INTERFACE -fsanitize=${BATON_SANITIZE})
endif()
# The Python module needs the sanitizer's runtime as a library, as g++ has it anyway; clang is told, and where it is.
if(BATON_SANITIZE MATCHES address)
  set(baton_asan_library libasan.so)
  if(CMAKE_CXX_COMPILER_ID MATCHES Clang)
    set(baton_asan_library libclang_rt.asan-${CMAKE_SYSTEM_PROCESSOR}.so)
  endif()
  execute_process(COMMAND ${CMAKE_CXX_COMPILER} -print-file-name=${baton_asan_library}
    OUTPUT_VARIABLE baton_asan_library OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)
  if(CMAKE_CXX_COMPILER_ID MATCHES Clang)
    cmake_path(GET baton_asan_library PARENT_PATH folder)
    target_link_options(baton_headers INTERFACE -shared-libasan -Wl,-rpath,${folder})
  endif()
endif()
if(BATON_SANITIZE MATCHES undefined)
  target_compile_options(baton_headers INTERFACE -fno-sanitize-recover=undefined)
endif()
if(BATON_SANITIZE MATCHES address AND BATON_SANITIZE MATCHES undefined)
  # Checks before every use of every pointer take half of the compile time: that it is not null, to say what
  # AddressSanitizer says when it is used; that it is aligned, which is looked at where bytes become values
  # (baton_module); and that what it points to has the class it says, where we have few classes with virtual functions.
  target_compile_options(baton_headers INTERFACE -fno-sanitize=null,alignment,vptr)
endif()

# Programs with sanitizers are large, and there are a hundred of them: mold links in a tenth of the time of ld, gold
# (which Debian 13 no longer brings along) in half of it.
if(PROJECT_IS_TOP_LEVEL)
  include(CheckLinkerFlag)
  check_linker_flag(CXX -fuse-ld=mold BATON_HAS_MOLD)
  if(BATON_HAS_MOLD)
    add_link_options(-fuse-ld=mold)
  else()
    check_linker_flag(CXX -fuse-ld=gold BATON_HAS_GOLD)
    if(BATON_HAS_GOLD)
      add_link_options(-fuse-ld=gold)
    endif()
  endif()
endif()

# Standard headers and fmt take longer to read than most of our files, so they are read once. They are only a
# faster way to what a file includes anyway: without them (-DCMAKE_DISABLE_PRECOMPILE_HEADERS=ON) all compiles.
add_library(baton_precompiled OBJECT ${PROJECT_SOURCE_DIR}/cmake/precompiled.cpp)
target_link_libraries(baton_precompiled PRIVATE baton_headers fmt::fmt)
target_precompile_headers(baton_precompiled PRIVATE ${PROJECT_SOURCE_DIR}/cmake/precompiled.hpp)
# Programs use the public headers too, which modules may not.
add_library(baton_program_precompiled OBJECT ${PROJECT_SOURCE_DIR}/cmake/precompiled.cpp)
target_link_libraries(baton_program_precompiled PRIVATE baton_headers fmt::fmt)
set(baton_program_headers ${PROJECT_SOURCE_DIR}/cmake/precompiled.hpp
  ${PROJECT_SOURCE_DIR}/runtime/include/baton/actor.hpp ${PROJECT_SOURCE_DIR}/runtime/include/baton/scenario.hpp)
target_precompile_headers(baton_program_precompiled PRIVATE ${baton_program_headers})
# Compiler caches look at what the preprocessor writes; without this g++ would not name the precompiled header there.
if(CMAKE_CXX_COMPILER_ID STREQUAL GNU)
  add_compile_options(-fpch-preprocess)
endif()

# baton_use_precompiled(targets...): programs; they need the options of a target that links one of ours.
function(baton_use_precompiled)
  foreach(target IN LISTS ARGN)
    target_precompile_headers(${target} REUSE_FROM baton_program_precompiled)
  endforeach()
endfunction()

# baton_module(NAME SOURCES... LINKS targets...): one layer of the runtime, linked only with what it may use.
function(baton_module name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LINKS;PRIVATE_LINKS" ${ARGN})
  add_library(baton_${name} STATIC ${ARG_SOURCES})
  add_library(baton::${name} ALIAS baton_${name})
  set_target_properties(baton_${name} PROPERTIES EXPORT_NAME ${name})
  target_link_libraries(baton_${name} PUBLIC baton_headers ${ARG_LINKS} PRIVATE ${ARG_PRIVATE_LINKS})
  if(BATON_SANITIZE MATCHES undefined)
    target_compile_options(baton_${name} PRIVATE -fsanitize=alignment -fno-sanitize-recover=alignment)
  endif()
  target_precompile_headers(baton_${name} REUSE_FROM baton_precompiled)
endfunction()

# baton_public_headers(NAME FOLDER): the public headers of a module that has its own, FOLDER/baton/...
function(baton_public_headers name folder)
  target_include_directories(baton_${name} PUBLIC $<BUILD_INTERFACE:${CMAKE_CURRENT_SOURCE_DIR}/${folder}>)
  install(DIRECTORY ${folder}/baton DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
endfunction()

# baton_program(NAME SOURCES... LINKS targets...): any other program of ours than an actor.
function(baton_program name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LINKS" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE ${ARG_LINKS})
  baton_use_precompiled(${name})
endfunction()
