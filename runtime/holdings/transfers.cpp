#include "runtime/holdings/transfers.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "runtime/base/check.hpp"
#include "runtime/base/crash_point.hpp"
#include "runtime/base/planted_bug.hpp"

namespace baton::detail {
namespace {

constexpr auto relaxed = std::memory_order_relaxed;

constexpr Epoch after(Epoch epoch) noexcept { return (epoch + 1) & words::epoch_max; }

Error gone(ActorId actor) { return {ErrorKind::gone, fmt::format("actor {} has exited", to_string(actor))}; }

}  // namespace

// ---- out: T2 and L1 --------------------------------------------------------------------------------

Result<void> Transfers::depart(std::span<Holding* const> parcel, ActorId to) {
    if (to == holder_.me()) return refused("an actor can't give a segment to itself");
    for (std::size_t index = 0; index < parcel.size(); ++index) {
        Result<void> departed = depart_one(*parcel[index], to);
        if (departed) continue;
        for (Holding* const back : parcel.first(index)) {
            check(is_back(*back), "what nobody was told of can be taken back");
            // Mapped before, so this is cheap; if it fails, the next use says why.
            if (back->is<Owned>()) static_cast<void>(book_.map(*back));
        }
        return departed;
    }
    return {};
}

Result<void> Transfers::depart_one(Holding& holding, ActorId to) {
    if (holding.exports > 0)
        return refused(fmt::format("{} has {} views that are still alive: delete them first", book_.to_text(holding),
                                   holding.exports));
    if (holding.is<Owned>()) return offer_one(holding, to);
    if (holding.is<Pledge>()) return grant_one(holding, to);
    return refused(holding.is<Borrowed>()
                       ? fmt::format("{} is borrowed: only its lender can lend it on", book_.to_text(holding))
                       : std::string("a segment in the message is empty: it was moved from, or sent before"));
}

// T2, and the check of the life.
Result<void> Transfers::offer_one(Holding& holding, ActorId to) {
    ledger().marks.mark_segment(to.number, holding.slot);
    pass_crash_point(CrashPoint::offer_marked);
    heirs_.stamp(holding);
    const std::optional<Epoch> offered =
        ledger().segments.offer(holding.slot, holding.epoch, holder_.number(), to.number);
    if (!offered) return refused(fmt::format("{} is not ours in the ledger", book_.to_text(holding)));
    pass_crash_point(CrashPoint::offer_made);
    if (!ledger().lives.is_alive(to) && !is_planted(PlantedBug::offer_unlooked)) {
        const std::optional<Epoch> ours = end_offer(holding.slot, *offered, to.number);
        check(ours.has_value(), "what nobody was told of can be taken back");
        holding.epoch = *ours;
        return gone(to);
    }
    pass_crash_point(CrashPoint::offer_checked);
    holder_.note(Transition::offer, holding.slot, *offered, to.number);
    book_.unmap(holding);
    holding.epoch = *offered;
    holding.state = Offered{Memory{*holding.memory()}, to.number};
    return {};
}

// L1, and the check of the life.
Result<void> Transfers::grant_one(Holding& holding, ActorId to) {
    const Pledge pledge = *holding.as<Pledge>();
    LentOut* const lender = pledge.lender();
    if (lender == nullptr)
        return refused(fmt::format("{} is of a segment that is not lent any more", book_.to_text(holding)));
    const Result<LeaseRows::Row> row = lease_rows_.free_for(*lender);
    if (!row) return row.error();
    ledger().marks.mark_lease(to.number, row->lease);
    ledger().leases.describe(row->lease, holding.slot, holding.epoch, {pledge.kind, holding.offset, holding.bytes},
                             row->is_listed ? LeaseTable::Listing::stands : LeaseTable::Listing::joins);
    if (!row->is_listed) lender->lease_rows.push_back(row->lease);
    pass_crash_point(pledge.kind != LeaseKind::read ? CrashPoint::slice_written : CrashPoint::grant_written);
    const std::optional<Epoch> granted = ledger().leases.grant(row->lease, holder_.number(), to.number);
    check(granted.has_value(), "only its home grants a free lease");
    pass_crash_point(CrashPoint::grant_made);
    if (!ledger().lives.is_alive(to)) {
        check(end_grant(row->lease, *granted, to.number), "what nobody was told of can be taken back");
        return gone(to);
    }
    holder_.note(Transition::grant, row->lease, *granted, to.number);
    std::erase(lender->pledges, &holding);
    holding.state = Granted{pledge, row->lease, *granted, to.number};
    return {};
}

// ---- out: what has become of it --------------------------------------------------------------------

Transfers::Fate Transfers::fate_of(const Holding& holding) const noexcept {
    const ActorNumber me = holder_.number();
    if (const auto* offered = holding.as<Offered>()) {
        const SegmentWord word = ledger().segments.word_of(holding.slot);
        if (word == SegmentWord{Phase::offered, me, offered->heir, holding.epoch}) return Fate::under_way;
        return word == SegmentWord{Phase::owned, me, 0, after(holding.epoch)} ? Fate::ours : Fate::taken;
    }
    const auto* const granted = holding.as<Granted>();
    check(granted != nullptr, "a parcel in transit holds only what has departed");
    const LeaseWord word = ledger().leases.word_of(granted->lease);
    if (word == LeaseWord{LeasePhase::granted, me, granted->borrower, granted->lease_epoch}) return Fate::under_way;
    return word == LeaseWord{LeasePhase::free, 0, 0, after(granted->lease_epoch)} ? Fate::ours : Fate::taken;
}

bool Transfers::is_taken(Parcel& parcel) {
    std::vector<Holding*>& holdings = parcel.holdings;
    if (!parcel.was_taken && fate_of(*holdings.front()) != Fate::taken) return false;
    parcel.was_taken = true;
    std::erase_if(holdings, [this](Holding* holding) {
        const Fate fate = fate_of(*holding);
        if (fate == Fate::taken) book_.drop(*holding);
        if (fate == Fate::ours && is_back(*holding)) endings_.release(*holding);
        return fate != Fate::under_way;
    });
    return holdings.empty();
}

// T4, or nothing if the coordinator was first (T5). The epoch at which it is ours again; none if it is not.
std::optional<Epoch> Transfers::end_offer(Slot slot, Epoch offered, ActorNumber heir) noexcept {
    const ActorNumber me = holder_.number();
    if (const std::optional<Epoch> epoch = ledger().segments.withdraw(slot, offered, me, heir)) {
        pass_crash_point(CrashPoint::withdraw_made);
        holder_.note(Transition::withdraw, slot, *epoch, heir);
        return epoch;
    }
    const Epoch bounced = after(offered);
    if (ledger().segments.word_of(slot) != SegmentWord{Phase::owned, me, 0, bounced}) return std::nullopt;
    return bounced;
}

// L3, or nothing if the coordinator was first (L5). False if the lease was claimed.
bool Transfers::end_grant(Slot lease, Epoch granted, ActorNumber borrower) noexcept {
    if (const auto epoch = ledger().leases.withdraw(lease, granted, holder_.number(), borrower)) {
        pass_crash_point(CrashPoint::lease_withdrawn);
        holder_.note(Transition::lease_withdraw, lease, *epoch, borrower);
        return true;
    }
    return ledger().leases.word_of(lease) == LeaseWord{LeasePhase::free, 0, 0, after(granted)};
}

// True if it is ours again: by us (T4, L3), or by the coordinator, which left it in the same state.
bool Transfers::is_back(Holding& holding) noexcept {
    if (const auto* offered = holding.as<Offered>()) {
        const std::optional<Epoch> epoch = end_offer(holding.slot, holding.epoch, offered->heir);
        if (!epoch) return false;
        holding.epoch = *epoch;
        holding.state = Owned{Memory{offered->memory}};
        return true;
    }
    const auto* const granted = holding.as<Granted>();
    check(granted != nullptr, "a parcel in transit holds only what has departed");
    if (!end_grant(granted->lease, granted->lease_epoch, granted->borrower)) return false;
    const Pledge pledge = granted->pledge;
    holding.state = pledge;
    if (LentOut* const lender = pledge.lender(); lender != nullptr) lender->pledges.push_back(&holding);
    return true;
}

bool Transfers::take_back(Parcel& parcel) {
    std::vector<Holding*>& holdings = parcel.holdings;
    if (holdings.empty()) return !parcel.was_taken;
    if (parcel.was_taken || !is_back(*holdings.front())) {
        static_cast<void>(is_taken(parcel));
        return false;
    }
    std::erase_if(holdings, [this](Holding* holding) {
        if (!holding->is_in_transit() || is_back(*holding)) return false;
        book_.drop(*holding);  // only a receiver that takes the second and not the first comes here
        return true;
    });
    for (Holding* holding : holdings)
        if (holding->is<Owned>()) static_cast<void>(book_.map(*holding));
    return true;
}

// ---- in: T3 and L2 ---------------------------------------------------------------------------------

Holding& Transfers::expect(const Handle& handle, ActorNumber sender) {
    return book_.add(Arriving{handle.kind, handle.lease, handle.lease_epoch, sender},
                     {handle.slot, handle.epoch, handle.layout, handle.offset});
}

// True if the ledger says what the handle says.
bool Transfers::is_as_described(const Holding& holding, const Arriving& handle) const noexcept {
    const ActorNumber me = holder_.number();
    if (handle.kind == HandleKind::segment)
        return ledger().segments.word_of(holding.slot) ==
               SegmentWord{Phase::offered, handle.sender, me, holding.epoch};
    if (!ledger().lease_blocks.has(handle.lease)) return false;
    const LeaseRow& lease = ledger().leases.row(handle.lease);
    const auto kind = static_cast<LeaseKind>(lease.kind.load(relaxed));
    return ledger().leases.word_of(handle.lease) ==
               LeaseWord{LeasePhase::granted, handle.sender, me, handle.lease_epoch} &&
           lease.segment.load(relaxed) == holding.slot && lease.segment_epoch.load(relaxed) == holding.epoch &&
           (kind == LeaseKind::read) == (handle.kind == HandleKind::lease) &&
           lease.offset.load(relaxed) == holding.offset && lease.bytes.load(relaxed) == holding.bytes;
}

// If the ledger confirms the handle, the memory is mapped.
Result<void> Transfers::confirm(Holding& holding) {
    const Arriving handle = *holding.as<Arriving>();
    const auto not_so = [&] {
        return refused(
            fmt::format("{} is not on its way from actor {} to this one: the handle is stale, repeated, forged or "
                        "of another's",
                        book_.to_text(holding), handle.sender));
    };
    if (!ledger().segment_blocks.has(holding.slot)) return not_so();
    const SegmentRow& row = ledger().segments.row(holding.slot);
    const Memory memory = Memory::of(row);
    if (!is_as_described(holding, handle)) return not_so();
    const std::uint64_t start = handle.kind == HandleKind::segment ? 0 : holding.offset;
    std::uint64_t end = 0;
    if (__builtin_add_overflow(start, holding.bytes, &end) || end > memory.capacity) return not_so();
    holding.state = Confirmed{handle, memory};
    const Result<std::byte*> mapped = book_.map(holding);
    return mapped ? Result<void>{} : mapped.error();
}

// T3 or L2. False if the sender was first.
bool Transfers::take(Holding& holding, const Arriving& handle, const Memory& memory) noexcept {
    if (handle.kind == HandleKind::segment) {
        const auto epoch = ledger().segments.accept(holding.slot, holding.epoch, handle.sender, holder_.number());
        if (!epoch) return false;
        holding.epoch = *epoch;
        holding.state = Owned{memory};
        return true;
    }
    const auto epoch = ledger().leases.claim(handle.lease, handle.lease_epoch, handle.sender, holder_.number());
    if (!epoch) return false;
    holding.state = Borrowed{handle.kind, memory, handle.lease, *epoch, handle.sender};
    return true;
}

Result<void> Transfers::accept(std::span<Holding* const> parcel) {
    const auto refuse = [&](Error why) {
        // What had been accepted ends here, the rest was never ours.
        for (Holding* holding : parcel) endings_.release(*holding);
        if (why.kind == ErrorKind::refused || why.kind == ErrorKind::corrupt)
            ledger().counters.count_refused(holder_.number());
        return why;
    };
    for (Holding* holding : parcel)
        if (Result<void> confirmed = confirm(*holding); !confirmed) return refuse(confirmed.error());
    pass_crash_point(CrashPoint::arrival_mapped);
    for (Holding* holding : parcel) {
        const Confirmed arrived = *holding->as<Confirmed>();
        if (!take(*holding, arrived.handle, arrived.memory))
            return refuse(refused(
                fmt::format("{} was taken back by its sender before it was accepted", book_.to_text(*holding))));
        if (const auto* borrowed = holding->as<Borrowed>()) {
            pass_crash_point(CrashPoint::claim_made);
            holder_.note(Transition::claim, borrowed->lease, borrowed->lease_epoch, borrowed->lender);
        } else {
            pass_crash_point(CrashPoint::accept_made);
            holder_.note(Transition::accept, holding->slot, holding->epoch, arrived.handle.sender);
        }
    }
    return {};
}

void Transfers::accept_and_release(std::span<Holding* const> parcel) noexcept {
    for (Holding* holding : parcel) {
        const Arriving handle = *holding->as<Arriving>();
        const bool is_segment = handle.kind == HandleKind::segment;
        const bool is_row =
            is_segment ? ledger().segment_blocks.has(holding->slot) : ledger().lease_blocks.has(handle.lease);
        if (is_row) static_cast<void>(take(*holding, handle, Memory{}));  // nobody looks at it
        endings_.release(*holding);
    }
}

}  // namespace baton::detail
