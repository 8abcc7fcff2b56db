// A scenario in C++: starts a greeter, asks it twice, and leaves nothing behind.
#include <fmt/core.h>

#include "actors/greeter/greeter.hpp"
#include <baton/scenario.hpp>

int main(int argc, char** argv) {
    return baton::run_scenario(argc, argv, [](baton::Scenario& scenario) {
        const auto greeter = scenario.spawn<greeter::Protocol>({"greeter"});
        fmt::print("{}\n", scenario.ask(greeter, greeter::Greet{"Ada"}));
        fmt::print("{}\n", scenario.ask(greeter, greeter::Greet{"Grace"}));
    });
}
