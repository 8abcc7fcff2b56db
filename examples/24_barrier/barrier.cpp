// Ten put a number into a queue and wait for each other; then one of them, the first who came, is the first out.
#include <baton/sync/barrier.hpp>
#include <baton/sync/joinable_queue.hpp>
#include "examples/story.hpp"

using namespace std::chrono_literals;

namespace barrier {

using Queue = baton::sync::JoinableQueue<std::int64_t>;

struct AddToQueue {
    baton::sync::Address barrier;
    baton::sync::Address queue;
    std::int64_t item = 0;
    using Reply = bool;
};
using Protocol = baton::Protocol<AddToQueue>;

class Process {
public:
    explicit Process(baton::Context& context) : context_(&context) {}

    bool on(const AddToQueue& command) {
        const auto queue_ready = [this] { story::say(context_->name(), "The stack is ready!"); };
        baton::sync::Barrier barrier{*context_, command.barrier, queue_ready};
        Queue queue{*context_, command.queue};
        story::say(context_->name(), "{}", command.item);
        queue.put(command.item, 1s).value();
        if (barrier.wait(10s).value() == 0)
            story::say(context_->name(), "I'm going to be the FO!, att: {}", command.item);
        return true;
    }

private:
    baton::Context* context_;
};

void play(baton::Scenario& scenario) {
    baton::Context& context = scenario.context();
    constexpr std::size_t amount = 10;
    std::vector<std::string> names;
    for (std::size_t number = 0; number < amount; ++number) names.push_back(fmt::format("Process-{}", number));
    const auto processes = scenario.spawn_all<Protocol>(story::roles("barrier", names));

    const auto keeper = baton::sync::spawn_keeper(context).value();
    Queue queue{context, Queue::make(context, keeper, "queue").value()};
    // The members are named, so that one who dies holds up nobody.
    const std::vector<baton::AnyRef> members{processes.begin(), processes.end()};
    baton::sync::Barrier all_here{
        context,
        baton::sync::Barrier::make(context, keeper, "all here", {.members = members, .has_action = true}).value()};

    std::vector<baton::Pending<bool>> adding;
    for (std::size_t number = 0; number < amount; ++number) {
        const AddToQueue add{all_here.address(), queue.address(), static_cast<std::int64_t>(number)};
        adding.push_back(scenario.request(processes[number], add));
        // One after the other, so that the story is the same each time.
        while (number + 1 < amount && all_here.waiting().value() <= number) {
        }
    }
    for (auto& one : adding) one.get(10s).value();
    story::say("scenario", "FO: {}", queue.get(1s).value());
}

}  // namespace barrier

int main(int argc, char** argv) { return story::tell<barrier::Process, barrier::Protocol>(argc, argv, barrier::play); }
