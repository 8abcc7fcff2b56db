#pragma once
// SegmentTable: the owner of each segment, and the transfers in progress (T1 to T11).
//
// A transition returns the new epoch, or nothing if the word is not one that it can start from; then nothing has
// changed. A view of the ledger's segment rows. Thread-safe and crash-safe: any process may die between any two
// instructions.

#include <optional>

#include "runtime/ledger/marks.hpp"
#include "runtime/ledger/segment_leases.hpp"

namespace baton::detail {

class SegmentTable {
public:
    SegmentTable(const LedgerLayout& layout, const SegmentLeases& leases)
        : rows_(layout.segments()), leases_(&leases), marks_(layout) {}

    [[nodiscard]] SegmentWord word_of(Slot slot) const noexcept;
    [[nodiscard]] const SegmentRow& row(Slot slot) const noexcept { return rows_[slot]; }
    [[nodiscard]] SegmentRow& row(Slot slot) noexcept { return rows_[slot]; }
    // True if it is free, without memory, and of no shelf.
    [[nodiscard]] bool is_empty(Slot slot) const noexcept;

    [[nodiscard]] std::optional<Epoch> create(Slot slot, ActorNumber me) noexcept;
    // From here until T3, T4, T5 or T6 nobody may touch the bytes; `heir` alone may accept (I4: not while lent). Marks
    // the block for the heir first.
    [[nodiscard]] std::optional<Epoch> offer(Slot slot, Epoch epoch, ActorNumber me, ActorNumber heir) noexcept;
    [[nodiscard]] std::optional<Epoch> accept(Slot slot, Epoch epoch, ActorNumber from, ActorNumber me) noexcept;
    [[nodiscard]] std::optional<Epoch> withdraw(Slot slot, Epoch epoch, ActorNumber me, ActorNumber heir) noexcept;
    [[nodiscard]] std::optional<Epoch> bounce(Slot slot, SegmentWord offered) noexcept;
    [[nodiscard]] std::optional<Epoch> settle(Slot slot, SegmentWord offered) noexcept;
    // T11: what a dead owner leaves to heirs becomes the coordinator's, who gives it to one of them (T2). What is lent
    // stays lent, with its leases. Marks the block for the coordinator first.
    [[nodiscard]] std::optional<Epoch> inherit(Slot slot, SegmentWord left, ActorNumber coordinator) noexcept;
    [[nodiscard]] std::optional<Epoch> lend(Slot slot, Epoch epoch, ActorNumber me) noexcept;
    // Returns nothing as well while a lease lives.
    [[nodiscard]] std::optional<Epoch> reclaim(Slot slot, Epoch epoch, ActorNumber me) noexcept;
    // For callers that know that no lease of it lives, nor will: its lender is dead.
    [[nodiscard]] std::optional<Epoch> reclaim_unleased(Slot slot, SegmentWord lent) noexcept;
    // From owned or lent.
    [[nodiscard]] std::optional<Epoch> retire(Slot slot, Epoch epoch, ActorNumber owner) noexcept;
    // Returns nothing as well while a lease lives (I5). The only way to end memory or to reuse it.
    [[nodiscard]] std::optional<Epoch> recycle(Slot slot, SegmentWord retired) noexcept;
    // For callers that recycle many; SegmentLeases::has_live() explains `steps_left`.
    [[nodiscard]] std::optional<Epoch> recycle(Slot slot, SegmentWord retired, std::uint32_t& steps_left) noexcept;
    // For callers that have seen `retired` first and then that no lease of it lives: no new one can have been granted
    // since.
    [[nodiscard]] std::optional<Epoch> recycle_unleased(Slot slot, SegmentWord retired) noexcept;

    // The coordinator: replaces a word that no transition has written (words.hpp, is_sound). False if it has changed in
    // the meantime.
    [[nodiscard]] bool mend(Slot slot, SegmentWord from, SegmentWord to) noexcept;

private:
    [[nodiscard]] std::optional<Epoch> change(Slot slot, SegmentWord from, SegmentWord to) noexcept;

    SegmentRow* rows_;
    const SegmentLeases* leases_;
    Marks marks_;
};

}  // namespace baton::detail
