#include "actors/column_reader/statistics.hpp"

#include <cmath>
#include <random>
#include <set>

#include "tests/catch.hpp"

namespace {

using column_reader::DistinctCount;
using column_reader::Kind;
using column_reader::missing_integer;
using column_reader::missing_real;
using column_reader::Slot;
using column_reader::slot_of;
using column_reader::Statistics;
using column_reader::statistics_of_integers;
using column_reader::statistics_of_reals;
using column_reader::statistics_of_texts;

template <class Number>
std::vector<Slot> slots(std::initializer_list<Number> numbers) {
    std::vector<Slot> out;
    for (const Number number : numbers) out.push_back(slot_of(number));
    return out;
}

// Texts one after the other, and where each begins.
struct Column {
    std::vector<Slot> slots;
    std::string text;
    void add(const std::string& cell) {
        slots.push_back(text.size());
        text += cell;
    }
};

}  // namespace

TEST_CASE("statistics of numbers leave out what is missing", "[unit]") {
    const Statistics integers =
        statistics_of_integers(slots<std::int64_t>({4, missing_integer, -2, 7, missing_integer, INT64_MAX - 1}));
    CHECK(integers.kind == Kind::integer);
    CHECK(integers.count == 4);
    CHECK(integers.missing == 2);
    CHECK(integers.numbers.least_integer == -2);
    CHECK(integers.numbers.greatest_integer == INT64_MAX - 1);

    const Statistics reals = statistics_of_reals(slots<double>({2, missing_real, 4, 4, 4, 5, 5, 7, 9}));
    CHECK(reals.count == 8);
    CHECK(reals.missing == 1);
    CHECK(reals.numbers.least == 2);
    CHECK(reals.numbers.greatest == 9);
    CHECK(reals.numbers.mean == Approx(5));
    CHECK(reals.standard_deviation() == Approx(std::sqrt(32.0 / 7)));
}

TEST_CASE("a column without numbers has no mean to speak of", "[unit]") {
    const Statistics nothing = statistics_of_reals(slots<double>({missing_real, missing_real}));
    CHECK(nothing.count == 0);
    CHECK(nothing.missing == 2);
    CHECK(std::isnan(nothing.standard_deviation()));
    CHECK(std::isnan(statistics_of_reals(slots<double>({1.5})).standard_deviation()));
}

TEST_CASE("large numbers with a small spread keep their deviation", "[unit]") {
    std::vector<Slot> column;
    for (int i = 0; i < 100'000; ++i) column.push_back(slot_of(1e15 + i % 2));
    CHECK(statistics_of_reals(column).standard_deviation() == Approx(0.5).epsilon(1e-4));
}

TEST_CASE("a column with infinite numbers has an infinite mean", "[unit]") {
    constexpr double infinite = std::numeric_limits<double>::infinity();
    Statistics sum = statistics_of_reals(slots<double>({1, infinite, 2}));
    sum.add(statistics_of_reals(slots<double>({3, infinite})));
    sum.add(statistics_of_reals(slots<double>({4})));
    CHECK(sum.numbers.mean == infinite);
    CHECK(sum.numbers.least == 1);
    CHECK(std::isnan(sum.standard_deviation()));
}

TEST_CASE("statistics of parts add up to those of the whole", "[unit]") {
    std::mt19937_64 random{8};
    std::vector<Slot> column;
    for (int i = 0; i < 10'000; ++i)
        column.push_back(
            slot_of(random() % 50 == 0 ? missing_integer : static_cast<std::int64_t>(random() % 1'000'000) - 1000));
    const Statistics whole = statistics_of_integers(column);
    for (const std::size_t cut : {0U, 1U, 1023U, 5000U, 10'000U}) {
        Statistics sum = statistics_of_integers(std::span{column}.first(cut));
        sum.add(statistics_of_integers(std::span{column}.subspan(cut)));
        CHECK(sum.count == whole.count);
        CHECK(sum.missing == whole.missing);
        CHECK(sum.numbers.least_integer == whole.numbers.least_integer);
        CHECK(sum.numbers.greatest_integer == whole.numbers.greatest_integer);
        CHECK(sum.numbers.least == whole.numbers.least);
        CHECK(sum.numbers.greatest == whole.numbers.greatest);
        CHECK(sum.numbers.mean == Approx(whole.numbers.mean).epsilon(1e-13));
        CHECK(sum.standard_deviation() == Approx(whole.standard_deviation()).epsilon(1e-13));
    }
}

TEST_CASE("statistics of texts know how many, how long and about how many different ones", "[unit]") {
    Column column;
    for (const char* cell : {"ada", "", "bob", "ada", "caf\u00e9", ""}) column.add(cell);
    const Statistics texts = statistics_of_texts(column.slots, column.text);
    CHECK(texts.count == 4);
    CHECK(texts.missing == 2);
    CHECK(texts.texts.bytes == 14);
    CHECK(texts.texts.longest_bytes == 5);
    CHECK(texts.texts.distinct.estimate() == 3);
    for (Slot& slot : column.slots) slot += 1000;
    CHECK(statistics_of_texts(column.slots, column.text, 1000).texts.longest_bytes == 5);
    CHECK(statistics_of_texts({}, "").count == 0);
}

TEST_CASE("different texts are counted to a few percent, in parts too", "[unit]") {
    for (const std::size_t number : {100U, 1'000U, 10'000U, 300'000U}) {
        DistinctCount whole;
        DistinctCount first;
        DistinctCount second;
        for (std::size_t i = 0; i < number; ++i) {
            const std::string text = "text " + std::to_string(i);
            whole.add(text);
            whole.add(text);
            (i % 3 == 0 ? first : second).add(text);
        }
        first.add(second);
        CHECK(first.estimate() == whole.estimate());
        CHECK(static_cast<double>(whole.estimate()) == Approx(static_cast<double>(number)).epsilon(0.06));
    }
    CHECK(DistinctCount{}.estimate() == 0);
}

TEST_CASE("a count of different texts travels as its registers", "[unit]") {
    DistinctCount count;
    for (int i = 0; i < 1000; ++i) count.add(std::to_string(i));
    DistinctCount other;
    REQUIRE(other.assign(count.registers()));
    CHECK(other.estimate() == count.estimate());
    CHECK(!other.assign({1, 2, 3}));
    CHECK(other.assign({}));
    CHECK(other.estimate() == 0);
}

TEST_CASE("a checksum is the same in any order and without what is missing", "[unit]") {
    using column_reader::checksum_of;
    CHECK(checksum_of(Kind::integer, slots<std::int64_t>({5, missing_integer, -2})) == 3);
    CHECK(checksum_of(Kind::integer, slots<std::int64_t>({-2, 5})) == 3);
    CHECK(checksum_of(Kind::real, slots<double>({0.5, missing_real, 1.0004, 1e300, -2})) ==
          static_cast<std::uint64_t>(-500));
    Column column;
    for (const char* cell : {"ab", "", "c"}) column.add(cell);
    CHECK(checksum_of(Kind::text, column.slots, column.text) == 3 + 'a' + 'b' + 'c');
}
