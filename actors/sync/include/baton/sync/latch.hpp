#pragma once
// Latch: a count that goes down to zero, once; those that wait for that go on together.
//
//     auto loaded = keeper.latch("loaded", 3);    // in a scenario
//     loaded.count_down();                        // by each process that has loaded its part
//     loaded.wait(5s);
//
// Errors: as all waits (<baton/sync/handle.hpp>); count_down() below zero is `refused`. One thread.

#include <baton/sync/handle.hpp>

namespace baton::sync {

template <AnyMember M = Context>
class Latch : public Handle<M> {
public:
    Latch(M& member, Address address)
        : Handle<M>(
              std::make_unique<detail::PlainSyncHandle>(detail::context_of(member), std::move(address), "latch")) {}

    // Returns what is left.
    Outcome<M, std::uint64_t> count_down(std::uint64_t by = 1) {
        return this->give(this->core().ask(CountDown{this->number(), by}));
    }
    [[nodiscard]] Outcome<M, std::uint64_t> left() { return this->give(this->core().count()); }
    [[nodiscard]] Outcome<M, void> wait(Within within = limits::ask_timeout) {
        return this->give(this->core().pass(WaitLatch{this->number()}, within));
    }
};

}  // namespace baton::sync
