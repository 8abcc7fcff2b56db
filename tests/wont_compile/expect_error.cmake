# Runs the compiler on SOURCE and wants it to fail, with the message that the file's first line names after `// expect:
# ` (a regular expression) in the first line that says `error:`; without such a line the file must compile.
#   cmake -D COMPILER=... -D OPTIONS=a;b -D SOURCE=... -P expect_error.cmake
file(STRINGS "${SOURCE}" first_line LIMIT_COUNT 1)
execute_process(COMMAND "${COMPILER}" ${OPTIONS} -fsyntax-only "${SOURCE}"
  RESULT_VARIABLE status OUTPUT_VARIABLE output ERROR_VARIABLE output)
if(NOT first_line MATCHES "^// expect: (.+)$")
  if(NOT status EQUAL 0)
    message(FATAL_ERROR "this must compile, and does not:\n${output}")
  endif()
elseif(status EQUAL 0)
  message(FATAL_ERROR "this compiles, and must not: ${SOURCE}")
else()
  set(expected "${CMAKE_MATCH_1}")
  string(REGEX MATCH "error: [^\n]*" first_error "${output}")
  if(NOT first_error MATCHES "error: .*(${expected})")
    message(FATAL_ERROR "the compiler refused it, but without saying '${expected}' in its first error:\n${output}")
  endif()
endif()
