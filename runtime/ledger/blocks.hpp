#pragma once
// Blocks: the homes of one table's rows. Rows are taken into use only by the home of their block.
//
// A block is 64 rows, a page. A view of the ledger's header, once for segments and once for leases. Thread-safe and
// crash-safe: a claimer may die between any two instructions.

#include <atomic>
#include <cstdint>
#include <functional>
#include <span>
#include <string_view>

#include "runtime/ledger/layout.hpp"

namespace baton::detail {

class Blocks {
public:
    [[nodiscard]] static Blocks of_segments(const LedgerLayout& layout);
    [[nodiscard]] static Blocks of_leases(const LedgerLayout& layout);

    // The first row of a fresh block, `me` being its home; `overloaded` when all are claimed.
    [[nodiscard]] Result<Slot> claim(ActorNumber me);
    [[nodiscard]] ActorNumber home_of(Slot row) const noexcept;
    // Rows below this one have ever been in use.
    [[nodiscard]] Slot rows_used() const noexcept;
    [[nodiscard]] bool has(std::uint64_t row) const noexcept { return row < rows_used(); }

    // ---- the coordinator
    // All blocks of a dead home become its own.
    void adopt(ActorNumber dead, ActorNumber coordinator) noexcept;
    void adopt_all(ActorNumber coordinator) noexcept;  // of whomever
    // Gives back the blocks of its own in which every row is free.
    void release_empty(ActorNumber coordinator, const std::function<bool(Slot)>& is_free) noexcept;

private:
    using Homes = std::span<std::atomic<std::uint64_t>>;
    Blocks(const LedgerLayout& layout, const void* rows, Homes homes, std::atomic<std::uint64_t>& used,
           std::atomic<std::uint64_t>& free, std::string_view limit)
        : layout_(&layout), rows_(rows), homes_(homes), used_(&used), free_(&free), limit_(limit) {}
    [[nodiscard]] Result<bool> try_claim(std::size_t block, ActorNumber me);

    const LedgerLayout* layout_;
    const void* rows_;
    Homes homes_;                       // by block: the number of its home; 0: nobody's
    std::atomic<std::uint64_t>* used_;  // blocks below this one have ever been claimed
    std::atomic<std::uint64_t>* free_;  // where a search for a free one begins
    std::string_view limit_;            // the limit's name, for people
};

}  // namespace baton::detail
