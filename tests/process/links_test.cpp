// Links: two actors that end together, whatever ends them, under any coordinator.
#include <sys/epoll.h>

#include <csignal>

#include "runtime/process/process_facts.hpp"
#include "tests/process/process_world.hpp"

using namespace std::chrono_literals;
using baton::ErrorKind;
using baton::ExitKind;
using Catch::Matchers::Contains;
using Catch::Matchers::StartsWith;

namespace {

void kill_coordinator(ProcessWorld& world) {
    const pid_t pid = world.coordinator();
    const auto end = baton::detail::open_pidfd(pid).value();
    REQUIRE(::kill(pid, SIGKILL) == 0);
    REQUIRE(baton::detail::has_exited_by(end.get(), baton::Deadline::in(baton::detail::SystemClock{}, 20s)));
}

baton::Exit exit_of(ProcessWorld& world, const ProbeRef& actor) {
    return world.scenario().join(actor, 30s).value().exit;
}

bool lives(ProcessWorld& world, const ProbeRef& actor) {
    return world.scenario().ask(actor, probe::Echo{"!"}, 30s).ok();
}

}  // namespace

TEST_CASE("when one of two linked actors ends, the other is stopped, and its exit says why", "[process][links]") {
    ProcessWorld world;
    const ProbeRef alice = world.spawn("Alice");
    const ProbeRef bob = world.spawn("Bob");
    const ProbeRef carol = world.spawn("Carol");
    REQUIRE(world.scenario().link(alice, bob).ok());
    REQUIRE(world.scenario().link(bob, alice).ok());  // which changes nothing
    CHECK(lives(world, alice));

    SECTION("killed") {
        REQUIRE(world.scenario().kill(alice));
        const baton::Exit exit = exit_of(world, bob);
        CHECK(exit.kind == ExitKind::stopped);
        CHECK(exit.text == "it was linked with Alice, which has ended: signal -9 (Killed)");
        CHECK(to_text(exit) == "stopped: " + exit.text);
        CHECK(exit_of(world, alice).text.empty());
    }
    SECTION("stopped in good order") {
        REQUIRE(world.scenario().stop(bob).ok());
        CHECK(exit_of(world, bob).text.empty());
        CHECK(exit_of(world, alice).text == "it was linked with Bob, which has ended: stopped");
    }
    SECTION("returned by itself") {
        static_cast<void>(world.scenario().ask(alice, probe::ExitWith{3}));
        CHECK(exit_of(world, bob).text == "it was linked with Alice, which has ended: returned 3");
    }
    SECTION("one that does not stop when it is asked is killed for it") {
        auto hanging = world.scenario().request(bob, probe::Hang{}).value();
        world.wait_until_in_hand("Bob", "Hang");
        REQUIRE(world.scenario().kill(alice));
        const baton::Exit exit = exit_of(world, bob);
        CHECK(exit.kind == ExitKind::signalled);
        CHECK(exit.text == "it was linked with Alice, which has ended: signal -9 (Killed)");
        CHECK(hanging.get(10s).error().kind == ErrorKind::gone);
    }
    CHECK(lives(world, carol));
}

TEST_CASE("an actor links itself, and actors in a circle of links end together", "[process][links]") {
    ProcessWorld world;
    std::vector<ProbeRef> circle;
    for (const char* name : {"A", "B", "C", "D"}) circle.push_back(world.spawn(name));
    for (std::size_t at = 0; at < circle.size(); ++at)
        REQUIRE(world.scenario().ask(circle[at], probe::LinkWith{circle[(at + 1) % circle.size()]}).value().empty());
    REQUIRE(world.scenario().kill(circle[1]));
    for (const ProbeRef& one : circle) CHECK(exit_of(world, one).has_ended());
    CHECK_THAT(exit_of(world, circle[3]).text, StartsWith("it was linked with ") && Contains("which has ended"));
}

TEST_CASE("after an unlink each ends by itself, whichever of them was named first", "[process][links]") {
    ProcessWorld world;
    const ProbeRef alice = world.spawn("Alice");
    const ProbeRef bob = world.spawn("Bob");
    REQUIRE(world.scenario().link(alice, bob).ok());
    CHECK(world.scenario().ask(bob, probe::UnlinkFrom{alice}).value().empty());
    REQUIRE(world.scenario().kill(alice));
    CHECK(exit_of(world, alice).has_ended());
    CHECK(lives(world, bob));
    CHECK(world.scenario().unlink(bob, alice).ok());  // there is nothing to undo
}

TEST_CASE("linking with one that has ended ends the other at once", "[process][links]") {
    ProcessWorld world;
    const ProbeRef alice = world.spawn("Alice");
    const ProbeRef bob = world.spawn("Bob");
    REQUIRE(world.scenario().stop(bob).ok());
    CHECK(world.scenario().link(alice, bob).ok());
    CHECK(exit_of(world, alice).text == "it was linked with Bob, which has ended: stopped");
    CHECK(world.scenario().link(alice, bob).ok());  // they have ended
}

TEST_CASE("what can not be linked is refused, with the reason", "[process][links]") {
    ProcessWorld world;
    const ProbeRef alice = world.spawn("Alice");
    const baton::AnyRef scenario{world.scenario().id()};
    const auto refused = [&](baton::AnyRef one, baton::AnyRef other) {
        const auto linked = world.scenario().link(one, other);
        return linked ? std::string() : to_text(linked.error());
    };
    CHECK_THAT(refused(alice, alice), StartsWith("refused") && Contains("with itself"));
    CHECK_THAT(refused(alice, scenario), StartsWith("refused") && Contains("sentinel"));
    const baton::AnyRef coordinator{baton::detail::coordinator_id};
    CHECK_THAT(refused(coordinator, alice), StartsWith("refused") && Contains("coordinator"));
    CHECK_THAT(refused(alice, baton::AnyRef{baton::ActorId{2000, 1}}), StartsWith("gone") && Contains("2000.1"));
    CHECK(lives(world, alice));
}

TEST_CASE("an actor names a bounded number of others, and is named by any number", "[process][links]") {
    ProcessWorld world;
    const ProbeRef hub = world.spawn("hub");
    std::vector<baton::SpawnOptions> options(baton::limits::links_max + 1, {"probe"});
    for (std::size_t at = 0; at < options.size(); ++at) options[at].name = "spoke-" + std::to_string(at);
    for (baton::SpawnOptions& one : options) one.timeout = 60s;
    const auto spokes = world.scenario().spawn_all<probe::Protocol>(options).value();
    for (std::size_t at = 0; at < baton::limits::links_max; ++at) REQUIRE(world.scenario().link(hub, spokes[at]).ok());
    const auto one_more = world.scenario().link(hub, spokes.back());
    CHECK(one_more.error().kind == ErrorKind::overloaded);
    CHECK_THAT(one_more.error().text, Contains("limits::links_max"));
    REQUIRE(world.scenario().link(spokes.back(), hub).ok());
    REQUIRE(world.scenario().kill(hub));
    for (const ProbeRef& spoke : spokes) CHECK_THAT(exit_of(world, spoke).text, Contains("hub"));
}

TEST_CASE("links outlive their coordinator", "[process][links][takeover]") {
    ProcessWorld world;
    const ProbeRef alice = world.spawn("Alice");
    const ProbeRef bob = world.spawn("Bob");
    const ProbeRef carol = world.spawn("Carol");
    const ProbeRef dave = world.spawn("Dave");
    REQUIRE(world.scenario().link(bob, alice).ok());
    REQUIRE(world.scenario().link(carol, dave).ok());
    REQUIRE(world.scenario().unlink(carol, dave).ok());
    const pid_t pid = world.pid_of(alice);
    SECTION("one ends while nobody coordinates") {
        kill_coordinator(world);
        REQUIRE(::kill(pid, SIGKILL) == 0);
        CHECK_THAT(exit_of(world, bob).text, Contains("Alice") && Contains("Killed"));
    }
    SECTION("one ends when another coordinates") {
        kill_coordinator(world);
        REQUIRE(world.session().roster(false).ok());  // it is there: a signal is not asked for again
        REQUIRE(world.scenario().kill(alice));
        CHECK_THAT(exit_of(world, bob).text, Contains("Alice") && Contains("Killed"));
    }
    SECTION("both end while nobody coordinates") {
        const pid_t other = world.pid_of(bob);
        kill_coordinator(world);
        REQUIRE(::kill(pid, SIGKILL) == 0);
        REQUIRE(::kill(other, SIGKILL) == 0);
        CHECK(exit_of(world, alice).code == SIGKILL);
        CHECK(exit_of(world, bob).code == SIGKILL);
    }
    REQUIRE(world.scenario().kill(carol));
    CHECK(exit_of(world, carol).has_ended());
    CHECK(lives(world, dave));
}

TEST_CASE("an actor waits for a death in an event loop of its own, and so does a scenario", "[process][sentinel]") {
    ProcessWorld world;
    const ProbeRef alice = world.spawn("Alice");
    const ProbeRef bob = world.spawn("Bob");
    CHECK(world.scenario().ask(alice, probe::SentinelOf{bob, 1}).value() == "lives");
    auto waiting = world.scenario().request(alice, probe::SentinelOf{bob, 60'000}).value();
    world.wait_until_in_hand("Alice", "SentinelOf");

    const baton::UniqueFd sentinel = world.scenario().sentinel(bob).value();
    const baton::UniqueFd epoll{::epoll_create1(EPOLL_CLOEXEC)};
    epoll_event event{};
    event.events = EPOLLIN;
    REQUIRE(::epoll_ctl(epoll.get(), EPOLL_CTL_ADD, sentinel.get(), &event) == 0);
    CHECK(::epoll_wait(epoll.get(), &event, 1, 0) == 0);
    kill_coordinator(world);  // it is the kernel that tells
    REQUIRE(::kill(world.pid_of(bob), SIGKILL) == 0);
    CHECK(::epoll_wait(epoll.get(), &event, 1, 60'000) == 1);
    CHECK(::epoll_wait(epoll.get(), &event, 1, 0) == 1);  // and stays so
    CHECK(to_text(exit_of(world, bob)) == "signal -9 (Killed)");
    CHECK(waiting.get(30s).value() == "signal -9 (Killed)");
    // Of one that had ended already.
    CHECK(world.scenario().ask(alice, probe::SentinelOf{bob, 60'000}).value() == "signal -9 (Killed)");
    CHECK_THAT(world.scenario().ask(alice, probe::SentinelOf{baton::AnyRef{baton::ActorId{2000, 1}}, 1}).value(),
               StartsWith("gone"));
}
