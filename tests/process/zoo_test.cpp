// What an actor can do with others: start, ask and stop many, answer when another one has answered, send itself a
// command later; and several actors in one program.
#include <ctime>

#include "tests/process/process_world.hpp"
#include "tests/process/zoo.hpp"

using namespace std::chrono_literals;
using baton::ErrorKind;
using baton::ExitKind;

namespace {

using Warden = baton::Ref<warden::Protocol>;

Warden hire(ProcessWorld& world) {
    return world.scenario().spawn<warden::Protocol>({.program = "zoo", .name = "warden", .actor = "warden"}).value();
}

}  // namespace

TEST_CASE("an actor starts, asks and stops many others in its command", "[process]") {
    ProcessWorld world;
    const Warden warden = hire(world);
    CHECK(world.scenario().ask(warden, warden::Visit{3, 5}, 30s).value() == 15);
    CHECK(world.scenario().roster().value().size() == 2);  // the scenario and the warden
    const auto hungry = world.scenario().ask(warden, warden::Visit{1, 0}, 30s);
    CHECK(hungry.error().kind == ErrorKind::refused);
    CHECK_THAT(hungry.error().text, Catch::Contains("not fed with nothing"));
}

TEST_CASE("an actor that asks on behalf of others takes commands until the reply has come", "[process]") {
    ProcessWorld world;
    TestScenario& scenario = world.scenario();
    const Warden warden = hire(world);
    const auto lion = scenario.spawn<lion::Protocol>({.program = "zoo", .name = "lion", .actor = "lion"}).value();
    CHECK(scenario.ask(lion, lion::Feed{7}).ok());
    CHECK(scenario.ask(warden, warden::AskFor{lion, 10s}).value() == 7);

    auto asleep = scenario.request(warden, warden::WaitFor{lion, 10s}).value();
    CHECK(scenario.ask(warden, warden::Rung{}).value() == 0);  // the warden does not wait
    CHECK_FALSE(asleep.ready());
    CHECK(scenario.kill(lion).ok());
    CHECK(asleep.get(10s).error().kind == ErrorKind::gone);
}

TEST_CASE("what is asked on behalf of others ends at its timeout, without the reply", "[process][I8]") {
    ProcessWorld world;
    TestScenario& scenario = world.scenario();
    const Warden warden = hire(world);
    const auto lion = scenario.spawn<lion::Protocol>({.program = "zoo", .name = "lion", .actor = "lion"}).value();
    const auto outcome = scenario.ask(warden, warden::WaitFor{lion, 50ms}, 10s);
    CHECK(outcome.error().kind == ErrorKind::timed_out);
    CHECK_THAT(outcome.error().text, Catch::Contains("lion"));
}

// Goal: an outcome that waits for its function does not keep a scenario's ask from sleeping.
// Method: the processor time of this process, while the outcome of one ask waits and another ask takes its time.
TEST_CASE("a scenario sleeps in an ask while an outcome waits for its function", "[process]") {
    ProcessWorld world;
    TestScenario& scenario = world.scenario();
    const auto lion = scenario.spawn<lion::Protocol>({.program = "zoo", .name = "lion", .actor = "lion"}).value();
    std::optional<std::int64_t> eaten;
    scenario.request(lion, lion::Eaten{}).value().then([&](baton::Result<std::int64_t> one) { eaten = one.value(); });
    const std::clock_t before = std::clock();
    CHECK(scenario.ask(lion, lion::Sleep{}, 500ms).error().kind == ErrorKind::timed_out);
    CHECK(static_cast<double>(std::clock() - before) / CLOCKS_PER_SEC < 0.25);
    CHECK(scenario.wait_for([&] { return eaten.has_value(); }, 10s).ok());
    CHECK(eaten == 0);
}

TEST_CASE("a command that an actor sends itself comes after its delay, between other commands", "[process]") {
    ProcessWorld world;
    TestScenario& scenario = world.scenario();
    const Warden warden = hire(world);
    const auto start = std::chrono::steady_clock::now();
    CHECK(scenario.ask(warden, warden::RingIn{100ms}).ok());
    CHECK(scenario.ask(warden, warden::RingIn{0ms}).ok());
    while (scenario.ask(warden, warden::Rung{}).value() < 2) {
    }
    CHECK(std::chrono::steady_clock::now() - start >= 100ms);
}

TEST_CASE("a program of several actors is told which one it is, and says which there are otherwise", "[process]") {
    ProcessWorld world;
    const auto nameless = world.scenario().spawn<lion::Protocol>({.program = "zoo", .name = "nameless"});
    CHECK_THAT(nameless.error().text, Catch::Contains("choose one of lion, warden"));
    const auto tiger = world.scenario().spawn<lion::Protocol>({.program = "zoo", .name = "tiger", .actor = "tiger"});
    CHECK_THAT(tiger.error().text, Catch::Contains("no actor 'tiger'"));
    const auto other = world.scenario().spawn<lion::Protocol>({.program = "zoo", .name = "other", .actor = "warden"});
    CHECK(other.error().kind == ErrorKind::refused);
    CHECK_THAT(other.error().text, Catch::Contains("protocol"));
}
