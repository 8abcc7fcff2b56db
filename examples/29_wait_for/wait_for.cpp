// Somebody waits until a queue is empty. Its predicate, each time it looks, starts a process that notifies it once
// more.
//
// In the story the queue was emptied after two seconds; here after the third look, so that nobody waits for a clock.
#include <baton/sync/condition.hpp>
#include <baton/sync/joinable_queue.hpp>
#include <baton/sync/latch.hpp>
#include "examples/story.hpp"

using namespace std::chrono_literals;

namespace wait_for {

using Queue = baton::sync::JoinableQueue<std::int64_t>;

struct WaitUntilEmpty {
    baton::sync::Address lock;
    baton::sync::Address condition;
    baton::sync::Address queue;
    baton::sync::Address looks;
    using Reply = bool;
};
struct NotifyOnce {  // and end
    baton::sync::Address lock;
    baton::sync::Address condition;
};
using Protocol = baton::Protocol<WaitUntilEmpty, NotifyOnce>;

class Process {
public:
    explicit Process(baton::Context& context) : context_(&context) {}

    bool on(const WaitUntilEmpty& command) {
        baton::sync::Lock lock{*context_, command.lock};
        baton::sync::Condition condition{*context_, command.condition, lock};
        Queue queue{*context_, command.queue};
        baton::sync::Latch looks{*context_, command.looks};
        int number = 0;
        const auto is_empty = [&] {
            story::say(context_->name(), "Waiting");
            const bool is_so = queue.is_empty().value();
            story::say(context_->name(), "Is empty? {}", is_so);
            // It gets the lock when this process waits again.
            const auto notifier =
                context_->spawn<Protocol>(story::role("wait_for", fmt::format("notify-{}", ++number))).value();
            context_->send(notifier, NotifyOnce{command.lock, command.condition}).value();
            if (looks.left().value() > 0) looks.count_down().value();
            return is_so;
        };
        const baton::sync::Hold hold = lock.acquire(5s).value();
        condition.wait_for(is_empty, 60s).value();
        story::say(context_->name(), "Queue is empty!");
        return true;
    }

    void on(const NotifyOnce& command) {
        baton::sync::Lock lock{*context_, command.lock};
        baton::sync::Condition condition{*context_, command.condition, lock};
        // The last of them finds the story over, or nobody who waits.
        if (const auto hold = lock.acquire(30s)) static_cast<void>(condition.notify());
        context_->stop();
    }

private:
    baton::Context* context_;
};

void play(baton::Scenario& scenario) {
    using namespace baton;
    Context& context = scenario.context();
    const auto keeper = sync::spawn_keeper(context).value();
    const sync::Address lock = sync::Lock::make(context, keeper, "lock").value();
    const sync::Address changed = sync::Condition::make(context, lock, "changed").value();
    sync::Latch looks{context, sync::Latch::make(context, keeper, "looks", 3).value()};
    Queue queue{context, Queue::make(context, keeper, "queue").value()};
    queue.put(1, 1s).value();

    const auto waiter = scenario.spawn<Protocol>(story::role("wait_for", "Process-27"));
    auto waiting = scenario.request(waiter, WaitUntilEmpty{lock, changed, queue.address(), looks.address()});
    looks.wait(30s).value();
    const std::int64_t data = queue.get(1s).value();
    waiting.get(60s).value();
    story::say("scenario", "{}", data);
}

}  // namespace wait_for

int main(int argc, char** argv) {
    return story::tell<wait_for::Process, wait_for::Protocol>(argc, argv, wait_for::play);
}
