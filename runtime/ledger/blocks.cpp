#include "runtime/ledger/blocks.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace baton::detail {

using namespace layout;

namespace {

void raise(std::atomic<std::uint64_t>& number, std::uint64_t at_least) noexcept {
    std::uint64_t before = number.load(relaxed);
    while (before < at_least && !number.compare_exchange_weak(before, at_least, sequential)) {
    }
}

void lower(std::atomic<std::uint64_t>& number, std::uint64_t at_most) noexcept {
    std::uint64_t before = number.load(relaxed);
    while (before > at_most && !number.compare_exchange_weak(before, at_most, sequential)) {
    }
}

}  // namespace

Blocks Blocks::of_segments(const LedgerLayout& layout) {
    LedgerHeader& header = layout.header();
    return {layout, layout.segments(), header.segment_homes, header.segment_blocks_used, header.segment_blocks_free,
            "limits::segments_max"};
}
Blocks Blocks::of_leases(const LedgerLayout& layout) {
    LedgerHeader& header = layout.header();
    return {layout, layout.leases(), header.lease_homes, header.lease_blocks_used, header.lease_blocks_free,
            "limits::leases_max"};
}

// False if it is somebody's.
Result<bool> Blocks::try_claim(std::size_t block, ActorNumber me) {
    if (homes_[block].load(relaxed) != 0) return false;
    const auto* const first = static_cast<const std::byte*>(rows_) + block * block_bytes;
    if (Result<void> committed = layout_->commit(first, block_bytes); !committed) return committed.error();
    // Raised before the block is claimed: an actor that dies in between leaves one block too many to look at, and
    // never a block that is overlooked.
    raise(*used_, block + 1);
    std::uint64_t nobody = 0;
    return homes_[block].compare_exchange_strong(nobody, me, sequential);
}

// From where the last claimer found one, so that claiming all blocks looks at each of them once; and from the start
// if there is none, because that place is only a hint.
Result<Slot> Blocks::claim(ActorNumber me) {
    const std::uint64_t hint = free_->load(sequential);
    const std::size_t start = std::min<std::uint64_t>(hint, homes_.size());
    for (std::size_t look = 0; look < homes_.size(); ++look) {
        const std::size_t block = (start + look) % homes_.size();
        const Result<bool> claimed = try_claim(block, me);
        if (!claimed) return claimed.error();
        if (!*claimed) continue;
        std::uint64_t expected = hint;  // else it has been lowered in the meantime, or raised
        free_->compare_exchange_strong(expected, block + 1, sequential);
        return static_cast<Slot>(block * limits::rows_per_block);
    }
    return Error{ErrorKind::overloaded, fmt::format("the session's ledger has no row left: it holds {} of them ({})",
                                                    homes_.size() * limits::rows_per_block, limit_)};
}

ActorNumber Blocks::home_of(Slot row) const noexcept {
    return static_cast<ActorNumber>(homes_[row / limits::rows_per_block].load(relaxed));
}

Slot Blocks::rows_used() const noexcept {
    return static_cast<Slot>(std::min<std::uint64_t>(used_->load(sequential), homes_.size()) * limits::rows_per_block);
}

void Blocks::adopt(ActorNumber dead, ActorNumber coordinator) noexcept {
    // All of them, even beyond what is reported to be in use: any process can write there.
    for (std::size_t block = 0; block < homes_.size(); ++block) {
        std::uint64_t expected = dead;
        if (homes_[block].load(relaxed) != dead ||
            !homes_[block].compare_exchange_strong(expected, coordinator, sequential))
            continue;
        raise(*used_, block + 1);
    }
}

void Blocks::adopt_all(ActorNumber coordinator) noexcept {
    const std::size_t used = rows_used() / limits::rows_per_block;
    for (auto& home : homes_.first(used)) home.store(coordinator, sequential);
}

void Blocks::release_empty(ActorNumber coordinator, const std::function<bool(Slot)>& is_free) noexcept {
    for (Slot first = 0; first < rows_used(); first += limits::rows_per_block) {
        if (home_of(first) != coordinator) continue;
        Slot row = first;
        while (row < first + limits::rows_per_block && is_free(row)) ++row;
        if (row < first + limits::rows_per_block) continue;
        const std::uint64_t block = first / limits::rows_per_block;
        homes_[block].store(0, sequential);
        lower(*free_, block);
    }
}

}  // namespace baton::detail
