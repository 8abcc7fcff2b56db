#pragma once
// Lives: which life of each number is current. The coordinator gives lives and takes them; everybody looks.
//
// A view of the ledger's header. Thread-safe and crash-safe.

#include <baton/ref.hpp>
#include "runtime/ledger/layout.hpp"

namespace baton::detail {

class Lives {
public:
    explicit Lives(const LedgerLayout& layout) : layout_(&layout) {}

    // Its counts, its ring and its marks are empty then, and it is the home of nothing.
    [[nodiscard]] Result<void> give(ActorId actor, std::uint64_t budget_bytes);
    void take(ActorId actor) noexcept;
    void clear(ActorNumber number) noexcept;  // whatever stands there
    // Sequentially consistent with SegmentTable::offer() and LeaseTable::grant(): if a sender sees a life after its
    // offer, a coordinator that takes the life later sees that offer.
    [[nodiscard]] bool is_alive(ActorId actor) const noexcept;
    [[nodiscard]] ActorId of(ActorNumber number) const noexcept;

private:
    const LedgerLayout* layout_;
};

}  // namespace baton::detail
