// One measurement of Baton a call, as one line of JSON; run.py pairs it with raw_zmq.
//   baton_bench round-trip --count N [--pause-ms N] [--cpus any|one|two]
//   baton_bench one-way --count N [--block-bytes N] [--senders N]
//   baton_bench spawn --count N [--one-by-one]
//   baton_bench all-to-all --count N
//   baton_bench memory
//   baton_bench idle --count N --seconds N
//   baton_bench busy --count N
//   baton_bench takeover --count N [--sessions N]
#include <CLI/CLI.hpp>
#include <fmt/core.h>
#include <sched.h>
#include <sys/stat.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <thread>
#include <utility>
#include <vector>

#include "bench/bench_actor.hpp"
#include "bench/placement.hpp"
#include "bench/usage.hpp"
#include <baton/outsider.hpp>
#include <baton/scenario.hpp>

namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

double milliseconds_since(Clock::time_point start) {
    return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
}

constexpr std::chrono::minutes deadline{2};

using Actor = baton::Ref<bench::Protocol>;

pid_t pid_of(baton::Scenario& scenario, const Actor& actor) {
    for (const baton::RosterRow& row : scenario.roster())
        if (row.actor.id == actor.id) return static_cast<pid_t>(row.pid);
    throw std::runtime_error("an actor is gone");
}

void round_trip(baton::Scenario& scenario, std::size_t count, std::chrono::milliseconds pause, bench::Cpus cpus) {
    const auto actor = scenario.spawn<bench::Protocol>({"bench_actor"});
    bench::place(cpus, pid_of(scenario, actor));
    const auto once = [&](std::size_t index) {
        const auto sample = bench::sample_of<bench::Measure>(index);
        if (scenario.ask(actor, sample) != bench::sum_of(sample)) throw std::runtime_error("a wrong reply");
    };
    for (std::size_t index = 0; index < std::min<std::size_t>(count, 10'000); ++index) once(index);
    std::vector<double> microseconds;
    microseconds.reserve(count);
    for (std::size_t index = 0; index < count; ++index) {
        if (pause.count() > 0) std::this_thread::sleep_for(pause);
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
    scenario.ask(sender, bench::Drive{receiver, std::min<std::size_t>(count, 10'000), block_bytes}, deadline);
    const std::vector<pid_t> both{pid_of(scenario, sender), pid_of(scenario, receiver)};
    const bench::Usage before = bench::usage_of(both);
    const double seconds = scenario.ask(sender, bench::Drive{receiver, count, block_bytes}, deadline);
    bench::print_one_way(static_cast<double>(count), seconds, before, bench::usage_of(both));
}

// Each of the senders sends its part of `count`, all at once.
void many_to_one(baton::Scenario& scenario, std::size_t senders, std::size_t count) {
    const std::vector<Actor> many =
        scenario.spawn_all<bench::Protocol>(std::vector<baton::SpawnOptions>(senders, {"bench_actor"}));
    const auto receiver = scenario.spawn<bench::Protocol>({"bench_actor", "receiver"});
    const auto drive = [&](std::size_t each) {
        const double before = scenario.ask(receiver, bench::Sum{}, deadline);
        const auto start = Clock::now();
        std::vector<baton::Pending<double>> pending;
        for (const Actor& one : many) pending.push_back(scenario.request(one, bench::Drive{receiver, each, 0, false}));
        for (auto& one : pending) one.get(deadline).value();
        const double seconds = milliseconds_since(start) / 1000;
        double expected = 0;
        for (std::size_t index = 0; index < each; ++index)
            expected += bench::sum_of(bench::sample_of<bench::Sample>(index % 1000));
        if (scenario.ask(receiver, bench::Sum{}, deadline) - before != expected * static_cast<double>(senders))
            throw std::runtime_error("a wrong sum came back");
        return seconds;
    };
    const std::size_t each = std::max<std::size_t>(count / senders, 1);
    drive(std::min<std::size_t>(each, 10'000));
    const double seconds = drive(each);
    fmt::print("{{\"messages_per_second\":{:.0f},\"count\":{}}}\n", static_cast<double>(each * senders) / seconds,
               each * senders);
}

// The processors' time of `count` actors that have answered once and then hear nothing.
void idle(baton::Scenario& scenario, std::size_t count, std::chrono::seconds length) {
    const std::vector<Actor> actors =
        scenario.spawn_all<bench::Protocol>(std::vector<baton::SpawnOptions>(count, {"bench_actor"}));
    for (const Actor& actor : actors) scenario.ask(actor, bench::Measure{});
    std::vector<pid_t> pids;
    for (const Actor& actor : actors) pids.push_back(pid_of(scenario, actor));
    const auto spent = [&] { return bench::usage_of(pids).cpu_nanoseconds * 1e-9; };
    std::this_thread::sleep_for(std::chrono::seconds{1});  // what the asks have left is done
    const double before = spent();
    std::this_thread::sleep_for(length);
    fmt::print("{{\"cpu_seconds\":{:.4f},\"count\":{}}}\n", spent() - before, count);
}

// Rounds per second of two pairs that compute and ask each other in turn: four actors, two processors (limit_cpus).
void busy(baton::Scenario& scenario, std::size_t count) {
    const std::vector<Actor> actors =
        scenario.spawn_all<bench::Protocol>(std::vector<baton::SpawnOptions>(4, {"bench_actor"}));
    constexpr std::uint32_t rounds = 10'000;  // about 20 us
    const auto rally = [&](std::size_t times) {
        const auto start = Clock::now();
        auto first = scenario.request(actors[0], bench::Rally{actors[1], times, rounds});
        auto second = scenario.request(actors[2], bench::Rally{actors[3], times, rounds});
        static_cast<void>(first.get(deadline).value() + second.get(deadline).value());
        return milliseconds_since(start) / 1000;
    };
    rally(std::min<std::size_t>(count, 1'000));
    fmt::print("{{\"rounds_per_second\":{:.0f},\"count\":{}}}\n", static_cast<double>(2 * count) / rally(count),
               count);
}

// For this process and all that it starts from here on.
void limit_cpus(int cpus) {
    cpu_set_t usable;
    cpu_set_t fewer;
    CPU_ZERO(&fewer);
    if (::sched_getaffinity(0, sizeof usable, &usable) != 0) throw std::runtime_error("no affinity can be read");
    for (int cpu = 0; cpu < CPU_SETSIZE && CPU_COUNT(&fewer) < cpus; ++cpu)
        if (CPU_ISSET(cpu, &usable)) CPU_SET(cpu, &fewer);
    if (CPU_COUNT(&fewer) < cpus || ::sched_setaffinity(0, sizeof fewer, &fewer) != 0)
        throw std::runtime_error("there are too few processors");
}

double stop_all(baton::Scenario& scenario) {
    const auto stop = Clock::now();
    const auto ended = scenario.stop_all();
    const double stopped = milliseconds_since(stop);
    for (const baton::Ended& one : ended)
        if (one.exit.kind != baton::ExitKind::stopped) throw std::runtime_error("an actor did not stop cleanly");
    return stopped;
}

using Actors = std::vector<Actor>;

Actors spawn_all(baton::Scenario& scenario, std::size_t count) {
    Actors actors;
    while (actors.size() < count) {
        const std::size_t some = std::min(count - actors.size(), baton::limits::spawn_batch_max);
        const baton::SpawnOptions program{.program = "bench_actor", .timeout = 2min};
        const auto more = scenario.spawn_all<bench::Protocol>(std::vector<baton::SpawnOptions>(some, program));
        actors.insert(actors.end(), more.begin(), more.end());
    }
    return actors;
}

// Bytes of shared memory that all lanes take, and how many lanes there are.
std::pair<std::uint64_t, std::size_t> lanes_of(std::string_view session) {
    const std::string prefix = fmt::format("baton-{}-lane-", session);
    std::pair<std::uint64_t, std::size_t> found;
    for (const auto& entry : std::filesystem::directory_iterator{"/dev/shm"}) {
        struct stat facts {};
        if (!entry.path().filename().string().starts_with(prefix) || ::stat(entry.path().c_str(), &facts) != 0)
            continue;
        found.first += static_cast<std::uint64_t>(facts.st_blocks) * 512;
        ++found.second;
    }
    return found;
}

// The id of its session, as in the text of a Ref that names one.
std::string session_of(const baton::AnyRef& actor) {
    std::string id;
    for (std::uint64_t letters = actor.session.letters; letters != 0; letters >>= 8)
        id += static_cast<char>(letters & 0xFF);
    return id;
}

// Each sends to each, all at once, until all has been taken.
void all_to_all(baton::Scenario& scenario, std::size_t count) {
    const Actors actors = spawn_all(scenario, count);
    const auto start = Clock::now();
    std::vector<baton::Pending<std::uint64_t>> meetings;
    for (const auto& actor : actors) meetings.push_back(scenario.request(actor, bench::Meet{actors}, 2min));
    for (auto& meeting : meetings)
        if (meeting.get(2min).value() != count - 1) throw std::runtime_error("an actor has not met all");
    for (const auto& actor : actors)
        while (scenario.ask(actor, bench::Sum{}, 1min) < static_cast<double>(count - 1)) continue;
    const double connected = milliseconds_since(start);
    const auto [bytes, lanes] = lanes_of(session_of(baton::AnyRef{actors.front()}));
    const double stopped = stop_all(scenario);
    fmt::print("{{\"connected_ms\":{:.2f},\"stopped_ms\":{:.2f},\"lanes\":{},\"lanes_mib\":{:.1f},\"count\":{}}}\n",
               connected, stopped, lanes, static_cast<double>(bytes) / (1 << 20), count);
}

void spawn(baton::Scenario& scenario, std::size_t count, bool is_one_by_one) {
    const auto start = Clock::now();
    Actors actors;
    if (is_one_by_one)
        while (actors.size() < count) actors.push_back(scenario.spawn<bench::Protocol>({"bench_actor"}));
    else
        actors = spawn_all(scenario, count);
    const double ready = milliseconds_since(start);
    const double stopped = stop_all(scenario);
    fmt::print("{{\"ready_ms\":{:.2f},\"stopped_ms\":{:.2f},\"count\":{}}}\n", ready, stopped, actors.size());
}

// Resident and private memory of an idle actor, from /proc/PID/smaps_rollup.
void memory(baton::Scenario& scenario) {
    const auto actor = scenario.spawn<bench::Protocol>({"bench_actor"});
    scenario.ask(actor, bench::Measure{});
    std::uint64_t resident = 0;
    std::uint64_t own = 0;
    std::uint64_t written = 0;  // of that: what differs from the file that it is of
    for (const baton::RosterRow& row : scenario.roster()) {
        if (row.actor.id != actor.id) continue;
        std::ifstream smaps{fmt::format("/proc/{}/smaps_rollup", row.pid)};
        std::string word;
        while (smaps >> word) {
            std::uint64_t kilobytes = 0;
            if (word == "Rss:" && smaps >> kilobytes) resident = kilobytes;
            const bool is_written = word == "Private_Dirty:";
            if ((is_written || word == "Private_Clean:") && smaps >> kilobytes) own += kilobytes;
            if (is_written) written = kilobytes;
        }
    }
    fmt::print("{{\"resident_kib\":{},\"private_kib\":{},\"written_kib\":{}}}\n", resident, own, written);
}

// From SIGKILL of the coordinator to the first answer of the next one: four times in each session, as often as it may
// die within ten seconds.
void take_over(std::size_t actors, std::size_t sessions) {
    constexpr int deaths = 4;
    std::vector<double> milliseconds;
    for (std::size_t session = 0; session < sessions; ++session) {
        const std::unique_ptr<baton::Outsider> member = baton::Outsider::enter({.name = "bench"}).value();
        static_cast<void>(
            member->spawn(std::vector<baton::SpawnOptions>(actors, baton::SpawnOptions{"bench_actor"}), deadline)
                .value());
        for (int death = 0; death < deaths; ++death) {
            const pid_t coordinator = member->coordinator_pid();
            const auto start = Clock::now();
            ::kill(coordinator, SIGKILL);
            static_cast<void>(member->find("bench_actor").value());
            milliseconds.push_back(milliseconds_since(start));
            if (member->coordinator_pid() == coordinator) throw std::runtime_error("a killed coordinator lives");
        }
        static_cast<void>(member->close(deadline).value());
    }
    std::ranges::sort(milliseconds);
    const auto quantile = [&](double part) {
        return milliseconds[static_cast<std::size_t>(part * static_cast<double>(milliseconds.size() - 1) + 0.5)];
    };
    fmt::print("{{\"p50_ms\":{:.2f},\"p99_ms\":{:.2f},\"max_ms\":{:.2f},\"count\":{}}}\n", quantile(0.5),
               quantile(0.99), milliseconds.back(), milliseconds.size());
}

}  // namespace

int main(int argc, char** argv) {
    CLI::App app{"One measurement of Baton, as one line of JSON."};
    std::string mode;
    std::size_t count = 20'000;
    std::uint32_t block_bytes = 0;
    std::size_t senders = 1;
    std::int64_t pause_ms = 0;
    bench::Cpus cpus = bench::Cpus::any;
    std::int64_t seconds = 10;
    app.add_option("mode", mode, "what to measure")->required()->check(CLI::IsMember(
        {"round-trip", "one-way", "spawn", "all-to-all", "memory", "idle", "busy", "takeover"}));
    app.add_option("--count", count, "round trips, messages, actors or rounds")
        ->check(CLI::Range(1, 100'000'000))
        ->capture_default_str();
    app.add_option("--block-bytes", block_bytes, "one-way: bytes per command; 0: eight doubles")
        ->check(CLI::Range(0, 1'000'000))
        ->capture_default_str();
    app.add_option("--senders", senders, "one-way: how many send to one")
        ->check(CLI::Range(1, 64))
        ->capture_default_str();
    app.add_option("--pause-ms", pause_ms, "round-trip: quiet time before each")
        ->check(CLI::Range(0, 1000))
        ->capture_default_str();
    app.add_option("--cpus", cpus, "round-trip: on which processors the two run")
        ->transform(CLI::CheckedTransformer(bench::cpus_by_name()));
    app.add_option("--seconds", seconds, "idle: for how long")->check(CLI::Range(1, 600))->capture_default_str();
    std::size_t sessions = 25;
    app.add_option("--sessions", sessions, "takeover: in each, four coordinators are killed")
        ->check(CLI::Range(1, 1000))
        ->capture_default_str();
    bool is_one_by_one = false;
    app.add_flag("--one-by-one", is_one_by_one, "spawn: each when the one before it is ready");
    app.footer("Example:\n  baton_bench round-trip --count 20000");
    CLI11_PARSE(app, argc, argv);
    if (mode == "busy") limit_cpus(2);
    if (mode == "takeover") {
        take_over(count, sessions);
        return 0;
    }
    return baton::run_scenario(1, argv, [&](baton::Scenario& scenario) {
        if (mode == "round-trip") round_trip(scenario, count, std::chrono::milliseconds{pause_ms}, cpus);
        if (mode == "one-way" && senders == 1) one_way(scenario, count, block_bytes);
        if (mode == "one-way" && senders > 1) many_to_one(scenario, senders, count);
        if (mode == "idle") idle(scenario, count, std::chrono::seconds{seconds});
        if (mode == "busy") busy(scenario, count);
        if (mode == "spawn") spawn(scenario, count, is_one_by_one);
        if (mode == "all-to-all") all_to_all(scenario, count);
        if (mode == "memory") memory(scenario);
    });
}
