#pragma once
// Number: what a cell says. The door to fast_float, which reads the doubles. Pure, any thread.
//
// A number may have a sign and white space around it: " +5". The words of missing_words mean that there is none. An
// integer has no negative zero, so "-0" is 0 in a column of doubles too: what a cell means does not depend on what
// stands in other cells.

#include <fast_float/fast_float.h>

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <system_error>

#include "actors/column_reader/columns.hpp"

namespace column_reader {

inline constexpr std::array<std::string_view, 6> missing_words{"NA", "N/A", "NaN", "nan", "null", "NULL"};

// Eight digits at once (Lemire, "Quickly parsing eight digits", 2018): std::from_chars took three times as long for the
// numbers of a usual column, most of it for guessing wrong how many digits come. `last` points behind the digits, of
// which the first ones may be missing; the eight bytes before it may be read. Returns false if one is none.
[[nodiscard]] inline bool read_eight_digits(const char* last, std::size_t count, std::uint64_t& value) noexcept {
    constexpr std::uint64_t zeros = 0x3030303030303030;
    std::uint64_t bytes = 0;
    std::memcpy(&bytes, last - 8, 8);
    const std::uint64_t there = ~std::uint64_t{0} << (64 - 8 * count);
    bytes = (bytes & there) | (zeros & ~there);
    if (((bytes & 0xf0f0f0f0f0f0f0f0) | (((bytes + 0x0606060606060606) & 0xf0f0f0f0f0f0f0f0) >> 4)) !=
        0x3333333333333333)
        return false;
    bytes -= zeros;
    bytes = bytes * 10 + (bytes >> 8);
    value = (((bytes & 0x000000ff000000ff) * 0x000f424000000064) +
             (((bytes >> 16) & 0x000000ff000000ff) * 0x0000271000000001)) >>
            32;
    return true;
}

// Nothing but digits and perhaps a minus, and no missing_integer.
[[nodiscard]] inline bool read_integer(std::string_view cell, std::int64_t& value) noexcept {
    const char* end = cell.data() + cell.size();
    const auto read = std::from_chars(cell.data(), end, value);
    return read.ec == std::errc{} && read.ptr == end && value != missing_integer;
}

// Reads a cell before which eight bytes may be read.
[[nodiscard]] inline bool read_integer_fast(std::string_view cell, std::int64_t& value) noexcept {
    const bool is_negative = cell.starts_with('-');
    const std::size_t digits = cell.size() - std::size_t{is_negative};
    if (std::endian::native != std::endian::little || digits - 1 >= 16) return read_integer(cell, value);
    const char* last = cell.data() + cell.size();
    std::uint64_t low = 0;
    std::uint64_t high = 0;
    if (!read_eight_digits(last, std::min<std::size_t>(digits, 8), low)) return false;
    if (digits > 8 && !read_eight_digits(last - 8, digits - 8, high)) return false;
    const auto absolute = static_cast<std::int64_t>(high * 100'000'000 + low);
    value = is_negative ? -absolute : absolute;
    return true;
}

// Nothing but what C calls a floating-point number.
[[nodiscard]] inline bool read_real(std::string_view cell, double& value) noexcept {
    if (cell.empty()) return false;
    const char* end = cell.data() + cell.size();
    const auto read = fast_float::from_chars(cell.data(), end, value);
    // Newer versions than 3.9 say of what is infinite or 0 in a double that it is out of range.
    const bool is_number = read.ec == std::errc{} || read.ec == std::errc::result_out_of_range;
    if (!is_number || read.ptr != end || std::isnan(value)) return false;
    if (value == 0 && std::signbit(value) && cell.find_first_not_of("-0") == std::string_view::npos) value = 0;
    return true;
}

// Any cell. `slot` is set if it is an integer or real.
[[nodiscard]] inline Kind read_number(std::string_view cell, Slot& slot) noexcept {
    constexpr std::string_view white_space = " \t";
    cell.remove_prefix(std::min(cell.find_first_not_of(white_space), cell.size()));
    cell = cell.substr(0, cell.find_last_not_of(white_space) + 1);
    if (cell.empty() || std::ranges::find(missing_words, cell) != missing_words.end()) return Kind::empty;
    if (cell.size() > 1 && cell[0] == '+' && cell[1] != '-') cell.remove_prefix(1);
    if (std::int64_t integer = 0; read_integer(cell, integer)) {
        slot = slot_of(integer);
        return Kind::integer;
    }
    if (double real = 0; read_real(cell, real)) {
        slot = slot_of(real);
        return Kind::real;
    }
    return Kind::text;
}

}  // namespace column_reader
