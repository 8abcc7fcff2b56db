// Three processes may be connected at a time; a fourth waits for one of them, and none can disconnect more often than
// it has connected.
#include <baton/sync.hpp>
#include "examples/story.hpp"

using namespace std::chrono_literals;

namespace bounded_semaphore {

struct Connect {
    baton::sync::Address semaphore;
    using Reply = void;
};
struct Disconnect {
    using Reply = void;
};
using Protocol = baton::Protocol<Connect, Disconnect>;

class Process {
public:
    explicit Process(baton::Context& context) : context_(&context) {}

    baton::Result<void> on(const Connect& command) {
        semaphore_.emplace(*context_, command.semaphore);
        return semaphore_->acquire(5s).transform([this] { story::say(context_->name(), "semaphore acquired"); });
    }
    baton::Result<void> on(const Disconnect&) {
        story::say(context_->name(), "semaphore released");
        return semaphore_->release();
    }

private:
    baton::Context* context_;
    std::optional<baton::sync::BoundedSemaphore<>> semaphore_;
};

void play(baton::Scenario& scenario) {
    baton::sync::Keeper keeper{scenario};
    auto semaphore = keeper.bounded_semaphore("connections", 3);
    const auto processes = scenario.spawn_all<Protocol>(story::roles("bounded_semaphore", {"Process-20", "Process-21",
                                                                                           "Process-22"}));
    for (const auto& process : processes) scenario.ask(process, Connect{semaphore.address()});

    story::say("scenario", "Try to acquire new semaphore");
    try {
        semaphore.acquire(50ms);
    } catch (const baton::ErrorException& late) {
        story::say("scenario", "{}", late.kind());
    }
    auto first = scenario.request(processes[0], Disconnect{});
    semaphore.acquire(5s);
    story::say("scenario", "New semaphore acquired");
    first.get(5s).value();
    for (const auto& process : {processes[1], processes[2]}) scenario.ask(process, Disconnect{});

    semaphore.release();
    try {
        semaphore.release();
    } catch (const baton::ErrorException& refused) {
        story::say("scenario", "{}", refused.error());
    }
}

}  // namespace bounded_semaphore

int main(int argc, char** argv) {
    return story::tell<bounded_semaphore::Process, bounded_semaphore::Protocol>(argc, argv, bounded_semaphore::play);
}
