#pragma once
// Condition: wait, while holding a lock, until somebody who holds it says that something has changed.
//
//     auto fed = keeper.condition(lock, "fed");       // in a scenario; several conditions may share a lock
//     const auto hold = lock.acquire(1s);
//     fed.wait_for([&] { return !empty(); }, 1s);     // releases the lock in the meantime
//     fed.notify();                                   // the first that waits goes on, once the lock is free
//
// A RecursiveLock is released completely, and is held as many times as before afterwards.
//
// Errors: as all waits (<baton/sync/handle.hpp>). After `timed_out` the lock is held again, unless the text says that
// it could not be had within limits::ask_timeout; after any other error it is not held. lock.is_held() tells. A notice
// whose taker dies before it releases the lock goes to the next that waits, so a death may wake somebody for nothing;
// use wait_for() to wait until something holds. One thread.

#include <functional>
#include <limits>

#include <baton/sync/lock.hpp>

namespace baton::detail {

class SyncCondition final : public SyncHandle {
public:
    SyncCondition(Context& context, sync::Address address, SyncLock& lock)
        : SyncHandle(context, std::move(address), "condition"), lock_(&lock) {}
    [[nodiscard]] Result<void> wait(Within within);
    [[nodiscard]] Result<void> wait_for(const std::function<bool()>& holds, Within within);

private:
    [[nodiscard]] Result<void> take_again(std::uint64_t depth);
    SyncLock* lock_;
};

}  // namespace baton::detail

namespace baton::sync {

template <AnyMember M = Context>
class Condition : public Handle<M, detail::SyncCondition> {
public:
    // `lock` is this process's handle of the lock that the condition was made for, and must live longer.
    Condition(M& member, Address address, Lock<M>& lock)
        : Handle<M, detail::SyncCondition>(std::make_unique<detail::SyncCondition>(detail::context_of(member),
                                                                                   std::move(address), lock.core())) {}

    [[nodiscard]] Outcome<M, void> wait(Within within = limits::ask_timeout) {
        return this->give(this->core().wait(within));
    }
    // Waits until holds() is true. It is called now, after each notice and when the time is over, always with the lock
    // held. `within` is for all waits together.
    [[nodiscard]] Outcome<M, void> wait_for(const std::function<bool()>& holds, Within within = limits::ask_timeout) {
        return this->give(this->core().wait_for(holds, within));
    }
    // Wakes the first `count` that wait; returns how many there were. `refused` without the lock.
    Outcome<M, std::uint64_t> notify(std::uint64_t count = 1) {
        return this->give(this->core().ask(Notify{this->number(), count}));
    }
    Outcome<M, std::uint64_t> notify_all() { return notify(std::numeric_limits<std::uint64_t>::max()); }
    // How many wait for a notice; those that have it and wait for the lock are not counted.
    [[nodiscard]] Outcome<M, std::uint64_t> waiting() { return this->give(this->core().count()); }
};

}  // namespace baton::sync
