#pragma once
// check(): a promise that code makes to itself and that must hold, in release builds too.
//
//     baton::check(row < rows_, "a row is one of the table");
//
// When it does not hold, the process ends at once with exit code 70. In an actor that is an exit like any other: its
// kind is `failed_check` (<baton/exit.hpp>), its text is the promise with file and line, and what the actor held is
// settled. A process that is no actor says the promise on stderr. It is meant for mistakes in the program. Trouble of
// the world (a file that is missing, a peer that has died) is an Error (<baton/result.hpp>). Thread rule: any thread.

#include <baton/limits.hpp>

#include <string_view>

namespace baton {

namespace detail {

inline constexpr int check_exit_code = 70;  // EX_SOFTWARE of sysexits.h
[[noreturn]] void fail_check(std::string_view promise, const char* file, unsigned line) noexcept;

}  // namespace detail

// The builtins stand for std::source_location, which clang 14 does not have.
inline void check(bool holds, std::string_view promise, const char* file = __builtin_FILE(),
                  unsigned line = __builtin_LINE()) {
    if (!holds) [[unlikely]] detail::fail_check(promise, file, line);
}

}  // namespace baton
