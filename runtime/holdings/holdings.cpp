#include "runtime/holdings/holdings.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "runtime/base/check.hpp"
#include "runtime/base/crash_point.hpp"

namespace baton::detail {
namespace {

constexpr auto relaxed = std::memory_order_relaxed;

Error refused(std::string text) { return Error{ErrorKind::refused, std::move(text)}; }

}  // namespace

Handle Holding::handle() const { return {kind, slot, epoch, layout, lease, lease_epoch, offset}; }

LeaseKind Holding::lease_kind() const noexcept {
    if (kind == HandleKind::lease) return LeaseKind::read;
    return is_shared ? LeaseKind::shared : LeaseKind::slice;
}

Holdings::Holdings(LedgerRegion region, std::string session_id, ActorId me, const Clock& clock, Store::Idle idle)
    : region_(std::move(region)), store_(std::move(session_id), idle), me_(me), clock_(&clock) {}

Holdings::~Holdings() = default;

// ---- the book --------------------------------------------------------------------------------------

Holding& Holdings::fresh() {
    if (unused_.empty()) return book_.emplace_back();
    Holding& holding = *unused_.back();
    unused_.pop_back();
    return holding;
}

void Holdings::drop(Holding& holding) noexcept {
    unmap(holding);
    if (holding.lender != nullptr && holding.lender->ticket == holding.lender_ticket)
        std::erase(holding.lender->pledges, &holding);
    holding.pledges.clear();
    ++holding.ticket;
    holding.state = Holding::State::none;
    holding.kind = HandleKind::segment;
    holding.offset = 0;
    holding.exports = 0;
    holding.published.reset();
    holding.is_shared = false;
    holding.lender = nullptr;
    holding.lease_rows.clear();
    unused_.push_back(&holding);
}

void Holdings::note(Transition transition, Slot slot, Epoch epoch, ActorNumber partner) noexcept {
    const std::int64_t now = clock_->now().time_since_epoch().count();
    if (transition < Transition::grant) ledger().segments.row(slot).since.store(now, relaxed);
    ledger().rings.note(me_.number, transition, slot, epoch, partner, now);
}

std::string Holdings::to_text(const Holding& holding) const {
    return fmt::format("{} {}.{} ({})", name_of(holding.kind), holding.slot, holding.epoch,
                       baton::to_text(holding.layout));
}

Mapping::Access Holdings::access_of(const Holding& holding) const noexcept {
    return holding.kind == HandleKind::lease ? Mapping::Access::read : Mapping::Access::write;
}

Result<void> Holdings::map(Holding& holding) {
    if (holding.lender != nullptr) {  // our own, not sent yet: it lies where its lender has it mapped
        const bool is_lent = holding.lender->ticket == holding.lender_ticket && holding.lender->data != nullptr;
        holding.data = is_lent ? holding.lender->data + holding.offset : nullptr;
        if (!is_lent) return refused(fmt::format("{} is of a segment that is not lent any more", to_text(holding)));
        return {};
    }
    if (holding.data != nullptr) return {};
    const bool is_part = holding.kind != HandleKind::segment;  // of what may be far larger
    Result<std::byte*> start =
        store_.pin(holding.block(), holding.capacity, access_of(holding),
                   is_part ? Store::Part{holding.offset, holding.bytes} : Store::Part{0, holding.capacity});
    if (!start) return start.error();
    holding.data = *start + holding.offset;
    return {};
}

void Holdings::unmap(Holding& holding) noexcept {
    if (holding.data == nullptr) return;
    holding.data = nullptr;
    if (holding.lender == nullptr) store_.unpin(holding.block(), access_of(holding));
}

// ---- T7, T8, leases --------------------------------------------------------------------------------

Result<void> Holdings::lend(Holding& holding) {
    if (holding.state != Holding::State::owned) return refused("only a segment that is owned can be lent");
    if (holding.exports > 0)
        return refused(fmt::format("{} has {} views: delete them first", to_text(holding), holding.exports));
    const std::optional<Epoch> epoch = ledger().segments.lend(holding.slot, holding.epoch, me_.number);
    if (!epoch) return refused(fmt::format("{} is not ours in the ledger", to_text(holding)));
    pass_crash_point(CrashPoint::lend_made);
    holding.epoch = *epoch;
    holding.state = Holding::State::lent;
    holding.was_sliced = false;
    holding.was_published = false;
    holding.lease_rows.clear();
    holding.pledges.clear();
    ++holding.ticket;
    note(Transition::lend, holding.slot, *epoch, 0);
    return {};
}

bool Holdings::try_reclaim(Holding& holding) noexcept {
    unpublish(holding);  // before the look at the leases: nobody new comes
    const std::optional<Epoch> epoch = ledger().segments.reclaim(holding.slot, holding.epoch, me_.number);
    if (!epoch) return false;
    pass_crash_point(CrashPoint::reclaim_made);
    holding.epoch = *epoch;
    holding.state = Holding::State::owned;
    holding.lease_rows.clear();
    holding.pledges.clear();
    ++holding.ticket;
    note(Transition::reclaim, holding.slot, *epoch, 0);
    return true;
}

Holding* Holdings::pledge(Holding& lent, LeaseKind kind, std::uint64_t offset, Layout layout) {
    Holding& holding = fresh();
    holding.state = Holding::State::pledge;
    holding.kind = kind == LeaseKind::read ? HandleKind::lease : HandleKind::slice;
    holding.is_shared = kind == LeaseKind::shared;
    holding.slot = lent.slot;
    holding.epoch = lent.epoch;
    holding.generation = lent.generation;
    holding.capacity = lent.capacity;
    holding.offset = offset;
    holding.bytes = layout.bytes().value_or(0);
    holding.layout = std::move(layout);
    holding.lender = &lent;
    holding.lender_ticket = lent.ticket;
    lent.was_sliced = lent.was_sliced || kind != LeaseKind::read;
    lent.pledges.push_back(&holding);
    return &holding;
}

bool Holdings::overlaps(const Holding& lent, LeaseKind kind, std::uint64_t offset, std::uint64_t bytes) const noexcept {
    // Most are never sliced, and have many leases.
    if (kind == LeaseKind::read && !lent.was_sliced && !lent.was_published) return false;
    const auto forbids = [&](LeaseKind other, std::uint64_t other_offset, std::uint64_t other_bytes) {
        const bool may_overlap = kind == other && kind != LeaseKind::slice;
        return !may_overlap && offset < other_offset + other_bytes && other_offset < offset + bytes;
    };
    for (const Slot row : lent.lease_rows) {
        const LeaseRow& lease = ledger().leases.row(row);
        if (ledger().leases.word_of(row).phase != LeasePhase::free &&
            forbids(static_cast<LeaseKind>(lease.kind.load(relaxed)), lease.offset.load(relaxed),
                    lease.bytes.load(relaxed)))
            return true;
    }
    // An actor that has attached is not in our book.
    for (Slot row = 0; lent.was_published && row < ledger().lease_blocks.rows_used(); ++row) {
        const LeaseRow& lease = ledger().leases.row(row);
        if (ledger().leases.word_of(row).phase != LeasePhase::free && lease.segment.load(relaxed) == lent.slot &&
            lease.segment_epoch.load(relaxed) == lent.epoch &&
            forbids(static_cast<LeaseKind>(lease.kind.load(relaxed)), lease.offset.load(relaxed),
                    lease.bytes.load(relaxed)))
            return true;
    }
    return std::ranges::any_of(lent.pledges,
                               [&](const Holding* one) { return forbids(one->lease_kind(), one->offset, one->bytes); });
}

std::uint32_t Holdings::leases_out(const Holding& lent) const noexcept {
    return ledger().segment_leases.live(lent.slot);
}

Result<Slot> Holdings::free_lease(Holding& lent, bool& is_linked) {
    // One that this lend has had before and that came back.
    is_linked = true;
    const std::size_t looks = std::min<std::size_t>(lent.lease_rows.size(), limits::recycle_looks_max);
    for (std::size_t look = 0; look < looks; ++look, ++lease_cursor_) {
        const Slot row = lent.lease_rows[lease_cursor_ % lent.lease_rows.size()];
        if (ledger().leases.word_of(row).phase == LeasePhase::free) return row;
    }
    is_linked = false;
    return unlinked_lease();
}

// A row of ours that stands in nobody's list.
Result<Slot> Holdings::unlinked_lease() {
    const std::uint64_t rows = lease_blocks_.size() * limits::rows_per_block;
    const std::uint64_t used = rows - fresh_leases_;
    for (std::uint64_t look = 0; look < std::min<std::uint64_t>(used, limits::recycle_looks_max);
         ++look, ++used_lease_cursor_) {
        const Slot row = lease_row(used_lease_cursor_ % used);
        if (ledger().leases.word_of(row).phase == LeasePhase::free && !ledger().segment_leases.is_parked(row))
            return row;
    }
    if (fresh_leases_ > 0) return lease_row(rows - fresh_leases_--);
    Result<Slot> first = ledger().lease_blocks.claim(me_.number);
    if (!first) return first;
    lease_blocks_.push_back(*first);
    fresh_leases_ = limits::rows_per_block - 1;
    return *first;
}

Slot Holdings::lease_row(std::uint64_t at) const noexcept {
    return lease_blocks_[at / limits::rows_per_block] + static_cast<Slot>(at % limits::rows_per_block);
}

}  // namespace baton::detail
