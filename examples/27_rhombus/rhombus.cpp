// A chain of processes draws a rhombus: each draws its upper line and starts the next one; at the end of the chain the
// notice goes back to the first, and each draws its lower line.
#include <baton/sync/condition.hpp>
#include <baton/sync/latch.hpp>
#include "examples/story.hpp"

using namespace std::chrono_literals;

namespace rhombus {

struct Draw {
    baton::sync::Address lock;
    baton::sync::Address condition;
    baton::sync::Address end_lock;
    baton::sync::Address end_reached;
    baton::sync::Address print_lock;
    baton::sync::Address done;
    std::uint32_t dimension = 0;
    std::uint32_t left = 0;
};
using Protocol = baton::Protocol<Draw>;

std::string repeated(std::string_view what, std::uint32_t times) {
    std::string all;
    for (std::uint32_t number = 0; number < times; ++number) all += what;
    return all;
}

// In one write, as story::say does, and under a lock, as the story has it.
void locked_print(baton::sync::Lock& lock, const std::string& line) {
    const baton::sync::Hold hold = lock.acquire(5s).value();
    static_cast<void>(!::write(STDOUT_FILENO, (line + "\n").data(), line.size() + 1));
}

class Process {
public:
    explicit Process(baton::Context& context) : context_(&context) {}

    void on(Draw command) {
        using namespace baton;
        sync::Latch done{*context_, command.done};
        if (command.left == 0) {
            sync::Lock end_lock{*context_, command.end_lock};
            sync::Condition end_reached{*context_, command.end_reached, end_lock};
            const sync::Hold hold = end_lock.acquire(10s).value();
            end_reached.notify().value();
            done.count_down().value();
            return;
        }
        sync::RecursiveLock lock{*context_, command.lock};
        sync::Condition condition{*context_, command.condition, lock};
        sync::Lock print_lock{*context_, command.print_lock};
        const auto draw = [&](std::uint32_t width) {
            const std::uint32_t blank = command.dimension - width;
            const std::string side(command.dimension + blank / 2, ' ');
            locked_print(print_lock, fmt::format("||{}{}{}|| {}", side, repeated("⧫", width), side, context_->name()));
        };
        draw(command.dimension - command.left + 2);
        const sync::Hold hold = lock.acquire(10s).value();
        Draw rest = command;
        rest.left -= 2;
        const auto next = context_->spawn<Protocol>(story::role("rhombus", "1")).value();
        context_->send(next, rest).value();
        condition.wait(10s).value();
        draw(command.left);
        condition.notify().value();
        done.count_down().value();
    }

private:
    baton::Context* context_;
};

void play(baton::Scenario& scenario) {
    using namespace baton;
    Context& context = scenario.context();
    constexpr std::uint32_t dimension = 10;
    const auto keeper = sync::spawn_keeper(context).value();
    sync::RecursiveLock lock{context, sync::Lock::make(context, keeper, "lock").value()};
    sync::Lock end_lock{context, sync::Lock::make(context, keeper, "end").value()};
    sync::Lock print_lock{context, sync::Lock::make(context, keeper, "print").value()};
    sync::Condition condition{context, sync::Condition::make(context, lock.address(), "drawn").value(), lock};
    sync::Condition end_reached{context, sync::Condition::make(context, end_lock.address(), "end reached").value(),
                                end_lock};
    sync::Latch done{context, sync::Latch::make(context, keeper, "done", dimension / 2 + 1).value()};

    const std::string border = fmt::format("OO{}OO", std::string(3 * dimension, '='));
    const std::string empty = fmt::format("||{}||", std::string(3 * dimension, ' '));
    for (const std::string& line : {border, empty}) locked_print(print_lock, line);
    const auto first = scenario.spawn<Protocol>(story::role("rhombus", "Process-25"));
    {
        const sync::Hold end_hold = end_lock.acquire(5s).value();
        const Draw draw{lock.address(),       condition.address(), end_lock.address(), end_reached.address(),
                        print_lock.address(), done.address(),      dimension,          dimension};
        scenario.send(first, draw);
        end_reached.wait(20s).value();
        const sync::Hold hold = lock.acquire(5s).value();
        condition.notify().value();
    }
    done.wait(10s).value();
    for (const std::string& line : {empty, border}) locked_print(print_lock, line);
}

}  // namespace rhombus

int main(int argc, char** argv) { return story::tell<rhombus::Process, rhombus::Protocol>(argc, argv, rhombus::play); }
