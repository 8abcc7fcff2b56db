# ZeroMQ inside our programs, instead of a shared library that loads fourteen more.
#
# Debian's libzmq.so brings Kerberos, PGM, NORM and others along. Loading them takes most of the time in which an empty
# program with ZeroMQ starts, and a megabyte of each process; sessions use none of them (docs/decisions/0024). So
# executables are linked with libbaton_zeromq.a: libzmq.a, what it needs of libsodium and libbsd, and a few functions
# that say what was left out (runtime/transport/zeromq_parts.cpp). The Python module, which is a shared library, and
# builds with sanitizers keep libzmq.so. If there is no libzmq.a that can be linked like this, all do.
option(BATON_STATIC_ZEROMQ "link ZeroMQ into executables, without the transports that sessions don't use" ON)

set(BATON_ZEROMQ_IS_STATIC OFF)
if(BATON_STATIC_ZEROMQ AND NOT BATON_SANITIZE AND CMAKE_OBJCOPY AND CMAKE_LINKER)
  set(baton_zeromq_archives "")
  foreach(name IN ITEMS zmq sodium bsd)
    find_library(BATON_ARCHIVE_${name} NAMES lib${name}.a HINTS ${ZeroMQ_LIBRARY_DIRS})
    mark_as_advanced(BATON_ARCHIVE_${name})
    if(BATON_ARCHIVE_${name})
      list(APPEND baton_zeromq_archives ${BATON_ARCHIVE_${name}})
    endif()
  endforeach()
  if(BATON_ARCHIVE_zmq)
    file(WRITE ${PROJECT_BINARY_DIR}/zeromq/links.cpp
      "#include <zmq.h>\n#include <sys/socket.h>\n"
      "extern \"C\" int baton_accept4(int fd, sockaddr* a, socklen_t* s, int f) { return ::accept4(fd, a, s, f); }\n"
      "int main() { return ::zmq_ctx_term(::zmq_ctx_new()); }\n")
    try_compile(BATON_ZEROMQ_CAN_BE_STATIC ${PROJECT_BINARY_DIR}/zeromq/check
      SOURCES ${PROJECT_BINARY_DIR}/zeromq/links.cpp ${PROJECT_SOURCE_DIR}/runtime/transport/zeromq_parts.cpp
      LINK_LIBRARIES ${baton_zeromq_archives} Threads::Threads
      CXX_STANDARD 20 CXX_STANDARD_REQUIRED ON)
    set(BATON_ZEROMQ_IS_STATIC ${BATON_ZEROMQ_CAN_BE_STATIC})
  endif()
endif()
# What the layer of transports links, by what it becomes a part of: in this build, and where it is installed.
set(baton_zeromq PkgConfig::ZeroMQ)
set(baton_zeromq_installed zmq)
if(BATON_ZEROMQ_IS_STATIC)
  set(is_executable $<STREQUAL:$<TARGET_PROPERTY:TYPE>,EXECUTABLE>)
  set(baton_zeromq $<IF:${is_executable},baton_zeromq,PkgConfig::ZeroMQ>)
  set(baton_zeromq_installed $<IF:${is_executable},baton::zeromq,zmq>)
endif()
message(STATUS "ZeroMQ is linked into executables: ${BATON_ZEROMQ_IS_STATIC}")

# baton_add_zeromq(): the target baton_zeromq, if it can be.
function(baton_add_zeromq)
  if(NOT BATON_ZEROMQ_IS_STATIC)
    return()
  endif()
  add_library(baton_zeromq_parts OBJECT transport/zeromq_parts.cpp)
  set(object ${CMAKE_CURRENT_BINARY_DIR}/zeromq.o)
  # One object, so that all of it comes from here or nothing. Names of libsodium and libbsd stay inside, in case a
  # program has its own.
  add_custom_command(OUTPUT ${object}
    COMMAND ${CMAKE_LINKER} -r -o ${object}.whole $<TARGET_OBJECTS:baton_zeromq_parts>
      --whole-archive ${BATON_ARCHIVE_zmq} --no-whole-archive ${baton_zeromq_archives}
    COMMAND ${CMAKE_OBJCOPY} --redefine-sym accept4=baton_accept4 --wildcard
      -L crypto_* -L _crypto_* -L sodium_* -L _sodium_* -L randombytes* -L strlcpy -L pgm_* -L Norm* -L NORM_* -L gss_*
      -L GSS_* ${object}.whole ${object}
    DEPENDS baton_zeromq_parts $<TARGET_OBJECTS:baton_zeromq_parts> ${baton_zeromq_archives}
    COMMAND_EXPAND_LISTS VERBATIM)
  add_library(baton_zeromq STATIC ${object})
  set_target_properties(baton_zeromq PROPERTIES LINKER_LANGUAGE CXX EXPORT_NAME zeromq)
  set_source_files_properties(${object} PROPERTIES EXTERNAL_OBJECT ON GENERATED ON)
  target_link_libraries(baton_zeromq INTERFACE Threads::Threads rt)
  # Shared libraries that a program loads keep to the ZeroMQ that they bring along.
  target_link_options(baton_zeromq INTERFACE LINKER:--exclude-libs,libbaton_zeromq.a)
endfunction()
