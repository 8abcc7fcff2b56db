#include "actors/column_reader/statistics.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <functional>
#include <numeric>
#include <utility>

namespace column_reader {
namespace {

constexpr std::size_t block_values = 1024;  // whose mean is taken at once, in the nearest cache

// Two groups of numbers as one.
void add_moments(Numbers& into, std::uint64_t into_count, double mean, double squares, std::uint64_t count) {
    if (count == 0) return;
    const auto a = static_cast<double>(into_count);
    const auto b = static_cast<double>(count);
    if (into_count == 0) {
        into.mean = mean;
        into.squares = squares;
    } else if (std::isfinite(into.mean) && std::isfinite(mean)) {
        const double difference = mean - into.mean;
        into.mean += difference * (b / (a + b));
        into.squares += squares + difference * difference * (a * b / (a + b));
    } else {
        into.mean += mean;  // infinite; NaN if both are, to different sides
        into.squares = std::numeric_limits<double>::quiet_NaN();
    }
}

void add_block(Statistics& into, std::span<const double> values) {
    const auto count = static_cast<double>(values.size());
    double sum = 0;
    for (const double value : values) {
        sum += value;
        into.numbers.least = std::min(into.numbers.least, value);
        into.numbers.greatest = std::max(into.numbers.greatest, value);
    }
    const double about = sum / count;
    if (!std::isfinite(about)) {
        add_moments(into.numbers, into.count, about, std::numeric_limits<double>::quiet_NaN(), values.size());
        into.count += values.size();
        return;
    }
    // Deviations from about the mean correct the mean and themselves.
    double deviations = 0;
    double squares = 0;
    for (const double value : values) {
        deviations += value - about;
        squares += (value - about) * (value - about);
    }
    add_moments(into.numbers, into.count, about + deviations / count, squares - deviations * deviations / count,
                values.size());
    into.count += values.size();
}

// `real_of` gives the number in a slot, or NaN.
template <class RealOf>
Statistics statistics_of_numbers(std::span<const Slot> slots, Kind kind, RealOf real_of) {
    Statistics statistics;
    statistics.kind = kind;
    std::array<double, block_values> values;
    while (!slots.empty()) {
        const std::size_t size = std::min(slots.size(), block_values);
        std::size_t there = 0;
        for (const Slot slot : slots.first(size)) {
            const double value = real_of(slot);
            values[there] = value;
            there += !std::isnan(value);
        }
        statistics.missing += size - there;
        if (there > 0) add_block(statistics, std::span{values}.first(there));
        slots = slots.subspan(size);
    }
    return statistics;
}

}  // namespace

void DistinctCount::add(std::string_view text) {
    constexpr int rank_bits = 64 - index_bits;
    if (registers_.empty()) registers_.resize(std::size_t{1} << index_bits);
    const std::uint64_t hash = std::hash<std::string_view>{}(text);
    const int rank = std::min(std::countl_zero(hash << index_bits), rank_bits) + 1;
    std::uint8_t& greatest = registers_[hash >> rank_bits];
    greatest = std::max(greatest, static_cast<std::uint8_t>(rank));
}

void DistinctCount::add(const DistinctCount& other) {
    if (other.registers_.empty()) return;
    if (registers_.empty()) registers_.resize(other.registers_.size());
    std::ranges::transform(registers_, other.registers_, registers_.begin(),
                           [](std::uint8_t a, std::uint8_t b) { return std::max(a, b); });
}

std::uint64_t DistinctCount::estimate() const {
    if (registers_.empty()) return 0;
    const auto count = static_cast<double>(registers_.size());
    double sum = 0;
    for (const std::uint8_t rank : registers_) sum += std::ldexp(1.0, -rank);
    double estimate = 0.7213 / (1 + 1.079 / count) * count * count / sum;
    // If many registers have seen nothing, their number tells more.
    const auto unused = static_cast<double>(std::ranges::count(registers_, 0));
    if (estimate <= 2.5 * count && unused > 0) estimate = count * std::log(count / unused);
    return static_cast<std::uint64_t>(std::llround(estimate));
}

bool DistinctCount::assign(std::vector<std::uint8_t> registers) {
    if (!registers.empty() && registers.size() != std::size_t{1} << index_bits) return false;
    registers_ = std::move(registers);
    return true;
}

void Statistics::add(const Statistics& other) {
    add_moments(numbers, count, other.numbers.mean, other.numbers.squares, other.count);
    numbers.least = std::min(numbers.least, other.numbers.least);
    numbers.greatest = std::max(numbers.greatest, other.numbers.greatest);
    numbers.least_integer = std::min(numbers.least_integer, other.numbers.least_integer);
    numbers.greatest_integer = std::max(numbers.greatest_integer, other.numbers.greatest_integer);
    texts.bytes += other.texts.bytes;
    texts.longest_bytes = std::max(texts.longest_bytes, other.texts.longest_bytes);
    texts.distinct.add(other.texts.distinct);
    count += other.count;
    missing += other.missing;
}

double Statistics::standard_deviation() const {
    if (count < 2) return std::numeric_limits<double>::quiet_NaN();
    return std::sqrt(numbers.squares / static_cast<double>(count - 1));
}

Statistics statistics_of_integers(std::span<const Slot> slots) {
    Statistics statistics = statistics_of_numbers(slots, Kind::integer, [](Slot slot) {
        const std::int64_t integer = integer_in(slot);
        return integer == missing_integer ? missing_real : static_cast<double>(integer);
    });
    for (const Slot slot : slots) {
        const std::int64_t integer = integer_in(slot);
        statistics.numbers.greatest_integer = std::max(statistics.numbers.greatest_integer, integer);
        if (integer != missing_integer)
            statistics.numbers.least_integer = std::min(statistics.numbers.least_integer, integer);
    }
    return statistics;
}

Statistics statistics_of_reals(std::span<const Slot> slots) {
    return statistics_of_numbers(slots, Kind::real, [](Slot slot) { return real_in(slot); });
}

Statistics statistics_of_texts(std::span<const Slot> slots, std::string_view text, std::uint64_t first_byte) {
    Statistics statistics;
    statistics.kind = Kind::text;
    statistics.texts.bytes = text.size();
    for (std::size_t row = 0; row < slots.size(); ++row) {
        const std::uint64_t begin = slots[row] - first_byte;
        const std::uint64_t end = row + 1 < slots.size() ? slots[row + 1] - first_byte : text.size();
        if (begin == end) {
            ++statistics.missing;
            continue;
        }
        ++statistics.count;
        statistics.texts.longest_bytes = std::max(statistics.texts.longest_bytes, end - begin);
        statistics.texts.distinct.add(text.substr(begin, end - begin));
    }
    return statistics;
}

Statistics statistics_of(Kind kind, std::span<const Slot> slots, std::string_view text, std::uint64_t first_byte) {
    switch (kind) {
        case Kind::integer: return statistics_of_integers(slots);
        case Kind::text: return statistics_of_texts(slots, text, first_byte);
        case Kind::empty:
        case Kind::real: break;
    }
    return statistics_of_reals(slots);
}

std::uint64_t checksum_of(Kind kind, std::span<const Slot> slots, std::string_view text) {
    std::uint64_t sum = 0;
    switch (kind) {
        case Kind::empty: break;
        case Kind::integer:
            for (const Slot slot : slots) sum += integer_in(slot) == missing_integer ? 0 : slot;
            break;
        case Kind::real:
            for (const Slot slot : slots) {
                constexpr double largest = 1099511627776.0;  // 2^40
                const double real = real_in(slot);
                if (std::abs(real) < largest) sum += static_cast<std::uint64_t>(std::llrint(real * 1000));
            }
            break;
        case Kind::text:
            sum = text.size();
            for (const char byte : text) sum += static_cast<unsigned char>(byte);
            break;
    }
    return sum;
}

}  // namespace column_reader
