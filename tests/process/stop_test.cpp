// Stopping always ends: the ladder, its order, and what overtakes what.
#include "tests/process/process_world.hpp"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <numeric>

#include "runtime/inbox/call.hpp"
#include "runtime/process/process_facts.hpp"

using namespace std::chrono_literals;
using baton::ErrorKind;
using baton::ExitKind;

namespace {

// A stop that is under way while the test does something else.
baton::detail::AskId begin_stop(ProcessWorld& world, baton::AnyRef actor, baton::Duration deadline,
                                bool drain = false) {
    const baton::detail::coordinator::StopActors stop{{actor}, deadline, drain};
    return world.session()
        .loop()
        .request(baton::detail::coordinator_id, "StopActors", baton::detail::encoded_body(stop), 5s)
        .value();
}

baton::Ended end_stop(ProcessWorld& world, baton::detail::AskId ask) {
    baton::detail::Loop& loop = world.session().loop();
    return baton::detail::decoded_reply<std::vector<baton::Ended>>(
               loop.await(ask, baton::Deadline::in(loop.clock(), 30s)))
        .value()
        .at(0);
}

std::uint64_t count_of(const baton::Exit& exit) {
    return std::accumulate(exit.dead_letters.begin(), exit.dead_letters.end(), std::uint64_t{0},
                           [](std::uint64_t sum, const baton::DeadLetter& letter) { return sum + letter.count; });
}

}  // namespace

TEST_CASE("an actor that ignores stop and SIGTERM is killed within the deadline", "[process][I8]") {
    ProcessWorld world;
    const ProbeRef stubborn = world.spawn("Stubborn");
    auto hanging = world.scenario().request(stubborn, probe::Hang{}).value();
    world.wait_for_state("Stubborn", "busy");
    const auto ended = world.scenario().stop(stubborn, 500ms);
    REQUIRE(ended.ok());
    CHECK(ended->exit.kind == ExitKind::signalled);
    CHECK(ended->exit.code == SIGKILL);
    CHECK(ended->exit.in_hand == "Hang");
    CHECK(hanging.get(5s).error().kind == ErrorKind::gone);
}

TEST_CASE("a frozen actor is shown as frozen and ended by the ladder", "[process][I8]") {
    ProcessWorld world;
    const ProbeRef alice = world.spawn("Alice");
    REQUIRE(::kill(world.pid_of(alice), SIGSTOP) == 0);
    world.wait_for_state("Alice", "frozen");
    const auto ended = world.scenario().stop(alice, 500ms).value();
    CHECK(ended.exit.kind == ExitKind::signalled);
}

TEST_CASE("a frozen actor that is woken goes on as if nothing had been", "[process]") {
    ProcessWorld world;
    const ProbeRef alice = world.spawn("Alice");
    REQUIRE(::kill(world.pid_of(alice), SIGSTOP) == 0);
    CHECK(world.scenario().ask(alice, probe::Echo{"now?"}, 100ms).error().kind == ErrorKind::timed_out);
    REQUIRE(::kill(world.pid_of(alice), SIGCONT) == 0);
    CHECK(world.scenario().ask(alice, probe::Echo{"and now?"}).value() == "and now?");
}

TEST_CASE("an ask that waits inside a handler ends as stopping when its actor is stopped", "[process][I8]") {
    ProcessWorld world;
    const ProbeRef alice = world.spawn("Alice");
    const ProbeRef bob = world.spawn("Bob");
    auto asked = world.scenario().request(alice, probe::AskOther{bob, 60}).value();
    world.wait_for_state("Bob", "busy");
    CHECK(world.scenario().stop(alice, 10s).value().exit.kind == ExitKind::stopped);
    CHECK_THAT(asked.get(5s).value(), Catch::StartsWith("stopping"));
    CHECK(world.scenario().kill(bob).ok());
}

// The one who is stopped waits in ask() while commands pile up: so the stop has certainly reached it when the
// handler returns, and whatever it handled afterwards would be wrong.
TEST_CASE("stop overtakes a hundred thousand waiting commands, which are listed as dead letters", "[process][I8]") {
    ProcessWorld world;
    const ProbeRef slow = world.spawn("Slow");
    const ProbeRef fast = world.spawn("Fast");
    const ProbeRef mute = world.spawn("Mute");
    auto asking = world.scenario().request(slow, probe::AskOther{mute, 60}).value();
    world.wait_for_state("Mute", "busy");
    const auto flood = world.scenario().ask(fast, probe::Flood{slow, 100'000, 0, 5000}, 60s).value();
    REQUIRE(flood.taken == 100'000);
    std::uint64_t depth = 0;
    for (const baton::RosterRow& row : world.session().roster(false).value())
        if (row.name == "Slow") depth = row.inbox_depth;
    CHECK(depth == 100'000);

    const baton::Ended ended = world.scenario().stop(slow, 20s).value();
    CHECK_THAT(asking.get(5s).value(), Catch::StartsWith("stopping"));
    CHECK(ended.exit.kind == ExitKind::stopped);
    CHECK(count_of(ended.exit) == 100'000);
    for (const baton::DeadLetter& letter : ended.exit.dead_letters) CHECK(letter.from == "Fast");
    CHECK(world.scenario().kill(mute).ok());
}

TEST_CASE("a stop that drains handles what waits first", "[process]") {
    ProcessWorld world;
    const ProbeRef slow = world.spawn("Slow");
    const std::string fifo = world.make_fifo("gate");
    auto blocked = world.scenario().request(slow, probe::Block{fifo}).value();
    world.wait_for_state("Slow", "busy");
    auto waiting = world.scenario().request(slow, probe::Echo{"do not forget me"}).value();
    const baton::detail::AskId stop = begin_stop(world, slow, 20s, true);
    world.release(fifo);
    CHECK(end_stop(world, stop).exit.kind == ExitKind::stopped);
    CHECK(waiting.get(5s).value() == "do not forget me");
}

TEST_CASE("what waits when an actor is stopped is answered as stopping", "[process][I8]") {
    ProcessWorld world;
    const ProbeRef slow = world.spawn("Slow");
    const ProbeRef mute = world.spawn("Mute");
    auto asking = world.scenario().request(slow, probe::AskOther{mute, 60}).value();
    world.wait_for_state("Mute", "busy");
    auto waiting = world.scenario().request(slow, probe::Echo{"too late"}).value();
    const baton::Ended ended = world.scenario().stop(slow, 20s).value();
    const auto outcome = waiting.get(5s);
    REQUIRE_FALSE(outcome.ok());
    CHECK(outcome.error().kind == ErrorKind::stopping);
    REQUIRE(count_of(ended.exit) == 1);
    CHECK(ended.exit.dead_letters[0].command == "Echo");
    CHECK(world.scenario().kill(mute).ok());
}

// Goal: an actor that owes answers when it is stopped says that it is stopping, wherever it keeps the asks.
// Without lanes the notice of the exit may overtake the answer, which then ends as `gone`.
TEST_CASE("an answer that is owed by an actor that stops ends as stopping", "[process][lanes][I8]") {
    ProcessWorld world;
    const ProbeRef alice = world.spawn("Alice");
    const ProbeRef bob = world.spawn("Bob");
    std::vector<baton::Pending<std::string>> owed;
    owed.push_back(world.scenario().request(alice, probe::AnswerLater{}).value());  // kept by the handler object
    owed.push_back(world.scenario().request(alice, probe::TickIn{60'000}).value());
    // In progress, and released when the wait in it ends by the stop.
    owed.push_back(world.scenario().request(alice, probe::DropAfterAsking{bob}).value());
    world.wait_for_state("Bob", "busy");
    CHECK(world.scenario().stop(alice, 20s).value().exit.kind == ExitKind::stopped);
    for (auto& one : owed) {
        const auto outcome = one.get(5s);
        REQUIRE_FALSE(outcome.ok());
        CHECK(outcome.error().kind == ErrorKind::stopping);
        CHECK_THAT(outcome.error().text, Catch::StartsWith("Alice is stopping"));
    }
    CHECK(world.scenario().kill(bob).ok());
}

TEST_CASE("an answer that is kept when an actor stops and drains ends as stopping", "[process][lanes][I8]") {
    ProcessWorld world;
    const ProbeRef alice = world.spawn("Alice");
    auto kept = world.scenario().request(alice, probe::AnswerLater{}).value();
    CHECK(world.scenario().ask(alice, probe::Echo{"behind it"}, 20s).ok());  // a stop overtakes what is on its way
    CHECK(world.session().stop({alice}, 20s, true).value().at(0).exit.kind == ExitKind::stopped);
    CHECK(kept.get(5s).error().kind == ErrorKind::stopping);
}

// Goal: actors that know each other all, and so hear of each other's exits, stop as fast as strangers.
TEST_CASE("sixty actors that are all connected to each other stop in order, unforced", "[process][I8]") {
    ProcessWorld world;
    std::vector<baton::SpawnOptions> programs;
    for (int number = 0; number < 60; ++number) programs.push_back({"probe", "p" + std::to_string(number), {}, 60s});
    const std::vector<ProbeRef> all = world.scenario().spawn_all<probe::Protocol>(programs).value();
    std::vector<baton::Pending<std::string>> met;
    for (const ProbeRef& one : all) met.push_back(world.scenario().request(one, probe::EchoAround{all}).value());
    for (auto& one : met) REQUIRE(one.get(60s).value() == "60");
    for (const baton::Ended& ended : world.scenario().stop_all(20s).value())
        CHECK(ended.exit.kind == ExitKind::stopped);
}

TEST_CASE("what a killed actor had not taken is counted for each sender", "[process]") {
    ProcessWorld world;
    const ProbeRef victim = world.spawn("Victim");
    const ProbeRef sender = world.spawn("Sender");
    const std::string fifo = world.make_fifo("gate");
    auto blocked = world.scenario().request(victim, probe::Block{fifo}).value();
    world.wait_for_state("Victim", "busy");
    CHECK(world.scenario().ask(sender, probe::Flood{victim, 90, 0, 1000}, 10s).value().taken == 90);
    world.scenario().kill(victim).value();
    const baton::Ended ended = world.scenario().join(victim, 10s).value();
    CHECK(ended.exit.in_hand == "Block");
    CHECK(count_of(ended.exit) == 90);
    std::filesystem::remove(fifo);
}

TEST_CASE("a fast sender of a slow receiver waits and is then told overloaded, and memory stays flat", "[process]") {
    ProcessWorld world;
    const ProbeRef slow = world.spawn("Slow");
    const ProbeRef fast = world.spawn("Fast");
    const std::string fifo = world.make_fifo("gate");
    auto blocked = world.scenario().request(slow, probe::Block{fifo}).value();
    world.wait_for_state("Slow", "busy");
    constexpr std::uint32_t ballast = 10'000;
    const auto first = world.scenario().ask(fast, probe::Flood{slow, 1'000'000, ballast, 200}, 60s).value();
    CHECK(first.error == "overloaded");
    CHECK(first.taken * ballast <= baton::limits::window_bytes_max);
    CHECK(first.taken * ballast > baton::limits::window_bytes_max / 2);
    // Nothing more goes in, however often it is tried.
    const auto second = world.scenario().ask(fast, probe::Flood{slow, 1'000'000, ballast, 200}, 60s).value();
    CHECK(second.taken == 0);
    CHECK(second.resident_bytes < first.resident_bytes + (8U << 20));
    world.release(fifo);
    CHECK(blocked.get(5s).value() == "released");
    CHECK(world.scenario().ask(slow, probe::HowMany{}, 20s).ok());
    CHECK(world.scenario().ask(fast, probe::Flood{slow, 1'000, ballast, 5000}, 60s).value().taken == 1'000);
}

TEST_CASE("when the anchor is killed its actors end, asks end, and the next start sweeps", "[process][I7]") {
    ProcessWorld world;
    const ProbeRef alice = world.spawn("Alice");
    const ProbeRef bob = world.spawn("Bob");
    const auto alice_end = baton::detail::open_pidfd(world.pid_of(alice)).value();
    auto hanging = world.scenario().request(bob, probe::Hang{}).value();
    world.wait_for_state("Bob", "busy");
    const auto bob_end = baton::detail::open_pidfd(world.pid_of(bob)).value();
    REQUIRE(::kill(world.anchor(), SIGKILL) == 0);

    const baton::detail::SystemClock clock;
    CHECK(baton::detail::has_exited_by(alice_end.get(), baton::Deadline::in(clock, 30s)));
    CHECK(baton::detail::has_exited_by(bob_end.get(), baton::Deadline::in(clock, 30s)));
    CHECK(hanging.get(10s).error().kind == ErrorKind::gone);
    CHECK(world.scenario().ask(alice, probe::Echo{"?"}, 5s).error().kind == ErrorKind::gone);
    CHECK_FALSE(world.session().close().ok());

    // A second session, in the same runtime folder, sweeps the first.
    auto next = baton::detail::Session::enter({}).value();
    CHECK(next->close().ok());
}

TEST_CASE("when a scenario is killed its session ends with all that it started", "[process][I7]") {
    ProcessWorld world;
    int ends[2] = {-1, -1};
    REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
    const pid_t scenario = ::fork();
    if (scenario == 0) {
        auto session = baton::detail::Session::enter({}).value();
        const auto spawned = session->spawn({{"probe", "orphan"}}, 20s).value();
        const auto pid = static_cast<pid_t>(spawned[0].pid);
        const auto coordinator = static_cast<pid_t>(session->find("coordinator").value().pid);
        const pid_t both[2] = {pid, baton::detail::facts_of(coordinator).value().ppid};
        static_cast<void>(::write(ends[1], both, sizeof both) == 0);
        for (;;) ::pause();
    }
    pid_t both[2] = {0, 0};
    REQUIRE(::read(ends[0], both, sizeof both) == sizeof both);
    const auto orphan_end = baton::detail::open_pidfd(both[0]).value();
    const auto anchor_end = baton::detail::open_pidfd(both[1]).value();
    REQUIRE(::kill(scenario, SIGKILL) == 0);
    int status = 0;
    REQUIRE(::waitpid(scenario, &status, 0) == scenario);
    const baton::detail::SystemClock clock;
    CHECK(baton::detail::has_exited_by(orphan_end.get(), baton::Deadline::in(clock, 30s)));
    CHECK(baton::detail::has_exited_by(anchor_end.get(), baton::Deadline::in(clock, 30s)));
    ::close(ends[0]);
    ::close(ends[1]);
}
