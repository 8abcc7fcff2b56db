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

// Goal: actors that keep answers, such as forks, make no circle that nobody sees.
// Method: each fork is with a philosopher and is kept for it; each philosopher asks for the fork of the next.
TEST_CASE("philosophers who wait for forks that are kept for each other are told the circle", "[process][I8]") {
    ProcessWorld world;
    const std::array philosophers{world.spawn("Plato"), world.spawn("Hume"), world.spawn("Kant")};
    const std::array forks{world.spawn("fork-1"), world.spawn("fork-2"), world.spawn("fork-3")};
    std::vector<baton::Pending<std::string>> meals;
    for (std::size_t at = 0; at < forks.size(); ++at) {
        const std::size_t next = (at + 1) % forks.size();
        meals.push_back(world.scenario()
                            .request(philosophers[at], probe::AskToKeep{forks[next], philosophers[next]})
                            .value());
    }
    // The one that was spawned last gives up.
    CHECK_THAT(meals[2].get(20s).value(),
               Catch::StartsWith("deadlock: Kant waits for an answer that fork-1 keeps until Plato goes on, Plato "
                                 "waits for an answer that fork-2 keeps until Hume goes on, Hume waits for an answer "
                                 "that fork-3 keeps until Kant goes on") &&
                   Catch::Contains("had begun"));
    REQUIRE(world.scenario().send(forks[2], probe::Release{}));  // Kant puts it down
    CHECK(meals[1].get(20s).value() == "later");
    REQUIRE(world.scenario().send(forks[1], probe::Release{}));
    CHECK(meals[0].get(20s).value() == "later");
}
