// The coordinator is killed, and the next one takes over: what actors do with each other goes on, and what was asked of
// the one is answered by the other, once.
#include <csignal>
#include <filesystem>
#include <fstream>

#include "runtime/process/process_facts.hpp"
#include "runtime/roster/roster.hpp"
#include "tests/process/vault_world.hpp"

using namespace std::chrono_literals;
using baton::ErrorKind;
using baton::ExitKind;
using baton::detail::RoleView;
using baton::detail::RosterRegion;

namespace {

// The process that coordinates, as everybody can see.
class Watcher {
public:
    explicit Watcher(ProcessWorld& world) : view_(RoleView::open(world.session().id()).value()) {}
    [[nodiscard]] std::uint64_t generation() const { return view_.holder().generation; }
    // Kills it, and returns when it has ended.
    void kill_coordinator() {
        const auto pid = static_cast<pid_t>(view_.holder().pid);
        const auto end = baton::detail::open_pidfd(pid).value();
        REQUIRE(::kill(pid, SIGKILL) == 0);
        REQUIRE(baton::detail::has_exited_by(end.get(), baton::Deadline::in(baton::detail::SystemClock{}, 10s)));
    }
    // ctest's TIMEOUT is the watchdog.
    void wait_for_next(std::uint64_t before) const {
        while (generation() <= before) {
        }
    }

private:
    RoleView view_;
};

std::set<std::string> names_of(ProcessWorld& world) {
    std::set<std::string> names;
    for (const baton::RosterRow& row : world.session().roster(false).value())
        if (!row.program.empty()) names.insert(row.name);
    return names;
}

}  // namespace

TEST_CASE("actors talk on while there is no coordinator, and the next one knows them all", "[process][takeover]") {
    ProcessWorld world;
    const ProbeRef alice = world.spawn("Alice");
    const ProbeRef bob = world.spawn("Bob");
    Watcher watcher{world};
    CHECK(world.scenario().ask(alice, probe::TellOther{bob, "before"}).value() == "before");
    watcher.kill_coordinator();
    CHECK(world.scenario().ask(alice, probe::TellOther{bob, "meanwhile"}).value() == "meanwhile");
    CHECK(names_of(world) == std::set<std::string>{"Alice", "Bob"});
    CHECK(watcher.generation() == 2);
    const ProbeRef carol = world.spawn("Carol");
    CHECK(world.scenario().ask(alice, probe::TellOther{carol, "after"}).value() == "after");
    CHECK(carol.id.number > bob.id.number);
}

TEST_CASE("an actor that dies while there is no coordinator is settled with its own exit, once",
          "[process][takeover]") {
    ProcessWorld world;
    const ProbeRef alice = world.spawn("Alice");
    const ProbeRef bob = world.spawn("Bob");
    auto hanging = world.scenario().request(bob, probe::Hang{}).value();
    world.wait_until_in_hand("Bob", "Hang");
    std::vector<std::string> told;
    baton::Context& context = world.session().context();
    context.on_exited([&](const baton::Ended& ended) { told.push_back(ended.name); });
    REQUIRE(context.watch(bob).ok());
    const pid_t pid = world.pid_of(bob);
    Watcher watcher{world};
    watcher.kill_coordinator();
    REQUIRE(::kill(pid, SIGKILL) == 0);
    CHECK(hanging.get(10s).error().kind == ErrorKind::gone);
    const baton::Ended ended = world.scenario().join(bob, 10s).value();
    CHECK((ended.exit.kind == ExitKind::signalled && ended.exit.code == SIGKILL));
    CHECK(ended.exit.in_hand == "Hang");
    static_cast<void>(world.session().look());
    watcher.kill_coordinator();  // what one has told, the next one does not tell again
    CHECK(names_of(world) == std::set<std::string>{"Alice"});
    static_cast<void>(world.session().look());
    CHECK(told == std::vector<std::string>{"Bob"});
    CHECK(world.scenario().ask(alice, probe::Echo{"!"}).value() == "!");
    CHECK(world.close().size() == 2);
}

TEST_CASE("what a frozen coordinator was asked is answered by the one that follows it", "[process][takeover]") {
    ProcessWorld world;
    const ProbeRef alice = world.spawn("Alice");
    Watcher watcher{world};
    const pid_t frozen = world.coordinator();
    REQUIRE(::kill(frozen, SIGSTOP) == 0);
    baton::detail::Loop& loop = world.session().loop();
    const auto spawning = loop.request(baton::detail::coordinator_id, "Spawn",
                                       baton::detail::encoded_body(baton::detail::coordinator::Spawn{
                                           {"probe", "late", {}, 10s, 0, world.session().searched_folders()}}),
                                       10s);
    const auto stopping = loop.request(
        baton::detail::coordinator_id, "StopActors",
        baton::detail::encoded_body(baton::detail::coordinator::StopActors{{alice}, 5s, false}), 10s);
    watcher.kill_coordinator();
    const auto spawned = baton::detail::decoded_reply<baton::detail::Spawned>(
        loop.await(spawning.value(), baton::Deadline::in(loop.clock(), 10s)));
    REQUIRE(spawned.ok());
    CHECK(spawned->name == "late");
    const auto ended = baton::detail::decoded_reply<std::vector<baton::Ended>>(
        loop.await(stopping.value(), baton::Deadline::in(loop.clock(), 10s)));
    REQUIRE(ended.ok());
    CHECK(ended->at(0).exit.kind == ExitKind::stopped);
    CHECK(names_of(world) == std::set<std::string>{"late"});
}

TEST_CASE("a frozen coordinator is not dead: nobody takes over from it", "[process][takeover]") {
    ProcessWorld world;
    const ProbeRef alice = world.spawn("Alice");
    Watcher watcher{world};
    const pid_t pid = world.coordinator();
    REQUIRE(::kill(pid, SIGSTOP) == 0);
    CHECK(world.session().find("Alice").error().kind == ErrorKind::timed_out);
    CHECK(watcher.generation() == 1);
    REQUIRE(::kill(pid, SIGCONT) == 0);
    CHECK(world.session().find("Alice").value().actor.id == alice.id);
    CHECK(watcher.generation() == 1);
}

TEST_CASE("a coordinator that is killed again and again ends its session, and says so", "[process][takeover]") {
    ProcessWorld world;
    const ProbeRef alice = world.spawn("Alice");
    const auto end = baton::detail::open_pidfd(world.pid_of(alice)).value();
    Watcher watcher{world};
    for (std::uint64_t deaths = 1; deaths <= 5; ++deaths) {
        watcher.kill_coordinator();
        if (deaths < 5) watcher.wait_for_next(deaths);
    }
    CHECK(baton::detail::has_exited_by(end.get(), baton::Deadline::in(baton::detail::SystemClock{}, 10s)));
    CHECK(world.session().find("Alice").error().kind == ErrorKind::gone);
    CHECK_FALSE(world.session().close().ok());
}

TEST_CASE("what was released for the dead is counted on by the next coordinator", "[process][takeover]") {
    VaultWorld world;
    const vault::Address giver = world.spawn("giver");
    const auto roster = RosterRegion::open(world.world.session().id(), RosterRegion::Use::reads).value();
    const auto released = [&] { return roster.header().released_for_the_dead.load(); };
    Watcher watcher{world.world};
    for (const std::uint64_t expected : {2U, 4U}) {
        const vault::Address holder = world.spawn("holder");
        CHECK(world.scenario().ask(giver, vault::Make{holder, 2, 8, ""}).value() == 2);
        world.wait_for_kept(holder, 2);
        CHECK(world.kill(holder).exit.held.value().segments == 2);
        CHECK(released() == expected);
        watcher.kill_coordinator();
        CHECK(names_of(world.world) == std::set<std::string>{"giver"});
    }
}

TEST_CASE("numbers and incarnations go on across coordinators", "[process][takeover][I6]") {
    ProcessWorld world;
    std::set<baton::ActorId> ids;
    Watcher watcher{world};
    for (std::uint64_t coordinator = 1; coordinator <= 3; ++coordinator) {
        for (int round = 0; round < 3; ++round) {
            const ProbeRef one = world.spawn("one");
            CHECK(ids.insert(one.id).second);
            CHECK(world.scenario().stop(one, 5s).ok());
        }
        if (coordinator < 3) watcher.kill_coordinator();
    }
    CHECK(ids.size() == 9);
    // Every exit of the session's life is told at its end, whichever process coordinated.
    CHECK(world.close().size() == 9);
}

TEST_CASE("a coordinator makes room for the next one as often as it is asked, and nobody else notices",
          "[process][takeover]") {
    ProcessWorld world;
    const ProbeRef alice = world.spawn("Alice");
    const ProbeRef bob = world.spawn("Bob");
    Watcher watcher{world};
    auto other = baton::detail::Session::enter({.session = world.session().id()}).value();
    baton::detail::Loop& loop = other->loop();
    const auto waits = loop.request(baton::detail::coordinator_id, "Await",
                                    baton::detail::encoded_body(baton::detail::coordinator::Await{bob}), 60s)
                           .value();
    std::uint64_t pid = static_cast<std::uint64_t>(world.coordinator());
    // More often than a coordinator may be killed.
    for (std::uint64_t generation = 2; generation <= 8; ++generation) {
        const auto next = world.session().restart_coordinator(10s).value();
        CHECK(next.generation == generation);
        CHECK(std::exchange(pid, next.pid) != next.pid);
        CHECK(world.scenario().ask(alice, probe::TellOther{bob, "on"}).value() == "on");
    }
    CHECK(names_of(world) == std::set<std::string>{"Alice", "Bob"});
    REQUIRE(world.scenario().stop(bob, 5s).ok());
    const auto ended = baton::detail::decoded_reply<baton::Ended>(
        loop.await(waits, baton::Deadline::in(loop.clock(), 10s)));
    REQUIRE(ended.ok());
    CHECK(ended->exit.kind == ExitKind::stopped);
    CHECK(other->close().ok());
}

TEST_CASE("a coordinator that came after the one that is to be replaced stays", "[process][takeover]") {
    ProcessWorld world;
    Watcher watcher{world};
    const pid_t first = world.coordinator();
    const auto replace = [&world](std::uint64_t generation) {
        return baton::detail::call(world.session().loop(), baton::detail::coordinator::Replace{generation}, 10s)
            .value();
    };
    CHECK(replace(0).pid == static_cast<std::uint64_t>(first));
    CHECK(watcher.generation() == 1);
    const std::uint64_t second = replace(1).pid;
    CHECK(second != static_cast<std::uint64_t>(first));
    CHECK(replace(1).pid == second);
    CHECK(watcher.generation() == 2);
}

TEST_CASE("a session that was being closed when its coordinator died is closed by the next one",
          "[process][takeover]") {
    ProcessWorld world;
    const ProbeRef alice = world.spawn("Alice");
    const pid_t pid = world.pid_of(alice);
    REQUIRE(::kill(pid, SIGSTOP) == 0);  // it cannot leave yet
    Watcher watcher{world};
    baton::detail::Loop& loop = world.session().loop();
    const auto closing =
        loop.request(baton::detail::coordinator_id, "CloseSession",
                     baton::detail::encoded_body(baton::detail::coordinator::CloseSession{5s}), 10s)
            .value();
    world.wait_for_state("Alice", "frozen");  // answered behind CloseSession
    watcher.kill_coordinator();
    watcher.wait_for_next(1);
    REQUIRE(::kill(pid, SIGCONT) == 0);
    const auto closed = baton::detail::decoded_reply<baton::detail::coordinator::Closed>(
        loop.await(closing, baton::Deadline::in(loop.clock(), 10s)));
    REQUIRE(closed.ok());
    REQUIRE(closed->ended.size() == 1);
    CHECK(closed->ended[0].exit.kind == ExitKind::stopped);
}
