#pragma once
// LeaseTable: the actors that may read or write what is lent (L1 to L7). Leases and slices are rows of the same kind.
//
// A transition returns the new epoch, or nothing if the word is not one that it can start from; then nothing has
// changed. A view of the ledger's lease rows. Thread-safe and crash-safe: any process may die between any two
// instructions.

#include <optional>

#include "runtime/ledger/marks.hpp"

namespace baton::detail {

class LeaseTable {
public:
    explicit LeaseTable(const LedgerLayout& layout)
        : rows_(layout.leases()), segments_(layout.segments()), marks_(layout) {}

    [[nodiscard]] LeaseWord word_of(Slot lease) const noexcept;
    [[nodiscard]] const LeaseRow& row(Slot lease) const noexcept { return rows_[lease]; }
    [[nodiscard]] LeaseRow& row(Slot lease) noexcept { return rows_[lease]; }

    struct Range {
        LeaseKind kind = LeaseKind::read;
        std::uint64_t offset = 0;
        std::uint64_t bytes = 0;
    };
    // Writes what will be leased into a free row of a home of mine and, if it is to, adds the row to the segment's.
    // Nothing can be claimed before grant().
    enum class Listing { joins, stands, none };  // in the list of the segment's leases
    void describe(Slot lease, Slot segment, Epoch lend_epoch, Range range, Listing listing) noexcept;
    // Marks the block for the borrower first.
    [[nodiscard]] std::optional<Epoch> grant(Slot lease, ActorNumber me, ActorNumber borrower) noexcept;
    [[nodiscard]] std::optional<Epoch> claim(Slot lease, Epoch epoch, ActorNumber lender, ActorNumber me) noexcept;
    [[nodiscard]] std::optional<Epoch> withdraw(Slot lease, Epoch epoch, ActorNumber me, ActorNumber borrower) noexcept;
    [[nodiscard]] std::optional<Epoch> drop(Slot lease, Epoch epoch, ActorNumber lender, ActorNumber me) noexcept;
    [[nodiscard]] std::optional<Epoch> settle(Slot lease, LeaseWord word) noexcept;
    // L7, by an actor that found the segment published: a row of its own blocks, described and in no list. It then
    // checks that the word of the name and that of the segment have not changed; if they have, it drops the lease, and
    // nothing has happened.
    [[nodiscard]] std::optional<Epoch> attach(Slot lease, ActorNumber lender, ActorNumber me) noexcept;

    // The coordinator: frees a row whatever its word says, even one that no transition has written. False if that has
    // changed in the meantime.
    [[nodiscard]] bool clear(Slot lease, LeaseWord word) noexcept;

private:
    [[nodiscard]] std::optional<Epoch> change(Slot lease, LeaseWord from, LeaseWord to) noexcept;

    LeaseRow* rows_;
    SegmentRow* segments_;  // where the lists begin
    Marks marks_;
};

}  // namespace baton::detail
