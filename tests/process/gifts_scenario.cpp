// What interrupt_test.py interrupts: vaults that pass segments around without end, and one that makes and gives for
// ever.
#include <fmt/core.h>

#include <cstdio>

#include <baton/scenario.hpp>
#include "tests/process/vault.hpp"

int main(int argc, char** argv) {
    return baton::run_scenario(argc, argv, [](baton::Scenario& scenario) {
        std::vector<vault::Address> ring;
        for (const char* name : {"a", "b", "c", "d"}) ring.push_back(scenario.spawn<vault::Protocol>({"vault", name}));
        const auto flooder = scenario.spawn<vault::Protocol>({"vault", "flooder"});
        for (std::uint64_t number = 0; number < 20; ++number) {
            baton::Segment item = scenario.create_array<std::int64_t>({100});
            scenario.send(ring[number % ring.size()],
                          vault::Wander{std::move(item), 0, ~std::uint64_t{0}, number, ring});
        }
        scenario.send(flooder, vault::Flood{ring[0], 16});
        baton::Segment kept = scenario.create_array<std::int64_t>({1000});
        while (scenario.ask(ring[0], vault::HowMany{}) < 5) {
        }
        fmt::print("ready\n");
        std::fflush(stdout);
        for (;;) static_cast<void>(scenario.ask(ring[1], vault::HowMany{}));
    });
}
