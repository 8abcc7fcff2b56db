# Runs PROGRAM for SECONDS on a copy of CORPUS in WORK, where it also leaves the input of a crash. The environment's
# BATON_FUZZ_SECONDS is stronger than SECONDS, so that one longer run needs no other configuration.
if(DEFINED ENV{BATON_FUZZ_SECONDS})
  set(SECONDS $ENV{BATON_FUZZ_SECONDS})
endif()
file(REMOVE_RECURSE "${WORK}")
file(MAKE_DIRECTORY "${WORK}/corpus")
if(IS_DIRECTORY "${CORPUS}")
  file(COPY "${CORPUS}/" DESTINATION "${WORK}/corpus")
endif()
execute_process(
  COMMAND "${PROGRAM}" -max_total_time=${SECONDS} -rss_limit_mb=1024 -timeout=5 -max_len=4096 -print_final_stats=1
    "-artifact_prefix=${WORK}/" "${WORK}/corpus"
  RESULT_VARIABLE status ERROR_VARIABLE output OUTPUT_VARIABLE output)
string(LENGTH "${output}" length)
if(length GREATER 6000)
  math(EXPR start "${length} - 6000")
  string(SUBSTRING "${output}" ${start} -1 output)
endif()
message("${output}")
if(NOT status EQUAL 0)
  message(FATAL_ERROR "the fuzzer found something (${status}); its input lies in ${WORK}")
endif()
