#include "runtime/ledger/segment_leases.hpp"

#include <algorithm>

namespace baton::detail {

using namespace layout;

SegmentWord SegmentLeases::segment_word(Slot segment) const noexcept {
    return SegmentWord::of(segments_[segment].word.load(sequential));
}

bool SegmentLeases::is_out(Slot lease) const noexcept {
    return LeaseWord::of(leases_[lease].word.load(sequential)).phase != LeasePhase::free;
}

// Calls look(row) for each row of the list of a segment's leases until it returns false. Any process can turn the list
// into a ring, so a row that is met again ends the walk (Brent's algorithm: each row is compared with a saved one,
// which is moved ahead at growing distances). Returns true if the end of the list was reached within `steps_left`,
// which is reduced by the steps taken.
template <class Look>
bool SegmentLeases::walk(Slot segment, std::uint32_t& steps_left, const Look& look) const noexcept {
    std::uint64_t next = segments_[segment].first_lease.load(std::memory_order_acquire);
    std::uint64_t met = 0;
    std::uint32_t until_moved = 1;
    for (std::uint32_t step = 1, steps = 0; next != 0 && lease_blocks_->has(next - 1) && next != met; ++step) {
        // more rows than there are were looked at: none is new
        if (steps_left == 0) return steps == limits::leases_max;
        --steps_left;
        ++steps;
        if (step == until_moved) {
            met = next;
            step = 0;
            until_moved *= 2;
        }
        const auto row = static_cast<Slot>(next - 1);
        if (is_out(row) && leases_[row].segment.load(relaxed) == segment && !look(row)) return true;
        next = leases_[row].next.load(relaxed);
    }
    return true;
}

bool SegmentLeases::is_of_last_lend(Slot lease, SegmentWord segment) const noexcept {
    return segment.is_of_lend(leases_[lease].segment_epoch.load(relaxed));
}

// An actor that attaches to a published segment takes a row of its own, which is in no list; then the whole table is
// searched.
bool SegmentLeases::was_published(Slot segment) const noexcept {
    const SegmentWord word = segment_word(segment);
    const std::uint64_t published = segments_[segment].published.load(sequential);
    if (published == 0) return false;
    return word.is_of_lend((published - 1) & words::epoch_max);
}

std::uint32_t SegmentLeases::live_in_table(Slot segment) const noexcept {
    const SegmentWord word = segment_word(segment);
    std::uint32_t live = 0;
    const Slot used = lease_blocks_->rows_used();
    for (Slot lease = 0; lease < used; ++lease)
        if (is_out(lease) && leases_[lease].segment.load(relaxed) == segment && is_of_last_lend(lease, word)) ++live;
    return live;
}

std::uint32_t SegmentLeases::live(Slot segment) const noexcept {
    if (was_published(segment)) return live_in_table(segment);
    std::uint32_t live = 0;
    std::uint32_t steps = limits::leases_max;
    static_cast<void>(walk(segment, steps, [&live](Slot) { return ++live, true; }));
    return live;
}

bool SegmentLeases::has_live(Slot segment) const noexcept {
    std::uint32_t steps = limits::leases_max;
    return has_live(segment, steps);
}

bool SegmentLeases::has_live(Slot segment, std::uint32_t& steps_left) const noexcept {
    if (was_published(segment)) {
        const Slot rows = lease_blocks_->rows_used();
        const bool can_look = steps_left >= rows;
        steps_left -= std::min(steps_left, rows);
        return !can_look || live_in_table(segment) > 0;
    }
    bool has_any = false;
    const bool has_seen_all = walk(segment, steps_left, [&has_any](Slot) { return !(has_any = true); });
    return has_any || !has_seen_all;
}

std::vector<std::uint32_t> SegmentLeases::live_of_all() const {
    std::vector<std::uint32_t> live(segment_blocks_->rows_used());
    for (Slot lease = 0; lease < lease_blocks_->rows_used(); ++lease) {
        if (!is_out(lease)) continue;
        const std::uint64_t segment = leases_[lease].segment.load(relaxed);
        if (segment >= live.size()) continue;
        if (is_of_last_lend(lease, segment_word(static_cast<Slot>(segment)))) ++live[segment];
    }
    return live;
}

bool SegmentLeases::is_parked(Slot lease) const noexcept {
    const std::uint64_t segment = leases_[lease].segment.load(relaxed);
    return leases_[lease].unlisted.load(relaxed) == 0 && segment_blocks_->has(segment) &&
           is_of_last_lend(lease, segment_word(static_cast<Slot>(segment)));
}

}  // namespace baton::detail
