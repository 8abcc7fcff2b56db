#pragma once
// Output: whether what a program printed to stdout has arrived, and the exit code that says it has not.
//
// C's stdout and std::cout keep text in memory, so a full disk or a reader that has gone may show only when the program
// ends. finish_output() is called last; a program that does not call it loses output and ends with 0.
// Thread rule: when no other thread prints any more.

#include <optional>
#include <string>
#include <string_view>

namespace baton::detail {

inline constexpr int exit_output_lost = 74;            // EX_IOERR of sysexits.h
inline constexpr int exit_reader_gone = 128 + 13;      // as a shell says of a program that SIGPIPE ended: `... | head -n 1`

struct LostOutput {
    int exit_code = exit_output_lost;
    std::string why;  // empty where the reader has gone: nobody needs to be told
};

// Flushes stdout. Nothing if all that was printed there has been taken.
[[nodiscard]] std::optional<LostOutput> finish_output() noexcept;

// For main(): `code`, or that of lost output, which is told on stderr as `program`'s.
[[nodiscard]] int code_with_output(std::string_view program, int code) noexcept;

// Prints to stdout, and flushes it; never throws. What could not be written is known to finish_output().
void print_output(std::string_view text) noexcept;

}  // namespace baton::detail
