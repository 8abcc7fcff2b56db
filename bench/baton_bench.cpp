// One measurement of Baton a call, as one line of JSON; run.py pairs it with raw_zmq.
//   baton_bench round-trip|spawn --count N        baton_bench one-way --count N [--block-bytes N]
//   baton_bench memory
#include <CLI/CLI.hpp>
#include <fmt/core.h>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <vector>

#include "bench/bench_actor.hpp"
#include <baton/scenario.hpp>

namespace {

using Clock = std::chrono::steady_clock;

double milliseconds_since(Clock::time_point start) {
    return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
}

void round_trip(baton::Scenario& scenario, std::size_t count) {
    const auto actor = scenario.spawn<bench::Protocol>({"bench_actor"});
    const auto once = [&](std::size_t index) {
        const auto sample = bench::sample_of<bench::Measure>(index);
        if (scenario.ask(actor, sample) != bench::sum_of(sample)) throw std::runtime_error("a wrong reply");
    };
    for (std::size_t index = 0; index < std::min<std::size_t>(count, 10'000); ++index) once(index);
    std::vector<double> microseconds;
    microseconds.reserve(count);
    for (std::size_t index = 0; index < count; ++index) {
        const auto start = Clock::now();
        once(index);
        microseconds.push_back(milliseconds_since(start) * 1000);
    }
    std::ranges::sort(microseconds);
    fmt::print("{{\"median_us\":{:.2f},\"p99_us\":{:.2f},\"count\":{}}}\n", microseconds[count / 2],
               microseconds[count * 99 / 100], count);
}

void one_way(baton::Scenario& scenario, std::size_t count, std::uint32_t block_bytes) {
    const auto sender = scenario.spawn<bench::Protocol>({"bench_actor", "sender"});
    const auto receiver = scenario.spawn<bench::Protocol>({"bench_actor", "receiver"});
    const std::chrono::minutes deadline{2};
    scenario.ask(sender, bench::Drive{receiver, std::min<std::size_t>(count, 10'000), block_bytes}, deadline);
    const double seconds = scenario.ask(sender, bench::Drive{receiver, count, block_bytes}, deadline);
    fmt::print("{{\"messages_per_second\":{:.0f},\"count\":{}}}\n", static_cast<double>(count) / seconds, count);
}

void spawn(baton::Scenario& scenario, std::size_t count) {
    std::vector<baton::SpawnOptions> programs(count, {"bench_actor"});
    const auto start = Clock::now();
    const auto actors = scenario.spawn_all<bench::Protocol>(programs);
    const double ready = milliseconds_since(start);
    const auto stop = Clock::now();
    const auto ended = scenario.stop_all();
    const double stopped = milliseconds_since(stop);
    for (const baton::Ended& one : ended)
        if (one.exit.kind != baton::ExitKind::stopped) throw std::runtime_error("an actor did not stop cleanly");
    fmt::print("{{\"ready_ms\":{:.2f},\"stopped_ms\":{:.2f},\"count\":{}}}\n", ready, stopped, actors.size());
}

// Resident and private memory of an idle actor, from /proc/PID/smaps_rollup.
void memory(baton::Scenario& scenario) {
    const auto actor = scenario.spawn<bench::Protocol>({"bench_actor"});
    scenario.ask(actor, bench::Measure{});
    std::uint64_t resident = 0;
    std::uint64_t own = 0;
    for (const baton::RosterRow& row : scenario.roster()) {
        if (row.actor.id != actor.id) continue;
        std::ifstream smaps{fmt::format("/proc/{}/smaps_rollup", row.pid)};
        std::string word;
        while (smaps >> word) {
            std::uint64_t kilobytes = 0;
            if (word == "Rss:" && smaps >> kilobytes) resident = kilobytes;
            if ((word == "Private_Clean:" || word == "Private_Dirty:") && smaps >> kilobytes) own += kilobytes;
        }
    }
    fmt::print("{{\"resident_kib\":{},\"private_kib\":{}}}\n", resident, own);
}

}  // namespace

int main(int argc, char** argv) {
    CLI::App app{"One measurement of Baton, as one line of JSON."};
    std::string mode;
    std::size_t count = 20'000;
    std::uint32_t block_bytes = 0;
    app.add_option("mode", mode, "what to measure")->required()->check(CLI::IsMember({"round-trip", "one-way", "spawn",
                                                                                      "memory"}));
    app.add_option("--count", count, "round trips, messages or actors")
        ->check(CLI::Range(1, 100'000'000))
        ->capture_default_str();
    app.add_option("--block-bytes", block_bytes, "one-way: bytes per command; 0: eight doubles")
        ->check(CLI::Range(0, 1'000'000))
        ->capture_default_str();
    app.footer("Example:\n  baton_bench round-trip --count 20000");
    CLI11_PARSE(app, argc, argv);
    return baton::run_scenario(1, argv, [&](baton::Scenario& scenario) {
        if (mode == "round-trip") round_trip(scenario, count);
        if (mode == "one-way") one_way(scenario, count, block_bytes);
        if (mode == "spawn") spawn(scenario, count);
        if (mode == "memory") memory(scenario);
    });
}
