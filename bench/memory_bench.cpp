// One measurement of memory that is handed over, as one line of JSON; run.py pairs it with raw_memory.
//   memory_bench hand-over --bytes B --count N [--warm-up W]
//   memory_bench pool --bytes B --count N         created, each page touched, released
//   memory_bench alive --bytes B --count N        N segments alive at once: made and touched, then released
//   memory_bench settle --bytes B --count N       from SIGKILL of the owner of N segments until nothing is left of them
//   memory_bench transitions --count N [--processes P]    of the ledger's words, in each process of a row of its own
#include <CLI/CLI.hpp>
#include <fmt/core.h>
#include <sys/mman.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <vector>

#include "runtime/inbox/access.hpp"
#include "runtime/session/session.hpp"
#include "bench/at_once.hpp"
#include "bench/handover_actor.hpp"
#include "runtime/ledger/ledger.hpp"
#include <baton/scenario.hpp>

namespace {

struct Setting {
    std::size_t bytes = 1 << 20;
    std::size_t count = 100;
    std::size_t warm_up = 10;
    std::size_t processes = 1;
};

void hand_over(baton::Scenario& scenario, const Setting& setting) {
    const auto giver = scenario.spawn<handover::Protocol>({"handover_actor", "giver"});
    const auto receiver = scenario.spawn<handover::Protocol>({"handover_actor", "receiver"});
    const handover::Drive drive{receiver, setting.bytes, setting.warm_up, setting.count};
    const handover::Report report = scenario.ask(giver, drive, std::chrono::minutes{2});
    fmt::print("{{\"median_us\":{:.3f},\"p99_us\":{:.3f},\"page_faults\":{},\"count\":{}}}\n", report.median_us,
               report.p99_us, report.page_faults, setting.count);
}

void pool(baton::Scenario& scenario, const Setting& setting) {
    std::vector<double> microseconds;
    for (std::size_t index = 0; index < setting.warm_up + setting.count; ++index) {
        const std::int64_t start = bench::nanoseconds_now();
        {
            baton::Segment segment = scenario.create_segment(setting.bytes);
            const std::span<std::byte> bytes = segment.bytes();
            for (std::size_t at = 0; at < bytes.size(); at += bench::page_bytes)
                static_cast<volatile std::byte*>(bytes.data())[at] = std::byte{1};
        }
        if (index >= setting.warm_up) microseconds.push_back(bench::microseconds_since(start));
    }
    bench::print_microseconds(std::move(microseconds));
}

// What the process and the machine need for them is counted when all are alive.
void alive(baton::Scenario& scenario, const Setting& setting) {
    const auto lines_of = [](const char* path) {
        std::ifstream file{path};
        return std::count(std::istreambuf_iterator<char>{file}, {}, '\n');
    };
    const std::string prefix = fmt::format("baton-{}-", baton::detail::Access::session(scenario).id());
    const auto files = [&] {
        const std::filesystem::directory_iterator all{"/dev/shm"};
        return std::count_if(begin(all), end(all), [&](const auto& entry) {
            return entry.path().filename().string().starts_with(prefix);
        });
    };
    const auto mappings_before = lines_of("/proc/self/maps");
    const auto files_before = files();
    std::vector<baton::Segment> kept;
    kept.reserve(setting.count);
    const std::int64_t start = bench::nanoseconds_now();
    while (kept.size() < setting.count) {
        kept.push_back(scenario.create_segment(setting.bytes));
        static_cast<volatile std::byte*>(kept.back().bytes().data())[0] = std::byte{1};
    }
    const double made_us = bench::microseconds_since(start);
    const auto mappings = lines_of("/proc/self/maps") - mappings_before;
    const auto files_made = files() - files_before;
    const std::int64_t released = bench::nanoseconds_now();
    kept.clear();
    const double released_us = bench::microseconds_since(released);
    const auto each = static_cast<double>(setting.count) / 1000;
    fmt::print("{{\"ns_per_segment\":{:.1f},\"made_ns\":{:.1f},\"released_ns\":{:.1f},\"files\":{},\"mappings\":{},"
               "\"count\":{}}}\n",
               (made_us + released_us) / each, made_us / each, released_us / each, files_made, mappings,
               setting.count);
}

void settle(baton::Scenario& scenario, const Setting& setting) {
    const auto owner = scenario.spawn<handover::Protocol>({"handover_actor", "owner"});
    const auto segments = [&] {
        return baton::detail::call(baton::detail::Access::session(scenario).loop(),
                                   baton::detail::coordinator::Segments{0}, std::chrono::seconds{30})
            .value();
    };
    scenario.ask(owner, handover::Occupy{setting.bytes, setting.count}, std::chrono::minutes{1});
    if (segments().alive != setting.count) throw std::runtime_error("the number of segments alive is not --count");
    const std::int64_t start = bench::nanoseconds_now();
    scenario.kill(owner);
    for (;;) {
        const baton::detail::coordinator::SegmentList left = segments();
        if (left.alive == 0 && left.bytes == 0) break;
    }
    fmt::print("{{\"settled_ms\":{:.3f},\"count\":{}}}\n", bench::microseconds_since(start) / 1000, setting.count);
}

// Offer and accept in turn, between two actors that are only numbers.
void transitions(const Setting& setting) {
    const std::size_t bytes = baton::detail::LedgerLayout::region_bytes();
    void* memory = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) throw std::bad_alloc();
    baton::detail::Ledger ledger{{static_cast<std::byte*>(memory), bytes},
                                 [](std::size_t, std::size_t) { return baton::Result<void>{}; }};
    ledger.layout.format(0).value();
    const baton::detail::Slot first = ledger.segment_blocks.claim(1).value();
    const double per_second = bench::rate_of(setting.processes, setting.count, [&](std::size_t process) {
        const baton::detail::Slot slot = first + static_cast<baton::detail::Slot>(process);
        std::optional<baton::detail::Epoch> epoch = ledger.segments.create(slot, 1);
        for (std::size_t index = 0; epoch && index < setting.count; index += 4) {
            epoch = ledger.segments.offer(slot, *epoch, 1, 2);
            if (epoch) epoch = ledger.segments.accept(slot, *epoch, 1, 2);
            if (epoch) epoch = ledger.segments.offer(slot, *epoch, 2, 1);
            if (epoch) epoch = ledger.segments.accept(slot, *epoch, 2, 1);
        }
        if (!epoch) throw std::runtime_error("a transition was refused");
    });
    fmt::print("{{\"transitions_per_second\":{:.0f},\"count\":{}}}\n", per_second, setting.count);
}

}  // namespace

int main(int argc, char** argv) {
    CLI::App app{"One measurement of memory that is handed over, as one line of JSON."};
    std::string mode;
    Setting setting;
    app.add_option("mode", mode, "what to measure")->required()->check(CLI::IsMember({"hand-over", "pool", "alive",
                                                                                      "settle", "transitions"}));
    app.add_option("--bytes", setting.bytes, "of a segment, a multiple of 8")->capture_default_str();
    app.add_option("--count", setting.count, "how many are measured")->capture_default_str();
    app.add_option("--warm-up", setting.warm_up, "hand-over, pool: how many run before those that are measured")
        ->capture_default_str();
    app.add_option("--processes", setting.processes, "transitions: how many processes at once")->capture_default_str();
    app.footer("Example:\n  memory_bench hand-over --bytes 67108864 --count 30");
    CLI11_PARSE(app, argc, argv);
    if (mode == "transitions") {
        transitions(setting);
        return 0;
    }
    return baton::run_scenario(1, argv, [&](baton::Scenario& scenario) {
        if (mode == "hand-over") hand_over(scenario, setting);
        if (mode == "pool") pool(scenario, setting);
        if (mode == "alive") alive(scenario, setting);
        if (mode == "settle") settle(scenario, setting);
    });
}
