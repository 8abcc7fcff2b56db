// What a send accepted is handled, returned or reported, whatever ends its sender the next instant, and wherever its
// receiver is at that time. And what lanes leave behind: nothing.
#include <csignal>
#include <filesystem>

#include "runtime/lanes/lane.hpp"
#include "runtime/lanes/left_ring.hpp"
#include "runtime/wire/brief.hpp"
#include "tests/process/vault_world.hpp"

using namespace std::chrono_literals;

namespace {

// Names of the lanes of this session that are there now.
std::vector<std::string> lanes_of(ProcessWorld& world) {
    std::vector<std::string> names;
    for (const std::string& name : world.leftovers())
        if (name.find("-lane-") != std::string::npos) names.push_back(name);
    return names;
}

void wait_until_no_lane_leads(ProcessWorld& world, baton::ActorId from, baton::ActorId to) {
    const std::string name = baton::detail::lane_name(world.session().id(), from, to);
    while (world.leftovers().contains("shared memory " + name)) continue;
}

// Somebody who joins, and sends.
std::unique_ptr<baton::detail::Session> join(ProcessWorld& world) {
    return baton::detail::Session::enter({.session = world.session().id(), .name = "leaver"}).value();
}

}  // namespace

// Goal: a gift is not lost with the process that gave it. Method: its heir cannot look at anything from before the
// giver begins until the giver's end has been settled as far as it can be.
TEST_CASE("all gifts of an actor that ends in the next instant arrive", "[process][lanes][T6]") {
    constexpr std::uint64_t gifts = 20;
    const std::string end = GENERATE(std::string("exit"), std::string("kill"), std::string("abort"));
    const std::string heir_is = GENERATE(std::string("quick"), std::string("in a handler"), std::string("frozen"));
    CAPTURE(end, heir_is);
    VaultWorld world;
    const vault::Address giver = world.spawn("giver");
    const vault::Address heir = world.spawn("heir");
    const std::string fifo = world.world.make_fifo("fifo");
    std::optional<baton::Pending<std::string>> blocked;
    if (heir_is == "in a handler") {
        blocked.emplace(world.scenario().request(heir, vault::Block{fifo}, 60s).value());
        world.world.wait_for_state("heir", "busy");
    }
    const pid_t pid = world.world.pid_of(heir);
    if (heir_is == "frozen") ::kill(pid, SIGSTOP);
    const auto given = world.scenario().ask(giver, vault::Make{heir, gifts, 10, end});
    CHECK(given.ok() == (end == "exit"));
    CHECK(world.scenario().join(giver, 10s).ok());
    for (int round = 0; round < 20; ++round) static_cast<void>(world.segments());
    if (heir_is == "frozen") ::kill(pid, SIGCONT);
    if (blocked) world.world.release(fifo);
    const vault::Summary kept = world.wait_for_kept(heir, gifts);
    CHECK(kept.kept == gifts);
    CHECK(kept.torn == 0);
    world.wait_for_none_offered();
    CHECK(world.alive() == gifts);
    CHECK(world.audit().empty());
    wait_until_no_lane_leads(world.world, giver.id, heir.id);
}

TEST_CASE("after the first one, commands to an actor of a known protocol go without names", "[process][lanes]") {
    ProcessWorld world;
    const ProbeRef sender = world.spawn("sender");
    const ProbeRef receiver = world.spawn("receiver");
    const pid_t pid = world.pid_of(receiver);
    ::kill(pid, SIGSTOP);
    CHECK(world.scenario().ask(sender, probe::Flood{receiver, 3}).value().taken == 3);
    const auto ring = baton::detail::LeftRing::open(world.session().id(), sender.id, receiver.id);
    REQUIRE(ring != nullptr);
    for (int command = 0; command < 3; ++command) {
        const std::optional<std::string_view> record = ring->next();
        REQUIRE(record);
        CHECK(baton::detail::is_brief(*record) == (command > 0));
    }
    CHECK_FALSE(ring->next());
    ::kill(pid, SIGCONT);
}

TEST_CASE("all commands of a script that leaves at once are handled", "[process][lanes]") {
    constexpr std::uint64_t commands = 5'000;
    const std::string receiver_is = GENERATE(std::string("quick"), std::string("in a handler"), std::string("frozen"));
    CAPTURE(receiver_is);
    ProcessWorld world;
    const ProbeRef receiver = world.spawn("receiver");
    const std::string fifo = world.make_fifo("fifo");
    std::optional<baton::Pending<std::string>> blocked;
    if (receiver_is == "in a handler") {
        blocked.emplace(world.scenario().request(receiver, probe::Block{fifo}, 60s).value());
        world.wait_for_state("receiver", "busy");
    }
    const pid_t pid = world.pid_of(receiver);
    if (receiver_is == "frozen") ::kill(pid, SIGSTOP);
    baton::ActorId leaver;
    {
        const auto session = join(world);
        leaver = session->loop().me();
        TestScenario scenario{*session};
        for (std::uint64_t index = 0; index < commands; ++index) scenario.send(receiver, probe::Count{}).value();
        CHECK(session->close().ok());
    }
    if (receiver_is == "frozen") ::kill(pid, SIGCONT);
    if (blocked) world.release(fifo);
    while (world.scenario().ask(receiver, probe::HowMany{}).value() < commands) continue;
    CHECK(world.scenario().ask(receiver, probe::HowMany{}).value() == commands);
    wait_until_no_lane_leads(world, leaver, receiver.id);
}

TEST_CASE("commands of a script that has left are dead letters with their name once their receiver has died, too",
          "[process][lanes]") {
    ProcessWorld world;
    const ProbeRef receiver = world.spawn("receiver");
    ::kill(world.pid_of(receiver), SIGSTOP);
    {
        const auto session = join(world);
        TestScenario scenario{*session};
        for (int index = 0; index < 300; ++index) scenario.send(receiver, probe::Count{}).value();
        scenario.send(receiver, probe::Release{}).value();
        CHECK(session->close().ok());
    }
    world.scenario().kill(receiver).value();
    const baton::Exit exit = world.scenario().join(receiver, 10s).value().exit;
    const auto count_of = [&](std::string_view command) {
        std::uint64_t count = 0;
        for (const baton::DeadLetter& letter : exit.dead_letters)
            if (letter.from == "leaver" && letter.command == command) count += letter.count;
        return count;
    };
    CHECK(count_of("Count") == 300);
    CHECK(count_of("Release") == 1);
    CHECK(count_of("") == 0);
    CHECK(lanes_of(world).empty());
}

TEST_CASE("what a dead actor answered before its end is heard, though its asker looks only later", "[process][lanes]") {
    ProcessWorld world;
    const ProbeRef answerer = world.spawn("answerer");
    std::vector<baton::Pending<std::string>> echoes;
    for (int index = 0; index < 100; ++index)
        echoes.push_back(world.scenario().request(answerer, probe::Echo{std::to_string(index)}, 60s).value());
    auto last = world.scenario().request(answerer, probe::Abort{}, 60s).value();
    const auto other = join(world);  // waits for the exit, so that nothing here looks at the answers until then
    static_cast<void>(TestScenario{*other}.join(answerer, 10s));
    for (int index = 0; index < 100; ++index)
        CHECK(echoes[static_cast<std::size_t>(index)].get(10s).value() == std::to_string(index));
    CHECK(last.get(10s).error().kind == baton::ErrorKind::gone);
    CHECK(other->close().ok());
}

TEST_CASE("a lane that was cut short under a dead receiver harms nobody", "[process][lanes]") {
    ProcessWorld world;
    const ProbeRef receiver = world.spawn("receiver");
    const ProbeRef other = world.spawn("other");
    ::kill(world.pid_of(receiver), SIGSTOP);
    baton::ActorId leaver;
    {
        const auto session = join(world);
        leaver = session->loop().me();
        TestScenario scenario{*session};
        for (int index = 0; index < 300; ++index) scenario.send(receiver, probe::Count{}).value();
        CHECK(session->close().ok());
    }
    // In the middle of what the coordinator will look for.
    std::filesystem::resize_file("/dev/shm/" + baton::detail::lane_name(world.session().id(), leaver, receiver.id),
                                 baton::detail::LaneWords::bytes + 100);
    world.scenario().kill(receiver).value();
    const baton::Exit exit = world.scenario().join(receiver, 10s).value().exit;
    std::uint64_t count = 0;
    for (const baton::DeadLetter& letter : exit.dead_letters)
        if (letter.from == "leaver") count += letter.count;
    CHECK(count == 300);
    CHECK(world.scenario().ask(other, probe::HowMany{}).value() == 0);
    wait_until_no_lane_leads(world, leaver, receiver.id);
}

TEST_CASE("lanes go with the first of their two that ends, and nothing of them is left", "[process][lanes]") {
    VaultWorld world;
    const vault::Address a = world.spawn("a");
    const vault::Address b = world.spawn("b");
    CHECK(world.scenario().ask(a, vault::Make{b, 1, 10, ""}).value() == 1);
    CHECK(lanes_of(world.world).size() == 2);  // the scenario's to a, and that of a to b
    world.kill(b);
    wait_until_no_lane_leads(world.world, a.id, b.id);
    world.scenario().stop(a).value();
    CHECK(world.scenario().join(a, 10s).ok());
    CHECK(lanes_of(world.world).empty());
}
