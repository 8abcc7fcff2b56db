// What cli_test.py sees in the ledger: this scenario has lent 4,000 bytes to Ada, who holds 40 of her own, and has
// 400 bytes on their way to Bob, who is frozen. Until stdin closes.
#include <fmt/core.h>
#include <signal.h>
#include <unistd.h>

#include <cstdio>

#include <baton/scenario.hpp>
#include "runtime/inbox/access.hpp"
#include "runtime/session/session.hpp"
#include "tests/process/keeper.hpp"

int main(int argc, char** argv) {
    bool is_over = false;  // outlives the session, which looks at it until it is closed
    return baton::run_scenario(argc, argv, [&is_over](baton::Scenario& scenario) {
        const auto ada = scenario.spawn<keeper::Protocol>({"keeper", "Ada"});
        const auto bob = scenario.spawn<keeper::Protocol>({"keeper", "Bob"});
        baton::Loan lent = scenario.lend(scenario.create_array<float>({1000}));
        scenario.ask(ada, keeper::KeepLease{lent.lease().value()});
        scenario.ask(ada, keeper::HoldAsked{scenario.create_array<float>({10})});
        static_cast<void>(baton::detail::Access::session(scenario).signal(baton::AnyRef{bob.id}, SIGSTOP));
        static_cast<void>(scenario.send(bob, keeper::Hold{scenario.create_array<float>({100}), "late"}));
        fmt::print("ready\n");
        std::fflush(stdout);
        baton::detail::Loop& loop = baton::detail::Access::session(scenario).loop();
        loop.watch(STDIN_FILENO, [&is_over] {
            char byte = 0;
            is_over = ::read(STDIN_FILENO, &byte, 1) <= 0;
        });
        static_cast<void>(loop.serve(nullptr, [&is_over] { return is_over; }, baton::Deadline::never()));
    });
}
