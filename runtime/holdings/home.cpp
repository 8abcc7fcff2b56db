#include "runtime/holdings/home.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "runtime/base/crash_point.hpp"

namespace baton::detail {
namespace {

constexpr auto relaxed = std::memory_order_relaxed;

std::string budget_text(std::uint64_t bytes) {
    return bytes == ~std::uint64_t{0} ? std::string("without a limit of its own") : fmt::format("of {}", bytes);
}

}  // namespace

// ---- rows for T1 -----------------------------------------------------------------------------------

Result<Slot> Home::empty_slot() {
    for (;;) {
        if (empty_.empty()) {
            Result<Slot> first = ledger().segment_blocks.claim(holder_.number());
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

std::optional<Slot> Home::pooled(std::uint64_t capacity) {
    const auto found = pool_.find(capacity);
    if (found == pool_.end() || found->second.empty()) return std::nullopt;
    const Slot slot = found->second.back();
    found->second.pop_back();
    pooled_bytes_ -= capacity;
    return slot;
}

Result<Home::Place> Home::place_for(std::uint64_t capacity) {
    for (int look = 0; look < 2; ++look) {
        while (const std::optional<Slot> slot = pooled(capacity)) {
            // somebody wrote there who should not
            if (ledger().segments.word_of(*slot).phase != Phase::free) continue;
            const Store::Block block{*slot, ledger().segments.row(*slot).generation.load(relaxed)};
            Result<std::byte*> data = holder_.store().pin(block, capacity, Mapping::Access::write, {0, capacity});
            if (data) return Place{*slot, *data};
            if (data.error().kind == ErrorKind::overloaded) {  // the memory is there, and this process can't map it
                pool_[capacity].push_back(*slot);
                pooled_bytes_ += capacity;
                return data.error();
            }
            end_memory(*slot, capacity);  // somebody has removed or cut it: it serves nobody any more
        }
        if (look == 0) look_for_retired(limits::recycle_looks_max);
    }
    if (!claim_bytes(capacity)) return no_room(capacity);
    Result<Slot> empty = empty_slot();
    if (!empty) {
        ledger().budget.give_back(holder_.number(), capacity);
        return empty.error();
    }
    return Place{*empty, nullptr};
}

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
        pool_[bytes].push_back(slot);
        pooled_bytes_ += bytes;
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
    for (auto& [bytes, slots] : pool_) {
        for (const Slot slot : slots)
            if (ledger().segments.word_of(slot).phase == Phase::free) end_memory(slot, bytes);
        slots.clear();
    }
    pooled_bytes_ = 0;
}

// Of a free row of ours: its memory ends, and the row can have other.
void Home::end_memory(Slot slot, std::uint64_t bytes) noexcept {
    SegmentRow& row = ledger().segments.row(slot);
    holder_.store().discard({slot, row.generation.load(relaxed)});
    row.bytes.store(0, relaxed);
    ledger().budget.give_back(holder_.number(), bytes);
    empty_.push_back(slot);
}

}  // namespace baton::detail
