#pragma once
// A ledger on the heap, whose rows a test may also write by hand.

#include "runtime/ledger/audit.hpp"
#include "runtime/ledger/ledger.hpp"

#include <cstdlib>
#include <memory>

#include "tests/catch.hpp"

namespace ledger_test {

using namespace baton;
using namespace baton::detail;

// Only numbers, as they stand in the words.
inline constexpr ActorNumber alice = 2;
inline constexpr ActorNumber bob = 3;
inline constexpr ActorNumber carol = 4;

// Writes a word as if transitions had led to it: the block is marked for whom it names.
inline void write_marked(Ledger& ledger, Slot slot, SegmentWord word) {
    for (const ActorNumber actor : {word.owner, word.heir})
        if (words::is_number(actor)) ledger.marks.mark_segment(actor, slot);
    ledger.segments.row(slot).word.store(word.packed());
}
inline void write_marked(Ledger& ledger, Slot lease, LeaseWord word) {
    for (const ActorNumber actor : {word.lender, word.borrower})
        if (words::is_number(actor)) ledger.marks.mark_lease(actor, lease);
    ledger.leases.row(lease).word.store(word.packed());
}

struct HeapLedger {
    static constexpr std::size_t page = 4096;
    // Zero, and taken from the system only where it is touched.
    std::unique_ptr<void, decltype(&std::free)> memory{std::calloc(LedgerLayout::region_bytes() + page, 1), &std::free};
    std::size_t commits = 0;
    Ledger ledger{region(), [this](std::size_t, std::size_t) { return ++commits, Result<void>{}; }};

    explicit HeapLedger(std::uint64_t budget = ~std::uint64_t{0}) {
        ledger.layout.format(budget).value();
        for (const ActorNumber number : {coordinator_id.number, alice, bob, carol})
            ledger.lives.give(ActorId{number, 1}, ~std::uint64_t{0}).value();
    }
    std::span<std::byte> region() {
        const auto at = reinterpret_cast<std::uintptr_t>(memory.get());
        return {reinterpret_cast<std::byte*>((at + page - 1) / page * page), LedgerLayout::region_bytes()};
    }
    // A row of alice's, which says so.
    Slot row(SegmentWord word) {
        const Slot slot = ledger.segment_blocks.claim(alice).value();
        write(slot, word);
        return slot;
    }
    Slot lease_row(LeaseWord word) {
        const Slot lease = ledger.lease_blocks.claim(alice).value();
        write(lease, word);
        return lease;
    }
    void write(Slot slot, SegmentWord word) { write_marked(ledger, slot, word); }
    void write(Slot lease, LeaseWord word) { write_marked(ledger, lease, word); }
};

// The invariants that an audit names, in the order of its findings.
inline std::vector<int> invariants(const std::vector<Finding>& findings) {
    std::vector<int> all;
    for (const Finding& finding : findings) all.push_back(finding.invariant);
    return all;
}

}  // namespace ledger_test

template <>
struct Catch::StringMaker<baton::detail::SegmentWord> {
    static std::string convert(const baton::detail::SegmentWord& word) {
        return std::string(baton::detail::name_of(word.phase)) + "(" + std::to_string(word.owner) + ", " +
               std::to_string(word.heir) + ")@" + std::to_string(word.epoch);
    }
};
