// The accounts of Ledger: bytes claimed, transitions counted, and the ring of an actor's last ones.
#include <algorithm>

#include "runtime/ledger/layout.hpp"

namespace baton::detail {

using namespace layout;

// ---- bytes -----------------------------------------------------------------------------------------

bool Ledger::claim_bytes(ActorNumber me, std::uint64_t bytes) noexcept {
    // First said, then looked: of two that would exceed the budget together at least one sees it.
    std::atomic<std::uint64_t>& mine = header().home_bytes[me];
    const std::uint64_t before = mine.load(relaxed);
    // What alone is too much is not said: a sum must not overflow, nor others be refused for it.
    const std::uint64_t most = std::min(budget_bytes_of(me), session_budget_bytes());
    if (bytes > most || before > most - bytes) return false;
    mine.store(before + bytes, sequential);
    const bool fits = bytes_in_session() <= session_budget_bytes();
    if (!fits) mine.store(before, sequential);
    return fits;
}
void Ledger::return_bytes(ActorNumber me, std::uint64_t bytes) noexcept {
    std::atomic<std::uint64_t>& mine = header().home_bytes[me];
    const std::uint64_t before = mine.load(relaxed);
    mine.store(before - std::min(before, bytes), sequential);
}
std::uint64_t Ledger::bytes_of_home(ActorNumber number) const noexcept {
    return header().home_bytes[number].load(relaxed);
}
std::uint64_t Ledger::bytes_in_session() const noexcept {
    std::uint64_t sum = 0;
    for (const auto& bytes : header().home_bytes) sum += bytes.load(sequential);
    return sum;
}
std::uint64_t Ledger::session_budget_bytes() const noexcept { return header().session_budget.load(relaxed); }
std::uint64_t Ledger::budget_bytes_of(ActorNumber number) const noexcept {
    return header().budget[number].load(relaxed);
}
void Ledger::add_bytes(ActorNumber me, std::uint64_t bytes) noexcept {
    std::atomic<std::uint64_t>& mine = header().home_bytes[me];
    mine.store(mine.load(relaxed) + bytes, sequential);
}
void Ledger::forget_bytes(ActorNumber dead) noexcept { header().home_bytes[dead].store(0, sequential); }

// ---- counting --------------------------------------------------------------------------------------

void Ledger::intend(ActorNumber me, Count what, Slot slot) noexcept {
    ActorRow& row = own(me);
    row.intent_slot.store(slot, relaxed);
    row.intent_word.store(segments_[slot].word.load(relaxed), relaxed);
    row.intent_count.store(row.counts[static_cast<std::size_t>(what)].load(relaxed), relaxed);
    row.intent.store(1 + static_cast<std::uint64_t>(what), std::memory_order_release);
}
void Ledger::count(ActorNumber me, Count what) noexcept {
    std::atomic<std::uint64_t>& count = own(me).counts[static_cast<std::size_t>(what)];
    count.store(count.load(relaxed) + 1, std::memory_order_release);
    forget_intent(me);
}
void Ledger::forget_intent(ActorNumber me) noexcept { own(me).intent.store(0, std::memory_order_release); }
void Ledger::count_refused(ActorNumber me) noexcept {
    std::atomic<std::uint64_t>& count = own(me).refused;
    count.store(count.load(relaxed) + 1, relaxed);
}

void Ledger::settle_intent(ActorNumber dead) noexcept {
    ActorRow& row = own(dead);
    const std::uint64_t intent = row.intent.load(std::memory_order_acquire);
    if (intent == 0 || intent > std::size(row.counts)) return;
    row.intent.store(0, relaxed);
    const std::uint64_t slot = row.intent_slot.load(relaxed);
    std::atomic<std::uint64_t>& count = row.counts[intent - 1];
    // Only its maker makes a counted transition of that row, so a word that has moved on says that it was made.
    const bool was_made = is_slot(slot) && segments_[slot].word.load(sequential) != row.intent_word.load(relaxed);
    const bool was_counted = count.load(relaxed) != row.intent_count.load(relaxed);
    if (was_made && !was_counted) count.store(count.load(relaxed) + 1, relaxed);
}

void Ledger::take_over_counts(ActorNumber dead, ActorNumber coordinator) noexcept {
    ActorRow& from = own(dead);
    ActorRow& to = own(coordinator);
    for (std::size_t index = 0; index < std::size(from.counts); ++index)
        to.counts[index].store(to.counts[index].load(relaxed) + from.counts[index].exchange(0, relaxed), relaxed);
    to.refused.store(to.refused.load(relaxed) + from.refused.exchange(0, relaxed), relaxed);
}

Counts Ledger::counts_of(ActorNumber number) const noexcept {
    const ActorRow& row = actors_[number];
    const auto of = [&row](Count what) { return row.counts[static_cast<std::size_t>(what)].load(relaxed); };
    return {of(Count::created), of(Count::released), of(Count::handed_out), of(Count::taken_in),
            row.refused.load(relaxed)};
}

// ---- the ring --------------------------------------------------------------------------------------

void Ledger::note(ActorNumber me, Transition transition, Slot slot, Epoch epoch, ActorNumber partner,
                  std::int64_t now) noexcept {
    ActorRow& row = own(me);
    const std::uint64_t number = row.ring_next.load(relaxed);
    RingEntry& entry = row.ring[number % limits::ring_entries];
    entry.at.store(now, relaxed);
    entry.what.store(static_cast<std::uint64_t>(transition) << 32 | slot, relaxed);
    entry.epoch.store(epoch, relaxed);
    entry.partner.store(partner, relaxed);
    row.ring_next.store(number + 1, std::memory_order_release);
}

}  // namespace baton::detail
