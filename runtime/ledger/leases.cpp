// The leases of Ledger: L1 to L6, and what a segment's leases forbid.
#include <algorithm>

#include "runtime/ledger/layout.hpp"

namespace baton::detail {

using namespace layout;

// ---- leases ----------------------------------------------------------------------------------------

inline std::optional<Epoch> Ledger::change(Slot lease, LeaseWord from, LeaseWord to) noexcept {
    to.epoch = (from.epoch + 1) & words::epoch_max;
    std::uint64_t expected = from.packed();
    if (!leases_[lease].word.compare_exchange_strong(expected, to.packed(), sequential)) return std::nullopt;
    return to.epoch;
}

void Ledger::describe_lease(Slot lease, Slot segment, Epoch lend_epoch, Range range, Listing listing) noexcept {
    LeaseRow& row = leases_[lease];
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

std::optional<Epoch> Ledger::grant(Slot lease, ActorNumber me, ActorNumber borrower) noexcept {
    const LeaseWord word = lease_word_of(lease);
    if (word.phase != LeasePhase::free) return std::nullopt;
    return change(lease, word, {LeasePhase::granted, me, borrower, 0});
}
std::optional<Epoch> Ledger::attach(Slot lease, ActorNumber lender, ActorNumber me) noexcept {
    const LeaseWord word = lease_word_of(lease);
    if (word.phase != LeasePhase::free) return std::nullopt;
    return change(lease, word, {LeasePhase::claimed, lender, me, 0});
}
std::optional<Epoch> Ledger::claim(Slot lease, Epoch epoch, ActorNumber lender, ActorNumber me) noexcept {
    return change(lease, LeaseWord{LeasePhase::granted, lender, me, epoch},
                  LeaseWord{LeasePhase::claimed, lender, me, 0});
}
std::optional<Epoch> Ledger::withdraw_lease(Slot lease, Epoch epoch, ActorNumber me, ActorNumber borrower) noexcept {
    return change(lease, LeaseWord{LeasePhase::granted, me, borrower, epoch}, LeaseWord{});
}
std::optional<Epoch> Ledger::drop(Slot lease, Epoch epoch, ActorNumber lender, ActorNumber me) noexcept {
    return change(lease, LeaseWord{LeasePhase::claimed, lender, me, epoch}, LeaseWord{});
}
std::optional<Epoch> Ledger::settle_lease(Slot lease, LeaseWord word) noexcept {
    if (word.phase == LeasePhase::free) return std::nullopt;
    return change(lease, word, LeaseWord{});
}

bool Ledger::free_lease(Slot lease, LeaseWord word) noexcept { return change(lease, word, LeaseWord{}).has_value(); }

// Calls look(row) for each row of the list of a segment's leases until it returns false. Any process can turn the list
// into a ring, so a row that is met again ends the walk (Brent's algorithm: each row is compared with a saved one,
// which is moved ahead at growing distances). Returns true if the end of the list was reached within `steps_left`,
// which is reduced by the steps taken.
template <class Look>
bool Ledger::walk_leases(Slot segment, std::uint32_t& steps_left, const Look& look) const noexcept {
    std::uint64_t next = segments_[segment].first_lease.load(std::memory_order_acquire);
    std::uint64_t met = 0;
    std::uint32_t until_moved = 1;
    for (std::uint32_t step = 1, steps = 0; next != 0 && is_lease(next - 1) && next != met; ++step) {
        // more rows than there are were looked at: none is new
        if (steps_left == 0) return steps == limits::leases_max;
        --steps_left;
        ++steps;
        if (step == until_moved) {
            met = next;
            step = 0;
            until_moved *= 2;
        }
        const LeaseRow& row = leases_[next - 1];
        if (LeaseWord::of(row.word.load(sequential)).phase != LeasePhase::free &&
            row.segment.load(relaxed) == segment && !look(static_cast<Slot>(next - 1)))
            return true;
        next = row.next.load(relaxed);
    }
    return true;
}

// An actor that attaches to a published segment takes a row of its own, which is in no list; then the whole table is
// searched.
bool Ledger::was_published(Slot segment) const noexcept {
    const SegmentWord word = word_of(segment);
    const std::uint64_t published = segments_[segment].published.load(sequential);
    if (published == 0) return false;
    const Epoch lend = (published - 1) & words::epoch_max;
    const bool is_lent = word.phase == Phase::lent && word.epoch == lend;
    return is_lent || (word.phase == Phase::retired && word.epoch == ((lend + 1) & words::epoch_max));
}

std::uint32_t Ledger::live_leases_in_table(Slot segment) const noexcept {
    const SegmentWord word = word_of(segment);
    std::uint32_t live = 0;
    const Slot used = leases_used();
    for (Slot lease = 0; lease < used; ++lease)
        if (lease_word_of(lease).phase != LeasePhase::free && leases_[lease].segment.load(relaxed) == segment &&
            is_of_last_lend(lease, word))
            ++live;
    return live;
}

std::uint32_t Ledger::live_leases(Slot segment) const noexcept {
    if (was_published(segment)) return live_leases_in_table(segment);
    std::uint32_t live = 0;
    std::uint32_t steps = limits::leases_max;
    static_cast<void>(walk_leases(segment, steps, [&live](Slot) { return ++live, true; }));
    return live;
}

bool Ledger::has_live_lease(Slot segment) const noexcept {
    std::uint32_t steps = limits::leases_max;
    return has_live_lease(segment, steps);
}

bool Ledger::has_live_lease(Slot segment, std::uint32_t& steps_left) const noexcept {
    if (was_published(segment)) {
        const bool can_look = steps_left >= leases_used();
        steps_left -= std::min<std::uint32_t>(steps_left, leases_used());
        return !can_look || live_leases_in_table(segment) > 0;
    }
    bool has_any = false;
    const bool has_seen_all = walk_leases(segment, steps_left, [&has_any](Slot) { return !(has_any = true); });
    return has_any || !has_seen_all;
}

std::vector<std::uint32_t> Ledger::live_leases_of_all() const {
    std::vector<std::uint32_t> live(segments_used());
    for (Slot lease = 0; lease < leases_used(); ++lease) {
        if (lease_word_of(lease).phase == LeasePhase::free) continue;
        const std::uint64_t segment = leases_[lease].segment.load(relaxed);
        if (segment >= live.size()) continue;
        if (is_of_last_lend(lease, word_of(static_cast<Slot>(segment)))) ++live[segment];
    }
    return live;
}

bool Ledger::is_of_last_lend(Slot lease, SegmentWord segment) const noexcept {
    const Epoch lend = leases_[lease].segment_epoch.load(relaxed);
    const bool is_lent = segment.phase == Phase::lent && segment.epoch == lend;
    const bool is_retired_since = segment.phase == Phase::retired && segment.epoch == ((lend + 1) & words::epoch_max);
    return is_lent || is_retired_since;
}

bool Ledger::is_parked(Slot lease) const noexcept {
    const std::uint64_t segment = leases_[lease].segment.load(relaxed);
    return leases_[lease].unlisted.load(relaxed) == 0 && is_slot(segment) &&
           is_of_last_lend(lease, word_of(static_cast<Slot>(segment)));
}

}  // namespace baton::detail
