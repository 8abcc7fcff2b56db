#pragma once
// Marks: in which blocks of others rows may name an actor, so that its death costs what it had to do with.
//
// A transition that names an actor in a block of somebody else's marks that block for the actor first (T2, L1), and so
// does the coordinator before it becomes the home of a dead actor's blocks. Bits are cleared when the number is about
// to live again; so a block that is not marked, and whose home the actor is not, holds no row that names it. A view of
// the ledger's marks. Thread-safe and crash-safe.

#include "runtime/ledger/layout.hpp"

namespace baton::detail {

class Marks {
public:
    explicit Marks(const LedgerLayout& layout) : rows_(layout.marks()) {}

    // Sequentially consistent, and before the transition: if its maker then still sees the actor's life, a coordinator
    // that takes the life later sees the mark.
    void mark_segment(ActorNumber actor, Slot slot) noexcept { mark(rows_[actor].segments, slot); }
    void mark_lease(ActorNumber actor, Slot lease) noexcept { mark(rows_[actor].leases, lease); }
    [[nodiscard]] bool has_segment(ActorNumber actor, Slot slot) const noexcept {
        return has(rows_[actor].segments, slot);
    }
    [[nodiscard]] bool has_lease(ActorNumber actor, Slot lease) const noexcept {
        return has(rows_[actor].leases, lease);
    }

private:
    using Word = std::atomic<std::uint64_t>;
    static constexpr std::uint64_t bit_of(Slot row) noexcept {
        return std::uint64_t{1} << (row / limits::rows_per_block % 64);
    }
    static constexpr std::size_t word_of(Slot row) noexcept { return row / limits::rows_per_block / 64; }
    static bool has(const Word* words, Slot row) noexcept {
        return (words[word_of(row)].load(layout::sequential) & bit_of(row)) != 0;
    }
    // Only the first time: a word that all read stays in everybody's cache.
    static void mark(Word* words, Slot row) noexcept {
        if (!has(words, row)) words[word_of(row)].fetch_or(bit_of(row), layout::sequential);
    }

    MarkRow* rows_;
};

}  // namespace baton::detail
