#pragma once
// Names: which segment is published under which name, and of two who want one name, who has it (N1, N2).
//
// A name has a row, found by the name's hash, and the row is bound to it for the life of the session. A view of the
// ledger's name rows. Any process may die between any two instructions. One thread, because a row that was taken for a
// name and lost to another process is kept for the next one.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/ledger/layout.hpp"

namespace baton::detail {

using NameSlot = std::uint32_t;

// What an actor that attaches is leased, as plain values.
struct Publication {
    LeaseKind kind = LeaseKind::read;
    Epoch lend = 0;
    std::uint64_t bytes = 0;
    std::string type;
    std::vector<std::uint64_t> shape;
};

class Names {
public:
    explicit Names(const LedgerLayout& layout) : layout_(&layout) {}

    [[nodiscard]] std::optional<NameSlot> find(std::string_view name) const;
    // Finds the row of a name, and adds one if there is none; if two actors add one name at once, both get the same
    // row.
    [[nodiscard]] Result<NameSlot> bind(std::string_view name);
    [[nodiscard]] NameWord word_of(NameSlot row) const noexcept;
    [[nodiscard]] std::string text_of(NameSlot row) const;  // bounded, whatever stands there
    // Rows below this one have ever been in use.
    [[nodiscard]] NameSlot rows_used() const noexcept;

    // N1, of a segment that is lent by me: free -> publishing(me) -> published(me). Nothing: somebody has it.
    [[nodiscard]] std::optional<NameWord> begin_publishing(NameSlot row, ActorNumber me, Slot slot) noexcept;
    void describe(NameSlot row, const Publication& what) noexcept;
    [[nodiscard]] std::optional<NameWord> publish(NameSlot row, NameWord publishing) noexcept;
    // N2, from either. Sequentially consistent with LeaseTable::attach(): a process that looks at the leases after it
    // sees each lease whose borrower has seen the name after making the lease.
    bool unpublish(NameSlot row, NameWord word) noexcept;
    // What is published under a word that the caller reads before and after; nothing if it makes no sense.
    [[nodiscard]] std::optional<Publication> publication_of(NameSlot row) const;

private:
    [[nodiscard]] std::optional<NameSlot> find(std::string_view name, std::uint64_t first) const;
    [[nodiscard]] Result<NameSlot> fresh();
    [[nodiscard]] NameRow& at(NameSlot row) const noexcept { return layout_->names()[row]; }
    [[nodiscard]] LedgerHeader& header() const noexcept { return layout_->header(); }

    const LedgerLayout* layout_;
    std::optional<NameSlot> spare_;  // taken by this process and bound to no name yet
};

}  // namespace baton::detail
