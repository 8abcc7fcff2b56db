#pragma once
// Semaphore: a number of processes at a time. BoundedSemaphore: the same, and releasing more permits than were acquired
// is refused.
//
//     auto connections = keeper.bounded_semaphore("connections", 3);    // in a scenario
//     connections.acquire(1s);
//     ...
//     connections.release();
//
// A permit belongs to the process that acquired it, and is released when that process dies. One process may acquire
// several. A process that releases without having a permit releases, on behalf of another, the one that has been out
// for longest; if none is out, a Semaphore gains a permit. To tell others that something has happened, use an Event, a
// Latch or a JoinableQueue.
//
// Errors: as all waits (<baton/sync/handle.hpp>); release() of a BoundedSemaphore that has all its permits is
// `refused`. One thread.

#include <baton/sync/handle.hpp>

namespace baton::sync {

template <AnyMember M = Context>
class Semaphore : public Handle<M> {
public:
    Semaphore(M& member, Address address)
        : Handle<M>(std::make_unique<detail::PlainSyncHandle>(detail::context_of(member), std::move(address),
                                                              "semaphore")) {}

    [[nodiscard]] Outcome<M, void> acquire(Within within = limits::ask_timeout) {
        return this->give(this->core().pass(AcquirePermit{this->number()}, within));
    }
    Outcome<M, void> release() { return this->give(this->core().tell(ReleasePermit{this->number()})); }
    // How many permits are free.
    [[nodiscard]] Outcome<M, std::uint64_t> free() { return this->give(this->core().count()); }
};

// The keeper knows that it is bounded; the handle differs in its name alone.
template <AnyMember M = Context>
class BoundedSemaphore : public Semaphore<M> {
public:
    BoundedSemaphore(M& member, Address address) : Semaphore<M>(member, std::move(address)) {}
};

}  // namespace baton::sync
