#pragma once
// Text from elsewhere (file names, what() of an exception, what a peer says), made fit to be sent and to be shown. Text
// of a command must be UTF-8; a terminal must not obey what a peer has written. Thread rule: pure functions.

#include <baton/limits.hpp>

#include <string>
#include <string_view>

namespace baton {

// UTF-8 without overlong forms and surrogates: what text on the wire must be, so that every language can read it.
[[nodiscard]] bool is_utf8(std::string_view text) noexcept;

// The text as UTF-8, of at most `bytes_max` bytes, which must be 8 or more: what is not UTF-8 becomes U+FFFD, and what
// is too long is cut between two characters and ends in "...".
[[nodiscard]] std::string readable(std::string_view text, std::size_t bytes_max = std::string_view::npos);

// The text for a terminal or a log: control characters, marks that change the direction of what follows, and bytes that
// are not UTF-8 are spelled out (\n, \t, \x1b, \u202e). With `many`, ends of lines and tabs stay what they are.
enum class Lines { one, many };
[[nodiscard]] std::string printable(std::string_view text, Lines lines = Lines::one);

}  // namespace baton
