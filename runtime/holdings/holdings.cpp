#include "runtime/holdings/holdings.hpp"

#include <fmt/format.h>

#include "runtime/base/check.hpp"
#include "runtime/base/crash_point.hpp"
#include "runtime/memory/size_class.hpp"

namespace baton::detail {
namespace {

constexpr auto relaxed = std::memory_order_relaxed;

Store::Block block_of(const Holding& owned) noexcept { return owned.memory()->block(owned.slot); }

// A free row gets an object of its own.
void begin_own(SegmentRow& row) noexcept {
    row.place_bytes.store(0, relaxed);
    row.generation.store(row.generation.load(relaxed) + 1, relaxed);
}

// How many bytes it has.
Result<std::uint64_t> check_layout(const Layout& layout) {
    const std::optional<std::uint64_t> bytes = layout.bytes();
    if (!bytes || *bytes > limits::segment_bytes_max)
        return refused(
            fmt::format("a segment of {} is not possible: it has an element type of NumPy's and at most {} bytes "
                        "(limits::segment_bytes_max)",
                        baton::to_text(layout), limits::segment_bytes_max));
    if (layout.shape.size() > limits::shape_dimensions_max)
        return refused(fmt::format("a segment has at most {} dimensions (limits::shape_dimensions_max)",
                                   limits::shape_dimensions_max));
    return *bytes;
}

}  // namespace

Holdings::Holdings(LedgerRegion region, std::string session_id, ActorId me, const Clock& clock, Store::Idle idle)
    : holder_(std::move(region), std::move(session_id), me, clock, idle) {}

Holdings::~Holdings() = default;

// ---- T1: a free row of our own blocks, and memory for it -------------------------------------------

Result<Holding*> Holdings::create(Layout layout) {
    const Result<std::uint64_t> bytes = check_layout(layout);
    if (!bytes) return bytes.error();
    const std::uint64_t capacity = holder_.store().capacity_for(*bytes);
    const Result<Home::Place> place = home_.place_for(capacity);
    if (!place) return place.error();
    const bool has_memory = place->data != nullptr;

    SegmentRow& row = ledger().segments.row(place->slot);
    if (!has_memory) begin_own(row);
    Holding& holding = owned_from_now(place->slot, Count::created, std::move(layout), capacity, place->data);
    row.used_bytes.store(*bytes, relaxed);
    if (has_memory) return &holding;
    if (Result<void> made = make_memory(holding); !made) {
        ledger().budget.give_back(holder_.number(), capacity);
        release(holding);
        return made.error();
    }
    row.bytes.store(capacity, relaxed);
    return &holding;
}

Result<void> Holdings::make_memory(Holding& holding) {
    Memory& memory = *holding.memory();
    Result<std::byte*> data = holder_.store().make(block_of(holding), memory.capacity);
    if (!data && data.error().kind == ErrorKind::overloaded && has_pooled()) {
        trim();  // what lies in the pool in other sizes is memory of the machine too
        data = holder_.store().make(block_of(holding), memory.capacity);
    }
    if (!data) return data.error();
    memory.data = *data;
    return {};
}

Holding& Holdings::owned_from_now(Slot slot, Count what, Layout layout, std::uint64_t capacity, std::byte* data) {
    ledger().counters.intend(holder_.number(), what, slot);
    pass_crash_point(CrashPoint::create_intended);
    const std::optional<Epoch> epoch = ledger().segments.create(slot, holder_.number());
    check(epoch.has_value(), "only its home takes a free row into use");
    pass_crash_point(CrashPoint::create_made);
    ledger().counters.count(holder_.number(), what);
    pass_crash_point(CrashPoint::create_counted);
    holder_.note(Transition::create, slot, *epoch, 0);
    Memory memory = Memory::of(ledger().segments.row(slot));
    memory.capacity = capacity;
    memory.data = data;
    return book_.add(Owned{memory}, {slot, *epoch, std::move(layout)});
}

// ---- memory that leaves or arrives by name ---------------------------------------------------------

Result<void> Holdings::hand_out(Holding& holding, const std::string& name) {
    if (!holding.is<Owned>()) return refused("only a segment that is owned can be exported");
    if (holding.exports > 0)
        return refused(fmt::format("{} has {} views: delete them first", to_text(holding), holding.exports));
    if (Result<void> possible = check_outside_name(name); !possible) return possible;
    if (holding.memory()->place_bytes != 0) return copy_out(holding, name);
    SegmentRow& row = ledger().segments.row(holding.slot);
    const std::uint64_t bytes = row.bytes.load(relaxed);
    const std::uint64_t used = row.used_bytes.load(relaxed);
    const Store::Block block = block_of(holding);
    // The row says so first: the home of a row that has memory may write into it once we are dead.
    ledger().counters.intend(holder_.number(), Count::handed_out, holding.slot);
    row.used_bytes.store(bytes | handed_out_mark, relaxed);
    row.bytes.store(0, std::memory_order_release);
    pass_crash_point(CrashPoint::hand_out_marked);
    if (Result<void> renamed = holder_.store().hand_out(block, name); !renamed) {
        row.bytes.store(bytes, relaxed);
        row.used_bytes.store(used, std::memory_order_release);
        ledger().counters.forget_intent(holder_.number());
        return renamed;
    }
    pass_crash_point(CrashPoint::hand_out_renamed);
    end_handed_out(holding);
    return {};
}

// A place stays where it is, for the next segment; what leaves is a copy. If its owner dies in between, it has copied
// and not exported: then the segment is released.
Result<void> Holdings::copy_out(Holding& holding, const std::string& name) {
    const Result<std::byte*> data = book_.map(holding);
    if (!data) return data.error();
    if (Result<void> copied = holder_.store().copy_out(block_of(holding), {*data, holding.bytes}, name); !copied)
        return copied;
    pass_crash_point(CrashPoint::hand_out_copied);
    ledger().counters.intend(holder_.number(), Count::handed_out, holding.slot);
    end_handed_out(holding);
    return {};
}

// T9.
void Holdings::end_handed_out(Holding& holding) {
    const Store::Block block = block_of(holding);
    const std::optional<Epoch> epoch = ledger().segments.retire(holding.slot, holding.epoch, holder_.number());
    if (epoch) ledger().counters.count(holder_.number(), Count::handed_out);
    else ledger().counters.forget_intent(holder_.number());  // the session has ended without us
    book_.unmap(holding);
    if (block.place_bytes == 0) holder_.store().forget(block);
    if (epoch) holder_.note(Transition::retire, holding.slot, *epoch, 0);
    if (epoch) home_.take_back(holding.slot);
    drop(holding);
}

Result<Holding*> Holdings::take_in(const std::string& name, Layout layout) {
    const std::optional<std::uint64_t> bytes = layout.bytes();
    if (!bytes) return refused(fmt::format("shared memory can't be imported as {}", baton::to_text(layout)));
    if (Result<void> possible = check_outside_name(name); !possible) return possible.error();
    // What can fail comes before what can't be taken back: until it has its new name the memory is the user's.
    Result<SharedObject> outside = Store::open_outside(name, *bytes);
    if (!outside) return outside.error();
    const Result<Slot> slot = home_.empty_slot();
    if (!slot) return slot.error();
    SegmentRow& row = ledger().segments.row(*slot);
    begin_own(row);
    const std::uint64_t capacity = outside->size();
    Holding& holding = owned_from_now(*slot, Count::taken_in, std::move(layout), capacity, nullptr);
    pass_crash_point(CrashPoint::take_in_made);
    const Result<std::byte*> data = holder_.store().take_in(*outside, block_of(holding), capacity);
    if (!data) {
        release(holding);
        return data.error();
    }
    pass_crash_point(CrashPoint::take_in_renamed);
    // It is here now, whatever the budget says, and ours to give back.
    holding.memory()->data = *data;
    row.used_bytes.store(*bytes, relaxed);
    row.bytes.store(capacity, relaxed);
    ledger().budget.add(holder_.number(), capacity);
    return &holding;
}

}  // namespace baton::detail
