#include <baton/result.hpp>

#include <array>

#include "runtime/base/check.hpp"

namespace baton {

namespace {

constexpr std::array<std::string_view, 9> kind_names{
    "refused", "overloaded", "timed_out", "gone", "unsupported", "corrupt", "failed", "stopping", "deadlock"};

}  // namespace

std::string_view name_of(ErrorKind kind) noexcept {
    const auto index = static_cast<std::size_t>(kind);
    return index < kind_names.size() ? kind_names[index] : "unknown";
}

std::optional<ErrorKind> detail::error_kind_of(std::string_view name) noexcept {
    for (std::size_t index = 0; index < kind_names.size(); ++index)
        if (kind_names[index] == name) return static_cast<ErrorKind>(index);
    return std::nullopt;
}

std::string to_text(const Error& error) {
    std::string text{name_of(error.kind)};
    text += ": ";
    if (!error.type.empty()) text += error.type + ": ";
    text += error.text;
    return text;
}

void detail::fail_value_access(const Error& error) noexcept {
    try {
        fail_check("a Result was read that holds an error: " + to_text(error), "", 0);
    } catch (...) {
        fail_check("a Result was read that holds an error", "", 0);
    }
}

void detail::fail_error_access() noexcept { fail_check("the error of a Result was read that holds a value", "", 0); }

}  // namespace baton
