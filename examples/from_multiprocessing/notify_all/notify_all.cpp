// A chain of twenty processes waits for one condition; all are notified at once. In what order do they print?
//
// In the story some lines changed places from run to run. Here the process that waits first is served first.
#include <baton/sync.hpp>
#include "examples/story.hpp"

using namespace std::chrono_literals;

namespace notify_all {

struct Print {
    baton::sync::Address lock;
    baton::sync::Address condition;
    baton::sync::Address done;
    std::uint32_t width = 0;
    std::uint32_t left = 0;
};
using Protocol = baton::Protocol<Print>;

class Process {
public:
    explicit Process(baton::Context& context) : context_(&context) {}

    void on(const Print& command) {
        const auto printed = print(command).and_then([&] {
            return baton::sync::Latch{*context_, command.done}.count_down();
        });
        if (!printed) context_->log().error("chain.broken", "{}", printed.error());
    }

private:
    baton::Result<void> print(const Print& command) {
        baton::sync::RecursiveLock lock{*context_, command.lock};
        baton::sync::Condition condition{*context_, command.condition, lock};
        const auto hold = lock.acquire(60s);
        if (!hold) return hold.error();
        if (command.left > 1) {
            const auto next = context_->spawn<Protocol>(story::role("notify_all", "1"));
            if (!next) return next.error();
            Print rest = command;
            --rest.left;
            if (auto sent = context_->send(*next, rest); !sent) return sent;
        }
        if (auto noticed = condition.wait(60s); !noticed) return noticed;
        const std::string line = fmt::format("{:^{}}\n", std::string(command.left, '#'), command.width);
        static_cast<void>(!::write(STDOUT_FILENO, line.data(), line.size()));
        return {};
    }

    baton::Context* context_;
};

void play(baton::Scenario& scenario) {
    constexpr std::uint32_t count = 20;
    baton::sync::Keeper keeper{scenario};
    auto lock = keeper.recursive_lock("lock");
    auto condition = keeper.condition(lock, "go");
    auto done = keeper.latch("done", count);
    const auto first = scenario.spawn<Protocol>(story::role("notify_all", "1"));
    scenario.send(first, Print{lock.address(), condition.address(), done.address(), count, count});
    while (condition.waiting() < count) {
    }
    {
        const auto hold = lock.acquire(5s);
        condition.notify_all();
    }
    done.wait(60s);
    story::say("scenario", "Looks like a random thing? No: first come, first served");
}

}  // namespace notify_all

int main(int argc, char** argv) {
    return story::tell<notify_all::Process, notify_all::Protocol>(argc, argv, notify_all::play);
}
