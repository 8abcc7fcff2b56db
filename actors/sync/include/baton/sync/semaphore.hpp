#pragma once
// Semaphore: as many processes at a time as it has permits. BoundedSemaphore: the same, and releasing more permits than
// were acquired is refused.
//
//     auto connections = keeper.bounded_semaphore("connections", 3);    // in a scenario
//     connections.acquire(1s);
//     ...
//     connections.release();
//
// A permit belongs to the process that acquired it, and is released when that process dies. One process may acquire
// several. If a process that has no permit calls release(), the permit that another has had for longest is released; if
// none is out, a Semaphore gains one. To tell others that something has happened, use an Event, a Latch or a
// JoinableQueue.
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
