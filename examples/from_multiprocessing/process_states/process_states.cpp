// What is known of an actor before it is started, while it works, when it was terminated, and after the session:
// whether it is alive, its sentinel, its exit code.
//
// As in the story, a process that is terminated does not come to the end of its block; one that is stopped does.
#include <poll.h>

#include "examples/story.hpp"

namespace process_states {

struct Sleep {  // answered when it has fallen asleep
    using Reply = bool;
};
using Protocol = baton::Protocol<Sleep>;

// What the story had as a context manager: it says so when the block is left.
class Block {
public:
    explicit Block(const baton::Context& context) : context_(&context) {}
    ~Block() { story::say(context_->name(), "exit"); }
    Block(const Block&) = delete;
    Block& operator=(const Block&) = delete;

private:
    const baton::Context* context_;
};

class Sleeper {
public:
    explicit Sleeper(baton::Context& context) : context_(&context) {}
    void on(const Sleep&, baton::Answer<bool> answer) {
        const Block block{*context_};
        answer.reply(true);
        static_cast<void>(context_->wait_for([] { return false; }, std::chrono::seconds{60}));
    }

private:
    baton::Context* context_;
};

// The descriptor that becomes readable at the end of the process.
bool is_readable(int sentinel, std::chrono::milliseconds patience) {
    pollfd watched{.fd = sentinel, .events = POLLIN, .revents = 0};
    return ::poll(&watched, 1, static_cast<int>(patience.count())) == 1;
}

// As multiprocessing counts.
std::int32_t exit_code(const baton::Exit& exit) {
    return exit.kind == baton::ExitKind::signalled ? -exit.code : exit.code;
}

void print_info(baton::Scenario& scenario, const baton::Ref<Protocol>& actor, const baton::UniqueFd& sentinel) {
    if (!actor) {
        story::say("scenario", "Is alive?: false");
        story::say("scenario", "Process not started yet");
        return story::say("scenario", "Exit code: None");
    }
    baton::Exit exit;
    try {
        exit = scenario.exit_of(actor);
    } catch (const baton::ErrorException&) {
        return story::say("scenario", "The process is closed");
    }
    story::say("scenario", "Is alive?: {}", !exit.has_ended());
    story::say("scenario", "Sentinel: {}",
               is_readable(sentinel.get(), std::chrono::milliseconds{0}) ? "readable" : "not readable");
    story::say("scenario", "Exit code: {}", exit.has_ended() ? fmt::to_string(exit_code(exit)) : "None");
}

void play(baton::Scenario& scenario) {
    baton::Ref<Protocol> sleeper;
    baton::UniqueFd sentinel;
    story::say("scenario", "== before start ==");
    print_info(scenario, sleeper, sentinel);

    story::say("scenario", "== start ==");
    sleeper = scenario.spawn<Protocol>(story::role("process_states", "sleeper"));
    sentinel = scenario.sentinel(sleeper);
    scenario.ask(sleeper, Sleep{});
    print_info(scenario, sleeper, sentinel);

    story::say("scenario", "== terminate ==");
    scenario.terminate(sleeper);
    // An event loop could wait for this and for other things at once.
    static_cast<void>(is_readable(sentinel.get(), std::chrono::seconds{10}));
    scenario.join(sleeper, std::chrono::seconds{10});
    print_info(scenario, sleeper, sentinel);

    story::say("scenario", "== stop ==");
    const auto other = scenario.spawn<Protocol>(story::role("process_states", "other"));
    scenario.ask(other, Sleep{});
    scenario.stop(other);

    story::say("scenario", "== close ==");
    scenario.close();
    print_info(scenario, sleeper, sentinel);
}

}  // namespace process_states

int main(int argc, char** argv) {
    return story::tell<process_states::Sleeper, process_states::Protocol>(argc, argv, process_states::play);
}
