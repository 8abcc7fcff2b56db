#pragma once
// Header: the names of a CSV file's columns, and where its rows begin. Any thread.

#include <cstdint>
#include <string>
#include <vector>

#include "actors/column_reader/text_file.hpp"
#include <baton/result.hpp>

namespace column_reader {

inline constexpr std::size_t columns_max = 4096;
inline constexpr std::size_t header_bytes_max = std::size_t{256} << 10;  // all names travel in one message

enum class FirstRow { names, values };

struct Header {
    std::vector<std::string> names;
    std::uint64_t begin = 0;       // where the rows begin
    std::uint64_t first_line = 1;  // on which they begin

    bool operator==(const Header&) const = default;
};

// Reads the first row that is not blank. Names without text become "column_3", and one that was there before becomes
// "name_2", so that each stands for one column; if the first row holds values, all do. Refused if there is no row,
// it does not end within header_bytes_max, holds more than columns_max fields or is not UTF-8; the text of the error
// also knows when another delimiter is likely.
[[nodiscard]] baton::Result<Header> read_header(const TextFile& file, char delimiter, FirstRow first_row);

// Why `delimiter` can't be one, or nothing.
[[nodiscard]] baton::Result<void> is_delimiter(char delimiter);

}  // namespace column_reader
