// A process that fills a queue waits until everything in it has been dealt with. It does not have to wait until the
// processes that did so have ended.
#include <baton/sync.hpp>
#include "examples/story.hpp"

using namespace std::chrono_literals;

namespace joinable_queue {

using Queue = baton::sync::JoinableQueue<std::string>;

struct Fill {
    baton::sync::Address content;
    using Reply = void;
};
struct Draw {
    baton::sync::Address content;
    baton::sync::Address noticed;  // that the queue is finished
    using Reply = void;
};
using Protocol = baton::Protocol<Fill, Draw>;

class Person {
public:
    explicit Person(baton::Context& context) : context_(&context) {}

    baton::Result<void> on(const Fill& command) { return Queue{*context_, command.content}.put("water", 1s); }
    baton::Result<void> on(const Draw& command) {
        Queue content{*context_, command.content};
        baton::sync::Event noticed{*context_, command.noticed};
        const auto drawn = content.get(5s);
        if (!drawn) return drawn.error();
        story::say(context_->name(), "task done: {}", *drawn);
        auto done = content.task_done().and_then([&] { return noticed.wait(5s); });
        story::say(context_->name(), "sleep");
        return done;
    }

private:
    baton::Context* context_;
};

void play(baton::Scenario& scenario) {
    baton::sync::Keeper keeper{scenario};
    auto content = keeper.queue<std::string>("content");
    auto noticed = keeper.event("noticed");

    const auto people = scenario.spawn_all<Protocol>(story::roles("joinable_queue", {"fill", "draw"}));
    scenario.ask(people[0], Fill{content.address()});
    story::say("scenario", "call queue join");
    auto drawing = scenario.request(people[1], Draw{content.address(), noticed.address()});
    content.join(5s);
    story::say("scenario", "queue join");
    noticed.set();
    drawing.get(5s).value();
    story::say("scenario", "process join");
}

}  // namespace joinable_queue

int main(int argc, char** argv) {
    return story::tell<joinable_queue::Person, joinable_queue::Protocol>(argc, argv, joinable_queue::play);
}
