// What is known of an actor before it is started, while it works, when it was terminated, and after the session.
#include "examples/story.hpp"

namespace process_states {

struct Sleep {};
using Protocol = baton::Protocol<Sleep>;

class Sleeper {
public:
    explicit Sleeper(baton::Context& context) : context_(&context) {}
    void on(const Sleep&) {
        static_cast<void>(context_->wait_for([] { return false; }, std::chrono::seconds{10}));
    }

private:
    baton::Context* context_;
};

void print_info(baton::Scenario& scenario, const baton::Ref<Protocol>& actor) {
    const auto roster = scenario.roster(true);
    if (!roster) return story::say("scenario", "{}: the session is closed", name_of(roster.error().kind));
    for (const baton::RosterRow& row : *roster) {
        if (row.actor != baton::AnyRef{actor}) continue;
        story::say("scenario", "Is alive?: {}", !row.exit.has_ended());
        return story::say("scenario", "Exit: {}", to_text(row.exit));
    }
    story::say("scenario", "Not started yet: {}", describe(scenario.send(actor, Sleep{}).error()));
}

void play(baton::Scenario& scenario) {
    baton::Ref<Protocol> sleeper;
    story::say("scenario", "== before start ==");
    print_info(scenario, sleeper);

    story::say("scenario", "== start ==");
    sleeper = scenario.spawn<Protocol>(story::role("process_states", "sleeper")).value();
    scenario.send(sleeper, Sleep{}).value();
    print_info(scenario, sleeper);

    story::say("scenario", "== terminate ==");
    scenario.terminate(sleeper).value();
    scenario.join(sleeper, std::chrono::seconds{5}).value();
    print_info(scenario, sleeper);
    story::say("scenario", "{}", name_of(scenario.send(sleeper, Sleep{}).error().kind));

    story::say("scenario", "== close ==");
    scenario.session().close().value();
    print_info(scenario, sleeper);
}

}  // namespace process_states

int main(int argc, char** argv) {
    return story::tell<process_states::Sleeper, process_states::Protocol>(argc, argv, process_states::play);
}
