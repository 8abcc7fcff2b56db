#include "runtime/ledger/lease_table.hpp"

namespace baton::detail {

using namespace layout;

LeaseWord LeaseTable::word_of(Slot lease) const noexcept { return LeaseWord::of(rows_[lease].word.load(sequential)); }

inline std::optional<Epoch> LeaseTable::change(Slot lease, LeaseWord from, LeaseWord to) noexcept {
    to.epoch = (from.epoch + 1) & words::epoch_max;
    std::uint64_t expected = from.packed();
    if (!rows_[lease].word.compare_exchange_strong(expected, to.packed(), sequential)) return std::nullopt;
    return to.epoch;
}

void LeaseTable::describe(Slot lease, Slot segment, Epoch lend_epoch, Range range, Listing listing) noexcept {
    LeaseRow& row = rows_[lease];
    row.segment.store(segment, relaxed);
    row.segment_epoch.store(lend_epoch, relaxed);
    row.kind.store(static_cast<std::uint64_t>(range.kind), relaxed);
    row.offset.store(range.offset, relaxed);
    row.bytes.store(range.bytes, relaxed);
    if (listing == Listing::none) row.unlisted.store(1, relaxed);
    if (listing != Listing::joins) return;
    row.unlisted.store(0, relaxed);
    row.next.store(segments_[segment].first_lease.load(relaxed), relaxed);
    segments_[segment].first_lease.store(lease + 1, std::memory_order_release);
}

std::optional<Epoch> LeaseTable::grant(Slot lease, ActorNumber me, ActorNumber borrower) noexcept {
    const LeaseWord word = word_of(lease);
    if (word.phase != LeasePhase::free) return std::nullopt;
    marks_.mark_lease(borrower, lease);
    return change(lease, word, {LeasePhase::granted, me, borrower, 0});
}
std::optional<Epoch> LeaseTable::attach(Slot lease, ActorNumber lender, ActorNumber me) noexcept {
    const LeaseWord word = word_of(lease);
    if (word.phase != LeasePhase::free) return std::nullopt;
    return change(lease, word, {LeasePhase::claimed, lender, me, 0});
}
std::optional<Epoch> LeaseTable::claim(Slot lease, Epoch epoch, ActorNumber lender, ActorNumber me) noexcept {
    return change(lease, LeaseWord{LeasePhase::granted, lender, me, epoch},
                  LeaseWord{LeasePhase::claimed, lender, me, 0});
}
std::optional<Epoch> LeaseTable::withdraw(Slot lease, Epoch epoch, ActorNumber me, ActorNumber borrower) noexcept {
    return change(lease, LeaseWord{LeasePhase::granted, me, borrower, epoch}, LeaseWord{});
}
std::optional<Epoch> LeaseTable::drop(Slot lease, Epoch epoch, ActorNumber lender, ActorNumber me) noexcept {
    return change(lease, LeaseWord{LeasePhase::claimed, lender, me, epoch}, LeaseWord{});
}
std::optional<Epoch> LeaseTable::settle(Slot lease, LeaseWord word) noexcept {
    if (word.phase == LeasePhase::free) return std::nullopt;
    return change(lease, word, LeaseWord{});
}

bool LeaseTable::clear(Slot lease, LeaseWord word) noexcept { return change(lease, word, LeaseWord{}).has_value(); }

}  // namespace baton::detail
