// Somebody waits until a queue is empty. Its predicate, each time it looks, starts a process that notifies it once
// more.
//
// In the story the queue was emptied after two seconds; here after the third look, so that nobody waits for a clock.
#include <baton/sync.hpp>
#include "examples/story.hpp"

using namespace std::chrono_literals;

namespace wait_for {

using Queue = baton::sync::JoinableQueue<std::int64_t>;

struct WaitUntilEmpty {
    baton::sync::Address lock;
    baton::sync::Address condition;
    baton::sync::Address queue;
    baton::sync::Address looks;
    using Reply = void;
};
struct NotifyOnce {  // and end
    baton::sync::Address lock;
    baton::sync::Address condition;
};
using Protocol = baton::Protocol<WaitUntilEmpty, NotifyOnce>;

class Process {
public:
    explicit Process(baton::Context& context) : context_(&context) {}

    baton::Result<void> on(const WaitUntilEmpty& command) {
        baton::sync::Lock lock{*context_, command.lock};
        baton::sync::Condition condition{*context_, command.condition, lock};
        Queue queue{*context_, command.queue};
        baton::sync::Latch looks{*context_, command.looks};
        int number = 0;
        const auto is_empty = [&] {
            story::say(context_->name(), "Waiting");
            const bool is_so = queue.is_empty().value_or(false);
            story::say(context_->name(), "Is empty? {}", is_so);
            // It gets the lock when this process waits again.
            const auto notifier =
                context_->spawn<Protocol>(story::role("wait_for", fmt::format("notify-{}", ++number)));
            if (notifier) static_cast<void>(context_->send(*notifier, NotifyOnce{command.lock, command.condition}));
            if (looks.left().value_or(0) > 0) static_cast<void>(looks.count_down());
            return is_so;
        };
        const auto hold = lock.acquire(5s);
        if (!hold) return hold.error();
        return condition.wait_for(is_empty, 60s).transform([this] { story::say(context_->name(), "Queue is empty!"); });
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
    baton::sync::Keeper keeper{scenario};
    auto lock = keeper.lock("lock");
    const auto changed = keeper.condition(lock, "changed");
    auto looks = keeper.latch("looks", 3);
    auto queue = keeper.queue<std::int64_t>("queue");
    queue.put(1);

    const auto waiter = scenario.spawn<Protocol>(story::role("wait_for", "Process-27"));
    auto waiting = scenario.request(
        waiter, WaitUntilEmpty{lock.address(), changed.address(), queue.address(), looks.address()});
    looks.wait(30s);
    const std::int64_t data = queue.get();
    waiting.get(60s).value();
    story::say("scenario", "{}", data);
}

}  // namespace wait_for

int main(int argc, char** argv) {
    return story::tell<wait_for::Process, wait_for::Protocol>(argc, argv, wait_for::play);
}
