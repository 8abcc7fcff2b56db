// Tasks that are cancelled, begun or not.
#include "tests/process/pool/pool_world.hpp"

using namespace std::chrono_literals;
using baton::ErrorKind;
using baton::pool::AnyOutcome;
using baton::pool::call;
using baton::pool::Cancelled;
using baton::pool::lease_of;
using baton::pool::Outcome;
using baton::detail::pool::Inside;

// Goal: to end one task costs no other one anything. Method: each task appends a byte to a file, and one of them stands
// still in a batch with many others. When it is cancelled, it has run once, and so has each of the others in the end.
TEST_CASE("a task that runs is ended with its worker, and what shared its batch is run by the next one",
          "[process][pool]") {
    PoolWorld world;
    baton::pool::Pool pool{world.scenario().context(), world.options(1)};
    const std::tuple<std::string, std::string, std::string> nothing{"/dev/null", "/dev/null", "/dev/null"};
    CHECK(pool.starmap<std::int64_t>("append_and", std::vector(5'000, nothing)).value().errors().empty());
    const std::string file = world.folder() + "/done";
    const std::size_t place = GENERATE(std::size_t{0}, std::size_t{57}, std::size_t{99});
    std::vector tasks(100, std::tuple<std::string, std::string, std::string>{file, "/dev/null", "/dev/null"});
    const std::string fifo = world.make_fifo("gate");
    std::get<1>(tasks[place]) = fifo;
    std::get<0>(tasks[place]) = file + ".gate";
    auto map = pool.starmap_async<std::int64_t>("append_and", tasks).value();
    const baton::pool::TaskId first = Inside::handle(map).job()->first_id;
    std::error_code missing;
    while (std::filesystem::file_size(file + ".gate", missing) != 1) static_cast<void>(pool.pending());
    CHECK(pool.cancel(first + place).value() == Cancelled::ended);
    CHECK(pool.cancel(first + place).value() == Cancelled::too_late);
    const auto outcomes = map.get(20s).value();
    REQUIRE(outcomes.errors().size() == 1);
    const Outcome<std::int64_t> ended = outcomes[place];
    CHECK(ended.was_cancelled());
    CHECK(ended.error().kind == ErrorKind::refused);
    CHECK_THAT(ended.error().text, Catch::StartsWith("the task was cancelled while it ran: its worker pool_worker"));
    CHECK_THAT(ended.worker(), Catch::StartsWith("pool_worker"));
    CHECK(pool.find(first + place).value()->was_cancelled());
    CHECK(std::filesystem::file_size(file) == 99);
    CHECK(std::filesystem::file_size(file + ".gate") == 1);
    for (const std::string& made : {file, file + ".gate", fifo}) world.remove(made);
}

TEST_CASE("a task that its worker has not begun is withdrawn, and its worker lives on", "[process][pool]") {
    PoolWorld world;
    baton::pool::Pool pool{world.scenario().context(), world.options(1)};
    const std::int64_t pid = pool.submit<std::int64_t>("pid", 0).value().get(20s).value();
    // It does not get to run, so it begins nothing.
    ::kill(static_cast<pid_t>(pid), SIGSTOP);
    const std::string file = world.folder() + "/done";
    const bool is_alone = GENERATE(true, false);  // in its worker's hands
    auto task =
        pool.submit<std::int64_t>(is_alone ? call("append_to", file).with_retries(0) : call("append_to", file)).value();
    CHECK_FALSE(task.ready());
    CHECK(Inside::handle(task).job()->fates[0].state == baton::detail::pool::Job::State::in_hand);
    CHECK(task.cancel() == Cancelled::withdrawn);
    CHECK(task.get(0s).error().text == "the task was cancelled before it began");
    ::kill(static_cast<pid_t>(pid), SIGCONT);
    CHECK(pool.submit<std::int64_t>("pid", 0).value().get(20s).value() == pid);
    CHECK_FALSE(std::filesystem::exists(file));
}

TEST_CASE("memory that was lent to a task that is ended comes back", "[process][pool]") {
    PoolWorld world;
    baton::pool::Pool pool{world.scenario().context(), world.options(1)};
    baton::Segment numbers = world.scenario().create_array<std::int64_t>({4}).value();
    numbers.as<std::int64_t>()[0] = 17;
    baton::Loan lent = world.scenario().lend(std::move(numbers)).value();
    const std::string fifo = world.make_fifo("gate");
    const std::string begun = world.folder() + "/begun";
    auto task = pool.submit<std::int64_t>("sum_and_wait", lease_of(lent), begun, fifo).value();
    while (!std::filesystem::exists(begun)) static_cast<void>(task.ready());
    CHECK(task.cancel() == Cancelled::ended);
    CHECK(lent.reclaim(20s).value().as<std::int64_t>()[0] == 17);
    CHECK(pool.submit<std::int64_t>("square", 3).value().get(20s).value() == 9);
    for (const std::string& made : {begun, fifo}) world.remove(made);
}

TEST_CASE("many tasks are cancelled at once, and the answer says how many in which way", "[process][pool]") {
    PoolWorld world;
    baton::pool::Pool pool{world.scenario().context(), world.options(2)};
    const std::string fifo = world.make_fifo("gate");
    const std::string file = world.folder() + "/begun";
    std::vector tasks(50, std::tuple<std::string, std::string, std::string>{file, fifo, "/dev/null"});
    std::get<1>(tasks[0]) = "/dev/null";
    auto map = pool.starmap_async<std::int64_t>("append_and", tasks).value();
    while (!std::filesystem::exists(file) || std::filesystem::file_size(file) < 3) static_cast<void>(map.ready());
    const baton::pool::CancelledTasks how = map.cancel();
    CHECK(how == baton::pool::CancelledTasks{.too_late = 1, .withdrawn = 47, .ended = 2});
    CHECK(map.cancel() == baton::pool::CancelledTasks{.too_late = 50, .withdrawn = 0, .ended = 0});
    const auto outcomes = map.get(0s).value();
    CHECK(outcomes.errors().size() == 49);
    CHECK(outcomes[0].ok());
    CHECK(std::filesystem::file_size(file) == 3);
    // None of them counts as waiting: what waits behind a long task still goes to another worker.
    CHECK(pool.map<std::string>("wait_for", std::vector<std::string>(5'000, "/dev/null")).value().errors().empty());
    std::vector<Task<std::string>> behind;
    for (int task = 0; task < 100; ++task)
        behind.push_back(pool.submit<std::string>("wait_for", task == 20 ? fifo : std::string("/dev/null")).value());
    for (std::size_t task = 0; task < 100; ++task)
        if (task != 20) CHECK(behind[task].get(60s).ok());
    world.release(fifo);
    CHECK(behind[20].get(20s).ok());

    // And one that waits for start().
    baton::pool::Pool later{world.scenario().context(), world.options(1)};
    CHECK(later.add(call("square", 1)).value() == 1);
    CHECK(later.add(call("square", 2)).value() == 2);
    CHECK(later.cancel(1).value() == Cancelled::withdrawn);
    CHECK(later.pending() == std::vector<baton::pool::TaskId>{2});
    const std::vector<AnyOutcome> added = later.execute().value();
    CHECK(added[0].was_cancelled());
    CHECK(added[1].as<std::int64_t>().value() == 4);
    world.remove(file);
}
