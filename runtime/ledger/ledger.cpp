#include "runtime/ledger/ledger.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "runtime/base/check.hpp"
#include "runtime/ledger/layout.hpp"

namespace baton::detail {

using namespace layout;

namespace {

constexpr std::uint64_t packed_life(ActorId id) noexcept { return std::uint64_t{id.number} << 32 | id.incarnation; }

void raise(std::atomic<std::uint64_t>& number, std::uint64_t at_least) noexcept {
    std::uint64_t before = number.load(relaxed);
    while (before < at_least && !number.compare_exchange_weak(before, at_least, sequential)) {
    }
}

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
        case Transition::publish: return "N1 publish";
        case Transition::unpublish: return "N2 withdraw";
        case Transition::attach: return "L7 attach";
    }
    return "unknown";
}

std::size_t Ledger::region_bytes() noexcept {
    return in_pages(sizeof(Header)) + actors_bytes + segments_bytes + leases_bytes + names_bytes;
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
    at += leases_bytes;
    names_ = reinterpret_cast<NameRow*>(at);
}

Ledger::Header& Ledger::header() const noexcept { return *reinterpret_cast<Header*>(memory_.data()); }

Result<void> Ledger::format(std::uint64_t session_budget_bytes) {
    if (Result<void> committed = commit_(0, in_pages(sizeof(Header))); !committed) return committed;
    header().session_budget.store(session_budget_bytes, relaxed);
    header().version.store(layout::version, relaxed);
    header().magic.store(magic_number, std::memory_order_release);
    return {};
}

Result<void> Ledger::check_format() const {
    if (header().magic.load(std::memory_order_acquire) == magic_number &&
        header().version.load(relaxed) == layout::version)
        return {};
    return Error{ErrorKind::corrupt, "the ledger of the session is of another version of Baton: build both anew"};
}

// ---- lives -----------------------------------------------------------------------------------------

Result<void> Ledger::give_life(ActorId actor, std::uint64_t budget_bytes) {
    check(words::is_number(actor.number), "an actor's number is a row of the ledger");
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

void Ledger::clear_life(ActorNumber number) noexcept { header().life[number].store(0, sequential); }

bool Ledger::is_alive(ActorId actor) const noexcept {
    return words::is_number(actor.number) && header().life[actor.number].load(sequential) == packed_life(actor);
}

ActorId Ledger::life_of(ActorNumber number) const noexcept {
    if (!words::is_number(number)) return {};
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
        // Raised before the block is claimed: an actor that dies in between leaves one block too many to look at, and
        // never a block that is overlooked.
        raise(used, block + 1);
        std::uint64_t nobody = 0;
        if (!homes[block].compare_exchange_strong(nobody, me, sequential)) continue;
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
    // All of them, even beyond what is reported to be in use: any process can write there.
    const auto adopt = [&](std::atomic<std::uint64_t>* homes, std::uint64_t blocks, std::atomic<std::uint64_t>& used) {
        for (std::uint64_t block = 0; block < blocks; ++block) {
            std::uint64_t expected = dead;
            if (homes[block].load(relaxed) != dead ||
                !homes[block].compare_exchange_strong(expected, coordinator, sequential))
                continue;
            raise(used, block + 1);
        }
    };
    adopt(header().segment_homes, segment_blocks_max, header().segment_blocks_used);
    adopt(header().lease_homes, lease_blocks_max, header().lease_blocks_used);
}

void Ledger::adopt_all_blocks(ActorNumber coordinator) noexcept {
    for (std::uint64_t block = 0; block < segments_used() / limits::rows_per_block; ++block)
        header().segment_homes[block].store(coordinator, sequential);
    for (std::uint64_t block = 0; block < leases_used() / limits::rows_per_block; ++block)
        header().lease_homes[block].store(coordinator, sequential);
}

void Ledger::release_empty_blocks(ActorNumber coordinator) noexcept {
    const auto release = [&](std::atomic<std::uint64_t>* homes, std::uint64_t used, const auto& is_free) {
        for (std::uint64_t block = 0; block < used; ++block) {
            if (homes[block].load(relaxed) != coordinator) continue;
            bool all_free = true;
            for (std::uint64_t row = block * limits::rows_per_block;
                 all_free && row < (block + 1) * limits::rows_per_block; ++row)
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
    const std::uint64_t used = header().segment_blocks_used.load(sequential);
    return static_cast<Slot>(std::min<std::uint64_t>(used, segment_blocks_max) * limits::rows_per_block);
}
Slot Ledger::leases_used() const noexcept {
    const std::uint64_t used = header().lease_blocks_used.load(sequential);
    return static_cast<Slot>(std::min<std::uint64_t>(used, lease_blocks_max) * limits::rows_per_block);
}

// ---- segments --------------------------------------------------------------------------------------

SegmentWord Ledger::word_of(Slot slot) const noexcept { return SegmentWord::of(segments_[slot].word.load(sequential)); }
LeaseWord Ledger::lease_word_of(Slot lease) const noexcept {
    return LeaseWord::of(leases_[lease].word.load(sequential));
}

// Inline and by their parts: a word that is passed in memory costs several times the compare-and-swap.
inline std::optional<Epoch> Ledger::change(Slot slot, SegmentWord from, SegmentWord to) noexcept {
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
    if (offered.phase != Phase::offered) return std::nullopt;
    return change(slot, offered, {Phase::owned, offered.owner, 0, 0});
}
std::optional<Epoch> Ledger::settle(Slot slot, SegmentWord offered) noexcept {
    if (offered.phase != Phase::offered) return std::nullopt;
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
    std::uint32_t steps = limits::leases_max;
    return recycle(slot, retired, steps);
}
std::optional<Epoch> Ledger::recycle(Slot slot, SegmentWord retired, std::uint32_t& steps_left) noexcept {
    if (retired.phase != Phase::retired || has_live_lease(slot, steps_left)) return std::nullopt;
    return recycle_unleased(slot, retired);
}
std::optional<Epoch> Ledger::recycle_unleased(Slot slot, SegmentWord retired) noexcept {
    if (retired.phase != Phase::retired) return std::nullopt;
    return change(slot, retired, {Phase::free, 0, 0, 0});
}
bool Ledger::mend(Slot slot, SegmentWord from, SegmentWord to) noexcept {
    std::uint64_t expected = from.packed();
    return segments_[slot].word.compare_exchange_strong(expected, to.packed(), sequential);
}

}  // namespace baton::detail
