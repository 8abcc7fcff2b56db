// Somebody waits until a queue is empty, and looks again whenever it is told that something may have changed.
#include "actors/sync/condition.hpp"
#include "actors/sync/joinable_queue.hpp"
#include "examples/story.hpp"

using namespace std::chrono_literals;

namespace wait_for {

using Queue = baton::sync::JoinableQueue<std::int64_t>;

struct WaitUntilEmpty {
    baton::sync::Address lock;
    baton::sync::Address condition;
    baton::sync::Address queue;
    using Reply = bool;
};
using Protocol = baton::Protocol<WaitUntilEmpty>;

class Waiter {
public:
    explicit Waiter(baton::Context& context) : context_(&context) {}

    bool on(const WaitUntilEmpty& command) {
        baton::sync::Lock lock{*context_, command.lock};
        baton::sync::Condition condition{*context_, command.condition, lock};
        Queue queue{*context_, command.queue};
        const auto is_empty = [&] {
            story::say(context_->name(), "Waiting");
            const bool is_so = queue.is_empty().value();
            story::say(context_->name(), "Is empty? {}", is_so);
            return is_so;
        };
        const baton::sync::Hold hold = lock.acquire(5s).value();
        condition.wait_for(is_empty, 10s).value();
        story::say(context_->name(), "Queue is empty!");
        return true;
    }

private:
    baton::Context* context_;
};

void play(baton::Scenario& scenario) {
    using namespace baton;
    Context& context = scenario.context();
    const auto keeper = sync::spawn_keeper(context).value();
    sync::Lock lock{context, sync::Lock::make(context, keeper, "lock").value()};
    sync::Condition condition{context, sync::Condition::make(context, lock.address(), "changed").value(), lock};
    Queue queue{context, Queue::make(context, keeper, "queue").value()};
    queue.put(1, 1s).value();

    const auto waiter = scenario.spawn<Protocol>(story::role("wait_for", "Process-27")).value();
    auto waiting = scenario.request(waiter, WaitUntilEmpty{lock.address(), condition.address(), queue.address()}).value();
    const auto until_it_waits = [&] {
        while (condition.waiting().value() == 0) {
        }
    };
    const auto notify = [&] {
        const sync::Hold hold = lock.acquire(5s).value();
        condition.notify().value();
    };
    for (int number = 0; number < 2; ++number) {
        until_it_waits();
        notify();
    }
    until_it_waits();
    const std::int64_t data = queue.get(1s).value();
    notify();
    waiting.get(10s).value();
    story::say("scenario", "{}", data);
}

}  // namespace wait_for

int main(int argc, char** argv) { return story::tell<wait_for::Waiter, wait_for::Protocol>(argc, argv, wait_for::play); }
