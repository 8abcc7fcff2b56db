// The home pool of Holdings: rows of our own blocks, and the memory behind them (T1, T9, T10).
#include <fmt/format.h>

#include <algorithm>

#include "runtime/base/check.hpp"
#include "runtime/base/crash_point.hpp"
#include "runtime/holdings/holdings.hpp"
#include "runtime/memory/size_class.hpp"

namespace baton::detail {
namespace {

constexpr auto relaxed = std::memory_order_relaxed;

Error refused(std::string text) { return Error{ErrorKind::refused, std::move(text)}; }

std::string budget_text(std::uint64_t bytes) {
    return bytes == ~std::uint64_t{0} ? std::string("without a limit of its own") : fmt::format("of {}", bytes);
}

}  // namespace

// ---- T1: a row of our own blocks, and memory for it ------------------------------------------------

Result<Slot> Holdings::empty_slot() {
    for (;;) {
        if (empty_.empty()) {
            Result<Slot> first = ledger().segment_blocks.claim(me_.number);
            if (!first) return first;
            blocks_.push_back(*first);
            // Backwards, so that the first row is taken first.
            for (Slot row = limits::rows_per_block; row-- > 0;) empty_.push_back(*first + row);
        }
        const Slot slot = empty_.back();
        empty_.pop_back();
        // Else somebody wrote there who should not; it comes back when that has been retired.
        if (ledger().segments.word_of(slot).phase == Phase::free) return slot;
    }
}

std::optional<Slot> Holdings::pooled(std::uint64_t capacity) {
    const auto found = pool_.find(capacity);
    if (found == pool_.end() || found->second.empty()) return std::nullopt;
    const Slot slot = found->second.back();
    found->second.pop_back();
    pooled_bytes_ -= capacity;
    return slot;
}

Result<Holding*> Holdings::create(Layout layout) {
    const std::optional<std::uint64_t> bytes = layout.bytes();
    if (!bytes || *bytes > limits::segment_bytes_max)
        return refused(
            fmt::format("a segment of {} is not possible: it has an element type of NumPy's and at most {} bytes "
                        "(limits::segment_bytes_max)",
                        baton::to_text(layout), limits::segment_bytes_max));
    if (layout.shape.size() > limits::shape_dimensions_max)
        return refused(fmt::format("a segment has at most {} dimensions (limits::shape_dimensions_max)",
                                   limits::shape_dimensions_max));
    const std::uint64_t capacity = size_class_of(*bytes);
    Result<Place> place = place_of(capacity);
    if (!place) return place.error();
    const Slot slot = place->slot;
    const bool has_memory = place->data != nullptr;

    SegmentRow& row = ledger().segments.row(slot);
    if (!has_memory) row.generation.store(row.generation.load(relaxed) + 1, relaxed);
    Holding& holding = owned_from_now(slot, Count::created, std::move(layout));
    holding.capacity = capacity;
    holding.data = place->data;
    row.used_bytes.store(*bytes, relaxed);
    if (has_memory) return &holding;
    const Store::Block block = holding.block();
    Result<std::byte*> data = store_.make(block, capacity);
    if (!data && data.error().kind == ErrorKind::overloaded && has_pooled()) {
        trim();  // what lies in the pool in other sizes is memory of the machine too
        data = store_.make(block, capacity);
    }
    if (!data) {
        ledger().budget.give_back(me_.number, capacity);
        release(holding);
        return data.error();
    }
    row.bytes.store(capacity, relaxed);
    holding.data = *data;
    return &holding;
}

// A free row, with its memory mapped if one of the pool has some of that size; otherwise bytes are claimed for it.
Result<Holdings::Place> Holdings::place_of(std::uint64_t capacity) {
    for (int look = 0; look < 2; ++look) {
        while (const std::optional<Slot> slot = pooled(capacity)) {
            if (ledger().segments.word_of(*slot).phase != Phase::free) continue;  // somebody wrote there who should not
            const Store::Block block{*slot, ledger().segments.row(*slot).generation.load(relaxed)};
            Result<std::byte*> data = store_.pin(block, capacity, Mapping::Access::write, {0, capacity});
            if (data) return Place{*slot, *data};
            if (data.error().kind == ErrorKind::overloaded) {  // the memory is there, and this process can't map it
                pool_[capacity].push_back(*slot);
                pooled_bytes_ += capacity;
                return data.error();
            }
            end_memory(*slot, capacity);  // somebody has removed or cut it: it serves nobody any more
        }
        if (look == 0) come_home(limits::recycle_looks_max);
    }
    if (!claim_bytes(capacity))
        return Error{
            ErrorKind::overloaded,
            fmt::format("no memory for a segment of {} bytes: this actor's segments take {} bytes {}, the session's {} "
                        "{}",
                        capacity, ledger().budget.bytes_of(me_.number),
                        budget_text(ledger().budget.limit_of(me_.number)), ledger().budget.bytes_in_session(),
                        budget_text(ledger().budget.session_limit()))};
    Result<Slot> empty = empty_slot();
    if (!empty) {
        ledger().budget.give_back(me_.number, capacity);
        return empty.error();
    }
    return Place{*empty, nullptr};
}

// T1 of a free row of ours.
Holding& Holdings::owned_from_now(Slot slot, Count what, Layout layout) {
    ledger().counters.intend(me_.number, what, slot);
    pass_crash_point(CrashPoint::create_intended);
    const std::optional<Epoch> epoch = ledger().segments.create(slot, me_.number);
    check(epoch.has_value(), "only its home takes a free row into use");
    pass_crash_point(CrashPoint::create_made);
    ledger().counters.count(me_.number, what);
    pass_crash_point(CrashPoint::create_counted);
    note(Transition::create, slot, *epoch, 0);

    Holding& holding = fresh();
    holding.state = Holding::State::owned;
    holding.slot = slot;
    holding.epoch = *epoch;
    holding.generation = ledger().segments.row(slot).generation.load(relaxed);
    holding.bytes = layout.bytes().value_or(0);
    holding.layout = std::move(layout);
    return holding;
}

// Of a free row of ours: its memory ends, and the row can have other.
void Holdings::end_memory(Slot slot, std::uint64_t bytes) noexcept {
    SegmentRow& row = ledger().segments.row(slot);
    store_.discard({slot, row.generation.load(relaxed)});
    row.bytes.store(0, relaxed);
    ledger().budget.give_back(me_.number, bytes);
    empty_.push_back(slot);
}

bool Holdings::claim_bytes(std::uint64_t bytes) noexcept {
    if (ledger().budget.claim(me_.number, bytes)) return true;
    // Memory of other sizes in the pool, and memory that has been returned since the last look, makes room.
    trim();
    return ledger().budget.claim(me_.number, bytes);
}

// ---- T9 and T10 ------------------------------------------------------------------------------------

void Holdings::release(Holding& holding) noexcept {
    switch (holding.state) {
        case Holding::State::owned:
        case Holding::State::lent: {
            unpublish(holding);  // before the word moves: nobody new comes
            ledger().counters.intend(me_.number, Count::released, holding.slot);
            pass_crash_point(CrashPoint::retire_intended);
            const std::optional<Epoch> epoch = ledger().segments.retire(holding.slot, holding.epoch, me_.number);
            pass_crash_point(CrashPoint::retire_made);
            if (epoch) {
                ledger().counters.count(me_.number, Count::released);
                pass_crash_point(CrashPoint::retire_counted);
                note(Transition::retire, holding.slot, *epoch, 0);
            } else {
                ledger().counters.forget_intent(me_.number);  // the session has ended without us
            }
            unmap(holding);
            if (epoch) take_home_if_ours(holding.slot);
            break;
        }
        case Holding::State::borrowed:
            unmap(holding);
            if (const auto epoch =
                    ledger().leases.drop(holding.lease, holding.lease_epoch, holding.other, me_.number)) {
                pass_crash_point(CrashPoint::drop_made);
                note(Transition::drop, holding.lease, *epoch, holding.other);
            }
            break;
        case Holding::State::departing: return invalidate(holding);  // its sender takes care of it
        case Holding::State::none: return;  // ended with all others, by release_all()
        case Holding::State::pledge:
        case Holding::State::arriving: break;
    }
    drop(holding);
}

// Others of the same memory share its view, and have nothing to give back then.
void Holdings::keep_exported() noexcept {
    std::vector<std::pair<Store::Block, Mapping::Access>> kept;
    for (const Holding& holding : book_)
        if (holding.exports > 0 && holding.data != nullptr) kept.emplace_back(holding.block(), access_of(holding));
    if (kept.empty()) return;
    for (const auto& [block, access] : kept) store_.keep(block, access);
    for (Holding& holding : book_)
        if (std::ranges::find(kept, std::pair{holding.block(), access_of(holding)}) != kept.end())
            holding.data = nullptr;
}

void Holdings::release_all() noexcept {
    keep_exported();
    for (Holding& holding : book_)
        if (holding.state != Holding::State::none && holding.state != Holding::State::departing) release(holding);
}

// A retired row of ours becomes free, with its memory, unless a lease on it lives.
void Holdings::take_home(Slot slot, std::uint32_t& steps_left) noexcept {
    const SegmentWord word = ledger().segments.word_of(slot);
    const std::optional<Epoch> epoch = ledger().segments.recycle(slot, word, steps_left);
    if (!epoch) return;
    pass_crash_point(CrashPoint::recycle_made);
    note(Transition::recycle, slot, *epoch, 0);
    SegmentRow& row = ledger().segments.row(slot);
    const std::uint64_t bytes = row.bytes.load(relaxed);
    if (bytes == 0) {
        const std::uint64_t used = row.used_bytes.load(relaxed);
        if ((used & handed_out_mark) != 0) {
            // An owner that died before it had renamed the memory left it here.
            store_.discard({slot, row.generation.load(relaxed)});
            ledger().budget.give_back(me_.number, used & ~handed_out_mark);
        }
        row.used_bytes.store(0, relaxed);
        empty_.push_back(slot);
    } else {
        pool_[bytes].push_back(slot);
        pooled_bytes_ += bytes;
    }
}

void Holdings::come_home(std::uint32_t looks_max) noexcept {
    std::uint32_t steps_left = limits::leases_max;  // in lists of leases, together
    const std::uint64_t rows = blocks_.size() * limits::rows_per_block;
    const std::uint64_t looks = std::min<std::uint64_t>(rows, looks_max);
    for (std::uint64_t look = 0; look < looks; ++look, ++cursor_) {
        if (cursor_ >= rows) cursor_ = 0;
        const Slot slot =
            blocks_[cursor_ / limits::rows_per_block] + static_cast<Slot>(cursor_ % limits::rows_per_block);
        if (ledger().segments.word_of(slot).phase == Phase::retired) take_home(slot, steps_left);
    }
}

// What we have just retired ourselves.
void Holdings::take_home_if_ours(Slot slot) noexcept {
    std::uint32_t steps_left = limits::leases_max;
    if (ledger().segment_blocks.home_of(slot) == me_.number) take_home(slot, steps_left);
}

void Holdings::trim() noexcept {
    come_home(limits::segments_max);
    for (auto& [bytes, slots] : pool_) {
        for (const Slot slot : slots)
            if (ledger().segments.word_of(slot).phase == Phase::free) end_memory(slot, bytes);
        slots.clear();
    }
    pooled_bytes_ = 0;
}

Result<void> Holdings::hand_out(Holding& holding, const std::string& name) {
    if (holding.state != Holding::State::owned)
        return refused("only a segment that is owned can be exported");
    if (holding.exports > 0)
        return refused(fmt::format("{} has {} views: delete them first", to_text(holding), holding.exports));
    if (Result<void> possible = check_outside_name(name); !possible) return possible;
    SegmentRow& row = ledger().segments.row(holding.slot);
    const std::uint64_t bytes = row.bytes.load(relaxed);
    const std::uint64_t used = row.used_bytes.load(relaxed);
    // The row says so first: the home of a row that has memory may write into it once we are dead.
    ledger().counters.intend(me_.number, Count::handed_out, holding.slot);
    row.used_bytes.store(bytes | handed_out_mark, relaxed);
    row.bytes.store(0, std::memory_order_release);
    pass_crash_point(CrashPoint::hand_out_marked);
    if (Result<void> renamed = store_.hand_out(holding.block(), name); !renamed) {
        row.bytes.store(bytes, relaxed);
        row.used_bytes.store(used, std::memory_order_release);
        ledger().counters.forget_intent(me_.number);
        return renamed;
    }
    pass_crash_point(CrashPoint::hand_out_renamed);
    const std::optional<Epoch> epoch = ledger().segments.retire(holding.slot, holding.epoch, me_.number);
    if (epoch) ledger().counters.count(me_.number, Count::handed_out);
    else ledger().counters.forget_intent(me_.number);  // the session has ended without us
    const Store::Block block = holding.block();
    unmap(holding);
    store_.forget(block);
    if (epoch) note(Transition::retire, holding.slot, *epoch, 0);
    if (epoch) take_home_if_ours(holding.slot);
    drop(holding);
    return {};
}

Result<Holding*> Holdings::take_in(const std::string& name, Layout layout) {
    const std::optional<std::uint64_t> bytes = layout.bytes();
    if (!bytes) return refused(fmt::format("shared memory can't be imported as {}", baton::to_text(layout)));
    if (Result<void> possible = check_outside_name(name); !possible) return possible.error();
    // What can fail comes before what can't be taken back: until it has its new name the memory is the user's.
    Result<SharedObject> outside = Store::open_outside(name, *bytes);
    if (!outside) return outside.error();
    Result<Slot> slot = empty_slot();
    if (!slot) return slot.error();
    SegmentRow& row = ledger().segments.row(*slot);
    row.generation.store(row.generation.load(relaxed) + 1, relaxed);
    Holding& holding = owned_from_now(*slot, Count::taken_in, std::move(layout));
    holding.capacity = outside->size();
    pass_crash_point(CrashPoint::take_in_made);
    Result<std::byte*> data = store_.take_in(*outside, holding.block(), holding.capacity);
    if (!data) {
        release(holding);
        return data.error();
    }
    pass_crash_point(CrashPoint::take_in_renamed);
    // It is here now, whatever the budget says, and ours to give back.
    holding.data = *data;
    row.used_bytes.store(*bytes, relaxed);
    row.bytes.store(holding.capacity, relaxed);
    ledger().budget.add(me_.number, holding.capacity);
    return &holding;
}

}  // namespace baton::detail
