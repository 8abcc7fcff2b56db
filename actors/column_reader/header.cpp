#include "actors/column_reader/header.hpp"

#include <algorithm>
#include <set>
#include <utility>

#include "actors/column_reader/cell.hpp"
#include "actors/column_reader/utf8.hpp"

namespace column_reader {
namespace {

using baton::Error;
using baton::ErrorKind;
using baton::Result;

constexpr std::string_view usual_delimiters = ",;\t|";

// The fields of the row at the front of `text`, without what ends it.
struct Row {
    std::vector<std::string_view> fields;
    std::size_t end = 0;  // of the row with its newline
    bool is_whole = false;
};

Row first_row_of(std::string_view text, char delimiter) {
    Row row;
    std::size_t begin = 0;
    bool is_inside = false;
    bool may_open = true;
    for (std::size_t at = 0; at < text.size(); ++at) {
        const char byte = text[at];
        if (byte == '"' && (is_inside || may_open)) {
            is_inside = !is_inside;
            may_open = !is_inside;
        } else if (is_inside) {
            may_open = false;
        } else {
            may_open = byte == delimiter;
            if (byte == '\n') {
                row.fields.push_back(text.substr(begin, at - begin));
                row.end = at + 1;
                row.is_whole = true;
                break;
            }
            if (byte == delimiter) {
                row.fields.push_back(text.substr(begin, at - begin));
                begin = at + 1;
            }
        }
    }
    if (!row.is_whole) {
        row.fields.push_back(text.substr(begin));
        row.end = text.size();
        row.is_whole = !is_inside;
    }
    if (row.fields.back().ends_with('\r')) row.fields.back().remove_suffix(1);
    return row;
}

std::string shown(char delimiter) { return delimiter == '\t' ? "tab" : std::string{'\'', delimiter, '\''}; }

bool holds_carriage_return(std::string_view field) {
    return !field.starts_with('"') && field.find('\r') != std::string_view::npos;
}

// One field that is several if another delimiter is meant: which one, or 0.
char other_delimiter_in(std::string_view field) {
    if (field.starts_with('"')) return 0;
    const std::size_t place = field.find_first_of(usual_delimiters);
    return place == std::string_view::npos ? '\0' : field[place];
}

std::vector<std::string> unique_names(const std::vector<std::string_view>& fields, FirstRow first_row) {
    std::vector<std::string> names;
    std::set<std::string, std::less<>> taken;
    std::string scratch;
    for (const std::string_view field : fields) {
        std::string name{first_row == FirstRow::names ? unquoted(field, scratch) : std::string_view{}};
        if (name.empty()) name = "column_" + std::to_string(names.size() + 1);
        const std::string wanted = name;
        for (int number = 2; !taken.insert(name).second; ++number) name = wanted + '_' + std::to_string(number);
        names.push_back(std::move(name));
    }
    return names;
}

}  // namespace

Result<void> is_delimiter(char delimiter) {
    if (delimiter == '\t' || (delimiter >= ' ' && delimiter <= '~' && delimiter != '"')) return {};
    return Error{ErrorKind::refused, "a delimiter is a tab or a printable ASCII character, and not a quote"};
}

Result<Header> read_header(const TextFile& file, char delimiter, FirstRow first_row) {
    const std::string& path = file.path();
    Header header{{}, file.begin(), 1};
    std::string front(std::min<std::uint64_t>(file.end() - header.begin, header_bytes_max + 1), '\0');
    if (auto read = file.read(header.begin, front); !read) return std::move(read.error());
    std::string_view rest = front;
    for (bool is_blank = true; is_blank;) {
        const std::size_t newline = rest.starts_with("\r\n") ? 2 : rest.starts_with('\n') ? 1 : 0;
        rest.remove_prefix(newline);
        is_blank = newline > 0;
        header.begin += newline;
        header.first_line += std::uint64_t{is_blank};
    }
    if (rest.empty())
        return Error{ErrorKind::refused, "cannot read '" + path + "': there are no column names in the first " +
                                             std::to_string(front.size()) + " bytes, nothing but blank lines"};
    const std::string where =
        "cannot read '" + path + "': line " + std::to_string(header.first_line) + ", the first row, ";
    const Row row = first_row_of(rest, delimiter);
    const std::string_view bytes = rest.substr(0, row.end);
    if (front.size() > header_bytes_max && bytes.size() == rest.size())
        return Error{ErrorKind::refused, where + "is longer than " + std::to_string(header_bytes_max) + " bytes"};
    if (!row.is_whole) return Error{ErrorKind::refused, where + "opens a quote and never closes it"};
    if (std::ranges::any_of(row.fields, holds_carriage_return))
        return Error{ErrorKind::refused, where + "ends in a carriage return alone; first: tr '\\r' '\\n'"};
    if (const std::size_t place = find_not_utf8(bytes); place != std::string_view::npos)
        return Error{ErrorKind::refused, where + "is not UTF-8 at its byte " + std::to_string(place + 1) +
                                             "; first: iconv -f LATIN1 -t UTF-8"};
    if (row.fields.size() > columns_max)
        return Error{ErrorKind::refused, where + "holds " + std::to_string(row.fields.size()) +
                                             " fields; this program takes " + std::to_string(columns_max)};
    if (row.fields.size() == 1 && first_row == FirstRow::names)
        if (const char other = other_delimiter_in(row.fields[0]); other != 0)
            return Error{ErrorKind::refused, where + "holds no " + shown(delimiter) + " but " + shown(other) +
                                                 ": try that as the delimiter"};
    header.names = unique_names(row.fields, first_row);
    if (first_row == FirstRow::names) {
        header.begin += row.end;
        header.first_line += static_cast<std::uint64_t>(std::ranges::count(bytes, '\n'));
    }
    return header;
}

}  // namespace column_reader
