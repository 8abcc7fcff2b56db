#pragma once
// Statistics: what a column is like, of parts that add up.
//
// Means and deviations are kept as Chan, Golub and LeVeque add them (mean and sum of squared deviations), so that
// large values with a small spread keep their digits. Adding the same parts in the same order gives the same bits;
// other cuts of the file may differ in the last few. Pure, any thread.

#include <array>
#include <cstdint>
#include <limits>
#include <span>
#include <string_view>
#include <vector>

#include "actors/column_reader/columns.hpp"

namespace column_reader {

// About how many different texts there were, in constant memory: HyperLogLog (Flajolet and others, 2007), here with
// a standard error of 1.6 %, and nearly exact up to a thousand.
class DistinctCount {
public:
    static constexpr int index_bits = 12;

    void add(std::string_view text);
    void add(const DistinctCount& other);
    [[nodiscard]] std::uint64_t estimate() const;

    // For messages: empty as long as nothing has been counted.
    [[nodiscard]] const std::vector<std::uint8_t>& registers() const noexcept { return registers_; }
    // False if they are none.
    [[nodiscard]] bool assign(std::vector<std::uint8_t> registers);

private:
    std::vector<std::uint8_t> registers_;
};

// Of numbers that are there.
struct Numbers {
    std::int64_t least_integer = std::numeric_limits<std::int64_t>::max();  // of integer columns, to the last digit
    std::int64_t greatest_integer = std::numeric_limits<std::int64_t>::min();
    double least = std::numeric_limits<double>::infinity();
    double greatest = -std::numeric_limits<double>::infinity();
    double mean = 0;
    double squares = 0;  // the sum of squared deviations from the mean

    bool operator==(const Numbers&) const = default;
};

struct Texts {
    std::uint64_t bytes = 0;
    std::uint64_t longest_bytes = 0;
    DistinctCount distinct;
};

struct Statistics {
    Kind kind = Kind::empty;
    std::uint64_t count = 0;  // of cells that are not missing
    std::uint64_t missing = 0;
    Numbers numbers;  // of integer and real columns
    Texts texts;      // of text columns

    // Both of the same kind.
    void add(const Statistics& other);
    // Of the cells as a sample; NaN for less than two.
    [[nodiscard]] double standard_deviation() const;
};

[[nodiscard]] Statistics statistics_of_integers(std::span<const Slot> slots);
[[nodiscard]] Statistics statistics_of_reals(std::span<const Slot> slots);
// `text` holds the bytes of all cells, of which the first one begins at `first_byte`.
[[nodiscard]] Statistics statistics_of_texts(std::span<const Slot> slots, std::string_view text,
                                             std::uint64_t first_byte = 0);

// Of a column of any final kind.
[[nodiscard]] Statistics statistics_of(Kind kind, std::span<const Slot> slots, std::string_view text,
                                       std::uint64_t first_byte = 0);

// A number that the same cells always give, in whatever order, however the file was cut and parsed, to compare programs
// by: a sum modulo 2^64 of, for each cell that is not missing, the integer itself, 1000 times the real rounded (beyond
// 2^40 nothing), or the bytes of the text and their number.
[[nodiscard]] std::uint64_t checksum_of(Kind kind, std::span<const Slot> slots, std::string_view text = {});

}  // namespace column_reader
