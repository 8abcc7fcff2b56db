// Three may be connected at a time; a fourth waits for one of them, and nobody disconnects more often than it
// connected.
#include <baton/sync/semaphore.hpp>
#include "examples/story.hpp"

using namespace std::chrono_literals;

namespace bounded_semaphore {

struct Connect {
    baton::sync::Address semaphore;
    using Reply = bool;
};
struct Disconnect {
    using Reply = bool;
};
using Protocol = baton::Protocol<Connect, Disconnect>;

class Process {
public:
    explicit Process(baton::Context& context) : context_(&context) {}

    bool on(const Connect& command) {
        semaphore_.emplace(*context_, command.semaphore);
        semaphore_->acquire(5s).value();
        story::say(context_->name(), "semaphore acquired");
        return true;
    }
    bool on(const Disconnect&) {
        story::say(context_->name(), "semaphore released");
        return semaphore_->release().ok();
    }

private:
    baton::Context* context_;
    std::optional<baton::sync::BoundedSemaphore> semaphore_;
};

void play(baton::Scenario& scenario) {
    using Semaphore = baton::sync::BoundedSemaphore;
    baton::Context& context = scenario.context();
    const auto keeper = baton::sync::spawn_keeper(context).value();
    Semaphore semaphore{context, Semaphore::make(context, keeper, "connections", 3).value()};
    const auto processes = scenario.spawn_all<Protocol>(story::roles("bounded_semaphore", {"Process-20", "Process-21",
                                                                                           "Process-22"}));
    for (const auto& process : processes) scenario.ask(process, Connect{semaphore.address()});

    story::say("scenario", "Try to acquire new semaphore");
    story::say("scenario", "{}", name_of(semaphore.acquire(50ms).error().kind));
    auto first = scenario.request(processes[0], Disconnect{});
    semaphore.acquire(5s).value();
    story::say("scenario", "New semaphore acquired");
    first.get(5s).value();
    for (const auto& process : {processes[1], processes[2]}) scenario.ask(process, Disconnect{});

    semaphore.release().value();
    story::say("scenario", "{}", to_text(semaphore.release().error()));
}

}  // namespace bounded_semaphore

int main(int argc, char** argv) {
    return story::tell<bounded_semaphore::Process, bounded_semaphore::Protocol>(argc, argv, bounded_semaphore::play);
}
