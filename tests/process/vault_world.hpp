#pragma once
// VaultWorld: a world with vaults, and what tests of hand-over ask of it again and again.

#include <algorithm>
#include <numeric>

#include "tests/process/process_world.hpp"
#include "tests/process/vault.hpp"

class VaultWorld {
public:
    // Bytes that all segments may take; 0: the coordinator's choice.
    explicit VaultWorld(std::uint64_t memory_bytes = 0) : world(memory_bytes) {}

    vault::Address spawn(const std::string& name, std::uint64_t memory_bytes = 0) {
        return scenario()
            .spawn<vault::Protocol>({.program = "vault", .name = name, .memory_bytes = memory_bytes})
            .value();
    }
    std::vector<vault::Address> spawn_many(const std::string& name, std::size_t count) {
        std::vector<baton::SpawnOptions> programs;
        for (std::size_t index = 0; index < count; ++index)
            programs.push_back(
                {.program = "vault", .name = name + "-" + std::to_string(index), .timeout = std::chrono::seconds{60}});
        return scenario().spawn_all<vault::Protocol>(programs).value();
    }
    TestScenario& scenario() { return world.scenario(); }
    baton::Segment make(std::uint64_t elements, std::int64_t value) {
        baton::Segment segment = scenario().create_array<std::int64_t>({elements}).value();
        std::ranges::fill(segment.as<std::int64_t>(), value);
        return segment;
    }
    vault::Summary report(vault::Address vault) { return scenario().ask(vault, vault::Report{}).value(); }
    // Until it keeps `count`.
    vault::Summary wait_for_kept(vault::Address vault, std::uint64_t count) {
        for (;;)
            if (vault::Summary now = report(vault); now.kept >= count) return now;
    }
    // Until the ledger holds `count` live segments: deaths have been settled and memory returned by then.
    void wait_for_alive(std::uint64_t count) {
        while (alive() != count) {
        }
    }
    baton::detail::coordinator::SegmentList segments() {
        return baton::detail::call(world.session().loop(), baton::detail::coordinator::Segments{},
                                   std::chrono::seconds{5})
            .value();
    }
    std::uint64_t alive() { return segments().alive; }
    // Until nothing is on its way any more: every gift has been taken, given back or settled.
    void wait_for_none_offered() {
        while (std::ranges::any_of(segments().rows, [](const auto& row) { return row.state == "offered"; })) {
        }
    }
    std::vector<std::string> audit() {
        return baton::detail::call(world.session().loop(), baton::detail::coordinator::Audit{}, std::chrono::seconds{5})
            .value();
    }
    // Dead, and settled as far as nobody else is needed.
    baton::Ended kill(vault::Address vault) {
        scenario().kill(vault).value();
        return scenario().join(vault, std::chrono::seconds{5}).value();
    }
    // Names of shared memory of this session, but for what belongs to the session itself.
    std::vector<std::string> memories() {
        std::vector<std::string> names;
        for (const std::string& name : world.leftovers())
            if (name.starts_with("shared memory ") && !name.ends_with("-ledger") && !name.ends_with("-lock") &&
                !name.ends_with("-vitals") && !name.ends_with("-bells") && !name.ends_with("-roster") &&
                name.find("-protocol-") == std::string::npos && name.find("-lane-") == std::string::npos)
                names.push_back(name);
        return names;
    }

    ProcessWorld world;
};

inline std::int64_t sum_of(const baton::Segment& segment) {
    const auto elements = segment.as<std::int64_t>();
    return std::accumulate(elements.begin(), elements.end(), std::int64_t{0});
}
