// How actors live: they start, answer, fail and exit, and each exit is a value.
#include <csignal>
#include <regex>
#include <sstream>

#include "tests/captured_stderr.hpp"
#include "tests/process/process_world.hpp"

using namespace std::chrono_literals;
using baton::ErrorKind;
using baton::ExitKind;

TEST_CASE("an actor answers what it is asked, whatever the fields", "[process]") {
    ProcessWorld world;
    const ProbeRef alice = world.spawn("Alice");
    CHECK(world.scenario().ask(alice, probe::Echo{"hear me"}).value() == "hear me");

    probe::Everything sent;
    sent.flag = true;
    sent.tiny = -128;
    sent.large = UINT64_MAX;
    sent.real = 0.5F;
    sent.precise = 1e300;
    sent.colour = probe::Colour::blue;
    sent.text = "größer";
    sent.bytes = {std::byte{0}, std::byte{255}};
    sent.list = {1, -2, 3};
    sent.three = {7, 8, 9};
    sent.table = {{"a", 1.5}, {"b", -2}};
    sent.maybe = "here";
    sent.either = "text";
    sent.point = {1, 2};
    sent.time = baton::Timestamp{1'700'000'000'123'456'789ns};
    sent.ref = alice;
    const probe::Everything back = world.scenario().ask(alice, probe::SendEverything{sent}).value();
    CHECK(back.large == sent.large);
    CHECK(back.bytes == sent.bytes);
    CHECK(back.table == sent.table);
    CHECK(back.either == sent.either);
    CHECK(back.time == sent.time);
    CHECK(back.ref == sent.ref);
    CHECK((back.colour == sent.colour && back.text == sent.text && back.point.y == 2 && back.three == sent.three));
}

TEST_CASE("sixteen actors start in parallel and stop without a trace", "[process][I7]") {
    ProcessWorld world;
    std::vector<baton::SpawnOptions> programs;
    for (int number = 0; number < 16; ++number) programs.push_back({"probe", "probe-" + std::to_string(number)});
    const std::vector<ProbeRef> probes = world.scenario().spawn_all<probe::Protocol>(programs).value();
    REQUIRE(probes.size() == 16);
    const auto answers = world.scenario().ask_all(std::span<const ProbeRef>(probes), probe::Echo{"all"});
    for (const auto& answer : answers) CHECK(answer.value() == "all");
    const std::vector<baton::Ended> ended = world.close();
    REQUIRE(ended.size() == 16);
    for (const baton::Ended& one : ended) CHECK(one.exit.kind == ExitKind::stopped);
}

TEST_CASE("an exception out of a handler is answered with its type, text and frames, and the actor lives on",
          "[process]") {
    ProcessWorld world;
    const ProbeRef alice = world.spawn("Alice");
    const auto outcome = world.scenario().ask(alice, probe::Throw{"seven is no colour"});
    REQUIRE_FALSE(outcome.ok());
    CHECK(outcome.error().kind == ErrorKind::failed);
    CHECK(outcome.error().type == "std::invalid_argument");
    CHECK(outcome.error().text == "seven is no colour");
    REQUIRE_FALSE(outcome.error().frames.empty());
    CHECK(outcome.error().frames.size() <= 3);
    CHECK_THAT(outcome.error().frames.front(), Catch::Contains("Probe"));
    CHECK(world.scenario().ask(alice, probe::Echo{"still here"}).value() == "still here");
}

TEST_CASE("how an actor ended is a value", "[process]") {
    ProcessWorld world;
    TestScenario& scenario = world.scenario();
    const auto exit_after = [&](const std::string& name, const auto& do_it) {
        const ProbeRef actor = world.spawn(name);
        do_it(actor);
        return scenario.join(actor, 10s).value().exit;
    };
    SECTION("the code that main returned") {
        const auto exit =
            exit_after("one", [&](ProbeRef actor) { static_cast<void>(scenario.ask(actor, probe::ExitWith{3})); });
        CHECK(exit.kind == ExitKind::returned);
        CHECK(exit.code == 3);
        CHECK(exit.in_hand == "ExitWith");
    }
    SECTION("the signal that ended it") {
        const auto exit = exit_after("two", [&](ProbeRef actor) { scenario.terminate(actor).value(); });
        CHECK(exit.kind == ExitKind::signalled);
        CHECK(exit.code == 15);
        CHECK(baton::to_text(exit) == "signal -15 (Terminated)");
    }
    SECTION("the promise that it broke") {
        const auto exit = exit_after(
            "three", [&](ProbeRef actor) { static_cast<void>(scenario.ask(actor, probe::FailCheck{"pigs fly"})); });
        CHECK(exit.kind == ExitKind::failed_check);
        CHECK_THAT(exit.text, Catch::Contains("pigs fly"));
    }
    SECTION("stopped, when it was asked to") {
        const auto exit = exit_after(
            "four", [&](ProbeRef actor) { CHECK(scenario.stop(actor).value().exit.kind == ExitKind::stopped); });
        CHECK(exit.kind == ExitKind::stopped);
    }
    SECTION("stopped, when it asked itself to") {
        const auto exit =
            exit_after("five", [&](ProbeRef actor) { scenario.send(actor, probe::StopYourself{}).value(); });
        CHECK(exit.kind == ExitKind::stopped);
    }
}

TEST_CASE("every ask has one outcome, also when its receiver dies in the handler", "[process][I8]") {
    ProcessWorld world;
    TestScenario& scenario = world.scenario();
    const ProbeRef alice = world.spawn("Alice");
    auto kept = scenario.request(alice, probe::AnswerLater{}).value();
    auto dropped = scenario.ask(alice, probe::DropAnswer{});
    REQUIRE_FALSE(dropped.ok());
    CHECK(dropped.error().kind == ErrorKind::failed);
    const auto late = scenario.ask(alice, probe::AnswerLater{}, 50ms);
    REQUIRE_FALSE(late.ok());
    CHECK(late.error().kind == ErrorKind::timed_out);
    CHECK_FALSE(kept.ready());
    scenario.send(alice, probe::Release{}).value();
    CHECK(kept.get(5s).value() == "later");

    const auto died = scenario.ask(alice, probe::ExitWith{9}, 10s);
    REQUIRE_FALSE(died.ok());
    CHECK(died.error().kind == ErrorKind::gone);
    CHECK_THAT(died.error().text, Catch::Contains("returned 9"));
    const auto after = scenario.send(alice, probe::Release{});
    REQUIRE_FALSE(after.ok());
    CHECK(after.error().kind == ErrorKind::gone);
}

TEST_CASE("two actors talk without the coordinator on the path", "[process]") {
    ProcessWorld world;
    const ProbeRef alice = world.spawn("Alice");
    const ProbeRef bob = world.spawn("Bob");
    CHECK(world.scenario().ask(alice, probe::TellOther{bob, "from Alice"}).value() == "from Alice");
    // With the coordinator frozen, those who know each other go on.
    const auto coordinator = world.session().find("coordinator").value();
    REQUIRE(::kill(static_cast<pid_t>(coordinator.pid), SIGSTOP) == 0);
    const auto answer = world.scenario().ask(alice, probe::TellOther{bob, "again"});
    REQUIRE(::kill(static_cast<pid_t>(coordinator.pid), SIGCONT) == 0);
    CHECK(answer.value() == "again");
}

TEST_CASE("children are named below their parent and end with it", "[process]") {
    ProcessWorld world;
    const ProbeRef parent = world.spawn("a");
    const ProbeRef child = world.scenario().ask(parent, probe::SpawnChild{"probe", "b"}, 20s).value();
    const ProbeRef grandchild = world.scenario().ask(child, probe::SpawnChild{"probe", "c"}, 20s).value();
    CHECK(world.session().find("a/b/c").value().actor.id == grandchild.id);
    world.scenario().kill(parent).value();
    CHECK(world.scenario().join(child, 10s).value().exit.kind == ExitKind::stopped);
    CHECK(world.scenario().join(grandchild, 10s).value().exit.kind == ExitKind::stopped);
}

TEST_CASE("actors that ask each other in a circle are told so, and all of them go on", "[process]") {
    ProcessWorld world;
    const ProbeRef alice = world.spawn("Alice");
    const ProbeRef bob = world.spawn("Bob");
    const ProbeRef charlie = world.spawn("Charlie");
    const std::string text = world.scenario().ask(alice, probe::AskAround{{bob, charlie, alice}, ""}, 20s).value();
    CHECK(text == "deadlock: Charlie waits for an answer of Alice, Alice waits for an answer of Bob, Bob waits for an "
                  "answer of Charlie; the command has been withdrawn before it began, and will not run");
    for (const ProbeRef actor : {alice, bob, charlie})
        CHECK(world.scenario().ask(actor, probe::Echo{"free"}).value() == "free");
}

// Goal: nobody is taken for stuck whose answer is there already.
// Method: Alice is frozen while she waits for Bob, who answers her and then asks her.
TEST_CASE("who has not read its answer yet is in no circle", "[process]") {
    ProcessWorld world;
    const ProbeRef alice = world.spawn("Alice");
    const ProbeRef bob = world.spawn("Bob");
    const std::string fifo = world.make_fifo("bob");
    baton::Pending<std::string> alices = world.scenario().request(alice, probe::AskAround{{bob}, fifo}).value();
    world.wait_for_state("Bob", "busy");
    REQUIRE(::kill(world.pid_of(alice), SIGSTOP) == 0);
    world.release(fifo);
    const std::string text = world.scenario().ask(bob, probe::AskAround{{alice}, "", 0.8}, 20s).value();
    REQUIRE(::kill(world.pid_of(alice), SIGCONT) == 0);
    CHECK_THAT(text, Catch::StartsWith(
                         "timed_out: Alice has not answered before the deadline: it has been handling AskAround"));
    CHECK(alices.get(20s).value() == "nobody is left to ask");
}

// Goal: lines of several processes stand below each other, never within.
// Method: four actors write long lines at once, as each complains of commands whose handler throws.
TEST_CASE("lines of actors that speak at once are whole", "[process]") {
    const baton_test::CapturedStderr captured;
    constexpr int lines_each = 200;
    {
        ProcessWorld world;
        std::vector<baton::AnyRef> actors;
        for (const char* name : {"Alice", "Bob", "Charlie", "Dora"}) {
            const ProbeRef actor = world.spawn(name);
            actors.push_back(actor);
            for (int line = 0; line < lines_each; ++line)
                world.scenario().send(actor, probe::Throw{std::string(400, *name)}).value();
        }
        world.scenario().sync(actors).value();
    }
    const std::regex head{R"(^\d\d:\d\d:\d\d\.\d{3} (\w)\w*#\S+ warn command\.failed from=\S+ command=Throw why=)"};
    std::istringstream lines{captured.text()};
    int count = 0;
    for (std::string line; std::getline(lines, line);) {
        if (line.find("command.failed") == std::string::npos) continue;
        INFO(line);
        std::smatch found;
        REQUIRE(std::regex_search(line, found, head));
        const std::string text(400, found.str(1).front());
        REQUIRE(found.suffix() == "\"failed: std::invalid_argument: " + text + '"');
        ++count;
    }
    CHECK(count == 4 * lines_each);
}

TEST_CASE("a session that is closed answers gone to everything", "[process]") {
    ProcessWorld world;
    world.spawn("Alice");
    baton::detail::Session& session = world.session();
    REQUIRE(session.close().ok());
    CHECK(session.close().ok());
    CHECK(session.roster(false).error().kind == ErrorKind::gone);
    CHECK(session.stop({}, 1s).error().kind == ErrorKind::gone);
    CHECK(session.spawn({{"probe"}}, 1s).error().kind == ErrorKind::gone);
}
