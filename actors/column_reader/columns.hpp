#pragma once
// Columns: how the cells of a column lie in memory. Plain values, any thread.
//
// Whatever its kind, a column takes one slot of 64 bits a row, so that memory can be made when the number of rows is
// known and nobody knows the kinds yet, and a column can change its kind in place:
//   integer  std::int64_t; a missing cell is missing_integer.
//   real     double; a missing cell is NaN, and only that is.
//   text     std::uint64_t, where the cell's bytes begin in the bytes of the column; it ends where the next one begins,
//            the last one at the end of the bytes. A missing cell has none.
//   empty    every cell is missing; the slots hold what an integer column would.
// The kinds are ordered: each can stand for what the ones before it hold, so the kind of a column is the greatest
// that any part of the file has seen in it (merged()). An integer column with a cell of -2^63 is real, because that
// value means missing here, as NumPy's NaT does.

#include <algorithm>
#include <bit>
#include <cstdint>
#include <limits>
#include <string_view>
#include <vector>

namespace column_reader {

enum class Kind : std::uint8_t { empty, integer, real, text };

using Kinds = std::vector<Kind>;  // of all columns, in the order of the file

inline constexpr std::int64_t missing_integer = std::numeric_limits<std::int64_t>::min();
inline constexpr double missing_real = std::numeric_limits<double>::quiet_NaN();

using Slot = std::uint64_t;
[[nodiscard]] constexpr Slot slot_of(std::int64_t integer) noexcept { return std::bit_cast<Slot>(integer); }
[[nodiscard]] constexpr Slot slot_of(double real) noexcept { return std::bit_cast<Slot>(real); }
[[nodiscard]] constexpr std::int64_t integer_in(Slot slot) noexcept { return std::bit_cast<std::int64_t>(slot); }
[[nodiscard]] constexpr double real_in(Slot slot) noexcept { return std::bit_cast<double>(slot); }

// What both can be read as. If all parts have seen nothing, as_real() makes the column one of NaN.
inline void merge(Kinds& into, const Kinds& other) {
    for (std::size_t column = 0; column < into.size(); ++column) into[column] = std::max(into[column], other[column]);
}
[[nodiscard]] constexpr Kind final_kind(Kind merged) noexcept { return merged == Kind::empty ? Kind::real : merged; }

[[nodiscard]] constexpr std::string_view name_of(Kind kind) noexcept {
    switch (kind) {
        case Kind::empty: return "empty";
        case Kind::integer: return "int64";
        case Kind::real: return "double";
        case Kind::text: return "string";
    }
    return "";
}

}  // namespace column_reader
