// Two processes say who they are and who started them, and leave something in a queue.
#include <baton/sync/joinable_queue.hpp>
#include "examples/story.hpp"

namespace first_taste {

struct Work {
    baton::sync::Address container;
    std::string item;
    using Reply = bool;
};
using Protocol = baton::Protocol<Work>;

class Worker {
public:
    explicit Worker(baton::Context& context) : context_(&context) {}

    baton::Result<bool> on(const Work& command) {
        story::say(context_->name(), "parent process: {}", ::getppid());
        story::say(context_->name(), "process id: {}", ::getpid());
        baton::sync::JoinableQueue<std::string> container{*context_, command.container};
        if (auto put = container.put(command.item, std::chrono::seconds{1}); !put) return put.error();
        return true;
    }

private:
    baton::Context* context_;
};

void play(baton::Scenario& scenario) {
    using Queue = baton::sync::JoinableQueue<std::string>;
    const auto keeper = baton::sync::spawn_keeper(scenario.context()).value();
    Queue container{scenario.context(), Queue::make(scenario.context(), keeper, "container").value()};
    for (const char* name : {"Process-1", "Process-2"}) {
        const auto worker = scenario.spawn<Protocol>(story::role("first_taste", name));
        scenario.ask(worker, Work{container.address(), name});
        scenario.stop(worker);
    }
    story::say("scenario", "{}", container.size().value());
    // What is left in a queue is taken out, or ends with its keeper.
    while (!container.is_empty().value()) {
        story::say("scenario", "{} was here", container.get(std::chrono::seconds{1}).value());
        container.task_done().value();
    }
}

}  // namespace first_taste

int main(int argc, char** argv) {
    return story::tell<first_taste::Worker, first_taste::Protocol>(argc, argv, first_taste::play);
}
