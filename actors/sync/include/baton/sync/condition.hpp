#pragma once
// Condition: wait, holding a lock, until somebody who holds it says that something has changed.
//
//     const sync::Address fed = sync::Condition::make(context, lock.address(), "fed").value();
//
//     sync::Condition is_fed{context, fed, lock};        // lock: this process' handle of it; several conditions may share one
//     sync::Hold hold = lock.acquire(1s).value();
//     is_fed.wait_for([&] { return !empty(); }, 1s).value();    // lets go of the lock meanwhile, and has it again afterwards
//     is_fed.notify(1).value();                                 // the first who waits goes on, once the lock is free
//
// A RecursiveLock is let go of however often it is held, and held as often afterwards.
// Errors: as all waits (handle.hpp). After `timed_out` the lock is held again, unless the text says that it could not be had
// within limits::ask_timeout; after any other it is not held. lock.is_held() tells.
// A notice whose taker dies before it releases the lock goes to the next who waits, so a death may wake somebody for
// nothing; who waits for something to be so says wait_for.

#include <functional>

#include <baton/sync/lock.hpp>

namespace baton::sync {

using namespace detail;

class Condition : public Handle {
public:
    [[nodiscard]] static Result<Address> make(Context& context, const Address& lock, const std::string& name);
    Condition(Context& context, Address address, Lock& lock) : Handle(context, std::move(address)), lock_(&lock) {}

    [[nodiscard]] Result<void> wait(Duration deadline);
    // Until `holds` does; looked at now, after each notice and at the deadline, which is one for all waits, with the lock held.
    [[nodiscard]] Result<void> wait_for(const std::function<bool()>& holds, Duration deadline);
    // How many of those who wait were told; at most `count`.
    Result<std::uint64_t> notify(std::uint64_t count = 1) { return ask(Notify{number(), count}); }
    // How many wait for a notice.
    [[nodiscard]] Result<std::uint64_t> waiting() { return count(); }
    Result<std::uint64_t> notify_all() { return ask(Notify{number(), std::numeric_limits<std::uint64_t>::max()}); }

private:
    Lock* lock_;
};

}  // namespace baton::sync
