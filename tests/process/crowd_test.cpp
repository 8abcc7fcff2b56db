// Many actors in one session: each is counted, and none is forced.
#include "tests/process/process_world.hpp"

using namespace std::chrono_literals;

namespace {

std::size_t lanes_of(ProcessWorld& world) {
    std::size_t count = 0;
    for (const std::string& name : world.leftovers())
        if (name.find("-lane-") != std::string::npos) ++count;
    return count;
}

std::uint64_t sum_of(const std::vector<baton::DeadLetter>& letters) {
    std::uint64_t sum = 0;
    for (const baton::DeadLetter& letter : letters) sum += letter.count;
    return sum;
}

}  // namespace

TEST_CASE("when one of twenty actors that all know each other dies, its lanes go and no other",
          "[process][lanes][I7]") {
    constexpr std::size_t count = 20;
    ProcessWorld world;
    std::vector<baton::SpawnOptions> programs;
    for (std::size_t number = 0; number < count; ++number)
        programs.push_back({"probe", "p" + std::to_string(number), {}, 60s});
    std::vector<ProbeRef> all = world.scenario().spawn_all<probe::Protocol>(programs).value();
    std::vector<baton::Pending<std::string>> met;
    for (const ProbeRef& one : all) met.push_back(world.scenario().request(one, probe::EchoAround{all}).value());
    for (auto& one : met) REQUIRE(one.get(60s).value() == std::to_string(count));
    CHECK(lanes_of(world) == count * (count - 1) + count);  // and those of the scenario

    CHECK(world.scenario().kill(all.back()).ok());
    CHECK(world.scenario().join(all.back(), 20s).ok());
    all.pop_back();
    while (lanes_of(world) != (count - 1) * (count - 2) + count - 1) continue;
    std::vector<baton::Pending<std::string>> again;
    for (const ProbeRef& one : all) again.push_back(world.scenario().request(one, probe::EchoAround{all}).value());
    for (auto& one : again) CHECK(one.get(60s).value() == std::to_string(count - 1));
}

// Goal: the coordinator finds each of many senders, living or dead, over lanes or ZeroMQ, and nobody else.
TEST_CASE("what each of forty senders has sent to one that is killed is counted", "[process][lanes]") {
    constexpr std::size_t count = 40;
    ProcessWorld world;
    std::vector<baton::SpawnOptions> programs;
    for (std::size_t number = 0; number < count; ++number)
        programs.push_back({"probe", "s" + std::to_string(number), {}, 60s});
    const std::vector<ProbeRef> senders = world.scenario().spawn_all<probe::Protocol>(programs).value();
    const ProbeRef victim = world.spawn("Victim");
    ::kill(world.pid_of(victim), SIGSTOP);
    for (std::size_t index = 0; index < count; ++index) {
        const auto flooded = world.scenario().ask(senders[index], probe::Flood{victim, index + 1, 0, 1'000}, 30s);
        CHECK(flooded.value().taken == index + 1);
    }
    for (const std::size_t dead : {std::size_t{0}, count - 1}) {
        CHECK(world.scenario().kill(senders[dead]).ok());
        CHECK(world.scenario().join(senders[dead], 20s).ok());
    }
    CHECK(world.scenario().kill(victim).ok());
    const baton::Ended ended = world.scenario().join(victim, 20s).value();
    CHECK(sum_of(ended.exit.dead_letters) == count * (count + 1) / 2);
    std::map<std::string, std::uint64_t> from;
    for (const baton::DeadLetter& letter : ended.exit.dead_letters) from[letter.from] += letter.count;
    for (std::size_t index = 0; index < count; ++index) CHECK(from["s" + std::to_string(index)] == index + 1);
}

// Each is a wave of its own.
TEST_CASE("forty actors that were spawned one by one stop, and none of them is signalled", "[process][I8]") {
    ProcessWorld world;
    std::vector<ProbeRef> all;
    for (int number = 0; number < 40; ++number) all.push_back(world.spawn("p" + std::to_string(number)));
    const std::vector<baton::Ended> ended = world.scenario().stop_all(60s).value();
    REQUIRE(ended.size() == all.size());
    for (const baton::Ended& one : ended) CHECK(one.exit.kind == baton::ExitKind::stopped);
}

// Goal: processes that actors have left are found even when the looks for them are far between. Method: each of many
// actors leaves one in a group of its own; all actors are killed together.
TEST_CASE("processes that twenty actors have left end when these are killed together", "[process][I7]") {
    ProcessWorld world;
    std::vector<ProbeRef> all;
    std::vector<pid_t> left;
    for (int number = 0; number < 20; ++number) {
        all.push_back(world.spawn("p" + std::to_string(number)));
        left.push_back(static_cast<pid_t>(
            world.scenario().ask(all.back(), probe::Shell{"exec setsid sleep 3600"}, 20s).value()));
    }
    for (const ProbeRef& one : all) ::kill(world.pid_of(one), SIGKILL);
    for (const pid_t pid : left)
        while (::kill(pid, 0) == 0) continue;
    for (const ProbeRef& one : all) CHECK(world.scenario().join(one, 20s).ok());
}
