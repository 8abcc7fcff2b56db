#pragma once
// check(): a promise of our own that must hold, in release too. When it does not, this actor ends at once
// with exit code `check_exit_code` and its last words stand on stderr and where on_failed_check() put them:
// a crash is an ordinary event here, and the survivors are told.
//
// Not for trouble of the world (see result.hpp). Thread rule: callable anywhere.

#include <string_view>

namespace baton::detail {

inline constexpr int check_exit_code = 70;  // EX_SOFTWARE of sysexits.h

[[noreturn]] void fail_check(std::string_view promise, const char* file, unsigned line) noexcept;

// The builtins stand for std::source_location, which clang 14 does not have.
inline void check(bool holds, std::string_view promise, const char* file = __builtin_FILE(),
                  unsigned line = __builtin_LINE()) {
    if (!holds) [[unlikely]] fail_check(promise, file, line);
}

// Where the last words go beside stderr (the actor's row of the vitals). Set once, by main's thread.
void on_failed_check(void (*keep_last_words)(std::string_view) noexcept) noexcept;

}  // namespace baton::detail
