// Two conditions on one lock, and at each a chain of processes: each starts the next one, waits, and passes the notice
// on. Both chains grow, and fall back, at the same time: the one lock lets them take turns.
#include <baton/sync/condition.hpp>
#include <baton/sync/latch.hpp>
#include "examples/story.hpp"

using namespace std::chrono_literals;

namespace recursive_condition {

struct Recurse {
    baton::sync::Address lock;
    baton::sync::Address condition;
    baton::sync::Address done;
    std::uint32_t left = 0;
};
using Protocol = baton::Protocol<Recurse>;

class Process {
public:
    explicit Process(baton::Context& context) : context_(&context) {}

    void on(Recurse command) {
        baton::sync::RecursiveLock lock{*context_, command.lock};
        baton::sync::Condition condition{*context_, command.condition, lock};
        baton::sync::Latch done{*context_, command.done};
        baton::sync::Hold hold = lock.acquire(30s).value();
        if (command.left-- > 0) {
            const auto next = context_->spawn<Protocol>(story::role("recursive_condition", "1")).value();
            context_->send(next, command).value();
        }
        story::say(context_->name(), "waiting");
        condition.wait(30s).value();
        condition.notify().value();
        story::say(context_->name(), "release");
        hold.release().value();
        done.count_down().value();
    }

private:
    baton::Context* context_;
};

void play(baton::Scenario& scenario) {
    using namespace baton;
    Context& context = scenario.context();
    const auto keeper = sync::spawn_keeper(context).value();
    constexpr std::uint32_t depth = 3;
    sync::RecursiveLock lock{context, sync::Lock::make(context, keeper, "lock").value()};
    struct Chain {
        sync::Address condition;
        sync::Address done;
    };
    std::vector<Chain> chains;
    for (const char* name : {"Process-23", "Process-24"}) {
        chains.push_back({sync::Condition::make(context, lock.address(), name).value(),
                          sync::Latch::make(context, keeper, name, depth + 1).value()});
        const auto first = scenario.spawn<Protocol>(story::role("recursive_condition", name));
        scenario.send(first, Recurse{lock.address(), chains.back().condition, chains.back().done, depth});
    }
    for (const Chain& chain : chains) {
        sync::Condition condition{context, chain.condition, lock};
        while (condition.waiting().value() <= depth) {
        }
    }
    for (const Chain& chain : chains) {
        sync::Condition condition{context, chain.condition, lock};
        const sync::Hold hold = lock.acquire(30s).value();
        story::say("scenario", "notify");
        condition.notify().value();
    }
    for (const Chain& chain : chains) sync::Latch{context, chain.done}.wait(30s).value();
}

}  // namespace recursive_condition

int main(int argc, char** argv) {
    return story::tell<recursive_condition::Process, recursive_condition::Protocol>(argc, argv,
                                                                                    recursive_condition::play);
}
