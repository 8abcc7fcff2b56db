#pragma once
// Ledger: the owner of each segment, the transfers in progress, and the actors that may read or write what is lent.
//
// Tables of 64-bit words in memory that all processes of a session map (docs/ownership.md). Every transition is one
// compare-and-swap that also bumps the row's epoch; nothing here sends, waits, logs or asks for the time, so the tables
// can be tested on the heap and a crash can be replayed word by word. It does not contain the memory of the segments,
// and knows only how many bytes that has.
//
// The layout says where everything lies; each of the others is a view of it and does one thing.
//
// Invariants (docs/ownership.md; audit.cpp recomputes them from scratch):
//   I1  A live segment has one owner or one transfer: never both, never neither.
//   I3  A transfer ends once: accepted, withdrawn, bounced or settled.
//   I4  A lent segment does not travel: only owned(me) can be offered.
//   I5  No memory is reused while a lease on it lives: recycle() and reclaim() look.
//
// Thread-safe but for `names`, and crash-safe: any process may die between any two instructions.

#include <span>
#include <utility>

#include "runtime/ledger/blocks.hpp"
#include "runtime/ledger/budget.hpp"
#include "runtime/ledger/counters.hpp"
#include "runtime/ledger/layout.hpp"
#include "runtime/ledger/lease_table.hpp"
#include "runtime/ledger/lives.hpp"
#include "runtime/ledger/marks.hpp"
#include "runtime/ledger/names.hpp"
#include "runtime/ledger/rings.hpp"
#include "runtime/ledger/segment_leases.hpp"
#include "runtime/ledger/segment_table.hpp"
#include "runtime/ledger/wills.hpp"

namespace baton::detail {

struct Ledger {
    // As LedgerLayout takes them.
    Ledger(std::span<std::byte> memory, LedgerLayout::Commit commit) : layout(memory, std::move(commit)) {}

    LedgerLayout layout;
    Lives lives{layout};
    Marks marks{layout};
    Blocks segment_blocks{Blocks::of_segments(layout)};
    Blocks lease_blocks{Blocks::of_leases(layout)};
    SegmentLeases segment_leases{layout, segment_blocks, lease_blocks};
    SegmentTable segments{layout, segment_leases};
    LeaseTable leases{layout};
    Names names{layout};
    Wills wills{layout};
    Budget budget{layout};
    Counters counters{layout, segment_blocks};
    Rings rings{layout};

    // ---- the coordinator: the blocks of both tables, as Blocks has them
    void adopt_blocks(ActorNumber dead, ActorNumber coordinator) noexcept {
        segment_blocks.adopt(dead, coordinator);
        lease_blocks.adopt(dead, coordinator);
    }
    void adopt_all_blocks(ActorNumber coordinator) noexcept {
        segment_blocks.adopt_all(coordinator);
        lease_blocks.adopt_all(coordinator);
    }
    void release_empty_blocks(ActorNumber coordinator) noexcept {
        segment_blocks.release_empty(coordinator, [this](Slot slot) { return segments.is_empty(slot); });
        lease_blocks.release_empty(coordinator, [this](Slot lease) {
            return leases.word_of(lease).phase == LeasePhase::free && !segment_leases.is_parked(lease);
        });
    }
};

}  // namespace baton::detail
