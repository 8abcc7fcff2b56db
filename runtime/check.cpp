#include <baton/check.hpp>

#include <unistd.h>

#include <algorithm>
#include <cstdio>

#include "runtime/base/check.hpp"
#include "runtime/base/say.hpp"

namespace baton::detail {
namespace {

void (*keep_last_words_)(std::string_view) noexcept = nullptr;

}  // namespace

void on_failed_check(void (*keep_last_words)(std::string_view) noexcept) noexcept {
    keep_last_words_ = keep_last_words;
}

void fail_check(std::string_view promise, const char* file, unsigned line) noexcept {
    char text[512];
    const int size_max = static_cast<int>(std::min<std::size_t>(promise.size(), 400));
    const int length = line == 0 ? std::snprintf(text, sizeof text, "check failed: %.*s\n", size_max, promise.data())
                                 : std::snprintf(text, sizeof text, "check failed: %.*s (%s:%u)\n", size_max,
                                                 promise.data(), file, line);
    const auto size = length < 0 ? 0U : std::min(static_cast<std::size_t>(length), sizeof text - 1);
    if (keep_last_words_ != nullptr && size > 0) keep_last_words_({text, size - 1});
    say({text, size});
    ::_exit(check_exit_code);
}

}  // namespace baton::detail
