#include "runtime/holdings/home.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>

#include "runtime/base/crash_point.hpp"

namespace baton::detail {
namespace {

constexpr auto relaxed = std::memory_order_relaxed;

std::string budget_text(std::uint64_t bytes) {
    return bytes == ~std::uint64_t{0} ? std::string("without a limit of its own") : fmt::format("of {}", bytes);
}

}  // namespace

// ---- rows for T1 -----------------------------------------------------------------------------------

Result<Slot> Home::empty_block() {
    if (!empty_blocks_.empty()) {
        const Slot first = empty_blocks_.back();
        empty_blocks_.pop_back();
        return first;
    }
    Result<Slot> first = ledger().segment_blocks.claim(holder_.number());
    if (first) blocks_.push_back(*first);
    return first;
}

Result<Slot> Home::empty_slot() {
    for (;;) {
        if (empty_.empty()) {
            const Result<Slot> first = empty_block();
            if (!first) return first;
            // Backwards, so that the first row is taken first.
            for (Slot row = limits::rows_per_block; row-- > 0;) empty_.push_back(*first + row);
        }
        const Slot slot = empty_.back();
        empty_.pop_back();
        // Else somebody wrote there who should not; it comes back when that has been retired.
        if (ledger().segments.word_of(slot).phase == Phase::free) return slot;
    }
}

void Home::put_in_pool(Slot slot, std::uint64_t bytes) {
    pool_[bytes].push_back(slot);
    pooled_bytes_ += bytes;
}

std::optional<Slot> Home::pooled(std::uint64_t capacity) {
    const auto found = pool_.find(capacity);
    if (found == pool_.end() || found->second.empty()) return std::nullopt;
    const Slot slot = found->second.back();
    found->second.pop_back();
    pooled_bytes_ -= capacity;
    return slot;
}

Result<std::optional<Home::Place>> Home::pooled_place(std::uint64_t capacity) {
    while (const std::optional<Slot> slot = pooled(capacity)) {
        // somebody wrote there who should not
        if (ledger().segments.word_of(*slot).phase != Phase::free) continue;
        const Store::Block block{*slot, ledger().segments.row(*slot).generation.load(relaxed),
                                 shelves_.place_bytes_at(*slot)};
        Result<std::byte*> data = holder_.store().pin(block, capacity, Mapping::Access::write, {0, capacity});
        if (data) return std::optional{Place{*slot, *data}};
        if (data.error().kind == ErrorKind::overloaded) {  // the memory is there, and this process can't map it
            put_in_pool(*slot, capacity);
            return data.error();
        }
        end_memory(*slot, capacity);  // somebody has removed or cut it: it serves nobody any more
    }
    return std::optional<Place>{};
}

Result<Home::Place> Home::place_for(std::uint64_t capacity) {
    for (int look = 0; look < 2; ++look) {
        Result<std::optional<Place>> place = pooled_place(capacity);
        if (!place) return place.error();
        if (*place) return **place;
        if (look == 0) look_for_retired(limits::recycle_looks_max);
    }
    if (shelf::is_place(capacity)) return place_on_shelf(capacity);
    if (!claim_bytes(capacity)) return no_room(capacity);
    Result<Slot> empty = empty_slot();
    if (!empty) {
        ledger().budget.give_back(holder_.number(), capacity);
        return empty.error();
    }
    return Place{*empty, nullptr};
}

// ---- shelves ---------------------------------------------------------------------------------------

// More places, and the first of them: as many as is usual, or one step if memory is short, or that after all that lies
// in the pool has been returned, some of which may be of this size.
Result<Home::Place> Home::place_on_shelf(std::uint64_t capacity) {
    Result<void> added = add_places(capacity, Shelves::Appetite::usual);
    if (!added && added.error().kind == ErrorKind::overloaded) added = add_places(capacity, Shelves::Appetite::least);
    if (!added && added.error().kind == ErrorKind::overloaded) {
        trim();
        const auto left = pool_.find(capacity);
        added = left != pool_.end() && !left->second.empty() ? Result<void>{}
                                                              : add_places(capacity, Shelves::Appetite::least);
    }
    if (!added) return added.error();
    Result<std::optional<Place>> place = pooled_place(capacity);
    if (!place) return place.error();
    if (*place) return **place;
    return Error{ErrorKind::gone, "somebody has removed shared memory of this session while it was being made"};
}

Result<void> Home::add_places(std::uint64_t capacity, Shelves::Appetite appetite) {
    // A shelf that somebody has removed or cut has no room any more once that was noticed.
    while (shelves_.has_room(capacity)) {
        const Result<void> filled = fill_places(capacity, appetite);
        if (filled || filled.error().kind == ErrorKind::overloaded) return filled;
    }
    const Result<Slot> first = empty_block();
    if (!first) return first.error();
    if (Result<void> made = shelves_.make(*first, capacity); !made) {
        empty_blocks_.push_back(*first);
        return made;
    }
    return fill_places(capacity, appetite);
}

Result<void> Home::fill_places(std::uint64_t capacity, Shelves::Appetite appetite) {
    const Shelves::Piece piece = shelves_.next_piece(capacity, appetite);
    const std::uint64_t bytes = piece.run.count * capacity;
    if (!ledger().budget.claim(holder_.number(), bytes)) return no_room(capacity);
    if (Result<void> filled = shelves_.fill(piece); !filled) {
        ledger().budget.give_back(holder_.number(), bytes);
        return filled;
    }
    // Backwards, so that the first is taken first.
    for (std::uint32_t place = piece.run.count; place-- > 0;)
        put_in_pool(piece.first + piece.run.first + place, capacity);
    return {};
}

// Of free places of one size, what can be returned. The rest stays in the pool.
void Home::trim_places(std::uint64_t place_bytes, std::vector<Slot>& slots) noexcept {
    std::ranges::sort(slots);
    std::vector<Slot> left;
    for (std::size_t at = 0; at < slots.size();) {
        const Slot first = shelf::first_of(slots[at]);
        std::uint64_t set = 0;
        for (; at < slots.size() && shelf::first_of(slots[at]) == first; ++at)
            set |= shelf::bits(slots[at] - first, 1);
        const Shelves::Emptied emptied = shelves_.empty(first, set);
        const auto count = static_cast<std::uint64_t>(std::popcount(emptied.places));
        ledger().budget.give_back(holder_.number(), count * place_bytes);
        if (emptied.is_gone) empty_blocks_.push_back(first);
        for (Slot place = 0; place < shelf::places; ++place)
            if ((set & ~emptied.places & shelf::bits(place, 1)) != 0) left.push_back(first + place);
    }
    slots = std::move(left);
}

// ---- budget ----------------------------------------------------------------------------------------

bool Home::claim_bytes(std::uint64_t bytes) noexcept {
    if (ledger().budget.claim(holder_.number(), bytes)) return true;
    // Memory of other sizes in the pool, and memory that has been returned since the last look, makes room.
    trim();
    return ledger().budget.claim(holder_.number(), bytes);
}

Error Home::no_room(std::uint64_t capacity) {
    const Budget& budget = ledger().budget;
    return {ErrorKind::overloaded,
            fmt::format("no memory for a segment of {} bytes: this actor's segments take {} bytes {}, the session's {} "
                        "{}",
                        capacity, budget.bytes_of(holder_.number()), budget_text(budget.limit_of(holder_.number())),
                        budget.bytes_in_session(), budget_text(budget.session_limit()))};
}

// ---- T10 -------------------------------------------------------------------------------------------

// A retired row of ours becomes free, with its memory, unless a lease on it lives.
void Home::recycle(Slot slot, std::uint32_t& steps_left) noexcept {
    const SegmentWord word = ledger().segments.word_of(slot);
    const std::optional<Epoch> epoch = ledger().segments.recycle(slot, word, steps_left);
    if (!epoch) return;
    pass_crash_point(CrashPoint::recycle_made);
    holder_.note(Transition::recycle, slot, *epoch, 0);
    SegmentRow& row = ledger().segments.row(slot);
    if (const std::uint64_t place_bytes = shelves_.place_bytes_at(slot); place_bytes != 0)
        return put_in_pool(slot, place_bytes);
    const std::uint64_t bytes = row.bytes.load(relaxed);
    if (bytes == 0) {
        const std::uint64_t used = row.used_bytes.load(relaxed);
        if ((used & handed_out_mark) != 0) {
            // An owner that died before it had renamed the memory left it here.
            holder_.store().discard({slot, row.generation.load(relaxed)});
            ledger().budget.give_back(holder_.number(), used & ~handed_out_mark);
        }
        row.used_bytes.store(0, relaxed);
        empty_.push_back(slot);
    } else {
        put_in_pool(slot, bytes);
    }
}

void Home::look_for_retired(std::uint32_t looks_max) noexcept {
    std::uint32_t steps_left = limits::leases_max;  // in lists of leases, together
    const std::uint64_t rows = blocks_.size() * limits::rows_per_block;
    const std::uint64_t looks = std::min<std::uint64_t>(rows, looks_max);
    for (std::uint64_t look = 0; look < looks; ++look, ++cursor_) {
        if (cursor_ >= rows) cursor_ = 0;
        const Slot slot =
            blocks_[cursor_ / limits::rows_per_block] + static_cast<Slot>(cursor_ % limits::rows_per_block);
        if (ledger().segments.word_of(slot).phase == Phase::retired) recycle(slot, steps_left);
    }
}

void Home::take_back(Slot slot) noexcept {
    std::uint32_t steps_left = limits::leases_max;
    if (ledger().segment_blocks.home_of(slot) == holder_.number()) recycle(slot, steps_left);
}

void Home::trim() noexcept {
    look_for_retired(limits::segments_max);
    pooled_bytes_ = 0;
    for (auto& [bytes, slots] : pool_) {
        std::erase_if(slots, [this](Slot slot) { return ledger().segments.word_of(slot).phase != Phase::free; });
        std::vector<Slot> places;
        for (const Slot slot : slots)
            if (shelves_.place_bytes_at(slot) == 0) end_memory(slot, bytes);
            else places.push_back(slot);
        if (!places.empty()) trim_places(bytes, places);
        slots = std::move(places);
        pooled_bytes_ += slots.size() * bytes;
    }
    for (const Slot first : shelves_.end_unfilled()) empty_blocks_.push_back(first);
}

// Of a free row of ours: its memory ends, and the row can have other.
void Home::end_memory(Slot slot, std::uint64_t bytes) noexcept {
    ledger().budget.give_back(holder_.number(), bytes);
    if (shelves_.place_bytes_at(slot) != 0) {
        if (shelves_.lose(slot)) empty_blocks_.push_back(shelf::first_of(slot));
        return;
    }
    SegmentRow& row = ledger().segments.row(slot);
    holder_.store().discard({slot, row.generation.load(relaxed)});
    row.bytes.store(0, relaxed);
    empty_.push_back(slot);
}

}  // namespace baton::detail
