#pragma once
// Cell: what stands in one field of a CSV row. Pure, any thread.

#include <string>
#include <string_view>

namespace column_reader {

// The field as the csv module of Python reads it: what is in its quotes, two quotes in a row as one, and whatever
// follows the closing one as it is. Stays valid as long as `field` and `scratch` do and `scratch` is not changed.
[[nodiscard]] inline std::string_view unquoted(std::string_view field, std::string& scratch) {
    if (!field.starts_with('"')) return field;
    const std::string_view inside = field.substr(1);
    const std::size_t quote = inside.find('"');
    if (quote + 1 == inside.size()) return inside.substr(0, quote);
    scratch.clear();
    for (std::size_t at = 0; at < inside.size();) {
        const std::size_t end = inside.find('"', at);
        scratch += inside.substr(at, end - at);
        if (end == std::string_view::npos) break;
        at = end + 1;
        if (at < inside.size() && inside[at] == '"') {
            scratch += '"';
            ++at;
        } else {
            scratch += inside.substr(at);
            break;
        }
    }
    return scratch;
}

}  // namespace column_reader
