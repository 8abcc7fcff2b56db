#include "runtime/ledger/segment_table.hpp"

namespace baton::detail {

using namespace layout;

SegmentWord SegmentTable::word_of(Slot slot) const noexcept {
    return SegmentWord::of(rows_[slot].word.load(sequential));
}

bool SegmentTable::is_empty(Slot slot) const noexcept {
    return word_of(slot).phase == Phase::free && rows_[slot].bytes.load(relaxed) == 0 &&
           rows_[slot].place_bytes.load(relaxed) == 0;
}

// Inline and by their parts: a word that is passed in memory costs several times the compare-and-swap.
inline std::optional<Epoch> SegmentTable::change(Slot slot, SegmentWord from, SegmentWord to) noexcept {
    to.epoch = (from.epoch + 1) & words::epoch_max;
    std::uint64_t expected = from.packed();
    if (!rows_[slot].word.compare_exchange_strong(expected, to.packed(), sequential)) return std::nullopt;
    return to.epoch;
}

std::optional<Epoch> SegmentTable::create(Slot slot, ActorNumber me) noexcept {
    const SegmentWord word = word_of(slot);
    if (word.phase != Phase::free) return std::nullopt;
    return change(slot, word, {Phase::owned, me, 0, 0});
}
std::optional<Epoch> SegmentTable::offer(Slot slot, Epoch epoch, ActorNumber me, ActorNumber heir) noexcept {
    marks_.mark_segment(heir, slot);
    return change(slot, {Phase::owned, me, 0, epoch}, {Phase::offered, me, heir, 0});
}
std::optional<Epoch> SegmentTable::accept(Slot slot, Epoch epoch, ActorNumber from, ActorNumber me) noexcept {
    return change(slot, {Phase::offered, from, me, epoch}, {Phase::owned, me, 0, 0});
}
std::optional<Epoch> SegmentTable::withdraw(Slot slot, Epoch epoch, ActorNumber me, ActorNumber heir) noexcept {
    return change(slot, {Phase::offered, me, heir, epoch}, {Phase::owned, me, 0, 0});
}
std::optional<Epoch> SegmentTable::bounce(Slot slot, SegmentWord offered) noexcept {
    if (offered.phase != Phase::offered) return std::nullopt;
    return change(slot, offered, {Phase::owned, offered.owner, 0, 0});
}
std::optional<Epoch> SegmentTable::settle(Slot slot, SegmentWord offered) noexcept {
    if (offered.phase != Phase::offered) return std::nullopt;
    return change(slot, offered, {Phase::retired, offered.owner, 0, 0});
}
std::optional<Epoch> SegmentTable::inherit(Slot slot, SegmentWord left, ActorNumber coordinator) noexcept {
    if (!left.is_live()) return std::nullopt;
    marks_.mark_segment(coordinator, slot);
    return change(slot, left, {left.phase == Phase::lent ? Phase::lent : Phase::owned, coordinator, 0, 0});
}
std::optional<Epoch> SegmentTable::lend(Slot slot, Epoch epoch, ActorNumber me) noexcept {
    const SegmentWord word{Phase::owned, me, 0, epoch};
    if (word_of(slot) != word) return std::nullopt;
    rows_[slot].first_lease.store(0, relaxed);  // mine to write while I own it
    return change(slot, word, {Phase::lent, me, 0, 0});
}
std::optional<Epoch> SegmentTable::reclaim(Slot slot, Epoch epoch, ActorNumber me) noexcept {
    if (leases_->has_live(slot)) return std::nullopt;
    return change(slot, {Phase::lent, me, 0, epoch}, {Phase::owned, me, 0, 0});
}
std::optional<Epoch> SegmentTable::reclaim_unleased(Slot slot, SegmentWord lent) noexcept {
    if (lent.phase != Phase::lent) return std::nullopt;
    return change(slot, lent, {Phase::owned, lent.owner, 0, 0});
}
std::optional<Epoch> SegmentTable::retire(Slot slot, Epoch epoch, ActorNumber owner) noexcept {
    const SegmentWord word = word_of(slot);
    if ((word.phase != Phase::owned && word.phase != Phase::lent) || word.owner != owner || word.epoch != epoch)
        return std::nullopt;
    // Without a lend there is no list of leases to wait for: an older one's must not hold the memory.
    if (word.phase == Phase::owned) rows_[slot].first_lease.store(0, relaxed);
    return change(slot, word, {Phase::retired, owner, 0, 0});
}
std::optional<Epoch> SegmentTable::recycle(Slot slot, SegmentWord retired) noexcept {
    std::uint32_t steps = limits::leases_max;
    return recycle(slot, retired, steps);
}
std::optional<Epoch> SegmentTable::recycle(Slot slot, SegmentWord retired, std::uint32_t& steps_left) noexcept {
    if (retired.phase != Phase::retired || leases_->has_live(slot, steps_left)) return std::nullopt;
    return recycle_unleased(slot, retired);
}
std::optional<Epoch> SegmentTable::recycle_unleased(Slot slot, SegmentWord retired) noexcept {
    if (retired.phase != Phase::retired) return std::nullopt;
    return change(slot, retired, {Phase::free, 0, 0, 0});
}
bool SegmentTable::mend(Slot slot, SegmentWord from, SegmentWord to) noexcept {
    std::uint64_t expected = from.packed();
    return rows_[slot].word.compare_exchange_strong(expected, to.packed(), sequential);
}

}  // namespace baton::detail
