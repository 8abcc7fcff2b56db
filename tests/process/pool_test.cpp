// The task pool: what it computes, how it fails, and that nobody's death holds it up.
#include <fcntl.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <numeric>

#include <baton/pool.hpp>
#include "tests/captured_stderr.hpp"
#include "tests/process/process_world.hpp"

using namespace std::chrono_literals;
using baton::ErrorKind;
using baton::pool::AnyOutcome;
using baton::pool::call;
using baton::pool::Cancelled;
using baton::pool::Errors;
using baton::pool::lease_of;
using baton::pool::named;
using baton::pool::Outcome;
using baton::pool::slice_of;
using baton::detail::pool::Inside;
using Numbers = std::vector<std::int64_t>;
template <class R>
using Task = baton::pool::Task<R, baton::Context>;

namespace {

struct Point {
    double x = 0;
    double y = 0;
};

// Those of pool_worker_main.cpp.
struct AddSquares {
    std::vector<std::int64_t> numbers;
    std::string fifo;
    using Reply = std::int64_t;
};
struct Busy {
    using Reply = std::uint64_t;
};
using SumsProtocol = baton::Protocol<AddSquares, Busy>;

Numbers range(std::int64_t count) {
    Numbers numbers(static_cast<std::size_t>(count));
    std::iota(numbers.begin(), numbers.end(), 0);
    return numbers;
}

// A pool of test workers; without progress, which is tested apart.
class PoolWorld : public ProcessWorld {
public:
    baton::pool::Options options(std::size_t workers = 2) {
        return {.program = "pool_worker", .workers = workers, .shows_progress = false};
    }
    // A file of `count` letters: as many attempts of die_while die.
    std::string letters(std::size_t count) {
        std::string path = folder() + "/letters";
        std::ofstream(path) << std::string(count, 'x');
        return path;
    }
    void remove(const std::string& path) { std::filesystem::remove(path); }
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

template <class Pool>
const baton::detail::pool::Crew& crew_of(const Pool& pool) {
    return Inside::core(pool).scheduler()->crew();
}

bool is_alive(std::int64_t pid) { return ::kill(static_cast<pid_t>(pid), 0) == 0; }

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

// ---- cancelled ---------------------------------------------------------------------------------------

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
    while (!std::filesystem::exists(file + ".gate")) static_cast<void>(pool.pending());
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

// ---- segments --------------------------------------------------------------------------------------

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
