// Ten processes put a number into a queue and wait for each other; then the one that came first is the first out.
#include <baton/sync.hpp>
#include "examples/story.hpp"

using namespace std::chrono_literals;

namespace barrier {

using Queue = baton::sync::JoinableQueue<std::int64_t>;

struct AddToQueue {
    baton::sync::Address barrier;
    baton::sync::Address queue;
    std::int64_t item = 0;
    using Reply = void;
};
using Protocol = baton::Protocol<AddToQueue>;

class Process {
public:
    explicit Process(baton::Context& context) : context_(&context) {}

    baton::Result<void> on(const AddToQueue& command) {
        const auto queue_ready = [this] { story::say(context_->name(), "The stack is ready!"); };
        baton::sync::Barrier barrier{*context_, command.barrier, queue_ready};
        Queue queue{*context_, command.queue};
        story::say(context_->name(), "{}", command.item);
        return queue.put(command.item, 1s).and_then([&] { return barrier.wait(10s); }).transform([&](auto index) {
            if (index == 0) story::say(context_->name(), "I'm going to be the FO!, att: {}", command.item);
        });
    }

private:
    baton::Context* context_;
};

void play(baton::Scenario& scenario) {
    constexpr std::size_t amount = 10;
    std::vector<std::string> names;
    for (std::size_t number = 0; number < amount; ++number) names.push_back(fmt::format("Process-{}", number));
    const auto processes = scenario.spawn_all<Protocol>(story::roles("barrier", names));

    baton::sync::Keeper keeper{scenario};
    auto queue = keeper.queue<std::int64_t>("queue");
    // The members are named, so that one who dies holds up nobody.
    auto all_here = keeper.barrier("all here", {.members = {processes.begin(), processes.end()}, .has_action = true});

    std::vector<baton::Pending<void>> adding;
    for (std::size_t number = 0; number < amount; ++number) {
        const AddToQueue add{all_here.address(), queue.address(), static_cast<std::int64_t>(number)};
        adding.push_back(scenario.request(processes[number], add));
        // One after the other, so that the story is the same each time.
        while (number + 1 < amount && all_here.waiting() <= number) {
        }
    }
    for (auto& one : adding) one.get(10s).value();
    story::say("scenario", "FO: {}", queue.get(1s));
}

}  // namespace barrier

int main(int argc, char** argv) { return story::tell<barrier::Process, barrier::Protocol>(argc, argv, barrier::play); }
