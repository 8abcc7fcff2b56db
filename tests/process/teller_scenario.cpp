// A scenario with tellers, of which clean_ends_test.py counts what became of each note. Its arguments: the folder of
// the journals, and how it ends: returns, throws, waits (until it is told to stop), or joins (a session that goes on).
#include <fmt/core.h>

#include <cstdio>
#include <stdexcept>
#include <string>

#include <baton/scenario.hpp>
#include "runtime/inbox/access.hpp"
#include "runtime/session/session.hpp"
#include "tests/process/teller.hpp"
#include "tests/soak/journal.hpp"

namespace {

using Ref = baton::Ref<teller::Protocol>;
constexpr std::uint32_t own_index = 1;

class Story {
public:
    Story(baton::Scenario& scenario, std::string folder)
        : scenario_(&scenario), folder_(std::move(folder)), journal_(folder_, own_index) {}

    // The number of those before, and of the scenario: 1. A sender is done when its notes are accepted, not handled.
    void tell() {
        const Ref slow = spawn("slow", 2, 2000);
        const Ref quick = spawn("quick", 3, 0);
        const Ref sender = spawn("sender", 4, 0);
        const Ref exiting = spawn("exiting", 5, 0);
        // Mutual, so that the one that is asked first has sent something to one that lives on.
        scenario_->ask(sender, teller::Send{slow, 2, 400, 0, false});
        scenario_->ask(slow, teller::Send{quick, 3, 100, 10'000, false}, std::chrono::seconds{60});
        scenario_->ask(quick, teller::Send{sender, 4, 300, 0, false});
        scenario_->send(exiting, teller::Send{slow, 2, 50, 20'000, true});
        // What comes to the scenario is never collected.
        scenario_->ask(quick, teller::Send{baton::AnyRef{scenario_->id()}, own_index, 20, 0, false});
        send(slow, 2, 200);
        send(sender, 4, 10);
    }

private:
    Ref spawn(const std::string& name, std::uint32_t index, std::uint32_t pace) {
        return scenario_->spawn<teller::Protocol>(
            {"teller", name, {folder_, std::to_string(index), std::to_string(pace)}});
    }
    void send(const Ref& to, std::uint32_t index, std::uint64_t count) {
        for (std::uint64_t number = 1; number <= count; ++number) {
            scenario_->send(to, teller::Note{own_index, number, {}});
            journal_.write(soaker::Event::sent_notes, 0, index, number);
        }
    }
    baton::Scenario* scenario_;
    std::string folder_;
    soaker::Journal journal_;
};

}  // namespace

int main(int argc, char** argv) {
    const std::string folder = argc > 1 ? argv[1] : ".";
    const std::string way = argc > 2 ? argv[2] : "returns";
    return baton::run_scenario(argc, argv, [&](baton::Scenario& scenario) {
        Story story{scenario, folder};
        story.tell();
        fmt::print("ready\n");
        std::fflush(stdout);
        if (way == "throws") throw std::runtime_error("the body has failed");
        if (way == "waits") {
            baton::detail::Loop& loop = baton::detail::Access::session(scenario).loop();
            static_cast<void>(loop.serve(nullptr, [] { return false; }, baton::Deadline::never()));
        }
    });
}
