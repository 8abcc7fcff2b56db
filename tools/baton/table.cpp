#include "tools/baton/table.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>

#include <baton/check.hpp>
#include <baton/text.hpp>

namespace baton::tool {

namespace {

constexpr std::string_view gap = "  ";

std::size_t width_of(std::string_view text) {
    return static_cast<std::size_t>(std::ranges::count_if(text, [](char c) { return (c & 0xC0) != 0x80; }));
}

}  // namespace

Colours colours_for(std::FILE* stream) {
    const char* const unwanted = std::getenv("NO_COLOR");
    const char* const terminal = std::getenv("TERM");
    const bool is_dumb = terminal == nullptr || std::string_view(terminal) == "dumb";
    const bool is_wanted = (unwanted == nullptr || *unwanted == '\0') && !is_dumb && ::isatty(::fileno(stream)) == 1;
    return is_wanted ? Colours::yes : Colours::no;
}

std::string painted(std::string_view text, Paint paint, Colours colours) {
    if (colours == Colours::no || paint == Paint::plain || text.empty()) return std::string(text);
    const auto in = [text](std::string_view code) { return fmt::format("\x1b[{}m{}\x1b[0m", code, text); };
    switch (paint) {
        case Paint::plain: break;
        case Paint::bold: return in("1");
        case Paint::faint: return in("2");
        case Paint::good: return in("32");
        case Paint::busy: return in("33");
        case Paint::bad: return in("31");
    }
    return std::string(text);
}

void Table::add(std::vector<Cell> row) {
    check(row.size() == columns_.size(), "a row of a table has a cell for each column");
    for (Cell& cell : row) cell.text = printable(cell.text);
    rows_.push_back(std::move(row));
}

std::string Table::text(Colours colours, std::string_view indent) const {
    std::vector<std::size_t> widths;
    bool has_titles = false;
    for (std::size_t index = 0; index < columns_.size(); ++index) {
        std::size_t width = width_of(columns_[index].title);
        has_titles = has_titles || width > 0;
        for (const std::vector<Cell>& row : rows_) width = std::max(width, width_of(row[index].text));
        widths.push_back(width);
    }
    std::string out;
    const auto add_line = [&](const std::vector<Cell>& row) {
        std::string line{indent};
        std::size_t owed = 0;  // blanks that are only written before something else
        for (std::size_t index = 0; index < row.size(); ++index) {
            const std::size_t blank = widths[index] - width_of(row[index].text);
            const bool is_right = columns_[index].align == Align::right;
            if (index > 0) owed += gap.size();
            if (is_right) owed += blank;
            if (!row[index].text.empty()) {
                line.append(owed, ' ');
                owed = 0;
                line += painted(row[index].text, row[index].paint, colours);
            }
            if (!is_right) owed += blank;
        }
        out += line + "\n";
    };
    if (has_titles) {
        std::vector<Cell> titles;
        for (const Column& column : columns_) titles.emplace_back(column.title, Paint::faint);
        add_line(titles);
    }
    for (const std::vector<Cell>& row : rows_) add_line(row);
    return out;
}

}  // namespace baton::tool
