// Sends that wait for room that can't come: they are told so, long before their deadlines.
#include "tests/process/process_world.hpp"

using namespace std::chrono_literals;

namespace {

constexpr std::uint32_t ballast = 100'000;  // about 670 of them fill a window
constexpr std::uint32_t long_deadline = 3'600'000;

}  // namespace

TEST_CASE("a send to oneself with a full window is refused at once", "[process][I8]") {
    ProcessWorld world;
    const ProbeRef alice = world.spawn("Alice");
    const auto outcome = world.scenario().ask(alice, probe::Flood{alice, 100'000, ballast, long_deadline}, 60s).value();
    CHECK(outcome.error == "overloaded");
    CHECK_THAT(outcome.text, Catch::Contains("Alice has 6") && Catch::Contains("commands to itself"));
    // All that was taken arrives; what another actor asks in that time is in no defined order with it.
    while (world.scenario().ask(alice, probe::HowMany{}, 60s).value() < outcome.taken) {}
    CHECK(world.scenario().ask(alice, probe::HowMany{}, 60s).value() == outcome.taken);
}

TEST_CASE("a scenario that floods itself is refused at once", "[process][I8]") {
    ProcessWorld world;
    baton::Context& context = world.scenario().context();
    const probe::Count count{std::string(ballast, 'x')};
    baton::Result<void> sent;
    while (sent) sent = context.send(context.self<probe::Protocol>(), count, 1h);
    CHECK(sent.error().kind == baton::ErrorKind::overloaded);
    CHECK_THAT(sent.error().text, Catch::Contains("collect"));
    CHECK_FALSE(world.session().collect("Count", {.count = 5, .within = 20s}).value().empty());
    while (!(sent = context.send(context.self<probe::Protocol>(), count, 1h)))
        CHECK(world.session().collect("Count", {.count = 1}).ok());
}

TEST_CASE("of two that flood each other one is told of the deadlock, and the other goes on", "[process][I8]") {
    ProcessWorld world;
    const ProbeRef alice = world.spawn("Alice");
    const ProbeRef bob = world.spawn("Bob");
    constexpr std::uint64_t count = 1'000;
    auto alices = world.scenario().request(alice, probe::Flood{bob, count, ballast, long_deadline}).value();
    auto bobs = world.scenario().request(bob, probe::Flood{alice, count, ballast, long_deadline}).value();
    const probe::Flood::Outcome of_bob = bobs.get(60s).value();  // the one with the larger number gives up
    CHECK(of_bob.error == "deadlock");
    CHECK_THAT(of_bob.text, Catch::Contains("Bob waits for room in the full inbox of Alice, "
                                            "Alice waits for room in the full inbox of Bob"));
    const probe::Flood::Outcome of_alice = alices.get(60s).value();
    CHECK(of_alice.error.empty());
    CHECK(of_alice.taken == count);
}

TEST_CASE("a flood of an actor that waits for the flooder's answer is named as the circle that it is",
          "[process][I8]") {
    ProcessWorld world;
    const ProbeRef alice = world.spawn("Alice");
    const ProbeRef bob = world.spawn("Bob");
    // Bob asks Alice to flood him, and takes nothing while he waits for her answer.
    const std::string text =
        world.scenario().ask(bob, probe::AskToFlood{alice, bob, 1'000, ballast, long_deadline}, 60s).value();
    CHECK_THAT(text, Catch::Contains("deadlock") && Catch::Contains("Alice waits for room in the full inbox of Bob") &&
                         Catch::Contains("Bob waits for an answer of Alice"));
}

// Goal: where no circle can be seen, the end of the wait says at least what the other does.
TEST_CASE("an ask whose receiver keeps the answer says so at its deadline", "[process][I8]") {
    ProcessWorld world;
    const ProbeRef fork = world.spawn("fork");
    const auto outcome = world.scenario().ask(fork, probe::AnswerLater{}, 300ms);
    REQUIRE_FALSE(outcome.ok());
    CHECK(outcome.error().kind == baton::ErrorKind::timed_out);
    CHECK_THAT(outcome.error().text, Catch::Contains("fork has not answered") && Catch::Contains("keeps the answer"));
}
