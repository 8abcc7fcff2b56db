#include "runtime/ledger/ledger.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "runtime/base/check.hpp"

namespace baton {
namespace {

constexpr auto relaxed = std::memory_order_relaxed;
constexpr auto sequential = std::memory_order_seq_cst;

constexpr std::uint64_t magic_number = 0x4e4f544142ULL;  // "BATON"
constexpr std::uint64_t layout_version = 1;
constexpr std::size_t page = 4096;
constexpr std::uint32_t segment_blocks_max = limits::segments_max / limits::rows_per_block;
constexpr std::uint32_t lease_blocks_max = limits::leases_max / limits::rows_per_block;
constexpr std::size_t block_bytes = limits::rows_per_block * sizeof(SegmentRow);
static_assert(block_bytes == page, "a block of rows is a page, so that it is committed alone");
static_assert(sizeof(LeaseRow) == sizeof(SegmentRow));

constexpr std::size_t in_pages(std::size_t bytes) { return (bytes + page - 1) / page * page; }

}  // namespace

struct Ledger::Header {
    std::atomic<std::uint64_t> magic;
    std::atomic<std::uint64_t> version;
    std::atomic<std::uint64_t> session_budget;
    std::atomic<std::uint64_t> segment_blocks_used;
    std::atomic<std::uint64_t> lease_blocks_used;
    // By number of the actor.
    std::atomic<std::uint64_t> life[limits::actors_max + 1];       // ActorId packed; 0: nobody
    std::atomic<std::uint64_t> home_bytes[limits::actors_max + 1];
    std::atomic<std::uint64_t> budget[limits::actors_max + 1];
    // By block: the number of its home; 0: nobody's.
    std::atomic<std::uint64_t> segment_homes[segment_blocks_max];
    std::atomic<std::uint64_t> lease_homes[lease_blocks_max];
};

namespace {

constexpr std::size_t actors_bytes = (limits::actors_max + 1) * ActorRow::bytes;
constexpr std::size_t segments_bytes = segment_blocks_max * block_bytes;
constexpr std::size_t leases_bytes = lease_blocks_max * block_bytes;

constexpr std::uint64_t packed_life(ActorId id) noexcept { return std::uint64_t{id.number} << 32 | id.incarnation; }

bool is_number(ActorNumber number) noexcept { return number > 0 && number <= limits::actors_max; }

}  // namespace

std::string_view name_of(Transition transition) noexcept {
    switch (transition) {
        case Transition::none: return "nothing";
        case Transition::create: return "T1 create";
        case Transition::offer: return "T2 offer";
        case Transition::accept: return "T3 accept";
        case Transition::withdraw: return "T4 withdraw";
        case Transition::bounce: return "T5 bounce";
        case Transition::settle: return "T6 settle";
        case Transition::lend: return "T7 lend";
        case Transition::reclaim: return "T8 reclaim";
        case Transition::retire: return "T9 retire";
        case Transition::recycle: return "T10 recycle";
        case Transition::grant: return "L1 grant";
        case Transition::claim: return "L2 claim";
        case Transition::lease_withdraw: return "L3 withdraw";
        case Transition::drop: return "L4 drop";
        case Transition::lease_settle: return "L5 settle";
    }
    return "unknown";
}

std::size_t Ledger::region_bytes() noexcept {
    return in_pages(sizeof(Header)) + actors_bytes + segments_bytes + leases_bytes;
}

Ledger::Ledger(std::span<std::byte> memory, Commit commit) : memory_(memory), commit_(std::move(commit)) {
    check(memory.size() >= region_bytes(), "a ledger has all of its region");
    static_assert(sizeof(ActorRow) <= ActorRow::bytes);
    std::byte* at = memory.data() + in_pages(sizeof(Header));
    actors_ = reinterpret_cast<ActorRow*>(at);
    at += actors_bytes;
    segments_ = reinterpret_cast<SegmentRow*>(at);
    at += segments_bytes;
    leases_ = reinterpret_cast<LeaseRow*>(at);
}

Ledger::Header& Ledger::header() const noexcept { return *reinterpret_cast<Header*>(memory_.data()); }

Result<void> Ledger::format(std::uint64_t session_budget_bytes) {
    if (Result<void> committed = commit_(0, in_pages(sizeof(Header))); !committed) return committed;
    header().session_budget.store(session_budget_bytes, relaxed);
    header().version.store(layout_version, relaxed);
    header().magic.store(magic_number, std::memory_order_release);
    return {};
}

Result<void> Ledger::check_format() const {
    if (header().magic.load(std::memory_order_acquire) == magic_number && header().version.load(relaxed) == layout_version)
        return {};
    return Error{ErrorKind::corrupt, "the ledger of the session is of another version of Baton: build both anew"};
}

// ---- lives -----------------------------------------------------------------------------------------

Result<void> Ledger::give_life(ActorId actor, std::uint64_t budget_bytes) {
    check(is_number(actor.number), "an actor's number is a row of the ledger");
    const auto offset = static_cast<std::size_t>(reinterpret_cast<std::byte*>(&own(actor.number)) - memory_.data());
    if (Result<void> committed = commit_(offset, ActorRow::bytes); !committed) return committed;
    ActorRow& row = own(actor.number);
    for (auto& count : row.counts) count.store(0, relaxed);
    row.refused.store(0, relaxed);
    row.intent.store(0, relaxed);
    row.ring_next.store(0, relaxed);
    header().home_bytes[actor.number].store(0, relaxed);
    header().budget[actor.number].store(budget_bytes, relaxed);
    header().life[actor.number].store(packed_life(actor), sequential);
    return {};
}

void Ledger::take_life(ActorId actor) noexcept {
    std::uint64_t expected = packed_life(actor);
    header().life[actor.number].compare_exchange_strong(expected, 0, sequential);
}

bool Ledger::is_alive(ActorId actor) const noexcept {
    return is_number(actor.number) && header().life[actor.number].load(sequential) == packed_life(actor);
}

ActorId Ledger::life_of(ActorNumber number) const noexcept {
    if (!is_number(number)) return {};
    const std::uint64_t life = header().life[number].load(sequential);
    return {static_cast<std::uint32_t>(life >> 32), static_cast<std::uint32_t>(life)};
}

// ---- blocks ----------------------------------------------------------------------------------------

Result<Slot> Ledger::claim_block(ActorNumber me, std::atomic<std::uint64_t>* homes, std::uint32_t rows_max,
                                 std::size_t rows_offset, std::atomic<std::uint64_t>& used, std::string_view limit) {
    const std::uint32_t blocks = rows_max / limits::rows_per_block;
    for (std::uint32_t block = 0; block < blocks; ++block) {
        if (homes[block].load(relaxed) != 0) continue;
        if (Result<void> committed = commit_(rows_offset + block * block_bytes, block_bytes); !committed)
            return committed.error();
        std::uint64_t nobody = 0;
        if (!homes[block].compare_exchange_strong(nobody, me, sequential)) continue;
        std::uint64_t before = used.load(relaxed);
        while (before <= block && !used.compare_exchange_weak(before, block + 1, sequential)) {
        }
        return block * limits::rows_per_block;
    }
    return Error{ErrorKind::overloaded, fmt::format("the session's ledger has no row left: it holds {} of them ({})",
                                                    rows_max, limit)};
}

Result<Slot> Ledger::claim_segment_block(ActorNumber me) {
    const auto offset = static_cast<std::size_t>(reinterpret_cast<std::byte*>(segments_) - memory_.data());
    return claim_block(me, header().segment_homes, limits::segments_max, offset, header().segment_blocks_used,
                       "limits::segments_max");
}

Result<Slot> Ledger::claim_lease_block(ActorNumber me) {
    const auto offset = static_cast<std::size_t>(reinterpret_cast<std::byte*>(leases_) - memory_.data());
    return claim_block(me, header().lease_homes, limits::leases_max, offset, header().lease_blocks_used,
                       "limits::leases_max");
}

ActorNumber Ledger::home_of(Slot slot) const noexcept {
    return static_cast<ActorNumber>(header().segment_homes[slot / limits::rows_per_block].load(relaxed));
}
ActorNumber Ledger::lease_home_of(Slot lease) const noexcept {
    return static_cast<ActorNumber>(header().lease_homes[lease / limits::rows_per_block].load(relaxed));
}

void Ledger::adopt_blocks(ActorNumber dead, ActorNumber coordinator) noexcept {
    const auto adopt = [&](std::atomic<std::uint64_t>* homes, std::uint64_t used) {
        for (std::uint64_t block = 0; block < used; ++block) {
            std::uint64_t expected = dead;
            homes[block].compare_exchange_strong(expected, coordinator, sequential);
        }
    };
    adopt(header().segment_homes, segments_used() / limits::rows_per_block);
    adopt(header().lease_homes, leases_used() / limits::rows_per_block);
}

void Ledger::release_empty_blocks(ActorNumber coordinator) noexcept {
    const auto release = [&](std::atomic<std::uint64_t>* homes, std::uint64_t used, const auto& is_free) {
        for (std::uint64_t block = 0; block < used; ++block) {
            if (homes[block].load(relaxed) != coordinator) continue;
            bool all_free = true;
            for (std::uint64_t row = block * limits::rows_per_block; all_free && row < (block + 1) * limits::rows_per_block;
                 ++row)
                all_free = is_free(static_cast<Slot>(row));
            if (all_free) homes[block].store(0, sequential);
        }
    };
    release(header().segment_homes, segments_used() / limits::rows_per_block, [this](Slot slot) {
        return word_of(slot).phase == Phase::free && segment(slot).bytes.load(relaxed) == 0;
    });
    release(header().lease_homes, leases_used() / limits::rows_per_block,
            [this](Slot lease) { return lease_word_of(lease).phase == LeasePhase::free && !is_parked(lease); });
}

Slot Ledger::segments_used() const noexcept {
    const std::uint64_t used = header().segment_blocks_used.load(relaxed);
    return static_cast<Slot>(std::min<std::uint64_t>(used, segment_blocks_max) * limits::rows_per_block);
}
Slot Ledger::leases_used() const noexcept {
    const std::uint64_t used = header().lease_blocks_used.load(relaxed);
    return static_cast<Slot>(std::min<std::uint64_t>(used, lease_blocks_max) * limits::rows_per_block);
}

// ---- segments --------------------------------------------------------------------------------------

SegmentWord Ledger::word_of(Slot slot) const noexcept { return SegmentWord::of(segments_[slot].word.load(sequential)); }
LeaseWord Ledger::lease_word_of(Slot lease) const noexcept { return LeaseWord::of(leases_[lease].word.load(sequential)); }

std::optional<Epoch> Ledger::change(Slot slot, SegmentWord from, SegmentWord to) noexcept {
    to.epoch = (from.epoch + 1) & words::epoch_max;
    std::uint64_t expected = from.packed();
    if (!segments_[slot].word.compare_exchange_strong(expected, to.packed(), sequential)) return std::nullopt;
    return to.epoch;
}

std::optional<Epoch> Ledger::create(Slot slot, ActorNumber me) noexcept {
    const SegmentWord word = word_of(slot);
    if (word.phase != Phase::free) return std::nullopt;
    return change(slot, word, {Phase::owned, me, 0, 0});
}
std::optional<Epoch> Ledger::offer(Slot slot, Epoch epoch, ActorNumber me, ActorNumber heir) noexcept {
    return change(slot, {Phase::owned, me, 0, epoch}, {Phase::offered, me, heir, 0});
}
std::optional<Epoch> Ledger::accept(Slot slot, Epoch epoch, ActorNumber from, ActorNumber me) noexcept {
    return change(slot, {Phase::offered, from, me, epoch}, {Phase::owned, me, 0, 0});
}
std::optional<Epoch> Ledger::withdraw(Slot slot, Epoch epoch, ActorNumber me, ActorNumber heir) noexcept {
    return change(slot, {Phase::offered, me, heir, epoch}, {Phase::owned, me, 0, 0});
}
std::optional<Epoch> Ledger::bounce(Slot slot, SegmentWord offered) noexcept {
    return change(slot, offered, {Phase::owned, offered.owner, 0, 0});
}
std::optional<Epoch> Ledger::settle(Slot slot, SegmentWord offered) noexcept {
    return change(slot, offered, {Phase::retired, offered.owner, 0, 0});
}
std::optional<Epoch> Ledger::lend(Slot slot, Epoch epoch, ActorNumber me) noexcept {
    const SegmentWord word{Phase::owned, me, 0, epoch};
    if (word_of(slot) != word) return std::nullopt;
    segments_[slot].first_lease.store(0, relaxed);  // mine to write while I own it
    return change(slot, word, {Phase::lent, me, 0, 0});
}
std::optional<Epoch> Ledger::reclaim(Slot slot, Epoch epoch, ActorNumber me) noexcept {
    if (has_live_lease(slot)) return std::nullopt;
    return change(slot, {Phase::lent, me, 0, epoch}, {Phase::owned, me, 0, 0});
}
std::optional<Epoch> Ledger::retire(Slot slot, Epoch epoch, ActorNumber owner) noexcept {
    const SegmentWord word = word_of(slot);
    if ((word.phase != Phase::owned && word.phase != Phase::lent) || word.owner != owner || word.epoch != epoch)
        return std::nullopt;
    // Without a lend there is no list of leases to wait for: an older one's must not hold the memory.
    if (word.phase == Phase::owned) segments_[slot].first_lease.store(0, relaxed);
    return change(slot, word, {Phase::retired, owner, 0, 0});
}
std::optional<Epoch> Ledger::recycle(Slot slot, SegmentWord retired) noexcept {
    if (retired.phase != Phase::retired || has_live_lease(slot)) return std::nullopt;
    return change(slot, retired, {Phase::free, 0, 0, 0});
}

// ---- leases ----------------------------------------------------------------------------------------

std::optional<Epoch> Ledger::change(Slot lease, LeaseWord from, LeaseWord to) noexcept {
    to.epoch = (from.epoch + 1) & words::epoch_max;
    std::uint64_t expected = from.packed();
    if (!leases_[lease].word.compare_exchange_strong(expected, to.packed(), sequential)) return std::nullopt;
    return to.epoch;
}

void Ledger::describe_lease(Slot lease, Slot segment, Epoch lend_epoch, Range range, bool is_linked) noexcept {
    LeaseRow& row = leases_[lease];
    row.segment.store(segment, relaxed);
    row.segment_epoch.store(lend_epoch, relaxed);
    row.kind.store(static_cast<std::uint64_t>(range.kind), relaxed);
    row.offset.store(range.offset, relaxed);
    row.bytes.store(range.bytes, relaxed);
    if (is_linked) return;
    row.next.store(segments_[segment].first_lease.load(relaxed), relaxed);
    segments_[segment].first_lease.store(lease + 1, std::memory_order_release);
}

std::optional<Epoch> Ledger::grant(Slot lease, ActorNumber me, ActorNumber borrower) noexcept {
    const LeaseWord word = lease_word_of(lease);
    if (word.phase != LeasePhase::free) return std::nullopt;
    return change(lease, word, {LeasePhase::granted, me, borrower, 0});
}
std::optional<Epoch> Ledger::claim(Slot lease, Epoch epoch, ActorNumber lender, ActorNumber me) noexcept {
    return change(lease, LeaseWord{LeasePhase::granted, lender, me, epoch}, LeaseWord{LeasePhase::claimed, lender, me, 0});
}
std::optional<Epoch> Ledger::withdraw_lease(Slot lease, Epoch epoch, ActorNumber me, ActorNumber borrower) noexcept {
    return change(lease, LeaseWord{LeasePhase::granted, me, borrower, epoch}, LeaseWord{});
}
std::optional<Epoch> Ledger::drop(Slot lease, Epoch epoch, ActorNumber lender, ActorNumber me) noexcept {
    return change(lease, LeaseWord{LeasePhase::claimed, lender, me, epoch}, LeaseWord{});
}
std::optional<Epoch> Ledger::settle_lease(Slot lease, LeaseWord word) noexcept { return change(lease, word, LeaseWord{}); }

std::uint32_t Ledger::live_leases(Slot segment) const noexcept {
    std::uint32_t live = 0;
    std::uint64_t next = segments_[segment].first_lease.load(std::memory_order_acquire);
    // Bounded, because a hostile process can close the chain to a ring.
    for (std::uint32_t steps = 0; next != 0 && steps < limits::leases_max && is_lease(next - 1); ++steps) {
        const LeaseRow& row = leases_[next - 1];
        if (LeaseWord::of(row.word.load(sequential)).phase != LeasePhase::free && row.segment.load(relaxed) == segment) ++live;
        next = row.next.load(relaxed);
    }
    return live;
}

bool Ledger::has_live_lease(Slot segment) const noexcept {
    std::uint64_t next = segments_[segment].first_lease.load(std::memory_order_acquire);
    for (std::uint32_t steps = 0; next != 0 && steps < limits::leases_max && is_lease(next - 1); ++steps) {
        const LeaseRow& row = leases_[next - 1];
        if (LeaseWord::of(row.word.load(sequential)).phase != LeasePhase::free && row.segment.load(relaxed) == segment)
            return true;
        next = row.next.load(relaxed);
    }
    return false;
}

bool Ledger::is_parked(Slot lease) const noexcept {
    const LeaseRow& row = leases_[lease];
    const std::uint64_t segment = row.segment.load(relaxed);
    if (!is_slot(segment)) return false;
    const SegmentWord word = word_of(static_cast<Slot>(segment));
    const Epoch lend = row.segment_epoch.load(relaxed);
    const bool is_lent = word.phase == Phase::lent && word.epoch == lend;
    const bool is_retired_since = word.phase == Phase::retired && word.epoch == ((lend + 1) & words::epoch_max);
    return is_lent || is_retired_since;
}

// ---- bytes -----------------------------------------------------------------------------------------

bool Ledger::claim_bytes(ActorNumber me, std::uint64_t bytes) noexcept {
    // First said, then looked: of two that would exceed the budget together at least one sees it.
    std::atomic<std::uint64_t>& mine = header().home_bytes[me];
    const std::uint64_t before = mine.load(relaxed);
    mine.store(before + bytes, sequential);
    const bool fits = before + bytes <= budget_bytes_of(me) && bytes_in_session() <= session_budget_bytes();
    if (!fits) mine.store(before, sequential);
    return fits;
}
void Ledger::return_bytes(ActorNumber me, std::uint64_t bytes) noexcept {
    std::atomic<std::uint64_t>& mine = header().home_bytes[me];
    const std::uint64_t before = mine.load(relaxed);
    mine.store(before - std::min(before, bytes), sequential);
}
std::uint64_t Ledger::bytes_of_home(ActorNumber number) const noexcept { return header().home_bytes[number].load(relaxed); }
std::uint64_t Ledger::bytes_in_session() const noexcept {
    std::uint64_t sum = 0;
    for (const auto& bytes : header().home_bytes) sum += bytes.load(sequential);
    return sum;
}
std::uint64_t Ledger::session_budget_bytes() const noexcept { return header().session_budget.load(relaxed); }
std::uint64_t Ledger::budget_bytes_of(ActorNumber number) const noexcept { return header().budget[number].load(relaxed); }
void Ledger::add_bytes(ActorNumber me, std::uint64_t bytes) noexcept {
    std::atomic<std::uint64_t>& mine = header().home_bytes[me];
    mine.store(mine.load(relaxed) + bytes, sequential);
}
void Ledger::forget_bytes(ActorNumber dead) noexcept { header().home_bytes[dead].store(0, sequential); }

// ---- counting --------------------------------------------------------------------------------------

void Ledger::intend(ActorNumber me, Count what, Slot slot) noexcept {
    ActorRow& row = own(me);
    row.intent_slot.store(slot, relaxed);
    row.intent_word.store(segments_[slot].word.load(relaxed), relaxed);
    row.intent_count.store(row.counts[static_cast<std::size_t>(what)].load(relaxed), relaxed);
    row.intent.store(1 + static_cast<std::uint64_t>(what), std::memory_order_release);
}
void Ledger::count(ActorNumber me, Count what) noexcept {
    std::atomic<std::uint64_t>& count = own(me).counts[static_cast<std::size_t>(what)];
    count.store(count.load(relaxed) + 1, std::memory_order_release);
    forget_intent(me);
}
void Ledger::forget_intent(ActorNumber me) noexcept { own(me).intent.store(0, std::memory_order_release); }
void Ledger::count_refused(ActorNumber me) noexcept {
    std::atomic<std::uint64_t>& count = own(me).refused;
    count.store(count.load(relaxed) + 1, relaxed);
}

void Ledger::settle_intent(ActorNumber dead) noexcept {
    ActorRow& row = own(dead);
    const std::uint64_t intent = row.intent.load(std::memory_order_acquire);
    if (intent == 0 || intent > std::size(row.counts)) return;
    row.intent.store(0, relaxed);
    const std::uint64_t slot = row.intent_slot.load(relaxed);
    std::atomic<std::uint64_t>& count = row.counts[intent - 1];
    // Only its maker makes a counted transition of that row, so a word that has moved on says that it was made.
    const bool was_made = is_slot(slot) && segments_[slot].word.load(sequential) != row.intent_word.load(relaxed);
    const bool was_counted = count.load(relaxed) != row.intent_count.load(relaxed);
    if (was_made && !was_counted) count.store(count.load(relaxed) + 1, relaxed);
}

void Ledger::take_over_counts(ActorNumber dead, ActorNumber coordinator) noexcept {
    ActorRow& from = own(dead);
    ActorRow& to = own(coordinator);
    for (std::size_t index = 0; index < std::size(from.counts); ++index)
        to.counts[index].store(to.counts[index].load(relaxed) + from.counts[index].exchange(0, relaxed), relaxed);
    to.refused.store(to.refused.load(relaxed) + from.refused.exchange(0, relaxed), relaxed);
}

Counts Ledger::counts_of(ActorNumber number) const noexcept {
    const ActorRow& row = actors_[number];
    const auto of = [&row](Count what) { return row.counts[static_cast<std::size_t>(what)].load(relaxed); };
    return {of(Count::created), of(Count::released), of(Count::handed_out), of(Count::taken_in), row.refused.load(relaxed)};
}

// ---- the ring --------------------------------------------------------------------------------------

void Ledger::note(ActorNumber me, Transition transition, Slot slot, Epoch epoch, ActorNumber partner,
                  std::int64_t now) noexcept {
    ActorRow& row = own(me);
    const std::uint64_t number = row.ring_next.load(relaxed);
    RingEntry& entry = row.ring[number % limits::ring_entries];
    entry.at.store(now, relaxed);
    entry.what.store(static_cast<std::uint64_t>(transition) << 32 | slot, relaxed);
    entry.epoch.store(epoch, relaxed);
    entry.partner.store(partner, relaxed);
    row.ring_next.store(number + 1, std::memory_order_release);
}

}  // namespace baton
