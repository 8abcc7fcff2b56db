// What an actor's context offers to those who supervise others: pools, locks, coordinators of their own.
#include <csignal>

#include "tests/process/process_world.hpp"

using namespace std::chrono_literals;
using baton::ErrorKind;
using baton::ExitKind;

TEST_CASE("an actor knows who sent the command in hand", "[process]") {
    ProcessWorld world;
    const ProbeRef alice = world.spawn("Alice");
    CHECK(world.scenario().ask(alice, probe::WhoAsks{}).value() == baton::AnyRef{world.scenario().context().id()});
    CHECK(world.scenario().context().sender() == baton::AnyRef{});
}

TEST_CASE("an actor is called when its deadline has come, between commands", "[process]") {
    ProcessWorld world;
    const ProbeRef alice = world.spawn("Alice");
    CHECK(world.scenario().ask(alice, probe::TickIn{20}).value() == "tick");
}

TEST_CASE("actors are started and stopped without waiting for each", "[process]") {
    ProcessWorld world;
    baton::Context& context = world.scenario().context();
    std::vector<baton::Pending<ProbeRef>> starting;
    for (const char* name : {"Alice", "Bob"})
        starting.push_back(context.spawn_later<probe::Protocol>({"probe", name}).value());
    std::vector<baton::AnyRef> actors;
    for (auto& one : starting) actors.push_back(one.get(10s).value());
    CHECK(context.spawn_later<probe::Protocol>({"no-such-program"}).value().get(10s).error().kind ==
          ErrorKind::refused);

    auto stopping = context.stop_later(actors).value();
    CHECK(context.wait_for([&] { return stopping.ready(); }, 10s));
    const std::vector<baton::Ended> ended = stopping.get(0s).value();
    REQUIRE(ended.size() == 2);
    CHECK(ended.front().exit.kind == ExitKind::stopped);
    CHECK(context.stop_later({}).error().kind == ErrorKind::refused);
}

TEST_CASE("who watches an actor is told of its end, though it never sent it anything", "[process]") {
    ProcessWorld world;
    baton::Context& context = world.scenario().context();
    const ProbeRef alice = world.spawn("Alice");
    std::vector<std::string> ended;
    context.on_exited([&](const baton::Ended& exited) { ended.push_back(exited.name); });
    REQUIRE(context.watch(alice).value() == "Alice");
    REQUIRE(context.kill(alice));
    REQUIRE(context.wait_for([&] { return !ended.empty(); }, 10s));
    CHECK(ended == std::vector<std::string>{"Alice"});
    CHECK(context.watch(alice).error().kind == ErrorKind::gone);
    CHECK(context.kill(alice).error().kind == ErrorKind::gone);
    CHECK(context.wait_for([] { return false; }, 1ms).error().kind == ErrorKind::timed_out);
}

// Goal: a search for deadlocks sees which actor waits for which, and takes no actor for waiting that merely does not
// get to run.
TEST_CASE("it is seen whose answer an actor waits for, unless it is frozen", "[process]") {
    ProcessWorld world;
    baton::Context& context = world.scenario().context();
    const ProbeRef alice = world.spawn("Alice");
    const ProbeRef bob = world.spawn("Bob");
    CHECK_FALSE(context.wait_of(alice));
    auto asked = context.request(alice, probe::AskOther{bob, 30}).value();
    std::optional<baton::Context::Wait> wait;
    const auto waits = [&] {  // before that she asks the coordinator where Bob is
        wait = context.wait_of(alice);
        return wait && wait->whom == bob.id;
    };
    while (!waits()) static_cast<void>(context.wait_for(waits, 1ms));
    CHECK(context.wait_of(alice) == wait);

    const pid_t pid = world.pid_of(alice);
    ::kill(pid, SIGSTOP);
    world.wait_for_state("Alice", "frozen");
    CHECK_FALSE(context.wait_of(alice));
    ::kill(pid, SIGCONT);
    REQUIRE(context.kill(bob));
    CHECK(asked.get(10s).value().find("gone") != std::string::npos);
    CHECK_FALSE(context.wait_of(alice));
}
