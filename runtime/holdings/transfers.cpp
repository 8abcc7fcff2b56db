// The transfers of Holdings: what departs to others, and what arrives from them (T2 to T4, L1 to L4).
#include <fmt/format.h>

#include <algorithm>

#include "runtime/base/check.hpp"
#include "runtime/base/crash_point.hpp"
#include "runtime/holdings/holdings.hpp"

namespace baton::detail {
namespace {

constexpr auto relaxed = std::memory_order_relaxed;

Error refused(std::string text) { return Error{ErrorKind::refused, std::move(text)}; }

}  // namespace

// ---- transfers out ---------------------------------------------------------------------------------

Result<void> Holdings::depart_one(Holding& holding, ActorId to) {
    const auto gone = [&] { return Error{ErrorKind::gone, fmt::format("actor {} has exited", to_string(to))}; };
    if (holding.exports > 0)
        return refused(fmt::format("{} has {} views that are still alive: delete them first", to_text(holding),
                                   holding.exports));
    if (holding.state == Holding::State::owned) {
        const std::optional<Epoch> epoch = ledger().offer(holding.slot, holding.epoch, me_.number, to.number);
        if (!epoch) return refused(fmt::format("{} is not ours in the ledger", to_text(holding)));
        pass_crash_point(CrashPoint::offer_made);
        holding.epoch = *epoch;
        holding.other = to.number;
        if (!ledger().is_alive(to)) {
            undo_departure(holding);
            return gone();
        }
        pass_crash_point(CrashPoint::offer_checked);
        note(Transition::offer, holding.slot, *epoch, to.number);
        unmap(holding);
        holding.state = Holding::State::departing;
        return {};
    }
    if (holding.state != Holding::State::pledge)
        return refused(holding.state == Holding::State::borrowed
                           ? fmt::format("{} is borrowed: only its lender can lend it on", to_text(holding))
                           : std::string("a segment in the message is empty: it was moved from, or sent before"));
    Holding* lender = holding.lender;
    if (lender->ticket != holding.lender_ticket || lender->state != Holding::State::lent)
        return refused(fmt::format("{} is of a segment that is not lent any more", to_text(holding)));
    bool is_linked = false;
    Result<Slot> row = free_lease(*lender, is_linked);
    if (!row) return row.error();
    const LeaseKind kind = holding.lease_kind();
    ledger().describe_lease(*row, holding.slot, lender->epoch, {kind, holding.offset, holding.bytes},
                            is_linked ? Ledger::Listing::stands : Ledger::Listing::joins);
    if (!is_linked) lender->lease_rows.push_back(*row);
    pass_crash_point(kind != LeaseKind::read ? CrashPoint::slice_written : CrashPoint::grant_written);
    const std::optional<Epoch> epoch = ledger().grant(*row, me_.number, to.number);
    check(epoch.has_value(), "only its home grants a free lease");
    pass_crash_point(CrashPoint::grant_made);
    holding.lease = *row;
    holding.lease_epoch = *epoch;
    holding.other = to.number;
    holding.data = nullptr;
    if (!ledger().is_alive(to)) {
        undo_departure(holding);
        return gone();
    }
    note(Transition::grant, *row, *epoch, to.number);
    std::erase(lender->pledges, &holding);
    holding.state = Holding::State::departing;
    return {};
}

Result<void> Holdings::depart(std::span<Holding* const> parcel, ActorId to) {
    if (to == me_) return refused("an actor can't give a segment to itself");
    for (std::size_t index = 0; index < parcel.size(); ++index) {
        Result<void> departed = depart_one(*parcel[index], to);
        if (departed) continue;
        for (std::size_t back = 0; back < index; ++back) undo_departure(*parcel[back]);
        return departed;
    }
    return {};
}

Holdings::Fate Holdings::fate_of(const Holding& holding) const noexcept {
    if (holding.kind == HandleKind::segment) {
        const SegmentWord word = ledger().word_of(holding.slot);
        if (word == SegmentWord{Phase::offered, me_.number, holding.other, holding.epoch}) return Fate::under_way;
        return word == SegmentWord{Phase::owned, me_.number, 0, (holding.epoch + 1) & words::epoch_max} ? Fate::ours
                                                                                                        : Fate::taken;
    }
    const LeaseWord word = ledger().lease_word_of(holding.lease);
    if (word == LeaseWord{LeasePhase::granted, me_.number, holding.other, holding.lease_epoch}) return Fate::under_way;
    return word == LeaseWord{LeasePhase::free, 0, 0, (holding.lease_epoch + 1) & words::epoch_max} ? Fate::ours
                                                                                                   : Fate::taken;
}

bool Holdings::is_taken(Parcel& parcel) {
    std::vector<Holding*>& holdings = parcel.holdings;
    if (!parcel.was_taken && fate_of(*holdings.front()) != Fate::taken) return false;
    parcel.was_taken = true;
    std::erase_if(holdings, [this](Holding* holding) {
        const Fate fate = fate_of(*holding);
        if (fate == Fate::taken) drop(*holding);
        if (fate == Fate::ours && is_back(*holding)) release(*holding);
        return fate != Fate::under_way;
    });
    return holdings.empty();
}

// True if it is ours again: by us (T4, L3), or by the coordinator, which left it in the same state.
bool Holdings::is_back(Holding& holding) noexcept {
    if (holding.kind == HandleKind::segment) {
        std::optional<Epoch> epoch = ledger().withdraw(holding.slot, holding.epoch, me_.number, holding.other);
        if (epoch) {
            pass_crash_point(CrashPoint::withdraw_made);
            note(Transition::withdraw, holding.slot, *epoch, holding.other);
        } else {
            epoch = (holding.epoch + 1) & words::epoch_max;
            if (ledger().word_of(holding.slot) != SegmentWord{Phase::owned, me_.number, 0, *epoch}) return false;
        }
        holding.epoch = *epoch;
        holding.state = Holding::State::owned;
        return true;
    }
    if (const auto epoch = ledger().withdraw_lease(holding.lease, holding.lease_epoch, me_.number, holding.other)) {
        pass_crash_point(CrashPoint::lease_withdrawn);
        note(Transition::lease_withdraw, holding.lease, *epoch, holding.other);
    } else if (ledger().lease_word_of(holding.lease) !=
               LeaseWord{LeasePhase::free, 0, 0, (holding.lease_epoch + 1) & words::epoch_max}) {
        return false;
    }
    const bool is_listed = std::exchange(holding.state, Holding::State::pledge) == Holding::State::pledge;
    if (!is_listed && holding.lender->ticket == holding.lender_ticket) holding.lender->pledges.push_back(&holding);
    return true;
}

void Holdings::undo_departure(Holding& holding) noexcept {
    check(is_back(holding), "what nobody was told of can be taken back");
    // Mapped before, so this is cheap; if it fails, the next use says why.
    if (holding.kind == HandleKind::segment) static_cast<void>(map(holding));
}

bool Holdings::take_back(Parcel& parcel) {
    std::vector<Holding*>& holdings = parcel.holdings;
    if (holdings.empty()) return !parcel.was_taken;
    if (parcel.was_taken || !is_back(*holdings.front())) {
        static_cast<void>(is_taken(parcel));
        return false;
    }
    std::erase_if(holdings, [this](Holding* holding) {
        if (holding->state != Holding::State::departing || is_back(*holding)) return false;
        drop(*holding);  // only a receiver that takes the second and not the first comes here
        return true;
    });
    for (Holding* holding : holdings)
        if (holding->state == Holding::State::owned) static_cast<void>(map(*holding));
    return true;
}

// ---- transfers in ----------------------------------------------------------------------------------

Holding& Holdings::expect(const Handle& handle, ActorNumber sender) {
    Holding& holding = fresh();
    holding.state = Holding::State::arriving;
    holding.kind = handle.kind;
    holding.slot = handle.slot;
    holding.epoch = handle.epoch;
    holding.layout = handle.layout;
    holding.bytes = handle.layout.bytes().value_or(0);
    holding.lease = handle.lease;
    holding.lease_epoch = handle.lease_epoch;
    holding.offset = handle.offset;
    holding.other = sender;
    return holding;
}

// True if the ledger confirms the handle; then the memory is mapped.
Result<void> Holdings::open(Holding& holding) {
    const auto not_so = [&] {
        return refused(
            fmt::format("{} is not on its way from actor {} to this one: the handle is stale, repeated, forged or "
                        "of another's",
                        to_text(holding), holding.other));
    };
    if (!ledger().is_slot(holding.slot)) return not_so();
    const SegmentRow& row = ledger().segment(holding.slot);
    holding.generation = row.generation.load(relaxed);
    holding.capacity = row.bytes.load(relaxed);
    std::uint64_t end = holding.bytes;
    if (holding.kind == HandleKind::segment) {
        if (ledger().word_of(holding.slot) != SegmentWord{Phase::offered, holding.other, me_.number, holding.epoch})
            return not_so();
    } else {
        if (!ledger().is_lease(holding.lease)) return not_so();
        const LeaseRow& lease = ledger().lease(holding.lease);
        const auto kind = static_cast<LeaseKind>(lease.kind.load(relaxed));
        const bool is_so = ledger().lease_word_of(holding.lease) ==
                               LeaseWord{LeasePhase::granted, holding.other, me_.number, holding.lease_epoch} &&
                           lease.segment.load(relaxed) == holding.slot &&
                           lease.segment_epoch.load(relaxed) == holding.epoch &&
                           (kind == LeaseKind::read) == (holding.kind == HandleKind::lease) &&
                           lease.offset.load(relaxed) == holding.offset && lease.bytes.load(relaxed) == holding.bytes;
        if (!is_so) return not_so();
        if (__builtin_add_overflow(holding.offset, holding.bytes, &end)) return not_so();
    }
    if (end > holding.capacity) return not_so();
    return map(holding);
}

void Holdings::accept_and_release(std::span<Holding* const> parcel) noexcept {
    for (Holding* holding : parcel) {
        const bool is_segment = holding->kind == HandleKind::segment;
        std::optional<Epoch> epoch;
        if (is_segment && ledger().is_slot(holding->slot))
            epoch = ledger().accept(holding->slot, holding->epoch, holding->other, me_.number);
        if (!is_segment && ledger().is_lease(holding->lease))
            epoch = ledger().claim(holding->lease, holding->lease_epoch, holding->other, me_.number);
        if (epoch) {
            (is_segment ? holding->epoch : holding->lease_epoch) = *epoch;
            holding->state = is_segment ? Holding::State::owned : Holding::State::borrowed;
        }
        release(*holding);
    }
}

Result<void> Holdings::accept(std::span<Holding* const> parcel) {
    const auto refuse = [&](Error why) {
        for (Holding* holding : parcel) release(*holding);  // what had been accepted ends here, the rest was never ours
        if (why.kind == ErrorKind::refused || why.kind == ErrorKind::corrupt) count_refused();
        return why;
    };
    for (Holding* holding : parcel)
        if (Result<void> opened = open(*holding); !opened) return refuse(opened.error());
    pass_crash_point(CrashPoint::arrival_mapped);
    for (Holding* holding : parcel) {
        const bool is_segment = holding->kind == HandleKind::segment;
        const std::optional<Epoch> epoch =
            is_segment ? ledger().accept(holding->slot, holding->epoch, holding->other, me_.number)
                       : ledger().claim(holding->lease, holding->lease_epoch, holding->other, me_.number);
        if (!epoch)
            return refuse(
                refused(fmt::format("{} was taken back by its sender before it was accepted", to_text(*holding))));
        pass_crash_point(is_segment ? CrashPoint::accept_made : CrashPoint::claim_made);
        (is_segment ? holding->epoch : holding->lease_epoch) = *epoch;
        holding->state = is_segment ? Holding::State::owned : Holding::State::borrowed;
        note(is_segment ? Transition::accept : Transition::claim, is_segment ? holding->slot : holding->lease, *epoch,
             holding->other);
    }
    return {};
}

}  // namespace baton::detail
