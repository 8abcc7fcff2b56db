#include "runtime/holdings/lending.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "runtime/base/check.hpp"
#include "runtime/base/crash_point.hpp"

namespace baton::detail {
namespace {

constexpr auto relaxed = std::memory_order_relaxed;

constexpr const char* only_lent = "only of what is lent are there leases";

}  // namespace

LentOut& lent(Holding& loan) {
    auto* const found = loan.as<LentOut>();
    check(found != nullptr, only_lent);
    return *found;
}
const LentOut& lent(const Holding& loan) {
    const auto* const found = loan.as<LentOut>();
    check(found != nullptr, only_lent);
    return *found;
}

Result<void> Lending::lend(Holding& holding) {
    const auto* const owned = holding.as<Owned>();
    if (owned == nullptr) return refused("only a segment that is owned can be lent");
    if (holding.exports > 0)
        return refused(fmt::format("{} has {} views: delete them first", book_.to_text(holding), holding.exports));
    heirs_.stamp(holding);
    const std::optional<Epoch> epoch = ledger().segments.lend(holding.slot, holding.epoch, holder_.number());
    if (!epoch) return refused(fmt::format("{} is not ours in the ledger", book_.to_text(holding)));
    pass_crash_point(CrashPoint::lend_made);
    holding.epoch = *epoch;
    holding.state = LentOut{.memory = Memory{owned->memory}, .name = {}, .lease_rows = {}, .pledges = {}};
    book_.invalidate(holding);
    holder_.note(Transition::lend, holding.slot, *epoch, 0);
    return {};
}

bool Lending::try_reclaim(Holding& holding) noexcept {
    const auto* const loan = holding.as<LentOut>();
    if (loan == nullptr) return false;
    endings_.unpublish(holding);  // before the look at the leases: nobody new comes
    heirs_.stamp(holding);
    const std::optional<Epoch> epoch = ledger().segments.reclaim(holding.slot, holding.epoch, holder_.number());
    if (!epoch) return false;
    pass_crash_point(CrashPoint::reclaim_made);
    holding.epoch = *epoch;
    holding.state = Owned{Memory{loan->memory}};
    book_.invalidate(holding);
    holder_.note(Transition::reclaim, holding.slot, *epoch, 0);
    return true;
}

Holding* Lending::pledge(Holding& loan, LeaseKind kind, std::uint64_t offset, Layout layout) {
    LentOut& lender = lent(loan);
    Holding& holding =
        book_.add(Pledge{kind, &loan, loan.ticket}, {loan.slot, loan.epoch, std::move(layout), offset});
    lender.was_sliced = lender.was_sliced || kind != LeaseKind::read;
    lender.pledges.push_back(&holding);
    return &holding;
}

bool Lending::overlaps(const Holding& loan, LeaseKind kind, std::uint64_t offset, std::uint64_t bytes) const noexcept {
    const LentOut& lender = lent(loan);
    // Most are never sliced, and have many leases.
    if (kind == LeaseKind::read && !lender.was_sliced && !lender.was_published) return false;
    const auto forbids = [&](LeaseKind other, std::uint64_t other_offset, std::uint64_t other_bytes) {
        const bool may_overlap = kind == other && kind != LeaseKind::slice;
        return !may_overlap && offset < other_offset + other_bytes && other_offset < offset + bytes;
    };
    const auto is_out_and_forbids = [&](Slot lease) {
        const LeaseRow& row = ledger().leases.row(lease);
        return ledger().leases.word_of(lease).phase != LeasePhase::free &&
               forbids(static_cast<LeaseKind>(row.kind.load(relaxed)), row.offset.load(relaxed),
                       row.bytes.load(relaxed));
    };
    if (std::ranges::any_of(lender.lease_rows, is_out_and_forbids)) return true;
    // An actor that has attached is not in our book.
    for (Slot lease = 0; lender.was_published && lease < ledger().lease_blocks.rows_used(); ++lease) {
        const LeaseRow& row = ledger().leases.row(lease);
        if (row.segment.load(relaxed) == loan.slot && row.segment_epoch.load(relaxed) == loan.epoch &&
            is_out_and_forbids(lease))
            return true;
    }
    return std::ranges::any_of(lender.pledges, [&](const Holding* one) {
        return forbids(one->as<Pledge>()->kind, one->offset, one->bytes);
    });
}

std::uint32_t Lending::leases_out(const Holding& loan) const noexcept {
    return ledger().segment_leases.live(loan.slot);
}

}  // namespace baton::detail
