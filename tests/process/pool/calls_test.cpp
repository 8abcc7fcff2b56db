// Calls of a pool: what they compute, and how a task fails.
#include <fcntl.h>
#include <unistd.h>

#include "tests/process/pool/pool_world.hpp"

using namespace std::chrono_literals;
using baton::ErrorKind;
using baton::pool::AnyOutcome;
using baton::pool::call;
using baton::pool::Errors;
using baton::pool::named;
using baton::pool::Outcome;
using baton::detail::pool::Inside;

namespace {

struct Point {
    double x = 0;
    double y = 0;
};

// The values of 0, 1, ... that `make` makes, each when it is taken. (std::views can't be used with clang before version
// 16.)
class Made {
public:
    Made(int count, std::function<int(int)> make) : count_(count), make_(std::move(make)) {}

    class Iterator {
    public:
        using value_type = int;
        using difference_type = std::ptrdiff_t;
        explicit Iterator(const Made& made) : made_(&made) {}
        int operator*() const { return made_->make_(at_); }
        Iterator& operator++() { return ++at_, *this; }
        void operator++(int) { ++at_; }
        bool operator==(std::default_sentinel_t) const { return at_ == made_->count_; }

    private:
        const Made* made_;
        int at_ = 0;
    };
    [[nodiscard]] Iterator begin() const { return Iterator{*this}; }
    [[nodiscard]] std::default_sentinel_t end() const { return {}; }

private:
    int count_;
    std::function<int(int)> make_;
};

}  // namespace

// ---- what it computes ------------------------------------------------------------------------------

TEST_CASE("a pool maps a function over numbers, in their order", "[process][pool]") {
    PoolWorld world;
    baton::pool::Pool pool{world.scenario().context(), world.options()};
    const Numbers numbers = range(10'000);
    Numbers expected;
    for (const std::int64_t number : numbers) expected.push_back(number * number);
    CHECK(pool.map<std::int64_t>("square", numbers).value().values().value() == expected);

    SECTION("any range will do, and none of it gives nothing") {
        CHECK(pool.map<std::int64_t>("square", Made{4, [](int x) { return x; }}).value().values().value() ==
              Numbers{0, 1, 4, 9});
        CHECK(pool.map<std::int64_t>("square", Numbers{}).value().size() == 0);
    }
    SECTION("tuples and named arguments") {
        using Row = std::tuple<int, int>;
        CHECK(pool.starmap<std::int64_t>("power", std::vector<Row>{{2, 10}, {3, 3}}).value().values().value() ==
              Numbers{1024, 27});
        const std::vector<std::tuple<int>> bases{{2}, {3}};
        std::vector exponents{std::tuple{named("exponent", 5)}, std::tuple{named("exponent", 2)}};
        CHECK(pool.starmap<std::int64_t>("power", bases, exponents).value().values().value() == Numbers{32, 9});
        CHECK(pool.submit<std::int64_t>("power", named("exponent", 4), named("base",
        2)).value().get(10s).value() == 16);
    }
    SECTION("structs, texts and nothing") {
        CHECK(pool.submit<double>("norm", Point{3, 4}).value().get(10s).value() == 25);
        CHECK(pool.submit<std::monostate>("nothing", "text").value().get(10s).ok());
        CHECK(pool.submit<std::uint64_t>("text_bytes", std::string(1000, 'x')).value().get(10s).value() == 1000);
    }
    SECTION("several at once, and a later look") {
        std::vector<Task<std::int64_t>> pending;
        for (std::int64_t x = 0; x < 100; ++x) pending.push_back(pool.submit<std::int64_t>("square", x).value());
        CHECK(pending[99].get(10s).value() == 99 * 99);
        CHECK(pending[99].ready());
        CHECK(pending[0].get(10s).value() == 0);
        CHECK(pending[0].get(0s).value() == 0);
    }
}

// Goal: a caller that only looks, or only submits, keeps the workers at work as one that waits does. Method: nothing
// here waits; ctest's TIMEOUT is the watchdog.
TEST_CASE("a task that is only looked at gets ready, and so do those behind it", "[process][pool]") {
    PoolWorld world;
    baton::pool::Pool pool{world.scenario().context(), world.options(1)};
    std::vector<Task<std::int64_t>> pending;
    for (std::int64_t x = 0; x < 50; ++x) pending.push_back(pool.submit<std::int64_t>("spin", x % 3).value());
    for (auto one = pending.rbegin(); one != pending.rend(); ++one)
        while (!one->ready()) {
        }
}

TEST_CASE("submitting alone keeps the workers fed", "[process][pool]") {
    PoolWorld world;
    baton::pool::Pool pool{world.scenario().context(), world.options(1)};
    const std::string file = world.folder() + "/done";
    std::vector<Task<std::int64_t>> pending;
    std::error_code none_yet;
    do pending.push_back(pool.submit<std::int64_t>("append_to", file).value());
    while (pending.size() < 20 || std::filesystem::file_size(file, none_yet) < 10 || none_yet);
    for (Task<std::int64_t>& one : pending) CHECK(one.get(10s).ok());
    world.remove(file);
}

TEST_CASE("short tasks share a message, and long ones are alone in hand, also where nobody could foresee them",
          "[process][pool]") {
    PoolWorld world;
    baton::pool::Pool pool{world.scenario().context(), world.options()};
    Numbers milliseconds(2000, 0);
    for (const std::size_t task : {1500U, 1501U, 1502U, 1503U}) milliseconds[task] = 25;
    const auto outcomes = pool.map<std::int64_t>("spin", milliseconds).value();
    CHECK(outcomes.values().value() == milliseconds);
    std::set<const baton::detail::pool::Delivery*> deliveries;
    for (const auto& one : outcomes) deliveries.insert(Inside::delivery(one));
    CHECK(deliveries.size() < 400);
    // A worker goes on with nothing behind a long one, but gives it back.
    for (const std::size_t task : {1500U, 1501U, 1502U, 1503U}) {
        const baton::detail::pool::Job::Fate& fate = Inside::job(outcomes[task]).fates[task];
        CHECK(fate.index + 1 == Inside::delivery(outcomes[task])->count());
    }
    // Large arguments go in as many messages as they need.
    const std::vector<std::string> texts(40, std::string(100'000, 'x'));
    CHECK(pool.map<std::uint64_t>("text_bytes", texts).value().values().value() ==
          std::vector<std::uint64_t>(40, 100'000));
}

// Goal: what was learned from short tasks does not hold up a long one. Method: each task of the second kind holds its
// worker until all are released, so none of them can run behind another.
TEST_CASE("as many long tasks as workers are spread one to each, also after thousands of short ones of that function",
          "[process][pool]") {
    PoolWorld world;
    baton::pool::Pool pool{world.scenario().context(), world.options(4)};
    CHECK(pool.map<std::string>("wait_for", std::vector<std::string>(5'000, "/dev/null")).value().errors().empty());
    const std::string fifo = world.make_fifo("gate");
    std::vector<Task<std::string>> pending;
    SECTION("submitted one by one") {
        for (int task = 0; task < 4; ++task) pending.push_back(pool.submit<std::string>("wait_for", fifo).value());
    }
    SECTION("added together") {
        std::vector<baton::pool::Call> calls;
        for (int task = 0; task < 4; ++task) calls.push_back(call("wait_for", fifo));
        pool.add(std::move(calls)).value();
    }
    std::set<std::string> busy;
    while (busy.size() < 4) {
        static_cast<void>(world.scenario().wait_for([] { return false; }, 1ms));
        static_cast<void>(pool.pending());
        for (const baton::RosterRow& row : world.session().roster(false).value())
            if (row.in_hand == "Run") busy.insert(row.name);
    }
    world.release(fifo);
    std::set<std::string> workers;
    for (auto& one : pending) workers.insert(one.outcome(20s).value().worker());
    if (pending.empty())
        for (const AnyOutcome& one : pool.execute().value()) workers.insert(one.worker());
    CHECK(workers.size() == 4);
}

// Goal: no short task waits for a long one: neither to be run, behind it in its worker's hands, nor to be told, before
// it. Method: one task among many holds its worker; all others are done before it is released.
TEST_CASE("short tasks that are in hand with a long one do not wait for it", "[process][pool]") {
    PoolWorld world;
    baton::pool::Pool pool{world.scenario().context(), world.options(2)};
    CHECK(pool.map<std::string>("wait_for", std::vector<std::string>(5'000, "/dev/null")).value().errors().empty());
    const std::string fifo = world.make_fifo("gate");
    std::vector<Task<std::string>> pending;
    const std::size_t place = GENERATE(std::size_t{0}, std::size_t{57}, std::size_t{199});
    std::vector<std::string> files(200, "/dev/null");
    files[place] = fifo;
    for (const std::string& file : files) pending.push_back(pool.submit<std::string>("wait_for", file).value());
    for (std::size_t task = 0; task < files.size(); ++task)
        if (task != place) CHECK(pending[task].get(60s).value() == "released");
    CHECK_FALSE(pending[place].ready());
    world.release(fifo);
    CHECK(pending[place].get(20s).value() == "released");
}

// Goal: a task that is done is done once, whatever becomes of its worker in a later one of the same batch.
// Method: each task appends a byte to a file. One of them, with a file of its own, stands still until its worker is
// killed, or dies by itself at its first attempt. It alone has run twice.
TEST_CASE("what a worker has done in its last batch is not run again", "[process][pool]") {
    PoolWorld world;
    baton::pool::Pool pool{world.scenario().context(), world.options(1)};
    const std::tuple<std::string, std::string, std::string> nothing{"/dev/null", "/dev/null", "/dev/null"};
    CHECK(pool.starmap<std::int64_t>("append_and", std::vector(5'000, nothing)).value().errors().empty());
    const std::string file = world.folder() + "/done";
    const std::string other = world.folder() + "/twice";
    const std::size_t place = 57;
    std::vector tasks(100, std::tuple<std::string, std::string, std::string>{file, "/dev/null", "/dev/null"});
    std::get<0>(tasks[3]).clear();
    std::get<0>(tasks[place]) = other;
    const bool is_killed = GENERATE(true, false);
    const std::string fifo = world.make_fifo("gate");
    if (is_killed) std::get<1>(tasks[place]) = fifo;
    else std::get<2>(tasks[place]) = world.letters(1);
    std::vector<Task<std::int64_t>> pending;
    for (const auto& [to, gate, letters] : tasks)
        pending.push_back(pool.submit<std::int64_t>("append_and", to, gate, letters).value());
    if (is_killed) {
        while (!std::filesystem::exists(other)) static_cast<void>(pool.pending());
        const pid_t pid = world.pid_of(crew_of(pool).seats()[0].worker);
        ::kill(pid, SIGKILL);
        while (is_alive(pid)) {
        }
    }
    const int gate = ::open(fifo.c_str(), O_RDWR);  // nobody stands still any more
    for (std::size_t task = 0; task < tasks.size(); ++task) {
        if (task == 3) CHECK_THAT(pending[task].get(20s).error().text, Catch::Contains("no file"));
        else CHECK(pending[task].get(20s).ok());
    }
    ::close(gate);
    CHECK(std::filesystem::file_size(file) == tasks.size() - 2);
    CHECK(std::filesystem::file_size(other) == 2);
    for (const std::string& made : {fifo, file, other}) world.remove(made);
    if (!is_killed) world.remove(std::get<2>(tasks[place]));
}

TEST_CASE("values are pulled from a lazy source only as its results are looked at", "[process][pool]") {
    PoolWorld world;
    baton::pool::Pool pool{world.scenario().context(), world.options()};
    int pulled = 0;
    const Made source{1'000'000, [&](int x) { return ++pulled, x; }};
    auto lazy = pool.imap<std::int64_t>("square", source, {.ahead = 5}).value();
    for (std::int64_t x = 0; x < 20; ++x) {
        CHECK(lazy.next().value()->value() == x * x);
        CHECK(pulled <= x + 5);
    }
    std::int64_t sum = 0;
    for (const Outcome<std::int64_t>& one : pool.imap<std::int64_t>("square", Numbers{1, 2, 3}).value())
        sum += one.value();
    CHECK(sum == 14);
}

TEST_CASE("what stops a lazy source comes behind the outcomes of the values before it", "[process][pool]") {
    PoolWorld world;
    baton::pool::Pool pool{world.scenario().context(), world.options()};
    const std::size_t ahead = GENERATE(std::size_t{1}, std::size_t{3}, std::size_t{16});
    SECTION("it throws") {
        const Made source{9, [](int x) { return x == 5 ? throw std::runtime_error("full") : x; }};
        auto lazy = pool.imap<std::int64_t>("square", source, {.ahead = ahead}).value();
        for (std::int64_t x = 0; x < 5; ++x) CHECK(lazy.next().value()->value() == x * x);
        CHECK_THROWS_WITH(static_cast<void>(lazy.next()), "full");
        CHECK_FALSE(lazy.next().value());
    }
    SECTION("a value does not fit") {
        auto lazy = pool.imap<std::int64_t>("power", Numbers{2, 3}, {.ahead = ahead}).value();
        CHECK_THAT(lazy.next().error().text, Catch::Contains("is missing its argument 'exponent'"));
        const std::vector<std::uint64_t> values{1, 2, std::uint64_t{1} << 63};
        auto last = pool.imap<std::int64_t>("square", values, {.ahead = ahead}).value();
        CHECK(last.next().value()->value() == 1);
        CHECK(last.next().value()->value() == 4);
        CHECK_THAT(last.next().error().text, Catch::Contains("square(argument 1)"));
        CHECK_FALSE(last.next().value());
    }
}

TEST_CASE("tasks are added one by one before the start and while the pool runs", "[process][pool]") {
    PoolWorld world;
    baton::pool::Pool pool{world.scenario().context(), world.options()};
    CHECK(pool.add(call("square", 3)).value() == 1);
    CHECK(pool.add(call("power", named("exponent", 2), named("base", 5)).with_id(7)).value() == 7);
    CHECK(pool.add(call("cube", 3)).value() == 8);       // nobody knows yet that there is none
    CHECK(pool.add(call("square", "three")).value() == 9);
    pool.start().value();
    CHECK(pool.add(call("square", 4)).value() == 10);
    const std::vector<AnyOutcome> outcomes = pool.execute().value();
    REQUIRE(outcomes.size() == 5);
    CHECK(outcomes[0].as<std::int64_t>().value() == 9);
    CHECK(outcomes[1].to_text() == "Call to power(5, 2) --> Result: 25");
    CHECK(outcomes[1].id() == 7);
    CHECK_THAT(outcomes[2].to_text(),
               Catch::Contains("Error: refused: 'pool_worker' has no task 'cube'; it has square("));
    CHECK_THAT(outcomes[3].to_text(), Catch::Contains("square(argument 1): expected int64, got string"));
    CHECK(outcomes[4].as<std::int64_t>().value() == 16);

    SECTION("an id is given once, by whomever") {
        CHECK_THAT(pool.add(call("square", 1).with_id(7)).error().text,
                   Catch::Contains("a task with the id 7 already"));
        CHECK_THAT(pool.add(call("square", 1).with_id(10)).error().text, Catch::Contains("10"));
        CHECK(pool.add(call("square", 1).with_id(4)).value() == 4);
        CHECK_FALSE(pool.submit<std::int64_t>(call("square", 1).with_id(4)).ok());
        // A call that is refused has not taken it.
        CHECK_FALSE(pool.submit<std::int64_t>(call("square", "one").with_id(20)).ok());
        CHECK(pool.submit<std::int64_t>(call("square", 1).with_id(20)).value().id() == 20);
    }
    SECTION("one task is as good as a list, and a list is taken whole or not at all") {
        CHECK(pool.execute(call("square", 6)).value().front().as<std::int64_t>().value() == 36);
        std::vector<baton::pool::Call> calls;
        calls.push_back(call("square", 2));
        calls.push_back(call("square", "two"));
        CHECK(pool.add(std::move(calls)).error().kind == ErrorKind::refused);
        CHECK(pool.execute().value().empty());
    }
}

TEST_CASE("tasks are looked up by id, done or not, as long as somebody holds them", "[process][pool]") {
    PoolWorld world;
    baton::pool::Pool pool{world.scenario().context(), world.options(1)};
    const std::string fifo = world.make_fifo("gate");
    CHECK(pool.add(call("wait_for", fifo).with_id(5)).value() == 5);
    CHECK(pool.pending() == std::vector<baton::pool::TaskId>{5});
    CHECK_FALSE(pool.find(5).value());
    pool.start().value();
    auto single = pool.submit<std::int64_t>("square", 3).value();
    {
        auto dropped = pool.submit<std::int64_t>("square", 4).value();
        CHECK(pool.pending() == std::vector<baton::pool::TaskId>{5, 6, 7});
    }
    const auto reason = [&](baton::pool::TaskId id) {
        const auto found = pool.find(id);
        return found ? std::string("it was found") : found.error().text;
    };
    CHECK(reason(7) == "task 7 was cancelled: the Task that submit() returned was dropped");
    CHECK(reason(99) == "no task of this pool has the id 99");
    CHECK_FALSE(pool.find(6).value());
    world.release(fifo);
    while (!pool.pending().empty()) {
    }
    CHECK(pool.find(6).value()->to_text() == "Call to square(3) --> Result: 9");
    const std::vector<AnyOutcome> outcomes = pool.execute().value();
    CHECK(pool.find(5).value()->as<std::string>().value() == "released");
    const auto squares = pool.map<std::int64_t>("square", Numbers{1, 2, 3}).value();
    for (std::size_t task = 0; task < 3; ++task)
        CHECK(pool.find(squares[task].id()).value()->as<std::int64_t>().value() == squares[task].value());
    // Nothing is kept of many that have been released.
    baton::pool::TaskId last = 0;
    for (int round = 0; round < 300; ++round) {
        auto one = pool.submit<std::int64_t>("square", round).value();
        CHECK(one.get(10s).ok());
        last = one.id();
    }
    CHECK(pool.pending().empty());
    CHECK_THAT(reason(last), Catch::StartsWith("nobody holds the outcome of task"));
}

TEST_CASE("what does not fit is refused before anything is sent", "[process][pool]") {
    PoolWorld world;
    baton::pool::Pool pool{world.scenario().context(), world.options(1)};
    const auto text = [](const auto& result) {
        return result.ok() ? std::string("it was not refused") : to_text(result.error());
    };
    using Int = std::int64_t;
    CHECK_THAT(text(pool.submit<Int>("cube", 3)),
               Catch::StartsWith("refused: 'pool_worker' has no task 'cube'; it has square("));
    CHECK_THAT(text(pool.submit<Int>("square", "3")),
               Catch::StartsWith("refused: square(argument 1): expected int64, got string"));
    CHECK_THAT(text(pool.submit<Int>("square")), Catch::Contains("is missing its argument 'argument 1'"));
    CHECK_THAT(text(pool.submit<Int>("square", 1, 2)), Catch::Contains("takes 1 arguments, 2 were given"));
    CHECK_THAT(text(pool.submit<Int>("power", 1, named("power", 2))), Catch::Contains("has no argument 'power'"));
    CHECK_THAT(text(pool.submit<Int>("power", 1, named("base", 2))), Catch::Contains("was given 'base' twice"));
    CHECK_THAT(text(pool.submit<Int>("power", 2, 256)), Catch::Contains("power(exponent)") && Catch::Contains("256"));
    CHECK_THAT(text(pool.submit<std::string>("square", 2)), Catch::Contains("square returns int64, not string"));
    CHECK_THAT(text(pool.submit<std::uint64_t>("text_bytes", std::string(2'000'000, 'x'))),
               Catch::Contains("limits::message_bytes_max"));
    // Sets of unequal length were cut to the shorter one in a story.
    const std::vector<std::tuple<int>> bases{{2}, {3}, {4}};
    const std::vector exponents{std::tuple{named("exponent", 5)}};
    CHECK_THAT(text(pool.starmap<Int>("power", bases, exponents)),
               Catch::Contains("3 rows of arguments and 1 of named ones"));
    CHECK_THAT(text(pool.map<Int>("power", Numbers{1})), Catch::Contains("is missing its argument 'exponent'"));
    CHECK(pool.submit<Int>("square", 5).value().get(10s).value() == 25);
}

// ---- how tasks fail --------------------------------------------------------------------------------

TEST_CASE("one failed task loses no other's result, and its error says all", "[process][pool]") {
    PoolWorld world;
    baton::pool::Pool pool{world.scenario().context(), world.options()};
    const std::vector<std::tuple<int, int>> rows = [] {
        std::vector<std::tuple<int, int>> all;
        for (int x = 0; x < 600; ++x) all.emplace_back(x, 4);
        return all;
    }();
    const auto outcomes = pool.starmap<std::int64_t>("all_but", rows).value();
    REQUIRE(outcomes.size() == 600);
    REQUIRE(outcomes.errors().size() == 1);
    for (std::size_t x = 0; x < 600; ++x)
        if (x != 4) CHECK(outcomes[x].value() == static_cast<std::int64_t>(x));
    const Outcome<std::int64_t> bad = outcomes[4];
    CHECK(bad.to_text() == "Call to all_but(4, 4) --> Error: std::out_of_range: no 4");
    CHECK(bad.error().kind == ErrorKind::failed);
    REQUIRE_FALSE(bad.error().frames.empty());
    CHECK(bad.error().frames.size() <= 3);
    CHECK_THAT(bad.error().frames.front(), Catch::Contains("all_but"));
    CHECK_THAT(bad.worker(), Catch::StartsWith("pool_worker"));
    CHECK(bad.id() == outcomes[0].id() + 4);
    for (const Outcome<std::int64_t>& one : outcomes) CHECK(one.started() <= one.finished());
    CHECK(outcomes.values().error().type == "std::out_of_range");

    SECTION("who wants to stop at the first error gets that one, and nothing is left for the next run") {
        const auto stopped = pool.starmap<std::int64_t>("all_but", rows, {.errors = Errors::stop_at_first});
        REQUIRE_FALSE(stopped.ok());
        CHECK_THAT(stopped.error().text, Catch::StartsWith("no 4 (in all_but(4, 4), worker pool_worker"));
        CHECK(pool.map<std::int64_t>("square", Numbers{2, 3}).value().values().value() == Numbers{4, 9});
    }
    SECTION("an error that is returned is one as much as a thrown one") {
        const auto refused = pool.submit<std::int64_t>("refuse", -1).value().outcome(10s).value();
        CHECK(refused.to_text() == "Call to refuse(-1) --> Error: refused: below nothing");
        CHECK(pool.submit<std::int64_t>("refuse", 1).value().get(10s).value() == 1);
    }
    SECTION("a result that no message holds is an error of its task alone") {
        const auto texts =
            pool.map<std::string>("long_text", std::vector<std::uint64_t>{10, 2'000'000, 60'000, 900'000, 20}).value();
        CHECK(texts.errors().size() == 1);
        CHECK_THAT(texts[1].error().text, Catch::Contains("return it as a Segment"));
        CHECK(texts[3].value().size() == 900'000);
        CHECK(texts[4].value().size() == 20);
    }
}

TEST_CASE("a task that is cancelled before it began never runs", "[process][pool]") {
    PoolWorld world;
    baton::pool::Pool pool{world.scenario().context(), world.options(1)};
    const std::string fifo = world.make_fifo("gate");
    auto first = pool.submit<std::string>("wait_for", fifo).value();
    auto second = pool.submit<std::int64_t>("die_at", 1, 1).value();  // would kill the worker
    auto third = pool.submit<std::int64_t>("square", 3).value();
    CHECK_FALSE(third.ready());
    CHECK(third.get(0s).error().kind == ErrorKind::timed_out);
    second.cancel();
    CHECK(second.get(0s).error().kind == ErrorKind::refused);
    world.release(fifo);
    CHECK(first.get(10s).value() == "released");
    CHECK(third.get(10s).value() == 9);
}
