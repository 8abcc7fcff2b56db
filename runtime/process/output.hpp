#pragma once
// Output: tells whether what a program printed to stdout has arrived, and the exit code if it has not.
//
// C's stdout and std::cout keep text in memory, so a full disk or a reader that has gone may show only when the program
// ends. finish_output() is called last; a program that does not call it may lose output and still exit with 0. Thread
// rule: call it when no other thread prints any more.

#include <optional>
#include <string>
#include <string_view>

namespace baton::detail {

inline constexpr int exit_output_lost = 74;            // EX_IOERR of sysexits.h
inline constexpr int exit_reader_gone = 128 + 13;      // what a shell reports after SIGPIPE: `... | head -n 1`

struct LostOutput {
    int exit_code = exit_output_lost;
    std::string why;  // empty if the reader has gone: nobody needs to be told
};

// Flushes stdout. Nothing if everything that was printed there has been taken.
[[nodiscard]] std::optional<LostOutput> finish_output() noexcept;

// For main(): `code`, or that of lost output, which is reported on stderr in the name of `program`.
[[nodiscard]] int code_with_output(std::string_view program, int code) noexcept;

// Prints to stdout and flushes it; never throws. finish_output() reports what could not be written.
void print_output(std::string_view text) noexcept;

}  // namespace baton::detail
