// Two conditions on one lock, and at each a chain of processes: each starts the next one, waits, and passes the notice
// on. Both chains grow, and fall back, at the same time: the one lock lets them take turns.
#include <baton/sync.hpp>
#include "examples/story.hpp"

using namespace std::chrono_literals;

namespace two_conditions {

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

    void on(const Recurse& command) {
        if (const auto done = recurse(command); !done) context_->log().error("chain.broken", "{}", done.error());
    }

private:
    baton::Result<void> recurse(Recurse command) {
        baton::sync::RecursiveLock lock{*context_, command.lock};
        baton::sync::Condition condition{*context_, command.condition, lock};
        auto hold = lock.acquire(30s);
        if (!hold) return hold.error();
        if (command.left-- > 0) {
            const auto next = context_->spawn<Protocol>(story::role("two_conditions", "1"));
            if (!next) return next.error();
            if (auto sent = context_->send(*next, command); !sent) return sent;
        }
        story::say(context_->name(), "waiting");
        if (auto noticed = condition.wait(30s); !noticed) return noticed;
        if (auto passed_on = condition.notify(); !passed_on) return passed_on.error();
        story::say(context_->name(), "release");
        if (auto released = hold->release(); !released) return released;
        return baton::sync::Latch{*context_, command.done}.count_down().transform([](auto) {});
    }

    baton::Context* context_;
};

void play(baton::Scenario& scenario) {
    using namespace baton;
    sync::Keeper keeper{scenario};
    constexpr std::uint32_t depth = 3;
    auto lock = keeper.recursive_lock("lock");
    struct Chain {
        sync::Condition<Scenario> condition;
        sync::Latch<Scenario> done;
    };
    std::vector<Chain> chains;
    for (const char* name : {"Process-23", "Process-24"}) {
        Chain& chain = chains.emplace_back(Chain{keeper.condition(lock, name), keeper.latch(name, depth + 1)});
        const auto first = scenario.spawn<Protocol>(story::role("two_conditions", name));
        scenario.send(first, Recurse{lock.address(), chain.condition.address(), chain.done.address(), depth});
    }
    for (Chain& chain : chains) {
        while (chain.condition.waiting() <= depth) {
        }
    }
    for (Chain& chain : chains) {
        const auto hold = lock.acquire(30s);
        story::say("scenario", "notify");
        chain.condition.notify();
    }
    for (Chain& chain : chains) chain.done.wait(30s);
}

}  // namespace two_conditions

int main(int argc, char** argv) {
    return story::tell<two_conditions::Process, two_conditions::Protocol>(argc, argv,
                                                                                    two_conditions::play);
}
