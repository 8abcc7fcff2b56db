#pragma once
// Event: something has happened, or not yet; those that wait for it go on together.
//
//     auto rain_stopped = keeper.event("rain stopped");    // in a scenario
//     rain_stopped.wait(2s);                               // returns at once if it is set
//     rain_stopped.set();
//
// Errors: as all waits (<baton/sync/handle.hpp>). One thread.

#include <baton/sync/handle.hpp>

namespace baton::sync {

template <AnyMember M = Context>
class Event : public Handle<M> {
public:
    Event(M& member, Address address)
        : Handle<M>(
              std::make_unique<detail::PlainSyncHandle>(detail::context_of(member), std::move(address), "event")) {}

    Outcome<M, void> set() { return this->give(this->core().tell(SetEvent{this->number(), true})); }
    Outcome<M, void> clear() { return this->give(this->core().tell(SetEvent{this->number(), false})); }
    [[nodiscard]] Outcome<M, bool> is_set() {
        return this->give(this->core().count().transform([](std::uint64_t count) { return count == 1; }));
    }
    [[nodiscard]] Outcome<M, void> wait(Within within = limits::ask_timeout) {
        return this->give(this->core().pass(WaitEvent{this->number()}, within));
    }
};

}  // namespace baton::sync
