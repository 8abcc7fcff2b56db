// A coordinator that does not run (SIGSTOP) holds nobody beyond the deadline, and what was given up is not done later.
#include <fcntl.h>

#include <csignal>

#include "runtime/inbox/spawning.hpp"
#include "runtime/process/process_facts.hpp"
#include "tests/process/process_world.hpp"

using namespace std::chrono_literals;
using baton::ErrorKind;
using baton::ExitKind;

namespace {

// Frozen from here until thaw(), or the end.
class Frost {
public:
    explicit Frost(ProcessWorld& world) : pid_(static_cast<pid_t>(world.session().find("coordinator").value().pid)) {
        REQUIRE(::kill(pid_, SIGSTOP) == 0);
        while (baton::detail::facts_of(pid_)->state != 'T') {}
    }
    ~Frost() { thaw(); }
    Frost(const Frost&) = delete;
    Frost& operator=(const Frost&) = delete;
    void thaw() {
        if (std::exchange(is_frozen_, false)) ::kill(pid_, SIGCONT);
    }

private:
    pid_t pid_;
    bool is_frozen_ = true;
};

template <class Function>
baton::Duration time_of(Function&& function) {
    const baton::detail::SystemClock clock;
    const baton::Instant start = clock.now();
    function();
    return clock.now() - start;
}

// Far below what waiting for another deadline, of five seconds, would add.
constexpr baton::Duration soon = 4s;

std::set<std::string> names_of(ProcessWorld& world, bool with_exited) {
    std::set<std::string> names;
    for (const baton::RosterRow& row : world.session().roster(with_exited).value())
        if (!row.program.empty()) names.insert(row.name);
    return names;
}

}  // namespace

TEST_CASE("a spawn by a frozen coordinator ends at its deadline, and is not made up for when it wakes",
          "[process][I8]") {
    ProcessWorld world;
    world.session();
    Frost frost{world};
    baton::Result<std::vector<baton::detail::Spawned>> spawned = std::vector<baton::detail::Spawned>{};
    CHECK(time_of([&] { spawned = world.session().spawn({{"probe", "late"}, {"probe", "later"}}, 300ms); }) < soon);
    REQUIRE_FALSE(spawned.ok());
    CHECK(spawned.error().kind == ErrorKind::timed_out);
    CHECK_THAT(spawned.error().text, Catch::Contains("late (probe)") && Catch::Contains("within 0.3 s") &&
                                         Catch::Contains("coordinator has not answered"));
    frost.thaw();
    CHECK(names_of(world, true).empty());  // answered after the spawns
    CHECK(world.scenario().ask(world.spawn("late"), probe::Echo{"now"}).value() == "now");
}

TEST_CASE("an actor that becomes ready while its coordinator is frozen does not outlive its spawner's deadline",
          "[process][I8]") {
    ProcessWorld world;
    const std::string fifo = world.make_fifo("gate");
    const baton::detail::Clock& clock = world.session().loop().clock();
    baton::detail::Spawning spawning =
        baton::detail::Spawning::begin(
            world.session().loop(),
            {{"probe", "late", {"wait-before-join", fifo}, 2s, 0, world.session().searched_folders()}},
            baton::Deadline::in(clock, 2s))
            .value();
    world.wait_for_state("late", "starting");
    const pid_t pid = world.pid_of(world.session().roster(false).value().at(1).actor);
    const auto end = baton::detail::open_pidfd(pid).value();
    Frost frost{world};
    world.release(fifo);  // it joins, and is not answered
    const baton::Result<baton::detail::Spawned> spawned = spawning.end();
    REQUIRE_FALSE(spawned.ok());
    CHECK(spawned.error().kind == ErrorKind::timed_out);
    frost.thaw();
    CHECK(baton::detail::has_exited_by(end.get(), baton::Deadline::in(clock, 30s)));
    world.wait_for_state("late", "exited");  // the coordinator hears of it in its turn
    CHECK(world.scenario().find<probe::Protocol>("late").error().kind == ErrorKind::gone);
}

// Method: nothing is read here between the actor's becoming ready, which another sees, and the end of the wait for it.
TEST_CASE("an actor whose spawner has left the wait is killed when the answer comes", "[process][I8]") {
    ProcessWorld world;
    auto other = baton::detail::Session::enter({.session = world.session().id()}).value();
    baton::AnyRef actor;
    {
        const baton::detail::Spawning spawning =
            baton::detail::Spawning::begin(world.session().loop(),
                                           {{"probe", "unwanted", {}, 30s, 0, world.session().searched_folders()}},
                                           baton::Deadline::in(world.session().loop().clock(), 30s))
                .value();
        for (std::string state; state != "ready";)
            for (const baton::RosterRow& row : other->roster(false).value())
                if (row.name == "unwanted") {
                    actor = row.actor;
                    state = row.state;
                }
    }
    CHECK(world.session().roster(false).ok());
    CHECK(world.session().join(actor, 30s).value().exit.code == SIGKILL);
    CHECK(other->close().ok());
}

TEST_CASE("an actor's own spawn ends at its deadline too", "[process][I8]") {
    ProcessWorld world;
    const ProbeRef parent = world.spawn("parent");
    REQUIRE(world.scenario().ask(parent, probe::Echo{"known"}).ok());  // from here on without the coordinator
    Frost frost{world};
    baton::Result<std::string> outcome = std::string{};
    CHECK(time_of([&] {
              outcome = world.scenario().ask(parent, probe::SpawnWithin{"probe", "late", 300}, 20s);
          }) < soon);
    CHECK_THAT(outcome.value(), Catch::StartsWith("timed_out") && Catch::Contains("coordinator has not answered"));
    frost.thaw();
    CHECK(names_of(world, true) == std::set<std::string>{"parent"});
}

TEST_CASE("a stop by a frozen coordinator ends at its deadline, and stops nobody when it wakes", "[process][I8]") {
    ProcessWorld world;
    const ProbeRef alice = world.spawn("Alice");
    Frost frost{world};
    baton::Result<baton::Ended> ended = baton::Ended{};
    CHECK(time_of([&] { ended = world.scenario().stop(alice, 300ms); }) < soon);
    REQUIRE_FALSE(ended.ok());
    CHECK(ended.error().kind == ErrorKind::timed_out);
    CHECK_THAT(ended.error().text, Catch::Contains("frozen") && Catch::Contains("kill -CONT"));
    frost.thaw();
    CHECK(names_of(world, false) == std::set<std::string>{"Alice"});
    CHECK(world.scenario().ask(alice, probe::Echo{"here"}).value() == "here");
}

TEST_CASE("a session ends at its deadline, though its coordinator is frozen, and leaves nothing", "[process][I7][I8]") {
    ProcessWorld world;
    const ProbeRef alice = world.spawn("Alice");
    const auto alice_end = baton::detail::open_pidfd(world.pid_of(alice)).value();
    Frost frost{world};
    baton::Result<std::vector<baton::Ended>> closed = std::vector<baton::Ended>{};
    CHECK(time_of([&] { closed = world.session().close(300ms); }) < soon);
    REQUIRE_FALSE(closed.ok());
    CHECK(closed.error().kind == ErrorKind::timed_out);
    CHECK_THAT(closed.error().text, Catch::Contains("frozen") && Catch::Contains("killed"));
    CHECK(baton::detail::has_exited_by(alice_end.get(), baton::Deadline::in(baton::detail::SystemClock{}, 30s)));
}

TEST_CASE("a session that was joined is left at the deadline, though its coordinator is frozen", "[process][I8]") {
    ProcessWorld world;
    auto other = baton::detail::Session::enter({.session = world.session().id()}).value();
    CHECK(other->spawn({{"probe", "others"}}, 20s).ok());
    Frost frost{world};
    CHECK(time_of([&] { CHECK_FALSE(other->close(300ms).ok()); }) < soon);
    other.reset();
    frost.thaw();
}
