// A chain of twenty processes waits for one condition; all are notified at once. In what order do they print?
//
// In the story some lines changed places from run to run. Here who waits first is served first.
#include <baton/sync/condition.hpp>
#include <baton/sync/latch.hpp>
#include "examples/story.hpp"

using namespace std::chrono_literals;

namespace random_print {

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
        using namespace baton;
        sync::RecursiveLock lock{*context_, command.lock};
        sync::Condition condition{*context_, command.condition, lock};
        {
            const sync::Hold hold = lock.acquire(60s).value();
            if (command.left > 1) {
                const auto next = context_->spawn<Protocol>(story::role("random_print", "1")).value();
                Print rest = command;
                --rest.left;
                context_->send(next, rest).value();
            }
            condition.wait(60s).value();
            const std::string line = fmt::format("{:^{}}\n", std::string(command.left, '#'), command.width);
            static_cast<void>(!::write(STDOUT_FILENO, line.data(), line.size()));
        }
        sync::Latch{*context_, command.done}.count_down().value();
    }

private:
    baton::Context* context_;
};

void play(baton::Scenario& scenario) {
    using namespace baton;
    Context& context = scenario.context();
    constexpr std::uint32_t count = 20;
    const auto keeper = sync::spawn_keeper(context).value();
    sync::RecursiveLock lock{context, sync::Lock::make(context, keeper, "lock").value()};
    sync::Condition condition{context, sync::Condition::make(context, lock.address(), "go").value(), lock};
    sync::Latch done{context, sync::Latch::make(context, keeper, "done", count).value()};
    const auto first = scenario.spawn<Protocol>(story::role("random_print", "1"));
    scenario.send(first, Print{lock.address(), condition.address(), done.address(), count, count});
    while (condition.waiting().value() < count) {
    }
    {
        const sync::Hold hold = lock.acquire(5s).value();
        condition.notify_all().value();
    }
    done.wait(60s).value();
    story::say("scenario", "Looks like a random thing? No: first come, first served");
}

}  // namespace random_print

int main(int argc, char** argv) {
    return story::tell<random_print::Process, random_print::Protocol>(argc, argv, random_print::play);
}
