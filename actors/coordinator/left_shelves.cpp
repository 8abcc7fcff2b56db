#include "actors/coordinator/left_shelves.hpp"

#include "runtime/base/crash_point.hpp"

namespace baton::detail::coordinator {
namespace {

constexpr auto relaxed = std::memory_order_relaxed;

// As the first of its rows says that says something possible: any process may have written there.
Store::Block shelf_of(const Ledger& ledger, Slot first) noexcept {
    for (Slot slot = first; slot < first + shelf::places; ++slot) {
        const SegmentRow& row = ledger.segments.row(slot);
        if (const std::uint64_t place_bytes = row.place_bytes.load(relaxed); shelf::is_place(place_bytes))
            return {first, row.generation.load(relaxed), place_bytes};
    }
    return {first, 0, 0};
}

}  // namespace

void LeftShelves::note(const Ledger& ledger, Slot slot) {
    if (ledger.segments.row(slot).place_bytes.load(relaxed) != 0) noted_.insert(shelf::first_of(slot));
}

void LeftShelves::tidy_one(Ledger& ledger, Store& store, bool is_closing) {
    const Slot first = noted_.extract(noted_.begin()).value();
    if (ledger.segment_blocks.home_of(first) != coordinator_id.number) return;
    std::uint64_t free = 0;
    for (Slot place = 0; place < shelf::places; ++place)
        if (ledger.segments.word_of(first + place).phase == Phase::free) free |= shelf::bits(place, 1);
    const Store::Block shelf = shelf_of(ledger, first);
    if (free != shelf::bits(0, shelf::places)) {
        // Whatever their rows say: the home may have died before it wrote that a place had memory.
        if (shelf.place_bytes != 0) static_cast<void>(store.empty(shelf, free));
        return;
    }
    pass_crash_point(CrashPoint::shelf_left);
    if (shelf.place_bytes != 0) is_closing ? store.remove(shelf) : store.discard(shelf);
    pass_crash_point(CrashPoint::shelf_removed);
    for (Slot slot = first; slot < first + shelf::places; ++slot)
        ledger.segments.row(slot).place_bytes.store(0, relaxed);
}

}  // namespace baton::detail::coordinator
