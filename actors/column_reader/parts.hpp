#pragma once
// Parts: a CSV file cut into runs of whole rows for many readers, even if quoted fields hold newlines.
//
// Three steps, of which only the second looks at every byte, and that one is done by all readers at once:
//   1. stretches_of() cuts right after newlines, of which nobody knows yet whether they end a row.
//   2. survey() reads a stretch in two ways, as if it began with a row and as if it began inside a quoted field. In
//      most files both ways agree after a row or two; from there it is one way.
//   3. parts_of() knows how the first stretch begins, so it knows how each of them ends and the next one begins,
//      and moves each cut to where a row really begins.
// The result is exact for any file and any number of stretches, and comes with the number of rows, so that memory for
// them can be made before they are parsed. All offsets are the file's. Any thread.

#include <cstdint>
#include <span>
#include <vector>

#include "actors/column_reader/text_file.hpp"
#include <baton/result.hpp>

namespace column_reader {

struct Stretch {
    std::uint64_t begin = 0;  // right after a newline, or where the rows begin
    std::uint64_t end = 0;

    bool operator==(const Stretch&) const = default;
};

// `count` stretches of about equal size that follow each other from `begin` to the end of the file, cut after
// newlines. Some may be empty if lines are long. Reads little unless lines are long.
[[nodiscard]] baton::Result<std::vector<Stretch>> stretches_of(const TextFile& file, std::uint64_t begin,
                                                               std::size_t count);

// What a stretch holds if it begins in one of the two ways.
struct Reading {
    std::uint64_t rows = 0;              // that end in it with a newline
    std::uint64_t first_row_end = 0;     // behind the newline of the first of them
    std::uint64_t lines_to_row_end = 0;  // newlines up to there
    bool ends_in_quotes = false;

    bool operator==(const Reading&) const = default;
};
struct Survey {
    Stretch stretch;
    std::uint64_t lines = 0;  // newlines, in quotes or not
    Reading from_row;         // if it begins with a row
    Reading from_quotes;      // if it begins inside a quoted field
    bool ends_with_newline = false;
};
[[nodiscard]] baton::Result<Survey> survey(const TextFile& file, Stretch stretch, char delimiter);

// Whole rows. Lines are counted from 1 for the file's first one, as an editor counts them.
struct Part {
    std::uint64_t begin = 0;
    std::uint64_t end = 0;
    std::uint64_t first_line = 1;
    std::uint64_t rows_max = 0;  // blank and bad rows included

    bool operator==(const Part&) const = default;
};

// One part for each survey, in the same order; together they hold every row once. `surveys` are of all stretches of
// a file, and `first_line` is the line on which the first of them begins. A part whose stretch lies within one row is
// empty.
[[nodiscard]] std::vector<Part> parts_of(std::span<const Survey> surveys, std::uint64_t first_line);

}  // namespace column_reader
