// What cli_test.py looks at: two greeters and a probe, until stdin closes.
#include <fmt/core.h>
#include <poll.h>
#include <unistd.h>

#include <cstdio>

#include "runtime/inbox/access.hpp"
#include "runtime/session/session.hpp"
#include "actors/greeter/greeter.hpp"
#include <baton/scenario.hpp>
#include "tests/process/probe.hpp"

namespace {

// True if the end of stdin has come; what is written to it means nothing.
bool has_closed(int descriptor) {
    pollfd polled{descriptor, POLLIN, 0};
    char bytes[64];
    while (::poll(&polled, 1, 0) == 1)
        if (::read(descriptor, bytes, sizeof bytes) <= 0) return true;
    return false;
}

}  // namespace

int main(int argc, char** argv) {
    bool is_over = false;  // outlives the session, which looks at it until it is closed
    return baton::run_scenario(argc, argv, [&is_over](baton::Scenario& scenario) {
        scenario.spawn<greeter::Protocol>({"greeter", "Ada"});
        scenario.spawn<greeter::Protocol>({"greeter", "Bob"});
        scenario.spawn<probe::Protocol>({"probe", "Zoe"});
        fmt::print("ready\n");
        std::fflush(stdout);
        // Served while it waits, so that a stop of the session ends this at once.
        baton::detail::Loop& loop = baton::detail::Access::session(scenario).loop();
        loop.watch(STDIN_FILENO, [&is_over] { is_over = is_over || has_closed(STDIN_FILENO); });
        static_cast<void>(loop.serve(nullptr, [&is_over] { return is_over; }, baton::Deadline::never()));
    });
}
