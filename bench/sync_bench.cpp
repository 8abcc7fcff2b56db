// One measurement of locks, values and barriers a call, as one line of JSON; run.py pairs it with python_sync.py.
//   sync_bench lock|increment|barrier --processes P --count N
#include <CLI/CLI.hpp>
#include <fmt/core.h>

#include <algorithm>

#include <baton/sync.hpp>
#include "bench/sync_bench.hpp"
#include <baton/scenario.hpp>

namespace {

using namespace baton;
using Actor = Ref<bench::SyncProtocol>;

// All processes at once, each `count` times; how many a second all of them did together.
double rate(Scenario& scenario, bench::Work work, std::size_t processes, std::uint64_t count) {
    sync::Keeper keeper{scenario};
    const std::vector<baton::SpawnOptions> programs(processes, {.program = "sync_bench_actor"});
    const std::vector<Actor> actors = scenario.spawn_all<bench::SyncProtocol>(programs);
    const auto parties = [&](const std::string& name) {
        return keeper.barrier(name, {.parties = processes}).address();
    };
    const sync::Address what = work == bench::Work::lock        ? keeper.lock("lock").address()
                               : work == bench::Work::increment ? keeper.value<std::int64_t>("value").address()
                                                                : parties("round");
    const auto spans = [&](const std::string& name, std::uint64_t times) {
        return scenario.ask_all(std::span<const Actor>(actors), bench::Repeat{work, what, parties(name), times},
                                std::chrono::minutes{2});
    };
    for (auto& span : spans("warm-up", std::min<std::uint64_t>(count, 1000))) span.value();
    bench::Span all{INT64_MAX, 0};
    for (auto& span : spans("start", count)) {
        all.began = std::min(all.began, span.value().began);
        all.ended = std::max(all.ended, span.value().ended);
    }
    if (work == bench::Work::increment) {
        sync::Value<std::int64_t, Scenario> value{scenario, what};
        const std::uint64_t expected = processes * (count + std::min<std::uint64_t>(count, 1000));
        if (value.load() != static_cast<std::int64_t>(expected))
            throw std::runtime_error("increments were lost");
    }
    const std::uint64_t done = work == bench::Work::barrier ? count : processes * count;
    return static_cast<double>(done) / (static_cast<double>(all.ended - all.began) * 1e-9);
}

}  // namespace

int main(int argc, char** argv) {
    CLI::App app{"One measurement of locks, values and barriers of Baton, as one line of JSON."};
    std::string mode;
    std::size_t processes = 1;
    std::uint64_t count = 100'000;
    app.add_option("mode", mode, "what to measure")->required()->check(CLI::IsMember({"lock", "increment", "barrier"}));
    app.add_option("--processes", processes, "that do it at once")->check(CLI::Range(1, 64))->capture_default_str();
    app.add_option("--count", count, "times that each does it")
        ->check(CLI::Range(1, 100'000'000))
        ->capture_default_str();
    app.footer("Example:\n  sync_bench increment --processes 4 --count 100000");
    CLI11_PARSE(app, argc, argv);
    return run_scenario(1, argv, [&](Scenario& scenario) {
        const bench::Work work = mode == "lock"      ? bench::Work::lock
                                 : mode == "barrier" ? bench::Work::barrier
                                                     : bench::Work::increment;
        fmt::print("{{\"per_second\":{:.0f},\"count\":{}}}\n", rate(scenario, work, processes, count), count);
    });
}
