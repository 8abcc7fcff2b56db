#include <baton/text.hpp>

#include <fmt/format.h>
#include <utf8.h>

#include <algorithm>
#include <iterator>

#include "runtime/base/text.hpp"

namespace baton {
namespace {

constexpr std::string_view cut_mark = "...";

// U+0080 to U+009F count too: a terminal may obey them like ESC and a letter.
bool is_control(char32_t letter) noexcept { return letter < 0x20 || (letter >= 0x7F && letter <= 0x9F); }

// Ends of lines and paragraphs, and what turns the text behind it round.
bool is_mark(char32_t letter) noexcept {
    return letter == 0x061C || letter == 0x200E || letter == 0x200F || (letter >= 0x2028 && letter <= 0x202E) ||
           (letter >= 0x2066 && letter <= 0x2069);
}

// Hands each character and its bytes to `take`, and each byte that is part of none to `take_byte`.
template <class Take, class TakeByte>
void each_character(std::string_view text, Take&& take, TakeByte&& take_byte) {
    for (auto at = text.begin(); at != text.end();) {
        const auto wrong = utf8::find_invalid(at, text.end());
        while (at != wrong) {
            const auto start = at;
            const auto letter = static_cast<char32_t>(utf8::next(at, wrong));
            take(letter, std::string_view(start, at));
        }
        if (at != text.end()) take_byte(static_cast<unsigned char>(*at++));
    }
}

}  // namespace

bool is_utf8(std::string_view text) noexcept { return utf8::is_valid(text.begin(), text.end()); }

std::string readable(std::string_view text, std::size_t bytes_max) {
    // One character of four bytes more than fits: enough to see that there is more.
    bool is_cut = bytes_max < std::string_view::npos - 4 && text.size() > bytes_max + 4;
    if (is_cut) text = text.substr(0, bytes_max + 4);
    std::string out;
    if (is_utf8(text)) {
        out = text;
    } else {
        utf8::replace_invalid(text.begin(), text.end(), std::back_inserter(out), 0xFFFD);
    }
    is_cut = is_cut || out.size() > bytes_max;
    if (!is_cut) return out;
    std::size_t end = std::min(out.size(), bytes_max - cut_mark.size());
    while (end > 0 && end < out.size() && (static_cast<unsigned char>(out[end]) & 0xC0) == 0x80) --end;
    out.resize(end);
    out += cut_mark;
    return out;
}

std::string printable(std::string_view text, Lines lines) {
    std::string out;
    out.reserve(text.size());
    const auto add = [&](char32_t letter, std::string_view bytes) {
        const bool is_layout = letter == '\n' || letter == '\t';
        if (is_layout && lines == Lines::many) {
            out += bytes;
        } else if (is_layout) {
            out += letter == '\n' ? "\\n" : "\\t";
        } else if (is_control(letter)) {
            out += fmt::format("\\x{:02x}", static_cast<unsigned>(letter));
        } else if (is_mark(letter)) {
            out += fmt::format("\\u{:04x}", static_cast<unsigned>(letter));
        } else {
            out += bytes;
        }
    };
    each_character(text, add, [&out](unsigned char byte) { out += fmt::format("\\x{:02x}", byte); });
    return out;
}

std::string detail::printable_json(std::string_view json) {
    std::string out;
    out.reserve(json.size());
    const auto add = [&out](char32_t letter, std::string_view bytes) {
        const bool is_layout = letter < 0x20;  // outside of strings, where it stands for itself
        if (!is_layout && (is_control(letter) || is_mark(letter)))
            out += fmt::format("\\u{:04x}", static_cast<unsigned>(letter));
        else out += bytes;
    };
    each_character(json, add, [&out](unsigned char byte) { out += static_cast<char>(byte); });
    return out;
}

}  // namespace baton
