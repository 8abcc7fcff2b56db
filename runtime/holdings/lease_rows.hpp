#pragma once
// LeaseRows: the rows for leases in this actor's own blocks, and which of them may serve next.
//
// A row that has been freed stays in the list of its segment, because another process may be walking it at that moment:
// it may serve the same lend at once, and another segment only when that lend has ended. One thread, the actor's.

#include <vector>

#include "runtime/holdings/holder.hpp"
#include "runtime/holdings/holding.hpp"

namespace baton::detail {

class LeaseRows {
public:
    explicit LeaseRows(Holder& holder) : holder_(holder) {}
    LeaseRows(const LeaseRows&) = delete;
    LeaseRows& operator=(const LeaseRows&) = delete;

    struct Row {
        Slot lease = 0;
        bool is_listed = false;  // it stands in the list of the segment's leases already
    };
    // For a lease of what is lent: preferably one that this lend has had before and that came back.
    [[nodiscard]] Result<Row> free_for(const LentOut& lent);
    // One that stands in nobody's list.
    [[nodiscard]] Result<Slot> unlisted();

private:
    [[nodiscard]] Ledger& ledger() noexcept { return holder_.ledger(); }
    [[nodiscard]] Slot row_at(std::uint64_t at) const noexcept;

    Holder& holder_;
    std::vector<Slot> blocks_;
    std::uint64_t fresh_ = 0;        // rows at the end of the last block that have never been used
    std::uint64_t lend_cursor_ = 0;  // in the rows of a lend
    std::uint64_t used_cursor_ = 0;  // in those of all blocks that have been used
};

}  // namespace baton::detail
