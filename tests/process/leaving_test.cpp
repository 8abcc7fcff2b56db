// What a pair says to each other by ZeroMQ alone dies with its sender's process, so a sender that leaves waits until it
// has been taken, and names what has not.
#include <csignal>
#include <cstdlib>
#include <thread>

#include "tests/captured_stderr.hpp"
#include "tests/process/process_world.hpp"

using namespace std::chrono_literals;

namespace {

// As long as it lives, processes that are started use ZeroMQ alone, and this one too.
class WithoutLanes {
public:
    WithoutLanes() : before_(std::getenv("BATON_LANES") == nullptr ? "" : std::getenv("BATON_LANES")) {
        ::setenv("BATON_LANES", "off", 1);
    }
    WithoutLanes(const WithoutLanes&) = delete;
    WithoutLanes& operator=(const WithoutLanes&) = delete;
    ~WithoutLanes() {
        if (before_.empty()) ::unsetenv("BATON_LANES");
        else ::setenv("BATON_LANES", before_.c_str(), 1);
    }

private:
    std::string before_;
};

std::unique_ptr<baton::detail::Session> join(ProcessWorld& world) {
    return baton::detail::Session::enter({.session = world.session().id(), .name = "leaver"}).value();
}

}  // namespace

TEST_CASE("a script that leaves by ZeroMQ waits until what it has sent was taken", "[process][leave]") {
    constexpr std::uint64_t commands = 5'000;
    const WithoutLanes off;
    ProcessWorld world;
    const ProbeRef receiver = world.spawn("receiver");
    const std::string fifo = world.make_fifo("fifo");
    auto blocked = world.scenario().request(receiver, probe::Block{fifo}, 60s).value();
    world.wait_until_in_hand("receiver", "Block");
    {
        const auto session = join(world);
        TestScenario scenario{*session};
        for (std::uint64_t index = 0; index < commands; ++index) scenario.send(receiver, probe::Count{}).value();
        std::thread later{[&] { world.release(fifo); }};
        CHECK(session->close(baton::Within{60s}).ok());
        later.join();
    }
    CHECK(blocked.get(60s).ok());
    CHECK(world.scenario().ask(receiver, probe::HowMany{}).value() == commands);
}

TEST_CASE("an actor that stops by ZeroMQ waits until what it has sent was taken", "[process][leave]") {
    const WithoutLanes off;
    ProcessWorld world;
    const ProbeRef receiver = world.spawn("receiver");
    const ProbeRef sender = world.spawn("sender");
    const std::string fifo = world.make_fifo("fifo");
    auto blocked = world.scenario().request(receiver, probe::Block{fifo}, 60s).value();
    world.wait_until_in_hand("receiver", "Block");
    probe::Flood flood;
    flood.other = receiver;
    flood.count = 1'000;
    flood.deadline_milliseconds = 60'000;
    CHECK(world.scenario().ask(sender, flood).value().taken == 1'000);
    std::thread later{[&] { world.release(fifo); }};
    CHECK(world.scenario().stop(sender).value().exit.kind == baton::ExitKind::stopped);
    later.join();
    CHECK(world.scenario().ask(receiver, probe::HowMany{}).value() == 1'000);
}

TEST_CASE("an actor that stops by ZeroMQ waits as long as its stop may take", "[process][leave]") {
    namespace coordinator = baton::detail::coordinator;
    const WithoutLanes off;
    ProcessWorld world;
    const ProbeRef receiver = world.spawn("receiver");
    const ProbeRef sender = world.spawn("sender");
    CHECK(world.scenario().ask(receiver, probe::HowMany{}).value() == 0);
    const pid_t pid = world.pid_of(receiver);
    ::kill(pid, SIGSTOP);
    probe::Flood flood;
    flood.other = receiver;
    flood.count = 10;
    flood.ballast_bytes = 1'000'000;  // more than a socket holds
    flood.deadline_milliseconds = 60'000;
    CHECK(world.scenario().ask(sender, flood).value().taken == 10);

    baton::detail::Loop& loop = world.session().loop();
    const auto stop = loop.request(baton::detail::coordinator_id, "StopActors",
                                   baton::detail::encoded_body(coordinator::StopActors{{sender}, 60s}), 60s);
    // Longer than an actor waits that has stopped itself.
    const auto unanswered = world.scenario().ask(receiver, probe::HowMany{}, 2 * baton::limits::linger);
    CHECK(unanswered.error().kind == baton::ErrorKind::timed_out);
    ::kill(pid, SIGCONT);
    const auto ended = baton::detail::decoded_reply<std::vector<baton::Ended>>(
        loop.await(stop.value(), baton::Deadline::in(loop.clock(), 60s)));
    CHECK(ended.value().at(0).exit.kind == baton::ExitKind::stopped);
    CHECK(world.scenario().ask(receiver, probe::HowMany{}).value() == 10);
}

TEST_CASE("who leaves by ZeroMQ names the receiver that has not taken what it sent, at its deadline",
          "[process][leave]") {
    const WithoutLanes off;
    const baton_test::CapturedStderr captured;
    ProcessWorld world;
    const ProbeRef receiver = world.spawn("receiver");
    CHECK(world.scenario().ask(receiver, probe::HowMany{}).value() == 0);
    const pid_t pid = world.pid_of(receiver);
    const bool is_actor = GENERATE(false, true);
    std::optional<ProbeRef> sender;
    if (is_actor) sender = world.spawn("sender");
    ::kill(pid, SIGSTOP);
    if (is_actor) {
        probe::Flood flood;
        flood.other = receiver;
        flood.count = 10;
        flood.deadline_milliseconds = 60'000;
        CHECK(world.scenario().ask(*sender, flood).value().taken == 10);
        const baton::Exit exit = world.scenario().stop(*sender, 4s).value().exit;
        INFO(exit.code << exit.text);
        CHECK(exit.kind == baton::ExitKind::stopped);
    } else {
        const auto session = join(world);
        TestScenario scenario{*session};
        for (int index = 0; index < 10; ++index) scenario.send(receiver, probe::Count{}).value();
        CHECK(session->close(baton::Within{500ms}).ok());
    }
    CHECK(captured.text().find("command.untaken to=receiver count=10 ") != std::string::npos);
    ::kill(pid, SIGCONT);
}

TEST_CASE("who leaves by ZeroMQ does not wait for a receiver that has ended", "[process][leave]") {
    const WithoutLanes off;
    ProcessWorld world;
    const ProbeRef receiver = world.spawn("receiver");
    ::kill(world.pid_of(receiver), SIGSTOP);
    const auto session = join(world);
    TestScenario scenario{*session};
    for (int index = 0; index < 10; ++index) scenario.send(receiver, probe::Count{}).value();
    world.scenario().kill(receiver).value();
    CHECK(world.scenario().join(receiver, 10s).ok());
    CHECK(session->close(baton::Within{baton::Deadline::never()}).ok());
}
