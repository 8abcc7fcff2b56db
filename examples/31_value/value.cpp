// Four add to one number in shared memory, 100,000 times each: with its lock nothing is lost, without it what happens
// between a load and a store is.
//
// How much is lost is another number each time, and may be nothing where the four do not meet: so they try again until
// they do.
#include <baton/sync/value.hpp>
#include "examples/story.hpp"

using namespace std::chrono_literals;

namespace value {

using Counter = baton::sync::Value<std::int64_t>;
constexpr std::int64_t times = 100'000;
constexpr int runs_max = 200;

struct Use {
    baton::sync::Address counter;
};
struct Load {  // and remember
    using Reply = std::int64_t;
};
struct StoreOneMore {  // than was remembered
    using Reply = bool;
};
struct Increment {  // so many times: load, add one, store
    using Reply = bool;
};
struct IncrementWithLock {  // the same, under the lock
    using Reply = bool;
};
using Protocol = baton::Protocol<Use, Load, StoreOneMore, Increment, IncrementWithLock>;

class Adder {
public:
    explicit Adder(baton::Context& context) : context_(&context) {}

    void on(const Use& command) { counter_.emplace(*context_, command.counter); }
    std::int64_t on(const Load&) { return remembered_ = counter_->load().value(); }
    bool on(const StoreOneMore&) { return counter_->store(remembered_ + 1).ok(); }
    bool on(const Increment&) {
        for (std::int64_t number = 0; number < times; ++number) counter_->store(counter_->load().value() + 1).value();
        return true;
    }
    bool on(const IncrementWithLock&) {
        for (std::int64_t number = 0; number < times; ++number)
            counter_->update([](std::int64_t& count) { ++count; }, 30s).value();
        return true;
    }

private:
    baton::Context* context_;
    std::optional<Counter> counter_;
    std::int64_t remembered_ = 0;
};

void play(baton::Scenario& scenario) {
    baton::Context& context = scenario.context();
    const auto keeper = baton::sync::spawn_keeper(context).value();
    using Ref = baton::Ref<Protocol>;
    const std::vector<Ref> four = scenario.spawn_all<Protocol>(story::roles("value", {"Alice", "Bob", "Charlie",
                                                                                      "Dora"}));
    const auto fresh = [&](const std::string& name) {
        const baton::sync::Address address = Counter::make(context, keeper, name, 0).value();
        for (const Ref& one : four) scenario.send(one, Use{address});
        return address;
    };
    const auto all = [&](const auto& command) {
        for (const auto& outcome : scenario.ask_all(std::span<const Ref>(four), command, 60s)) outcome.value();
    };

    story::say("scenario", "== two steps that others come between ==");
    Counter lost{context, fresh("lost")};
    for (const Ref& one : {four[0], four[1]}) story::say("scenario", "loaded: {}", scenario.ask(one, Load{}));
    for (const Ref& one : {four[0], four[1]}) scenario.ask(one, StoreOneMore{});
    story::say("scenario", "two have added one: {}", lost.load().value());

    story::say("scenario", "== {} times each, without the lock ==", times);
    bool was_lost = false;
    for (int run = 1; run <= runs_max && !was_lost; ++run) {
        Counter without{context, fresh(fmt::format("without-{}", run))};
        all(Increment{});
        const std::int64_t count = without.load().value();
        fmt::print(stderr, "run {}: {} of {}\n", run, count, 4 * times);
        was_lost = 0 < count && count < 4 * times;
    }
    story::say("scenario", "some were lost: {}", was_lost);

    story::say("scenario", "== {} times each, with the lock ==", times);
    Counter with{context, fresh("with")};
    all(IncrementWithLock{});
    story::say("scenario", "{}", with.load().value());
}

}  // namespace value

int main(int argc, char** argv) { return story::tell<value::Adder, value::Protocol>(argc, argv, value::play); }
