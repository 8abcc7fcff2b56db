// Two processes name themselves and the one that started them, and leave something in a queue.
#include <baton/sync.hpp>
#include "examples/story.hpp"

namespace process_and_queue {

struct Work {
    baton::sync::Address container;
    std::string item;
    using Reply = void;
};
using Protocol = baton::Protocol<Work>;

class Worker {
public:
    explicit Worker(baton::Context& context) : context_(&context) {}

    baton::Result<void> on(const Work& command) {
        story::say(context_->name(), "parent process: {}", ::getppid());
        story::say(context_->name(), "process id: {}", ::getpid());
        baton::sync::JoinableQueue<std::string> container{*context_, command.container};
        return container.put(command.item);
    }

private:
    baton::Context* context_;
};

void play(baton::Scenario& scenario) {
    baton::sync::Keeper keeper{scenario};
    auto container = keeper.queue<std::string>("container");
    for (const char* name : {"Process-1", "Process-2"}) {
        const auto worker = scenario.spawn<Protocol>(story::role("process_and_queue", name));
        scenario.ask(worker, Work{container.address(), name});
        scenario.stop(worker);
    }
    story::say("scenario", "{}", container.size());
    // What is left in a queue is taken out, or ends with its keeper.
    while (!container.is_empty()) {
        story::say("scenario", "{} was here", container.get());
        container.task_done();
    }
}

}  // namespace process_and_queue

int main(int argc, char** argv) {
    return story::tell<process_and_queue::Worker, process_and_queue::Protocol>(argc, argv, process_and_queue::play);
}
