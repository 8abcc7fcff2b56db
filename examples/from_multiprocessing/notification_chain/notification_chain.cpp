// A chain of processes draws a rhombus: each draws its upper line and starts the next one; at the end of the chain the
// notice goes back to the first, and each draws its lower line.
#include <baton/sync.hpp>
#include "examples/story.hpp"

using namespace std::chrono_literals;

namespace notification_chain {

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

// In one write, as story::say does. The process that prints holds the lock, as in the story.
void print(const std::string& line) {
    static_cast<void>(!::write(STDOUT_FILENO, (line + "\n").data(), line.size() + 1));
}

class Process {
public:
    explicit Process(baton::Context& context) : context_(&context) {}

    void on(const Draw& command) {
        const auto drawn = (command.left == 0 ? end(command) : draw(command)).and_then([&] {
            return baton::sync::Latch{*context_, command.done}.count_down();
        });
        if (!drawn) context_->log().error("chain.broken", "{}", drawn.error());
    }

private:
    baton::Result<void> end(const Draw& command) {
        baton::sync::Lock lock{*context_, command.end_lock};
        baton::sync::Condition reached{*context_, command.end_reached, lock};
        const auto hold = lock.acquire(10s);
        if (!hold) return hold.error();
        return reached.notify().transform([](auto) {});
    }
    baton::Result<void> draw(const Draw& command) {
        baton::sync::RecursiveLock lock{*context_, command.lock};
        baton::sync::Condition condition{*context_, command.condition, lock};
        if (auto drawn = draw_line(command, command.dimension - command.left + 2); !drawn) return drawn;
        const auto hold = lock.acquire(10s);
        if (!hold) return hold.error();
        Draw rest = command;
        rest.left -= 2;
        const auto next = context_->spawn<Protocol>(story::role("notification_chain", "1"));
        if (!next) return next.error();
        if (auto sent = context_->send(*next, rest); !sent) return sent;
        if (auto noticed = condition.wait(10s); !noticed) return noticed;
        if (auto drawn = draw_line(command, command.left); !drawn) return drawn;
        return condition.notify().transform([](auto) {});
    }
    baton::Result<void> draw_line(const Draw& command, std::uint32_t width) {
        baton::sync::Lock print_lock{*context_, command.print_lock};
        const auto hold = print_lock.acquire(5s);
        if (!hold) return hold.error();
        const std::string side(command.dimension + (command.dimension - width) / 2, ' ');
        print(fmt::format("||{}{}{}|| {}", side, repeated("⧫", width), side, context_->name()));
        return {};
    }

    baton::Context* context_;
};

void play(baton::Scenario& scenario) {
    constexpr std::uint32_t dimension = 10;
    baton::sync::Keeper keeper{scenario};
    auto lock = keeper.recursive_lock("lock");
    auto end_lock = keeper.lock("end");
    auto print_lock = keeper.lock("print");
    auto condition = keeper.condition(lock, "drawn");
    auto end_reached = keeper.condition(end_lock, "end reached");
    auto done = keeper.latch("done", dimension / 2 + 1);

    const std::string border = fmt::format("OO{}OO", std::string(3 * dimension, '='));
    const std::string empty = fmt::format("||{}||", std::string(3 * dimension, ' '));
    const auto print_locked = [&](const std::string& line) {
        const auto hold = print_lock.acquire(5s);
        print(line);
    };
    for (const std::string& line : {border, empty}) print_locked(line);
    const auto first = scenario.spawn<Protocol>(story::role("notification_chain", "Process-25"));
    {
        const auto end_hold = end_lock.acquire(5s);
        const Draw draw{lock.address(),       condition.address(), end_lock.address(), end_reached.address(),
                        print_lock.address(), done.address(),      dimension,          dimension};
        scenario.send(first, draw);
        end_reached.wait(20s);
        const auto hold = lock.acquire(5s);
        condition.notify();
    }
    done.wait(10s);
    for (const std::string& line : {empty, border}) print_locked(line);
}

}  // namespace notification_chain

int main(int argc, char** argv) {
    return story::tell<notification_chain::Process, notification_chain::Protocol>(argc, argv, notification_chain::play);
}
