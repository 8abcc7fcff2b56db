# Preprocesses each public header as C++17 and wants its first error to be that of <baton/limits.hpp>; as the
# language of the project it has none.
#   cmake -D COMPILER=... -D OPTIONS=a;b -D FOLDERS=a;b -D WORK=... -P needs_cpp20.cmake
set(count 0)
foreach(folder IN LISTS FOLDERS)
  file(GLOB_RECURSE headers RELATIVE ${folder} ${folder}/baton/*.hpp)
  foreach(header IN LISTS headers)
    if(header MATCHES "/detail/")
      continue()
    endif()
    file(WRITE ${WORK}/needs_cpp20.cpp "#include <${header}>\n")
    execute_process(COMMAND "${COMPILER}" ${OPTIONS} -std=c++17 -E ${WORK}/needs_cpp20.cpp
      RESULT_VARIABLE status OUTPUT_QUIET ERROR_VARIABLE output)
    string(REGEX MATCH "error: [^\n]*" first_error "${output}")
    if(status EQUAL 0 OR NOT first_error MATCHES "Baton needs C\\+\\+20: compile with -std=c\\+\\+20")
      message(FATAL_ERROR "<${header}> does not say that it needs C++20 before anything else:\n${output}")
    endif()
    math(EXPR count "${count} + 1")
  endforeach()
endforeach()
if(count LESS 30)
  message(FATAL_ERROR "only ${count} public headers were found in ${FOLDERS}")
endif()
