#pragma once
// SegmentLeases: what is lent of each segment, and so what may not be done with it yet.
//
// The leases of a lend form a list: first_lease of the segment, then next of each. Leases that their borrowers made
// themselves (L7) stand in no list, and the whole table is searched for those of a segment that has been published. No
// list is trusted: any process of the session can close one to a ring or lead it anywhere. A view of the ledger that
// changes nothing. Thread-safe.

#include <cstdint>
#include <vector>

#include "runtime/ledger/blocks.hpp"

namespace baton::detail {

class SegmentLeases {
public:
    SegmentLeases(const LedgerLayout& layout, const Blocks& segment_blocks, const Blocks& lease_blocks)
        : segments_(layout.segments()),
          leases_(layout.leases()),
          segment_blocks_(&segment_blocks),
          lease_blocks_(&lease_blocks) {}

    // True if a granted or claimed lease of the segment's present lend (of the last one, if retired) is left.
    [[nodiscard]] bool has_live(Slot segment) const noexcept;
    // For callers that look at many: reduces `steps_left` by the rows that it looks at, and if that is not enough, it
    // answers as if a lease were left.
    [[nodiscard]] bool has_live(Slot segment, std::uint32_t& steps_left) const noexcept;
    // How many.
    [[nodiscard]] std::uint32_t live(Slot segment) const noexcept;
    // The same by slot for all segments. Looks once at each row of leases, whatever their lists say.
    [[nodiscard]] std::vector<std::uint32_t> live_of_all() const;
    // A free row that still stands in the list of a lend: it serves no other segment until that has ended, since
    // somebody may just be walking the list.
    [[nodiscard]] bool is_parked(Slot lease) const noexcept;

private:
    [[nodiscard]] SegmentWord segment_word(Slot segment) const noexcept;
    [[nodiscard]] bool is_out(Slot lease) const noexcept;
    [[nodiscard]] bool was_published(Slot segment) const noexcept;
    [[nodiscard]] std::uint32_t live_in_table(Slot segment) const noexcept;
    [[nodiscard]] bool is_of_last_lend(Slot lease, SegmentWord segment) const noexcept;
    template <class Look>
    [[nodiscard]] bool walk(Slot segment, std::uint32_t& steps_left, const Look& look) const noexcept;

    const SegmentRow* segments_;
    const LeaseRow* leases_;
    const Blocks* segment_blocks_;
    const Blocks* lease_blocks_;
};

}  // namespace baton::detail
