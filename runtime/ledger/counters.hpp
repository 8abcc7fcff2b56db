#pragma once
// Counters: what each actor has created, released, exported and imported, for the balance of a session.
//
// Exact even when the counter's process dies between two instructions: it first says what it is about to count (the
// intent), and the coordinator finishes that. A view of the ledger's actor rows, each of which has one writer.

#include "runtime/ledger/blocks.hpp"

namespace baton::detail {

// Created + taken in (imported) = released + handed out (exported) + alive.
struct Counts {
    std::uint64_t created = 0;
    std::uint64_t released = 0;
    std::uint64_t handed_out = 0;   // by name, to outlive the session
    std::uint64_t taken_in = 0;     // by name, from outside
    std::uint64_t refused = 0;      // handles: forged, stale, repeated or misdirected

    Counts& operator+=(const Counts& other) noexcept {
        created += other.created;
        released += other.released;
        handed_out += other.handed_out;
        taken_in += other.taken_in;
        refused += other.refused;
        return *this;
    }
};

class Counters {
public:
    Counters(const LedgerLayout& layout, const Blocks& segment_blocks)
        : rows_(layout.actors()), segments_(layout.segments()), segment_blocks_(&segment_blocks) {}

    // Says what is about to be counted; then comes the transition, then count().
    void intend(ActorNumber me, Count what, Slot slot) noexcept;
    void count(ActorNumber me, Count what) noexcept;
    void forget_intent(ActorNumber me) noexcept;
    void count_refused(ActorNumber me) noexcept;
    // The coordinator: what a dead actor had begun to count is counted if its transition was made.
    void settle_intent(ActorNumber dead) noexcept;
    // Of all lives of that number.
    [[nodiscard]] Counts of(ActorNumber number) const noexcept;

private:
    ActorRow* rows_;
    const SegmentRow* segments_;
    const Blocks* segment_blocks_;
};

}  // namespace baton::detail
