#include "runtime/ledger/counters.hpp"

#include <iterator>

namespace baton::detail {

using namespace layout;

void Counters::intend(ActorNumber me, Count what, Slot slot) noexcept {
    ActorRow& row = rows_[me];
    row.intent_slot.store(slot, relaxed);
    row.intent_word.store(segments_[slot].word.load(relaxed), relaxed);
    row.intent_count.store(row.counts[static_cast<std::size_t>(what)].load(relaxed), relaxed);
    row.intent.store(1 + static_cast<std::uint64_t>(what), std::memory_order_release);
}
void Counters::count(ActorNumber me, Count what) noexcept {
    std::atomic<std::uint64_t>& count = rows_[me].counts[static_cast<std::size_t>(what)];
    count.store(count.load(relaxed) + 1, std::memory_order_release);
    forget_intent(me);
}
void Counters::forget_intent(ActorNumber me) noexcept { rows_[me].intent.store(0, std::memory_order_release); }
void Counters::count_refused(ActorNumber me) noexcept {
    std::atomic<std::uint64_t>& count = rows_[me].refused;
    count.store(count.load(relaxed) + 1, relaxed);
}

void Counters::settle_intent(ActorNumber dead) noexcept {
    ActorRow& row = rows_[dead];
    const std::uint64_t intent = row.intent.load(std::memory_order_acquire);
    if (intent == 0 || intent > std::size(row.counts)) return forget_intent(dead);
    const std::uint64_t slot = row.intent_slot.load(relaxed);
    std::atomic<std::uint64_t>& count = row.counts[intent - 1];
    // Only its maker makes a counted transition of that row, so a word that has moved on says that it was made.
    const bool was_made =
        segment_blocks_->has(slot) && segments_[slot].word.load(sequential) != row.intent_word.load(relaxed);
    const bool was_counted = count.load(relaxed) != row.intent_count.load(relaxed);
    if (was_made && !was_counted) count.store(count.load(relaxed) + 1, std::memory_order_release);
    forget_intent(dead);  // last: the process that settles it may die, too, and the next one then finds it counted
}

Counts Counters::of(ActorNumber number) const noexcept {
    const ActorRow& row = rows_[number];
    const auto of = [&row](Count what) { return row.counts[static_cast<std::size_t>(what)].load(relaxed); };
    return {of(Count::created), of(Count::released), of(Count::handed_out), of(Count::taken_in),
            row.refused.load(relaxed)};
}

}  // namespace baton::detail
