#pragma once
// Table: rows of text in aligned columns, and colour where a person looks.
//
// Two spaces between columns, no lines, no trailing blanks. Widths are counted in UTF-8 characters. What
// stands in a cell is shown on one line, control characters spelled out. Plain values.

#include <cstdio>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace baton::tool {

enum class Colours { no, yes };
// Yes on a terminal, unless NO_COLOR is set or the terminal is a dumb one.
[[nodiscard]] Colours colours_for(std::FILE* stream);

enum class Paint { plain, bold, faint, good, busy, bad };
[[nodiscard]] std::string painted(std::string_view text, Paint paint, Colours colours);

class Table {
public:
    enum class Align { left, right };
    struct Column {
        std::string title;
        Align align = Align::left;
    };
    struct Cell {
        Cell(std::string shown, Paint colour = Paint::plain) : text(std::move(shown)), paint(colour) {}  // NOLINT
        Cell(const char* shown) : text(shown) {}  // NOLINT
        std::string text;
        Paint paint = Paint::plain;
    };

    // If no column has a title there is no line of titles.
    explicit Table(std::vector<Column> columns) : columns_(std::move(columns)) {}
    // As many cells as there are columns.
    void add(std::vector<Cell> row);
    [[nodiscard]] bool is_empty() const noexcept { return rows_.empty(); }
    // Each line begins with `indent` and ends with a newline.
    [[nodiscard]] std::string text(Colours colours, std::string_view indent = {}) const;

private:
    std::vector<Column> columns_;
    std::vector<std::vector<Cell>> rows_;
};

}  // namespace baton::tool
