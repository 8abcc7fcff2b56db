#pragma once
// Text: bytes from elsewhere (what() of an exception, file names, a row of shared memory, what a peer says), made fit
// to be sent and to be shown. text.cpp and columns' utf8.cpp are the doors to utfcpp. Pure functions.

#include <string>
#include <string_view>

namespace baton::detail {

// UTF-8 without overlong forms and surrogates: what text on the wire must be, so that every language can read it.
[[nodiscard]] bool is_utf8(std::string_view text) noexcept;

// UTF-8 in any case, of at most `bytes_max` bytes (8 and more): what is not UTF-8 becomes U+FFFD, and what is too long
// is cut between two characters and ends in "...".
[[nodiscard]] std::string readable(std::string_view text, std::size_t bytes_max = std::string_view::npos);

// For a terminal or a log: control characters, and the marks that change the direction of what follows, are spelled out
// (\n, \t, \x1b, \u202e), and so are bytes that are not UTF-8. With `many`, ends of lines and tabs stay what they are.
enum class Lines { one, many };
[[nodiscard]] std::string printable(std::string_view text, Lines lines = Lines::one);
// Like printable(), for JSON, whose strings spell out control characters below U+0020 already. The meaning of the JSON
// does not change.
[[nodiscard]] std::string printable_json(std::string_view json);

}  // namespace baton::detail
