// Nobody's death holds a pool up; and how it starts and stops.
#include "tests/captured_stderr.hpp"
#include "tests/process/pool/pool_world.hpp"

using namespace std::chrono_literals;
using baton::ErrorKind;
using baton::pool::call;
using baton::pool::lease_of;

// ---- deaths ----------------------------------------------------------------------------------------

TEST_CASE("a task whose worker dies is tried again, with its arguments", "[process][pool]") {
    PoolWorld world;
    baton::pool::Pool pool{world.scenario().context(), world.options()};
    const std::string letters = world.letters(2);
    auto pending = pool.submit<std::int64_t>("die_while", 42, letters).value();
    CHECK(pending.get(20s).value() == 42);  // the third attempt
    CHECK(std::filesystem::file_size(letters) == 0);

    SECTION("but not where its caller forbids it") {
        world.letters(1);
        const auto outcome =
            pool.submit<std::int64_t>(call("die_while", 1, letters).with_retries(0)).value().outcome(20s).value();
        CHECK(outcome.error().kind == ErrorKind::gone);
        CHECK_THAT(outcome.error().text,
                   Catch::Contains("worker gone") && Catch::Contains("signal -9") && Catch::Contains("tried 1 time"));
    }
    SECTION("with lent memory, of which each attempt gets a lease of its own") {
        world.letters(1);
        baton::Segment numbers = world.scenario().create_array<std::int64_t>({4}).value();
        numbers.as<std::int64_t>()[0] = 17;
        baton::Loan lent = world.scenario().lend(std::move(numbers)).value();
        CHECK(pool.submit<std::int64_t>("sum_or_die", lease_of(lent), letters).value().get(20s).value() == 17);
        CHECK(lent.reclaim(10s).value().as<std::int64_t>()[0] == 17);
    }
    world.remove(letters);
}

TEST_CASE("a task that kills every worker it meets is failed, and the others go on", "[process][pool]") {
    PoolWorld world;
    baton::pool::Pool pool{world.scenario().context(), world.options()};
    std::vector<std::tuple<int, int>> rows;
    for (int x = 0; x < 500; ++x) rows.emplace_back(x, x == 250 || x == 490 ? x : -1);
    const auto outcomes = pool.starmap<std::int64_t>("die_at", rows).value();
    const auto errors = outcomes.errors();
    REQUIRE(errors.size() == 2);
    CHECK_THAT(errors[0].to_text(),
               Catch::StartsWith("Call to die_at(250, 250) --> Error: gone: worker gone: pool_worker") &&
                   Catch::Contains("tried 3 times"));
    CHECK_THAT(errors[1].to_text(), Catch::StartsWith("Call to die_at(490, 490)"));
    for (std::size_t x = 0; x < 500; ++x)
        if (x != 250 && x != 490) CHECK(outcomes[x].value() == static_cast<std::int64_t>(x));
}

TEST_CASE("an actor has a pool of its own children, which die and end as those of a scenario", "[process][pool]") {
    PoolWorld world;
    baton::pool::Options options = world.options(1);
    options.name = "chief";
    baton::pool::Pool pool{world.scenario().context(), options};
    const std::string letters = world.letters(1);
    const auto said = pool.submit<std::string>("delegate", 100, letters).value().get(20s);
    CHECK_THAT(said.value(), Catch::StartsWith("4950 by chief-1/helper-"));
    for (const baton::RosterRow& row : world.session().roster(false).value())
        CHECK(row.name.find('/') == std::string::npos);
    world.remove(letters);
}

TEST_CASE("an exit is a death like others, and told as such", "[process][pool]") {
    PoolWorld world;
    baton::pool::Pool pool{world.scenario().context(), world.options(1)};
    const auto outcome = pool.submit<std::monostate>(call("exit_with", 3).with_retries(0)).value().outcome(20s).value();
    CHECK_THAT(outcome.to_text(), Catch::Contains("returned 3"));
}

TEST_CASE(
    "a worker that is killed while it has nothing to do is replaced when it is needed, by one with a name of its own",
    "[process][pool]") {
    PoolWorld world;
    baton::pool::Options options = world.options(1);
    options.name = "worker";
    baton::pool::Pool pool{world.scenario().context(), options};
    const auto first = pool.submit<std::int64_t>("pid", 0).value().outcome(10s).value();
    CHECK(first.worker() == "worker-1");
    const baton::AnyRef worker = crew_of(pool).seats()[0].worker;
    world.scenario().kill(worker).value();
    static_cast<void>(world.scenario().join(worker, 10s));
    const auto second = pool.submit<std::int64_t>("pid", 0).value().outcome(20s).value();
    CHECK(second.worker() == "worker-2");
    CHECK(first.value() != second.value());
}

TEST_CASE("a task over its timeout is given up, and its worker replaced", "[process][pool]") {
    PoolWorld world;
    baton::pool::Pool pool{world.scenario().context(), world.options(1)};
    const std::int64_t worker = pool.submit<std::int64_t>("pid", 0).value().get(10s).value();
    const std::string fifo = world.make_fifo("never");
    const auto outcome =
        pool.submit<std::string>(call("wait_for", fifo).with_timeout(50ms)).value().outcome(20s).value();
    CHECK(outcome.error().kind == ErrorKind::timed_out);
    CHECK_THAT(outcome.error().text, Catch::Contains("took longer than its timeout"));
    CHECK(pool.submit<std::int64_t>("pid", 0).value().get(20s).value() != worker);
    std::filesystem::remove(fifo);
}

TEST_CASE("where no worker can be started everything ends with the reason", "[process][pool]") {
    PoolWorld world;
    SECTION("there is no such program") {
        baton::pool::Pool pool{world.scenario().context(),
                               {.program = "no_such_program", .workers = 2, .shows_progress = false}};
        const auto started = pool.start();
        REQUIRE_FALSE(started.ok());
        CHECK(started.error().kind == ErrorKind::refused);
        CHECK_THAT(started.error().text, Catch::Contains("no_such_program"));
        CHECK(pool.map<std::int64_t>("square", Numbers{1}).error().kind == ErrorKind::refused);
    }
    SECTION("it registers a task twice, and says so") {
        baton::pool::Options options = world.options(1);
        options.arguments = {"twice"};
        baton::pool::Pool pool{world.scenario().context(), options};
        CHECK_THAT(pool.start().error().text, Catch::Contains("two tasks are called 'square'"));
    }
    SECTION("it is no worker") {
        baton::pool::Pool pool{world.scenario().context(), {.program = "probe", .workers = 1, .shows_progress = false}};
        CHECK(pool.start().error().kind == ErrorKind::refused);
    }
}

TEST_CASE("a worker that answers nonsense is as good as dead, and what it says of a result is read with care",
          "[process][pool]") {
    PoolWorld world;
    const std::string lie = GENERATE(as<std::string>{}, "count", "half", "nothing", "failures", "results", "type");
    baton::pool::Options options = world.options(1);
    options.arguments = {lie};
    baton::pool::Pool pool{world.scenario().context(), options};
    const auto outcome = pool.submit<std::int64_t>("square", 3).value().outcome(20s).value();
    const auto result = outcome.result();
    REQUIRE_FALSE(result.ok());
    CHECK(result.error().kind == (lie == "type" ? ErrorKind::refused : ErrorKind::corrupt));
    CHECK_THAT(outcome.to_text(), Catch::StartsWith("Call to square(3) --> "));
}

TEST_CASE("a worker whose tasks make no sense is refused", "[process][pool]") {
    PoolWorld world;
    baton::pool::Options options = world.options(1);
    options.arguments = {"description"};
    baton::pool::Pool pool{world.scenario().context(), options};
    CHECK_THAT(pool.start().error().text, Catch::Contains("makes no sense"));
}

// ---- start and stop --------------------------------------------------------------------------------

TEST_CASE("a stopped pool has no worker left, and can be started again", "[process][pool][I7]") {
    PoolWorld world;
    baton::pool::Pool pool{world.scenario().context(), world.options(3)};
    for (int run = 0; run < 2; ++run) {
        pool.start().value();
        std::set<pid_t> pids;
        for (const auto& seat : crew_of(pool).seats()) pids.insert(world.pid_of(seat.worker));
        REQUIRE(pids.size() == 3);
        CHECK(pool.add(call("square", run)).value() == 1);  // ids begin anew
        CHECK(pool.execute().value().front().as<std::int64_t>().value() == run * run);
        const std::string fifo = world.make_fifo("gate");
        auto unfinished = pool.submit<std::string>("wait_for", fifo).value();
        CHECK(pool.stop(500ms).size() == 3);
        for (const pid_t pid : pids) CHECK_FALSE(is_alive(pid));
        CHECK(unfinished.get(0s).error().kind == ErrorKind::stopping);
        std::filesystem::remove(fifo);
    }
}

TEST_CASE("two pools of one program do not meet", "[process][pool]") {
    PoolWorld world;
    baton::pool::Pool one{world.scenario().context(), world.options(1)};
    baton::pool::Pool other{world.scenario().context(), world.options(1)};
    auto first = one.submit<std::int64_t>("pid", 0).value();
    auto second = other.submit<std::int64_t>("pid", 0).value();
    CHECK(first.get(10s).value() != second.get(10s).value());
    static_cast<void>(one.stop());
    CHECK(other.submit<std::int64_t>("square", 3).value().get(10s).value() == 9);
}

TEST_CASE("progress counts each task once, also beyond 255 and where tasks fail", "[process][pool]") {
    PoolWorld world;
    baton::pool::Options options = world.options();
    options.shows_progress = true;
    std::vector<std::tuple<int, int>> rows;
    for (int x = 0; x < 300; ++x) rows.emplace_back(x, 256);
    world.session();
    std::string said;
    {
        const baton_test::CapturedStderr captured;
        {
            baton::pool::Pool pool{world.scenario().context(), options};
            CHECK(pool.starmap<std::int64_t>("all_but", rows).value().errors().size() == 1);
        }
        said = captured.text();
    }
    CHECK_THAT(said, Catch::Contains("workers ready: 2 of 2 workers"));
    CHECK_THAT(said, Catch::Contains("all_but: 300 of 300 tasks"));
    CHECK_THAT(said, Catch::Contains("workers stopping: 2 of 2 workers"));
}
