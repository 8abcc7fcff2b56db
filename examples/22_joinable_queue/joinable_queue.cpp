// Who fills a queue waits until what is in it has been dealt with, and not for whoever did it to come to an end.
#include <baton/sync/event.hpp>
#include <baton/sync/joinable_queue.hpp>
#include "examples/story.hpp"

using namespace std::chrono_literals;

namespace joinable_queue {

using Queue = baton::sync::JoinableQueue<std::string>;

struct Fill {
    baton::sync::Address content;
    using Reply = bool;
};
struct Draw {
    baton::sync::Address content;
    baton::sync::Address noticed;  // that the queue is finished
    using Reply = bool;
};
using Protocol = baton::Protocol<Fill, Draw>;

class Person {
public:
    explicit Person(baton::Context& context) : context_(&context) {}

    bool on(const Fill& command) {
        Queue content{*context_, command.content};
        return content.put("water", 1s).ok();
    }
    bool on(const Draw& command) {
        Queue content{*context_, command.content};
        baton::sync::Event noticed{*context_, command.noticed};
        const auto drawn = content.get(5s);
        story::say(context_->name(), "task done: {}", drawn.value());
        const bool is_done = content.task_done().ok() && noticed.wait(5s).ok();
        story::say(context_->name(), "sleep");
        return is_done;
    }

private:
    baton::Context* context_;
};

void play(baton::Scenario& scenario) {
    baton::Context& context = scenario.context();
    const auto keeper = baton::sync::spawn_keeper(context).value();
    Queue content{context, Queue::make(context, keeper, "content").value()};
    baton::sync::Event noticed{context, baton::sync::Event::make(context, keeper, "noticed").value()};

    const auto people = scenario.spawn_all<Protocol>(story::roles("joinable_queue", {"fill", "draw"}));
    scenario.ask(people[0], Fill{content.address()});
    story::say("scenario", "call queue join");
    auto drawing = scenario.request(people[1], Draw{content.address(), noticed.address()});
    content.join(5s).value();
    story::say("scenario", "queue join");
    noticed.set().value();
    drawing.get(5s).value();
    story::say("scenario", "process join");
}

}  // namespace joinable_queue

int main(int argc, char** argv) {
    return story::tell<joinable_queue::Person, joinable_queue::Protocol>(argc, argv, joinable_queue::play);
}
