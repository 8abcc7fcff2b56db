#include "runtime/holdings/lease_rows.hpp"

#include <algorithm>

namespace baton::detail {

Result<LeaseRows::Row> LeaseRows::free_for(const LentOut& lent) {
    const std::size_t looks = std::min<std::size_t>(lent.lease_rows.size(), limits::recycle_looks_max);
    for (std::size_t look = 0; look < looks; ++look, ++lend_cursor_) {
        const Slot lease = lent.lease_rows[lend_cursor_ % lent.lease_rows.size()];
        if (ledger().leases.word_of(lease).phase == LeasePhase::free) return Row{lease, true};
    }
    const Result<Slot> other = unlisted();
    if (!other) return other.error();
    return Row{*other, false};
}

Result<Slot> LeaseRows::unlisted() {
    const std::uint64_t rows = blocks_.size() * limits::rows_per_block;
    const std::uint64_t used = rows - fresh_;
    for (std::uint64_t look = 0; look < std::min<std::uint64_t>(used, limits::recycle_looks_max);
         ++look, ++used_cursor_) {
        const Slot lease = row_at(used_cursor_ % used);
        if (ledger().leases.word_of(lease).phase == LeasePhase::free && !ledger().segment_leases.is_parked(lease))
            return lease;
    }
    if (fresh_ > 0) return row_at(rows - fresh_--);
    Result<Slot> first = ledger().lease_blocks.claim(holder_.number());
    if (!first) return first;
    blocks_.push_back(*first);
    fresh_ = limits::rows_per_block - 1;
    return *first;
}

Slot LeaseRows::row_at(std::uint64_t at) const noexcept {
    return blocks_[at / limits::rows_per_block] + static_cast<Slot>(at % limits::rows_per_block);
}

}  // namespace baton::detail
