// How the owner of a pool gets outcomes: by waiting, polling, or being called.
#include "tests/process/pool/pool_world.hpp"

using namespace std::chrono_literals;
using baton::ErrorKind;
using baton::pool::call;
using baton::pool::Errors;
using baton::pool::named;
using baton::pool::Outcome;

namespace {

// Those of worker_main.cpp.
struct AddSquares {
    std::vector<std::int64_t> numbers;
    std::string fifo;
    using Reply = std::int64_t;
};
struct Busy {
    using Reply = std::uint64_t;
};
using SumsProtocol = baton::Protocol<AddSquares, Busy>;

}  // namespace

// ---- whom it belongs to ----------------------------------------------------------------------------

TEST_CASE("a script's pool returns what was asked for, and throws where an actor's returns an error",
          "[process][pool]") {
    PoolWorld world;
    baton::Scenario script{world.session(), {}};
    baton::pool::Pool pool{script, world.options()};
    static_assert(std::is_same_v<decltype(pool), baton::pool::Pool<baton::Scenario>>);
    pool.start();
    CHECK(pool.map<std::int64_t>("square", Numbers{1, 2, 3}).values() == Numbers{1, 4, 9});
    baton::pool::Task<std::int64_t> task = pool.submit<std::int64_t>("square", 4);
    CHECK(task.get(10s) == 16);
    CHECK(task.get(script.deadline(10s)) == 16);  // a timeout or a deadline
    CHECK(pool.map_async<std::int64_t>("square", Numbers{5}).get(10s).values() == Numbers{25});
    for (const Outcome<std::int64_t>& one : pool.imap<std::int64_t>("square", Numbers{6})) CHECK(one.value() == 36);
    CHECK(pool.add(call("square", 7)) == 7);
    CHECK(pool.execute().front().as<std::int64_t>().value() == 49);
    CHECK(pool.find(task.id())->id() == task.id());

    const auto error_of = [](const auto& verb) {
        try {
            verb();
        } catch (const baton::ErrorException& error) {
            return to_text(error.error());
        }
        return std::string("it has not thrown");
    };
    CHECK_THAT(error_of([&] { pool.submit<std::int64_t>("cube", 3); }),
               Catch::StartsWith("refused: 'pool_worker' has no task"));
    auto bad = pool.submit<std::int64_t>("all_but", 4, 4);
    CHECK_THAT(error_of([&] { bad.get(10s); }), Catch::Contains("no 4"));
    CHECK(bad.outcome(10s).error().type == "std::out_of_range");
    const std::vector<std::tuple<int, int>> rows{{1, 4}, {4, 4}};
    CHECK_THAT(error_of([&] { static_cast<void>(pool.starmap<std::int64_t>("all_but", rows).values()); }),
               Catch::Contains("no 4"));
    CHECK_THAT(error_of([&] { pool.starmap<std::int64_t>("all_but", rows, {.errors = Errors::stop_at_first}); }),
               Catch::Contains("(in all_but(4, 4)"));
    const std::string fifo = world.make_fifo("gate");
    auto late = pool.submit<std::string>("wait_for", fifo);
    CHECK_THAT(error_of([&] { late.get(0s); }), Catch::StartsWith("timed_out"));
    CHECK_THAT(error_of([&] { pool.cancel(99); }), Catch::Contains("no task of this pool has the id 99"));
    world.release(fifo);
    CHECK(late.get(10s) == "released");
    CHECK_THAT(error_of([&] { baton::pool::Task<int>{}.get(1s); }), Catch::Contains("there is no task here"));
}

// Goal: an actor waits for nothing while its pool works for it. Method: it can answer the first only when a fifo is
// opened, and answers others before that.
TEST_CASE("an actor goes on with its commands, and is called when its pool's tasks are done", "[process][pool]") {
    PoolWorld world;
    const auto sums =
        world.scenario().spawn<SumsProtocol>({.program = "pool_worker", .name = "sums", .arguments = {"sums"}});
    const std::string fifo = world.make_fifo("gate");
    auto sum = world.scenario().request(sums.value(), AddSquares{range(1000), fifo}).value();
    auto short_sum = world.scenario().request(sums.value(), AddSquares{{1, 2, 3}, "/dev/null"}).value();
    CHECK(short_sum.get(20s).value() == 14);
    CHECK(world.scenario().ask(sums.value(), Busy{}).value() == 1);
    CHECK_FALSE(sum.ready());
    world.release(fifo);
    CHECK(sum.get(20s).value() == 332'833'500);
    CHECK(world.scenario().ask(sums.value(), Busy{}).value() == 0);
}

TEST_CASE("what was left to be called between commands is called in time, until it is taken back", "[process][pool]") {
    PoolWorld world;
    TestScenario& scenario = world.scenario();
    int looks = 0;
    std::shared_ptr<void> looking = scenario.between_commands([&] {
        ++looks;
        return looks < 3 ? scenario.deadline(1ms) : baton::Deadline::never();
    });
    CHECK(scenario.wait_for([&] { return looks >= 3; }, 20s).ok());  // nothing comes in the meantime
    looking.reset();
    const int before = looks;
    CHECK(scenario.wait_for([] { return false; }, 1ms).error().kind == ErrorKind::timed_out);
    CHECK(looks == before);
}

// ---- many outcomes, as they come ---------------------------------------------------------------------

TEST_CASE("outcomes come in the order in which tasks are done, however they were given", "[process][pool]") {
    PoolWorld world;
    baton::pool::Pool pool{world.scenario().context(), world.options(2)};
    const std::string fifo = world.make_fifo("gate");
    std::vector<Task<std::string>> tasks;
    for (const std::string& file : {fifo, std::string("/dev/null"), std::string("/dev/null")})
        tasks.push_back(pool.submit<std::string>("wait_for", file).value());
    auto completed = pool.as_completed(tasks, 60s);
    std::set<baton::pool::TaskId> quick;
    for (int count = 0; count < 2; ++count) quick.insert(completed.next().value()->id());
    CHECK(quick == std::set{tasks[1].id(), tasks[2].id()});
    CHECK_FALSE(tasks[0].ready());
    world.release(fifo);
    CHECK(completed.next().value()->id() == tasks[0].id());
    CHECK_FALSE(completed.next().value());

    // Of what is done already; of a whole map; of what nobody else holds.
    std::vector<baton::Timestamp> times;
    for (const Outcome<std::string>& one : pool.as_completed(tasks)) times.push_back(one.finished());
    CHECK(times.size() == 3);
    CHECK(std::ranges::is_sorted(times));
    const Numbers numbers = range(3'000);
    auto squares = pool.map_async<std::int64_t>("square", numbers).value();
    std::set<baton::pool::TaskId> ids;
    for (const Outcome<std::int64_t>& one : pool.as_completed(squares)) ids.insert(one.id());
    CHECK(ids.size() == 3'000);
    std::int64_t sum = 0;
    for (const Outcome<std::int64_t>& one :
         pool.as_completed(pool.map_async<std::int64_t>("square", Numbers{1, 2, 3}).value()))
        sum += one.value();
    CHECK(sum == 14);
}

TEST_CASE("a wait for the next outcome ends in time, and may be taken up again with what is left", "[process][pool]") {
    PoolWorld world;
    baton::pool::Pool pool{world.scenario().context(), world.options(1)};
    const std::string fifo = world.make_fifo("gate");
    auto tasks = pool.map_async<std::string>("wait_for", std::vector<std::string>{"/dev/null", fifo}).value();
    auto first = pool.as_completed(tasks, 60s);
    CHECK(first.next().value()->value() == "released");
    auto completed = pool.as_completed(tasks, 0s);
    CHECK(completed.next().value()->value() == "released");
    CHECK(completed.next().error().kind == ErrorKind::timed_out);
    CHECK(tasks.get(0s).error().kind == ErrorKind::timed_out);
    CHECK(tasks.unfinished() == 1);
    world.release(fifo);
    CHECK(tasks.get(20s).value().values().value() == std::vector<std::string>(2, "released"));
    CHECK(completed.next().value()->value() == "released");
    CHECK_FALSE(completed.next().value());
}

TEST_CASE("a map that does not wait can be waited for, polled, and told of its first error", "[process][pool]") {
    PoolWorld world;
    baton::pool::Pool pool{world.scenario().context(), world.options()};
    const std::string fifo = world.make_fifo("gate");
    auto slow = pool.map_async<std::string>("wait_for", std::vector<std::string>{fifo, "/dev/null"}).value();
    CHECK(slow.size() == 2);
    CHECK_FALSE(slow.ready());
    world.release(fifo);
    while (!slow.ready()) {
    }
    CHECK(slow.get(0s).value()[0].value() == "released");
    const std::vector<std::tuple<int>> bases{{2}, {3}};
    std::vector exponents{std::tuple{named("exponent", 5)}, std::tuple{named("exponent", 2)}};
    CHECK(pool.starmap_async<std::int64_t>("power", bases, exponents).value().get(10s).value().values().value() ==
          Numbers{32, 9});
    exponents.pop_back();
    CHECK_THAT(pool.starmap_async<std::int64_t>("power", bases, exponents).error().text,
               Catch::Contains("2 rows of arguments"));

    std::vector<std::tuple<int, int>> rows;
    for (int x = 0; x < 300; ++x) rows.emplace_back(x, 4);
    auto stops = pool.starmap_async<std::int64_t>("all_but", rows, {.errors = Errors::stop_at_first}).value();
    CHECK_THAT(stops.get(20s).error().text, Catch::StartsWith("no 4 (in all_but(4, 4)"));
    auto again = pool.starmap_async<std::int64_t>("all_but", rows, {.errors = Errors::stop_at_first}).value();
    std::optional<baton::Error> error;
    for (auto completed = pool.as_completed(again); !error;) {
        const auto one = completed.next();
        if (!one) error = one.error();
        else REQUIRE(one.value());
    }
    CHECK_THAT(error->text, Catch::Contains("no 4 (in all_but(4, 4)"));
}

TEST_CASE("a script's functions are called during its waits, and may use the pool", "[process][pool]") {
    PoolWorld world;
    baton::pool::Pool pool{world.scenario().context(), world.options(1)};
    std::vector<std::int64_t> said;
    const std::string first = world.make_fifo("first");  // nothing is done before it is opened
    pool.submit<std::string>("wait_for", first).value().then([&](const Outcome<std::string>& one) {
        said.push_back(one.value() == "released" ? 0 : -3);
    });
    pool.submit<std::int64_t>("square", 3).value().then([&](const Outcome<std::int64_t>& one) {
        said.push_back(one.value());
    });
    pool.map_async<std::int64_t>("square", Numbers{1, 2}).value().then([&](const auto& all) {
        for (const auto& one : pool.map<std::int64_t>("square", all.values().value()).value())
            said.push_back(one.value());
    });
    CHECK(said.empty());
    world.release(first);
    CHECK(said.empty());
    // Not a wait of the pool: it moves all the same.
    CHECK(world.scenario().wait_for([&] { return said.size() == 4; }, 20s).ok());
    std::ranges::sort(said);
    CHECK(said == Numbers{0, 1, 9, 16});
    const std::string fifo = world.make_fifo("gate");
    pool.submit<std::string>("wait_for", fifo).value().then([&](const Outcome<std::string>& one) {
        said.push_back(one.error().kind == ErrorKind::stopping ? -1 : -2);
    });
    static_cast<void>(pool.stop(500ms));
    CHECK(world.scenario().wait_for([&] { return said.size() == 5; }, 20s).ok());
    CHECK(said.back() == -1);
    std::filesystem::remove(fifo);
}
