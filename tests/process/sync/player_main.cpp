#include <unistd.h>

#include <csignal>
#include <map>

#include <baton/sync/barrier.hpp>
#include <baton/sync/channel.hpp>
#include <baton/sync/condition.hpp>
#include <baton/sync/event.hpp>
#include <baton/sync/joinable_queue.hpp>
#include <baton/sync/latch.hpp>
#include <baton/sync/semaphore.hpp>
#include <baton/sync/value.hpp>
#include <baton/actor.hpp>
#include "tests/process/sync/player.hpp"

namespace {

using namespace baton;
using namespace baton::detail;
using player::Do;

std::string said(const Result<void>& outcome) { return outcome ? "ok" : to_text(outcome.error()); }
template <class T>
std::string said(const Result<T>& outcome) {
    return outcome ? fmt::format("ok {}", *outcome) : to_text(outcome.error());
}

class Player {
public:
    explicit Player(Context& context) : context_(&context) {}

    std::string on(const Do& command) {
        const auto verb = verbs_.find(command.verb);
        return verb == verbs_.end() ? "no such verb" : verb->second(command);
    }
    std::string on(const player::Ask& command) {
        return said(
            context_->ask(command.other, command.command, std::chrono::milliseconds{command.command.milliseconds}));
    }
    player::Counted on(const player::CountUp& command) {
        sync::Value<std::uint64_t> value{*context_, command.value};
        sync::Value<std::uint64_t> is_over{*context_, command.is_over};
        player::Counted counted;
        for (; is_over.load().value() == 0; ++counted.count) {
            const auto may_die = [&](std::uint32_t place) {
                if (counted.count == command.lives && command.place == place) ::kill(::getpid(), SIGKILL);
            };
            may_die(0);
            sync::Hold hold = value.acquire(std::chrono::seconds{30}).value();
            if (hold.owner_died()) ++counted.dead_owners;
            may_die(1);
            value.store(value.load().value() + 1).value();
            may_die(2);
            hold.release().value();
            may_die(3);
        }
        return counted;
    }

private:
    template <class H, class... Rest>
    H& handle(std::map<std::uint32_t, std::unique_ptr<H>>& all, const sync::Address& address, Rest&... rest) {
        auto& one = all[address.number];
        if (!one) one = std::make_unique<H>(*context_, address, rest...);
        return *one;
    }
    sync::Lock<>& lock(const sync::Address& address) { return handle(locks_, address); }
    sync::Condition<>& condition(const Do& command) { return handle(conditions_, command.what, lock(command.lock)); }
    sync::Barrier<>& barrier(const Do& command) { return handle(barriers_, command.what, act_); }
    sync::JoinableQueue<std::int64_t>& queue(const Do& command) { return handle(queues_, command.what); }
    sync::Channel<std::int64_t>& channel(const Do& command) { return handle(channels_, command.what); }
    sync::Semaphore<>& semaphore(const Do& command) { return handle(semaphores_, command.what); }
    sync::Event<>& event(const Do& command) { return handle(events_, command.what); }

    std::string acquire(const Do& command) {
        Result<sync::Hold<>> hold = lock(command.what).acquire(time_of(command));
        if (!hold) return to_text(hold.error());
        const std::string dead{hold->dead_owner()};
        holds_.insert_or_assign(command.what.number, std::move(*hold));
        return dead.empty() ? "ok" : "ok after " + dead;
    }
    // Waits there, again and again, for that time.
    std::string notify_each(const Do& command) {
        const auto end = std::chrono::steady_clock::now() + time_of(command);
        while (std::chrono::steady_clock::now() < end) {
            const sync::Hold hold = lock(command.lock).acquire(std::chrono::seconds{10}).value();
            if (!condition(command).notify(1)) return "not notified";
        }
        return "ok";
    }
    static Duration time_of(const Do& command) { return std::chrono::milliseconds{command.milliseconds}; }

    Context* context_;
    std::map<std::uint32_t, std::unique_ptr<sync::Lock<>>> locks_;
    std::map<std::uint32_t, sync::Hold<>> holds_;
    std::map<std::uint32_t, std::unique_ptr<sync::Condition<>>> conditions_;
    std::map<std::uint32_t, std::unique_ptr<sync::Barrier<>>> barriers_;
    std::map<std::uint32_t, std::unique_ptr<sync::JoinableQueue<std::int64_t>>> queues_;
    std::map<std::uint32_t, std::unique_ptr<sync::Channel<std::int64_t>>> channels_;
    std::map<std::uint32_t, std::unique_ptr<sync::Semaphore<>>> semaphores_;
    std::map<std::uint32_t, std::unique_ptr<sync::Event<>>> events_;
    std::function<void()> act_ = [] {};
    const std::map<std::string, std::function<std::string(const Do&)>> verbs_ = {
        {"acquire", [this](const Do& command) { return acquire(command); }},
        {"release", [this](const Do& command) { return said(holds_.at(command.what.number).release()); }},
        {"wait", [this](const Do& command) { return said(condition(command).wait(time_of(command))); }},
        {"notify",
         [this](const Do& command) {
             return said(condition(command).notify(static_cast<std::uint64_t>(command.number)));
         }},
        {"notify each", [this](const Do& command) { return notify_each(command); }},
        {"is held", [this](const Do& command) { return std::string(lock(command.what).is_held() ? "yes" : "no"); }},
        {"arrive", [this](const Do& command) { return said(barrier(command).wait(time_of(command))); }},
        {"reset", [this](const Do& command) { return said(barrier(command).reset()); }},
        {"await", [this](const Do& command) { return said(event(command).wait(time_of(command))); }},
        {"take", [this](const Do& command) { return said(semaphore(command).acquire(time_of(command))); }},
        {"give back", [this](const Do& command) { return said(semaphore(command).release()); }},
        {"put", [this](const Do& command) { return said(queue(command).put(command.number, time_of(command))); }},
        {"get", [this](const Do& command) { return said(queue(command).get(time_of(command))); }},
        {"task done", [this](const Do& command) { return said(queue(command).task_done()); }},
        {"join", [this](const Do& command) { return said(queue(command).join(time_of(command))); }},
        {"say", [this](const Do& command) { return said(channel(command).send(command.number, time_of(command))); }},
        {"hear", [this](const Do& command) { return said(channel(command).receive(time_of(command))); }},
        {"close", [this](const Do& command) { return said(channel(command).close()); }},
        {"nothing", [](const Do&) { return std::string("ok"); }},
    };
};

}  // namespace

int main(int argc, char** argv) { return run_actor<Player, player::Protocol>(argc, argv); }
