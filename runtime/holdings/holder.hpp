#pragma once
// Holder: the actor whose holdings these are, with the ledger and the memory of its session.
//
// What the parts of Holdings share. One thread, the actor's.

#include <string>

#include <baton/time.hpp>
#include "runtime/holdings/region.hpp"
#include "runtime/memory/store.hpp"

namespace baton::detail {

class Holder {
public:
    Holder(LedgerRegion region, std::string session_id, ActorId me, const Clock& clock, Store::Idle idle)
        : region_(std::move(region)),
          session_(SessionTag::of(session_id)),
          store_(std::move(session_id), idle),
          me_(me),
          clock_(&clock) {}

    [[nodiscard]] ActorId me() const noexcept { return me_; }
    [[nodiscard]] ActorNumber number() const noexcept { return me_.number; }
    [[nodiscard]] SessionTag session() const noexcept { return session_; }
    [[nodiscard]] Ledger& ledger() noexcept { return region_.ledger(); }
    [[nodiscard]] const Ledger& ledger() const noexcept { return region_.ledger(); }
    [[nodiscard]] Store& store() noexcept { return store_; }

    // A transition that this actor has just made, for post-mortems.
    void note(Transition transition, Slot slot, Epoch epoch, ActorNumber partner) noexcept {
        const std::int64_t now = clock_->now().time_since_epoch().count();
        if (transition < Transition::grant || transition == Transition::inherit)
            ledger().segments.row(slot).since.store(now, std::memory_order_relaxed);
        ledger().rings.note(me_.number, transition, slot, epoch, partner, now);
    }

private:
    LedgerRegion region_;
    SessionTag session_;
    Store store_;
    ActorId me_;
    const Clock* clock_;
};

// `refused`, as the parts of Holdings say it.
[[nodiscard]] inline Error refused(std::string text) { return Error{ErrorKind::refused, std::move(text)}; }

}  // namespace baton::detail
