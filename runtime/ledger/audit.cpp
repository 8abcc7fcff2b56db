#include "runtime/ledger/audit.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>

namespace baton::detail {
namespace {

constexpr auto relaxed = std::memory_order_relaxed;

struct Auditor {
    const Ledger& ledger;
    const std::vector<ActorNumber>& settling;
    std::vector<Finding> findings;

    void found(int invariant, std::string text) {
        if (findings.size() < limits::segments_listed_max) findings.push_back({invariant, std::move(text)});
    }
    [[nodiscard]] bool is_known(ActorNumber number) const {
        return ledger.lives.of(number).is_somebody() || std::ranges::find(settling, number) != settling.end();
    }

    // A death would overlook the row.
    void look_for_mark(ActorNumber actor, ActorNumber home, bool is_marked, std::string_view name) {
        if (home != actor && !is_marked && ledger.lives.of(actor).is_somebody())
            found(9, fmt::format("{} and names actor {}, for which its block is not marked", name, actor));
    }

    void look_at_segment(Slot slot) {
        const SegmentWord word = ledger.segments.word_of(slot);
        if (word.phase == Phase::free && word.owner == 0 && word.heir == 0) return;
        const std::string name = fmt::format("segment {}.{} is {}", slot, word.epoch, name_of(word.phase));
        if (word.phase == Phase::free)
            return found(1, fmt::format("{} and names actors {} and {}", name, word.owner, word.heir));
        if (static_cast<unsigned>(word.phase) > static_cast<unsigned>(Phase::retired))
            return found(1, fmt::format("{}", name));
        if (ledger.segment_blocks.home_of(slot) == 0)
            found(1, fmt::format("{} and lies in a block without a home", name));
        if (word.phase == Phase::retired) return;
        if (word.owner == 0) found(1, fmt::format("{} and has no owner", name));
        if (word.owner != 0 && !is_known(word.owner))
            found(6, fmt::format("{} and names actor {}, which has exited", name, word.owner));
        const bool has_heir = word.heir != 0;
        if (has_heir != (word.phase == Phase::offered)) found(1, fmt::format("{} with heir {}", name, word.heir));
        if (word.phase == Phase::offered && word.heir == word.owner)
            found(3, fmt::format("{} to its own owner {}", name, word.owner));
        for (const ActorNumber actor : {word.owner, word.heir})
            if (words::is_number(actor))
                look_for_mark(actor, ledger.segment_blocks.home_of(slot), ledger.marks.has_segment(actor, slot), name);
        if (has_heir && !is_known(word.heir))
            found(6, fmt::format("{} to actor {}, which has exited", name, word.heir));
        look_at_place(slot, name);
    }

    // The rows of one block lie on one shelf, or on none; otherwise some of its bytes could be another segment's too.
    void look_at_place(Slot slot, std::string_view name) {
        const SegmentRow& row = ledger.segments.row(slot);
        const std::uint64_t place_bytes = row.place_bytes.load(relaxed);
        if (row.bytes.load(relaxed) > place_bytes && place_bytes != 0)
            return found(5, fmt::format("{} and has {} bytes at a place of {}", name, row.bytes.load(relaxed),
                                        place_bytes));
        const Slot first = slot / limits::rows_per_block * limits::rows_per_block;
        for (Slot other = first; other < slot; ++other) {
            const SegmentRow& beside = ledger.segments.row(other);
            if (!ledger.segments.word_of(other).is_live()) continue;
            if (beside.place_bytes.load(relaxed) == place_bytes &&
                (place_bytes == 0 || beside.generation.load(relaxed) == row.generation.load(relaxed)))
                return;
            return found(5, fmt::format("{} and lies elsewhere than segment {} of its block", name, other));
        }
    }

    // All blocks, even those beyond the rows that are reported to be in use.
    void look_at_homes() {
        const auto look = [this](std::string_view what, Slot rows, const auto& home_of) {
            for (Slot row = 0; row < rows; row += limits::rows_per_block)
                if (const ActorNumber home = home_of(row); home != 0 && !is_known(home))
                    found(6, fmt::format("the block of {} from {} on has actor {} for its home, which has exited", what,
                                         row, home));
        };
        look("segments", limits::segments_max, [this](Slot row) { return ledger.segment_blocks.home_of(row); });
        look("leases", limits::leases_max, [this](Slot row) { return ledger.lease_blocks.home_of(row); });
    }

    void look_at_leases() {
        struct Range {
            std::uint64_t start;
            std::uint64_t end;
            Slot lease;
            LeaseKind kind;
        };
        std::map<Slot, std::vector<Range>> of_segment;
        for (Slot lease = 0; lease < ledger.lease_blocks.rows_used(); ++lease) {
            const LeaseWord word = ledger.leases.word_of(lease);
            if (word.phase == LeasePhase::free) continue;
            const LeaseRow& row = ledger.leases.row(lease);
            const std::uint64_t slot = row.segment.load(relaxed);
            const std::string name = fmt::format("lease {}.{} of segment {}", lease, word.epoch, slot);
            if (!ledger.segment_blocks.has(slot)) {
                found(5, fmt::format("{}, which is not a row", name));
                continue;
            }
            const SegmentWord segment = ledger.segments.word_of(static_cast<Slot>(slot));
            const Epoch lend = row.segment_epoch.load(relaxed);
            if (!segment.is_of_lend(lend))
                found(5, fmt::format("{} lives, but the segment is {} at epoch {}, lent at {}", name,
                                     name_of(segment.phase), segment.epoch, lend));
            // A claimed one outlives its lender, a granted one is settled with it.
            if (word.phase == LeasePhase::granted && !is_known(word.lender))
                found(6, fmt::format("{} names lender {}, which has exited", name, word.lender));
            if (!is_known(word.borrower))
                found(6, fmt::format("{} names borrower {}, which has exited", name, word.borrower));
            if (words::is_number(word.borrower))
                look_for_mark(word.borrower, ledger.lease_blocks.home_of(lease),
                              ledger.marks.has_lease(word.borrower, lease), name);
            if (row.kind.load(relaxed) > static_cast<std::uint64_t>(LeaseKind::shared)) {
                found(2, fmt::format("{} is of no known kind", name));
                continue;
            }
            of_segment[static_cast<Slot>(slot)].push_back({row.offset.load(relaxed),
                                                           row.offset.load(relaxed) + row.bytes.load(relaxed), lease,
                                                           static_cast<LeaseKind>(row.kind.load(relaxed))});
        }
        for (auto& [slot, ranges] : of_segment) {
            std::ranges::sort(ranges, {}, &Range::start);
            // Of the ranges of each kind that begin before it, the one that reaches furthest meets it if any does.
            // Those of one kind may overlap, but for exclusive slices.
            std::array<const Range*, 3> furthest{};
            for (const Range& range : ranges) {
                const auto kind = static_cast<std::size_t>(range.kind);
                for (std::size_t other = 0; other < furthest.size(); ++other) {
                    const bool may_overlap = other == kind && range.kind != LeaseKind::slice;
                    if (const Range* before = furthest[other];
                        !may_overlap && before != nullptr && before->end > range.start)
                        found(2, fmt::format("leases {} and {} of segment {} overlap and one may write", before->lease,
                                             range.lease, slot));
                }
                if (furthest[kind] == nullptr || range.end > furthest[kind]->end) furthest[kind] = &range;
            }
        }
    }
};

}  // namespace

std::vector<Finding> audit(const Ledger& ledger, const std::vector<ActorNumber>& settling, Audited what) {
    Auditor auditor{ledger, settling, {}};
    for (Slot slot = 0; slot < ledger.segment_blocks.rows_used(); ++slot) auditor.look_at_segment(slot);
    auditor.look_at_leases();
    if (what == Audited::all_blocks) auditor.look_at_homes();
    return std::move(auditor.findings);
}

std::vector<Finding> audit_end(const Ledger& ledger) {
    std::vector<Finding> findings;
    const auto has_room = [&findings] { return findings.size() < limits::segments_listed_max; };
    for (Slot slot = 0; slot < ledger.segment_blocks.rows_used() && has_room(); ++slot)
        if (const SegmentWord word = ledger.segments.word_of(slot); word.phase != Phase::free)
            findings.push_back({7, fmt::format("segment {}.{} is still {} by actor {}", slot, word.epoch,
                                               name_of(word.phase), word.owner)});
    for (Slot lease = 0; lease < ledger.lease_blocks.rows_used() && has_room(); ++lease)
        if (ledger.leases.word_of(lease).phase != LeasePhase::free)
            findings.push_back({7, fmt::format("lease {} is still out", lease)});
    return findings;
}

}  // namespace baton::detail
