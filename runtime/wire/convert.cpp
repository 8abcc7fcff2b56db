#include "runtime/wire/convert.hpp"

#include <algorithm>

namespace baton {

std::string Decoding::path() const {
    std::string text;
    for (const Step* step = &here_; step != nullptr; step = step->outer) {
        std::string piece = step->name.empty() ? "[" + std::to_string(step->index) + "]" : std::string(step->name);
        const bool needs_dot = !text.empty() && text.front() != '[';
        text = piece + (needs_dot ? "." : "") + text;
    }
    return text;
}

bool Decoding::expected(std::string_view what, Value got) {
    std::string found{name_of(got.kind())};
    std::int64_t number = 0;
    if (got.kind() == ValueKind::integer)
        found = got.to_integer(number) ? std::to_string(number) : "an integer above 2^63";
    if (got.kind() == ValueKind::array || got.kind() == ValueKind::map)
        found = std::string(name_of(got.kind())) + " of " + std::to_string(got.size());
    return fail(": expected " + std::string(what) + ", got " + found);
}

bool Decoding::fail(std::string_view what) {
    text_ = path();
    if (!what.starts_with(':')) text_ += ' ';
    text_ += what;
    return false;
}

}  // namespace baton
