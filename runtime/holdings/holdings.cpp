#include "runtime/holdings/holdings.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "runtime/base/check.hpp"
#include "runtime/base/crash_point.hpp"
#include "runtime/memory/size_class.hpp"

namespace baton {
namespace {

constexpr auto relaxed = std::memory_order_relaxed;

Error refused(std::string text) { return Error{ErrorKind::refused, std::move(text)}; }

LeaseKind lease_kind_of(const Holding& pledge) {
    if (pledge.kind == HandleKind::lease) return LeaseKind::read;
    return pledge.is_shared ? LeaseKind::shared : LeaseKind::slice;
}

Store::Block block_of(const Holding& holding) { return {holding.slot, holding.generation}; }

}  // namespace

Handle Holding::handle() const { return {kind, slot, epoch, layout, lease, lease_epoch, offset}; }

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
    if (holding.lender != nullptr && holding.lender->ticket == holding.lender_ticket) std::erase(holding.lender->pledges, &holding);
    holding.pledges.clear();
    ++holding.ticket;
    holding.state = Holding::State::none;
    holding.kind = HandleKind::segment;
    holding.offset = 0;
    holding.exports = 0;
    holding.is_shared = false;
    holding.lender = nullptr;
    holding.lease_rows.clear();
    unused_.push_back(&holding);
}

void Holdings::note(Transition transition, Slot slot, Epoch epoch, ActorNumber partner) noexcept {
    const std::int64_t now = clock_->now().time_since_epoch().count();
    if (transition < Transition::grant) ledger().segment(slot).since.store(now, relaxed);
    ledger().note(me_.number, transition, slot, epoch, partner, now);
}

std::string Holdings::describe(const Holding& holding) const {
    return fmt::format("{} {}.{} ({})", name_of(holding.kind), holding.slot, holding.epoch, to_text(holding.layout));
}

Mapping::Access Holdings::access_of(const Holding& holding) const noexcept {
    return holding.kind == HandleKind::lease ? Mapping::Access::read : Mapping::Access::write;
}

Result<void> Holdings::map(Holding& holding) {
    if (holding.lender != nullptr) {  // our own, not sent yet: it lies where its lender has it mapped
        const bool is_lent = holding.lender->ticket == holding.lender_ticket && holding.lender->data != nullptr;
        holding.data = is_lent ? holding.lender->data + holding.offset : nullptr;
        if (!is_lent) return refused(fmt::format("{} is of a segment that is lent no more", describe(holding)));
        return {};
    }
    if (holding.data != nullptr) return {};
    const bool is_part = holding.kind == HandleKind::slice;  // of what may be far larger
    Result<std::byte*> start =
        store_.pin(block_of(holding), holding.capacity, access_of(holding),
                   is_part ? Store::Part{holding.offset, holding.bytes} : Store::Part{0, holding.capacity});
    if (!start) return start.error();
    holding.data = *start + holding.offset;
    return {};
}

void Holdings::unmap(Holding& holding) noexcept {
    if (holding.data == nullptr) return;
    holding.data = nullptr;
    if (holding.lender == nullptr) store_.unpin(block_of(holding), access_of(holding));
}

// ---- T1: a row of our own blocks, and memory for it ------------------------------------------------

Result<Slot> Holdings::empty_slot() {
    if (empty_.empty()) {
        Result<Slot> first = ledger().claim_segment_block(me_.number);
        if (!first) return first;
        blocks_.push_back(*first);
        // Backwards, so that the first row is taken first.
        for (Slot row = limits::rows_per_block; row-- > 0;) empty_.push_back(*first + row);
    }
    const Slot slot = empty_.back();
    empty_.pop_back();
    return slot;
}

std::optional<Slot> Holdings::pooled(std::uint64_t capacity) {
    const auto found = pool_.find(capacity);
    if (found == pool_.end() || found->second.empty()) return std::nullopt;
    const Slot slot = found->second.back();
    found->second.pop_back();
    pooled_bytes_ -= capacity;
    return slot;
}

Result<Holding*> Holdings::create(Layout layout) {
    const std::optional<std::uint64_t> bytes = layout.bytes();
    if (!bytes || *bytes > limits::segment_bytes_max)
        return refused(fmt::format("a segment of {} is not possible: it has an element type of NumPy's and at most {} bytes "
                                   "(limits::segment_bytes_max)", to_text(layout), limits::segment_bytes_max));
    if (layout.shape.size() > limits::shape_dimensions_max)
        return refused(fmt::format("a segment has at most {} dimensions (limits::shape_dimensions_max)",
                                   limits::shape_dimensions_max));
    const std::uint64_t capacity = size_class_of(*bytes);
    std::optional<Slot> slot = pooled(capacity);
    if (!slot) {
        come_home(limits::recycle_looks_max);
        slot = pooled(capacity);
    }
    const bool has_memory = slot.has_value();
    if (!has_memory) {
        if (!claim_bytes(capacity))
            return Error{ErrorKind::overloaded,
                         fmt::format("no memory for a segment of {} bytes: this actor's segments take {} of {} bytes, the "
                                     "session's {} of {}", capacity, ledger().bytes_of_home(me_.number),
                                     ledger().budget_bytes_of(me_.number), ledger().bytes_in_session(),
                                     ledger().session_budget_bytes())};
        Result<Slot> empty = empty_slot();
        if (!empty) {
            ledger().return_bytes(me_.number, capacity);
            return empty.error();
        }
        slot = *empty;
    }

    SegmentRow& row = ledger().segment(*slot);
    if (!has_memory) row.generation.store(row.generation.load(relaxed) + 1, relaxed);
    ledger().intend(me_.number, Count::created, *slot);
    pass_crash_point(CrashPoint::create_intended);
    const std::optional<Epoch> epoch = ledger().create(*slot, me_.number);
    check(epoch.has_value(), "only its home takes a free row into use");
    pass_crash_point(CrashPoint::create_made);
    ledger().count(me_.number, Count::created);
    pass_crash_point(CrashPoint::create_counted);
    note(Transition::create, *slot, *epoch, 0);

    Holding& holding = fresh();
    holding.state = Holding::State::owned;
    holding.slot = *slot;
    holding.epoch = *epoch;
    holding.generation = row.generation.load(relaxed);
    holding.capacity = capacity;
    holding.bytes = *bytes;
    holding.layout = std::move(layout);
    row.used_bytes.store(*bytes, relaxed);
    const Store::Block block = block_of(holding);
    Result<std::byte*> data =
        has_memory ? store_.pin(block, capacity, Mapping::Access::write, {0, capacity}) : store_.make(block, capacity);
    if (!has_memory && !data && data.error().kind == ErrorKind::overloaded && has_pooled()) {
        trim();  // what lies in the pool in other sizes is memory of the machine too
        data = store_.make(block, capacity);
    }
    if (!data) {
        if (!has_memory) ledger().return_bytes(me_.number, capacity);
        release(holding);
        return data.error();
    }
    if (!has_memory) row.bytes.store(capacity, relaxed);
    holding.data = *data;
    return &holding;
}

bool Holdings::claim_bytes(std::uint64_t bytes) noexcept {
    if (ledger().claim_bytes(me_.number, bytes)) return true;
    // What lies in the pool in other sizes, and what has come home since the last look, makes room.
    trim();
    return ledger().claim_bytes(me_.number, bytes);
}

// ---- T9 and T10 ------------------------------------------------------------------------------------

void Holdings::release(Holding& holding) noexcept {
    switch (holding.state) {
        case Holding::State::owned:
        case Holding::State::lent: {
            ledger().intend(me_.number, Count::released, holding.slot);
            pass_crash_point(CrashPoint::retire_intended);
            const std::optional<Epoch> epoch = ledger().retire(holding.slot, holding.epoch, me_.number);
            pass_crash_point(CrashPoint::retire_made);
            if (epoch) {
                ledger().count(me_.number, Count::released);
                pass_crash_point(CrashPoint::retire_counted);
                note(Transition::retire, holding.slot, *epoch, 0);
            } else {
                ledger().forget_intent(me_.number);  // the session has ended without us
            }
            unmap(holding);
            if (epoch && ledger().home_of(holding.slot) == me_.number) take_home(holding.slot);
            break;
        }
        case Holding::State::borrowed:
            unmap(holding);
            if (const auto epoch = ledger().drop(holding.lease, holding.lease_epoch, holding.other, me_.number)) {
                pass_crash_point(CrashPoint::drop_made);
                note(Transition::drop, holding.lease, *epoch, holding.other);
            }
            break;
        case Holding::State::departing: return invalidate(holding);  // who sent it takes care of it
        case Holding::State::none: return;  // ended with all others, by release_all()
        case Holding::State::pledge:
        case Holding::State::arriving: break;
    }
    drop(holding);
}

// Others of the same memory share its view, and have nothing to give back then.
void Holdings::keep_exported() noexcept {
    std::vector<std::pair<Store::Block, Mapping::Access>> kept;
    for (const Holding& holding : book_)
        if (holding.exports > 0 && holding.data != nullptr) kept.emplace_back(block_of(holding), access_of(holding));
    if (kept.empty()) return;
    for (const auto& [block, access] : kept) store_.keep(block, access);
    for (Holding& holding : book_)
        if (std::ranges::find(kept, std::pair{block_of(holding), access_of(holding)}) != kept.end()) holding.data = nullptr;
}

void Holdings::release_all() noexcept {
    keep_exported();
    for (Holding& holding : book_)
        if (holding.state != Holding::State::none && holding.state != Holding::State::departing) release(holding);
}

// A retired row of ours becomes free, with its memory, unless a lease on it lives.
void Holdings::take_home(Slot slot) noexcept {
    const SegmentWord word = ledger().word_of(slot);
    const std::optional<Epoch> epoch = ledger().recycle(slot, word);
    if (!epoch) return;
    pass_crash_point(CrashPoint::recycle_made);
    note(Transition::recycle, slot, *epoch, 0);
    SegmentRow& row = ledger().segment(slot);
    const std::uint64_t bytes = row.bytes.load(relaxed);
    if (bytes == 0) {
        const std::uint64_t used = row.used_bytes.load(relaxed);
        if ((used & handed_out_mark) != 0) ledger().return_bytes(me_.number, used & ~handed_out_mark);
        row.used_bytes.store(0, relaxed);
        empty_.push_back(slot);
    } else {
        pool_[bytes].push_back(slot);
        pooled_bytes_ += bytes;
    }
}

void Holdings::come_home(std::uint32_t looks_max) noexcept {
    const std::uint64_t rows = blocks_.size() * limits::rows_per_block;
    const std::uint64_t looks = std::min<std::uint64_t>(rows, looks_max);
    for (std::uint64_t look = 0; look < looks; ++look, ++cursor_) {
        if (cursor_ >= rows) cursor_ = 0;
        const Slot slot = blocks_[cursor_ / limits::rows_per_block] + static_cast<Slot>(cursor_ % limits::rows_per_block);
        if (ledger().word_of(slot).phase == Phase::retired) take_home(slot);
    }
}

void Holdings::trim() noexcept {
    come_home(limits::segments_max);
    for (auto& [bytes, slots] : pool_) {
        for (const Slot slot : slots) {
            SegmentRow& row = ledger().segment(slot);
            store_.discard({slot, row.generation.load(relaxed)});
            row.bytes.store(0, relaxed);
            ledger().return_bytes(me_.number, bytes);
            empty_.push_back(slot);
        }
        slots.clear();
    }
    pooled_bytes_ = 0;
}

Result<void> Holdings::hand_out(Holding& holding, const std::string& name) {
    if (holding.state != Holding::State::owned) return refused("only a segment that is owned can be handed out by name");
    if (holding.exports > 0) return refused(fmt::format("{} has {} views: let go of them first", describe(holding), holding.exports));
    if (name.empty() || name.size() > limits::name_bytes_max || name.find('/') != std::string::npos || name.starts_with("baton-"))
        return refused(fmt::format("'{}' can't be the name of shared memory: one to {} characters without '/', and not "
                                   "beginning with baton-", name, limits::name_bytes_max));
    if (Result<void> renamed = store_.hand_out(block_of(holding), name); !renamed) return renamed;
    SegmentRow& row = ledger().segment(holding.slot);
    row.used_bytes.store(row.bytes.load(relaxed) | handed_out_mark, relaxed);
    row.bytes.store(0, relaxed);
    ledger().intend(me_.number, Count::handed_out, holding.slot);
    const std::optional<Epoch> epoch = ledger().retire(holding.slot, holding.epoch, me_.number);
    if (epoch) ledger().count(me_.number, Count::handed_out);
    unmap(holding);
    if (epoch && ledger().home_of(holding.slot) == me_.number) take_home(holding.slot);
    drop(holding);
    return {};
}

Result<Holding*> Holdings::take_in(const std::string& name, Layout layout) {
    const std::optional<std::uint64_t> bytes = layout.bytes();
    if (!bytes) return refused(fmt::format("shared memory can't be taken in as {}", to_text(layout)));
    Result<Slot> slot = empty_slot();
    if (!slot) return slot.error();
    SegmentRow& row = ledger().segment(*slot);
    row.generation.store(row.generation.load(relaxed) + 1, relaxed);
    ledger().intend(me_.number, Count::taken_in, *slot);
    const std::optional<Epoch> epoch = ledger().create(*slot, me_.number);
    check(epoch.has_value(), "only its home takes a free row into use");
    ledger().count(me_.number, Count::taken_in);
    Holding& holding = fresh();
    holding.state = Holding::State::owned;
    holding.slot = *slot;
    holding.epoch = *epoch;
    holding.generation = row.generation.load(relaxed);
    holding.bytes = *bytes;
    holding.layout = std::move(layout);
    const Result<std::uint64_t> found = store_.take_in(name, block_of(holding));
    std::optional<Error> trouble;
    if (found) {  // it is here now, whatever the budget says, and ours to give back
        row.bytes.store(*found, relaxed);
        ledger().add_bytes(me_.number, *found);
    }
    if (!found) {
        trouble = found.error();
    } else if (*found < *bytes) {
        trouble = refused(fmt::format("the shared memory '{}' has {} bytes, {} would take {}", name, *found,
                                      to_text(holding.layout), *bytes));
        static_cast<void>(store_.hand_out(block_of(holding), name));
        row.bytes.store(0, relaxed);
        ledger().return_bytes(me_.number, *found);
    } else {
        holding.capacity = *found;
        if (Result<void> mapped = map(holding); !mapped) trouble = mapped.error();
    }
    if (trouble) {
        release(holding);
        return *trouble;
    }
    row.used_bytes.store(*bytes, relaxed);
    return &holding;
}

// ---- T7, T8, leases --------------------------------------------------------------------------------

Result<void> Holdings::lend(Holding& holding) {
    if (holding.state != Holding::State::owned) return refused("only a segment that is owned can be lent");
    if (holding.exports > 0) return refused(fmt::format("{} has {} views: let go of them first", describe(holding), holding.exports));
    const std::optional<Epoch> epoch = ledger().lend(holding.slot, holding.epoch, me_.number);
    if (!epoch) return refused(fmt::format("{} is not ours in the ledger", describe(holding)));
    pass_crash_point(CrashPoint::lend_made);
    holding.epoch = *epoch;
    holding.state = Holding::State::lent;
    holding.was_sliced = false;
    holding.lease_rows.clear();
    holding.pledges.clear();
    ++holding.ticket;
    note(Transition::lend, holding.slot, *epoch, 0);
    return {};
}

bool Holdings::try_reclaim(Holding& holding) noexcept {
    const std::optional<Epoch> epoch = ledger().reclaim(holding.slot, holding.epoch, me_.number);
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
    const auto forbids = [&](LeaseKind other, std::uint64_t other_offset, std::uint64_t other_bytes) {
        const bool may_overlap = kind == LeaseKind::shared && other == LeaseKind::shared;
        return !may_overlap && offset < other_offset + other_bytes && other_offset < offset + bytes;
    };
    for (const Slot row : lent.lease_rows) {
        const LeaseRow& lease = ledger().lease(row);
        if (ledger().lease_word_of(row).phase != LeasePhase::free &&
            forbids(static_cast<LeaseKind>(lease.kind.load(relaxed)), lease.offset.load(relaxed), lease.bytes.load(relaxed)))
            return true;
    }
    return std::ranges::any_of(lent.pledges,
                               [&](const Holding* one) { return forbids(lease_kind_of(*one), one->offset, one->bytes); });
}

bool Holdings::has_slices(const Holding& lent) const noexcept {
    if (!lent.was_sliced) return false;  // most never are, and have many leases
    const auto is_slice = [&](Slot row) {
        return ledger().lease_word_of(row).phase != LeasePhase::free &&
               ledger().lease(row).kind.load(relaxed) != static_cast<std::uint64_t>(LeaseKind::read);
    };
    return std::ranges::any_of(lent.lease_rows, is_slice) ||
           std::ranges::any_of(lent.pledges, [](const Holding* one) { return one->kind == HandleKind::slice; });
}

std::uint32_t Holdings::leases_out(const Holding& lent) const noexcept { return ledger().live_leases(lent.slot); }

Result<Slot> Holdings::free_lease(Holding& lent, bool& is_linked) {
    // One that this lend has had before and that came back.
    is_linked = true;
    const std::size_t looks = std::min<std::size_t>(lent.lease_rows.size(), limits::recycle_looks_max);
    for (std::size_t look = 0; look < looks; ++look, ++lease_cursor_) {
        const Slot row = lent.lease_rows[lease_cursor_ % lent.lease_rows.size()];
        if (ledger().lease_word_of(row).phase == LeasePhase::free) return row;
    }
    is_linked = false;
    const std::uint64_t rows = lease_blocks_.size() * limits::rows_per_block;
    const std::uint64_t used = rows - fresh_leases_;
    for (std::uint64_t look = 0; look < std::min<std::uint64_t>(used, limits::recycle_looks_max); ++look, ++used_lease_cursor_) {
        const Slot row = lease_row(used_lease_cursor_ % used);
        if (ledger().lease_word_of(row).phase == LeasePhase::free && !ledger().is_parked(row)) return row;
    }
    if (fresh_leases_ > 0) return lease_row(rows - fresh_leases_--);
    Result<Slot> first = ledger().claim_lease_block(me_.number);
    if (!first) return first;
    lease_blocks_.push_back(*first);
    fresh_leases_ = limits::rows_per_block - 1;
    return *first;
}

Slot Holdings::lease_row(std::uint64_t at) const noexcept {
    return lease_blocks_[at / limits::rows_per_block] + static_cast<Slot>(at % limits::rows_per_block);
}

// ---- transfers out ---------------------------------------------------------------------------------

Result<void> Holdings::depart_one(Holding& holding, ActorId to) {
    const auto gone = [&] { return Error{ErrorKind::gone, fmt::format("actor {} has exited", to_string(to))}; };
    if (holding.exports > 0)
        return refused(fmt::format("{} has {} views that somebody still holds: let go of them first", describe(holding),
                                   holding.exports));
    if (holding.state == Holding::State::owned) {
        const std::optional<Epoch> epoch = ledger().offer(holding.slot, holding.epoch, me_.number, to.number);
        if (!epoch) return refused(fmt::format("{} is not ours in the ledger", describe(holding)));
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
                           ? fmt::format("{} is borrowed: only its lender can lend it on", describe(holding))
                           : std::string("a segment in the message is empty: it was moved from, or sent before"));
    Holding* lender = holding.lender;
    if (lender->ticket != holding.lender_ticket || lender->state != Holding::State::lent)
        return refused(fmt::format("{} is of a segment that is lent no more", describe(holding)));
    bool is_linked = false;
    Result<Slot> row = free_lease(*lender, is_linked);
    if (!row) return row.error();
    const LeaseKind kind = lease_kind_of(holding);
    ledger().describe_lease(*row, holding.slot, lender->epoch, {kind, holding.offset, holding.bytes}, is_linked);
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
        return word == SegmentWord{Phase::owned, me_.number, 0, (holding.epoch + 1) & words::epoch_max} ? Fate::ours : Fate::taken;
    }
    const LeaseWord word = ledger().lease_word_of(holding.lease);
    if (word == LeaseWord{LeasePhase::granted, me_.number, holding.other, holding.lease_epoch}) return Fate::under_way;
    return word == LeaseWord{LeasePhase::free, 0, 0, (holding.lease_epoch + 1) & words::epoch_max} ? Fate::ours : Fate::taken;
}

bool Holdings::is_taken(Departed& parcel) {
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

// Whether it is ours again: by us (T4, L3), or by the coordinator, which left it as it would be after that.
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
    // Mapped before, so it is at hand; should that fail the next use says why.
    if (holding.kind == HandleKind::segment) static_cast<void>(map(holding));
}

bool Holdings::take_back(Departed& parcel) {
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

// Whether the ledger says what the handle says; then the memory is mapped.
Result<void> Holdings::open(Holding& holding) {
    const auto not_so = [&] {
        return refused(fmt::format("{} is not on its way from actor {} to this one: the handle is stale, repeated, forged or "
                                   "of another's", describe(holding), holding.other));
    };
    if (!ledger().is_slot(holding.slot)) return not_so();
    const SegmentRow& row = ledger().segment(holding.slot);
    holding.generation = row.generation.load(relaxed);
    holding.capacity = row.bytes.load(relaxed);
    std::uint64_t end = holding.bytes;
    if (holding.kind == HandleKind::segment) {
        if (ledger().word_of(holding.slot) != SegmentWord{Phase::offered, holding.other, me_.number, holding.epoch}) return not_so();
    } else {
        if (!ledger().is_lease(holding.lease)) return not_so();
        const LeaseRow& lease = ledger().lease(holding.lease);
        const auto kind = static_cast<LeaseKind>(lease.kind.load(relaxed));
        const bool is_so =
            ledger().lease_word_of(holding.lease) ==
                LeaseWord{LeasePhase::granted, holding.other, me_.number, holding.lease_epoch} &&
            lease.segment.load(relaxed) == holding.slot && lease.segment_epoch.load(relaxed) == holding.epoch &&
            (kind == LeaseKind::read) == (holding.kind == HandleKind::lease) && lease.offset.load(relaxed) == holding.offset &&
            lease.bytes.load(relaxed) == holding.bytes;
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
            return refuse(refused(fmt::format("{} was taken back by its sender before it was accepted", describe(*holding))));
        pass_crash_point(is_segment ? CrashPoint::accept_made : CrashPoint::claim_made);
        (is_segment ? holding->epoch : holding->lease_epoch) = *epoch;
        holding->state = is_segment ? Holding::State::owned : Holding::State::borrowed;
        note(is_segment ? Transition::accept : Transition::claim, is_segment ? holding->slot : holding->lease, *epoch,
             holding->other);
    }
    return {};
}

}  // namespace baton
