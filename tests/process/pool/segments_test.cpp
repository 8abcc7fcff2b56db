// Segments as arguments and results of tasks, also of workers that die with them.
#include "tests/process/pool/pool_world.hpp"

using namespace std::chrono_literals;
using baton::ErrorKind;
using baton::pool::lease_of;
using baton::pool::slice_of;

TEST_CASE("memory is lent to all tasks, sliced among them, given to them and by them", "[process][pool]") {
    PoolWorld world;
    TestScenario& scenario = world.scenario();
    std::optional<baton::pool::Pool<baton::Context>> pool;
    pool.emplace(scenario.context(), world.options());

    baton::Segment numbers = scenario.create_array<std::int64_t>({100}).value();
    std::iota(numbers.as<std::int64_t>().begin(), numbers.as<std::int64_t>().end(), 0);
    baton::Loan lent = scenario.lend(std::move(numbers)).value();
    // All read it at once.
    std::vector readers(10, std::tuple{lease_of(lent)});
    CHECK(pool->starmap<std::int64_t>("sum", readers).value().values().value() == Numbers(10, 4950));
    // Each writes its part.
    std::vector<std::tuple<baton::pool::SliceOf, int>> writers;
    for (std::uint64_t part = 0; part < 10; ++part)
        writers.emplace_back(slice_of(lent, part * 10, 10), static_cast<int>(part));
    CHECK(pool->starmap<std::monostate>("set", writers).value().errors().empty());
    CHECK_THAT(pool->submit<std::monostate>("set", slice_of(lent, 95, 10), 1).value().outcome(10s).value().to_text(),
               Catch::Contains("no part of segment"));
    numbers = lent.reclaim(10s).value();
    for (std::size_t index = 0; index < 100; ++index)
        CHECK(numbers.as<std::int64_t>()[index] == static_cast<std::int64_t>(index / 10));

    // Given away; and refused, it is still ours.
    CHECK_FALSE(pool->submit<std::uint64_t>("use_up", 3, std::move(numbers)).ok());
    REQUIRE(numbers);
    CHECK(pool->submit<std::uint64_t>("use_up", std::move(numbers)).value().get(10s).value() == 800);
    CHECK_FALSE(numbers);

    // What workers make outlives them.
    const auto made = pool->map<baton::Segment>("range", std::vector<std::uint64_t>{1, 10, 100, 1000}).value();
    CHECK_THAT(made[1].to_text(), Catch::StartsWith("Call to range(10) --> Result: segment"));
    std::vector<baton::Segment> ranges = made.values().value();
    pool.reset();
    std::uint64_t count = 0;
    for (const baton::Segment& one : ranges) count += one.as<std::int64_t>().size();
    CHECK(count == 1111);
    CHECK(ranges[3].as<std::int64_t>()[999] == 999);
    CHECK(made[0].result().error().kind == ErrorKind::refused);  // taken already
}

TEST_CASE("a task reads a range of rows beside somebody who writes others", "[process][pool]") {
    PoolWorld world;
    TestScenario& scenario = world.scenario();
    baton::pool::Pool pool{scenario.context(), world.options()};
    baton::Segment numbers = scenario.create_array<std::int64_t>({10, 10}).value();
    std::iota(numbers.as<std::int64_t>().begin(), numbers.as<std::int64_t>().end(), 0);
    baton::Loan lent = scenario.lend(std::move(numbers)).value();
    const auto sum = [&](baton::pool::LeaseOf range) {
        return pool.submit<std::int64_t>("sum", std::move(range)).value().get(10s);
    };
    {
        const baton::Slice written = lent.slice(5, 2).value();  // rows 5 and 6
        // Both neighbours of what is written, as a stencil needs them, and twice at once.
        CHECK(pool.starmap<std::int64_t>("sum", std::vector(2, std::tuple{lease_of(lent, 4, 1)})).value().values()
                  .value() == Numbers{445, 445});
        CHECK(sum(lease_of(lent, 7, 3)).value() == 2535);
        CHECK(pool.submit<std::monostate>("set", slice_of(lent, 0, 1), 0).value().get(10s).ok());
        // What touches it is refused, and so is all of it.
        for (baton::pool::LeaseOf range : {lease_of(lent, 4, 2), lease_of(lent, 6, 1), lease_of(lent)})
            CHECK(sum(range).error().kind == ErrorKind::refused);
    }
    CHECK(sum(lease_of(lent)).value() == 4950 - 45);
    CHECK_THAT(sum(lease_of(lent, 8, 3)).error().text, Catch::Contains("no part of segment"));
    CHECK(lent.reclaim(10s).ok());
}

TEST_CASE("a segment that a dead worker had accepted is lost with it, and its task says so", "[process][pool]") {
    PoolWorld world;
    baton::pool::Pool pool{world.scenario().context(), world.options(1)};
    baton::Segment numbers = world.scenario().create_array<std::int64_t>({4}).value();
    const auto outcome = pool.submit<std::monostate>("use_up_and_die", std::move(numbers)).value().outcome(20s).value();
    CHECK(outcome.error().kind == ErrorKind::gone);
    CHECK_THAT(outcome.error().text, Catch::Contains("lost with it"));
}

TEST_CASE("a segment that a dead worker had not accepted goes to the next one", "[process][pool]") {
    PoolWorld world;
    baton::pool::Pool pool{world.scenario().context(), world.options(1)};
    pool.start().value();
    const baton::AnyRef worker = crew_of(pool).seats()[0].worker;
    // It does not get to run, so it accepts nothing before it dies.
    ::kill(world.pid_of(worker), SIGSTOP);
    baton::Segment numbers = world.scenario().create_array<std::int64_t>({4}).value();
    auto pending = pool.submit<std::uint64_t>("use_up", std::move(numbers)).value();
    CHECK_FALSE(pending.ready());
    world.scenario().kill(worker).value();
    CHECK(pending.get(20s).value() == 32);
}
