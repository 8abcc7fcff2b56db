// Four processes add to one number in shared memory, 100,000 times each. With its lock nothing is lost; without it,
// what the others add between a load and a store is.
//
// How much is lost is different each time, and may be nothing if the four do not meet, so they try again until they do.
#include <baton/sync.hpp>
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
    using Reply = void;
};
struct Increment {  // `times` times: load, add one, store
    using Reply = void;
};
struct IncrementWithLock {  // the same, under the lock
    using Reply = void;
};
using Protocol = baton::Protocol<Use, Load, StoreOneMore, Increment, IncrementWithLock>;

class Adder {
public:
    explicit Adder(baton::Context& context) : context_(&context) {}

    void on(const Use& command) { counter_.emplace(*context_, command.counter); }
    baton::Result<std::int64_t> on(const Load&) {
        return counter_->load().transform([this](std::int64_t count) { return remembered_ = count; });
    }
    baton::Result<void> on(const StoreOneMore&) { return counter_->store(remembered_ + 1); }
    baton::Result<void> on(const Increment&) {
        for (std::int64_t number = 0; number < times; ++number) {
            const auto count = counter_->load();
            if (!count) return count.error();
            if (auto stored = counter_->store(*count + 1); !stored) return stored;
        }
        return {};
    }
    baton::Result<void> on(const IncrementWithLock&) {
        for (std::int64_t number = 0; number < times; ++number)
            if (auto added = counter_->update([](std::int64_t& count) { ++count; }, 30s); !added) return added.error();
        return {};
    }

private:
    baton::Context* context_;
    std::optional<Counter> counter_;
    std::int64_t remembered_ = 0;
};

void play(baton::Scenario& scenario) {
    baton::sync::Keeper keeper{scenario};
    using Ref = baton::Ref<Protocol>;
    const std::vector<Ref> four = scenario.spawn_all<Protocol>(story::roles("value", {"Alice", "Bob", "Charlie",
                                                                                      "Dora"}));
    const auto fresh = [&](const std::string& name) {
        auto counter = keeper.value<std::int64_t>(name);
        for (const Ref& one : four) scenario.send(one, Use{counter.address()});
        return counter;
    };
    const auto all = [&](const auto& command) {
        for (const auto& outcome : scenario.ask_all(std::span<const Ref>(four), command, 60s)) outcome.value();
    };

    story::say("scenario", "== two steps that others come between ==");
    auto lost = fresh("lost");
    for (const Ref& one : {four[0], four[1]}) story::say("scenario", "loaded: {}", scenario.ask(one, Load{}));
    for (const Ref& one : {four[0], four[1]}) scenario.ask(one, StoreOneMore{});
    story::say("scenario", "two have added one: {}", lost.load());

    story::say("scenario", "== {} times each, without the lock ==", times);
    bool was_lost = false;
    for (int run = 1; run <= runs_max && !was_lost; ++run) {
        auto without = fresh(fmt::format("without-{}", run));
        all(Increment{});
        const std::int64_t count = without.load();
        fmt::print(stderr, "run {}: {} of {}\n", run, count, 4 * times);
        was_lost = 0 < count && count < 4 * times;
    }
    story::say("scenario", "some were lost: {}", was_lost);

    story::say("scenario", "== {} times each, with the lock ==", times);
    auto with = fresh("with");
    all(IncrementWithLock{});
    story::say("scenario", "{}", with.load());
}

}  // namespace value

int main(int argc, char** argv) { return story::tell<value::Adder, value::Protocol>(argc, argv, value::play); }
