// Batches of a pool: what travels together, and how it is read.
#include "tests/process/pool/pool_world.hpp"

TEST_CASE("results are read one by one in any order, of whichever batch they are", "[process][pool]") {
    PoolWorld world;
    baton::pool::Pool pool{world.scenario().context(), world.options(2)};
    Numbers numbers(20'000);
    std::iota(numbers.begin(), numbers.end(), 0);
    const auto squares = pool.map<std::int64_t>("square", numbers).value();
    const std::vector rows(20'000, std::tuple{std::int64_t{3}, std::uint8_t{4}});
    const auto powers = pool.starmap<std::int64_t>("power", rows).value();
    for (std::size_t low = 0, high = 19'999; low < high; ++low, --high) {
        REQUIRE(squares[low].value() == numbers[low] * numbers[low]);
        REQUIRE(squares[high].value() == numbers[high] * numbers[high]);
        REQUIRE(powers[high].value() == 81);
    }
    CHECK(squares.values().value().back() == numbers.back() * numbers.back());
}

TEST_CASE("a batch holds tasks of as many arguments as their function has, even of none", "[process][pool]") {
    PoolWorld world;
    baton::pool::Pool pool{world.scenario().context(), world.options(2)};
    const auto none = pool.starmap<std::int64_t>("answer", std::vector<std::tuple<>>(3'000)).value();
    CHECK(none.values().value() == Numbers(3'000, 42));
    CHECK(none[7].to_text() == "Call to answer() --> Result: 42");
    CHECK(none[7].arguments().value().empty());
    std::vector<std::tuple<std::int64_t, std::int64_t>> pairs;
    Numbers expected;
    for (std::int64_t base = 0; base < 3'000; ++base) {
        pairs.emplace_back(base, base % 4);
        expected.push_back(1);
        for (std::int64_t times = 0; times < base % 4; ++times) expected.back() *= base;
    }
    const auto two = pool.starmap<std::int64_t>("power", pairs).value();
    CHECK(two.values().value() == expected);
    CHECK(two[7].to_text() == "Call to power(7, 3) --> Result: 343");
}
