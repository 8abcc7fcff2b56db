#include "actors/coordinator/estate.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "runtime/base/check.hpp"
#include "runtime/base/crash_point.hpp"

namespace baton::coordinator {
namespace {

constexpr auto relaxed = std::memory_order_relaxed;
constexpr ActorNumber me = coordinator_id.number;

// Memory of the dead is given back for so long at a time, and looked for again so often while survivors hold
// segments whose home has died.
constexpr Duration collection_slice = std::chrono::milliseconds{5};
constexpr Duration collection_interval = std::chrono::milliseconds{50};

}  // namespace

Estate::Estate(LedgerRegion region, std::string session_id, const Clock& clock)
    : region_(std::move(region)), store_(std::make_unique<Store>(std::move(session_id), Store::Idle::accessible)), clock_(&clock) {}

Result<Estate> Estate::create(std::string_view session_id, std::uint64_t budget_bytes, const Clock& clock) {
    Result<LedgerRegion> region = LedgerRegion::create(session_id, budget_bytes);
    if (!region) return region.error();
    Estate estate{std::move(*region), std::string(session_id), clock};
    if (Result<void> lives = estate.ledger().give_life(coordinator_id, ~std::uint64_t{0}); !lives) {
        remove(session_id);
        return lives.error();
    }
    return estate;
}

Result<void> Estate::give_life(ActorId actor, std::uint64_t budget_bytes) {
    check(!is_settling(actor.number), "a number lives again only after its last life has been settled");
    return ledger().give_life(actor, budget_bytes == 0 ? ~std::uint64_t{0} : budget_bytes);
}

// ---- settling --------------------------------------------------------------------------------------

Estate::Settled Estate::settle(ActorId dead) {
    Settled settled;
    if (ledger().life_of(dead.number) != dead) return settled;
    // First nobody can offer to it any more, then rows are looked at (docs/ownership.md).
    ledger().take_life(dead);
    pass_crash_point(CrashPoint::life_taken);
    ledger().settle_intent(dead.number);
    ledger().take_over_counts(dead.number, me);
    pass_crash_point(CrashPoint::intent_resolved);
    settling_[dead.number].dead = dead;

    for (Slot slot = 0; slot < ledger().segments_used(); ++slot) settle_segment(slot, dead.number, settled);
    for (Slot lease = 0; lease < ledger().leases_used(); ++lease) settle_lease(lease, dead.number, settled);
    adopt(dead.number);
    pass_crash_point(CrashPoint::settle_walked);

    std::ranges::sort(settled.concerned);
    settled.concerned.erase(std::unique(settled.concerned.begin(), settled.concerned.end()), settled.concerned.end());
    std::set<ActorId>& heirs = settling_[dead.number].heirs;
    heirs.insert(settled.to_drain.begin(), settled.to_drain.end());
    settled.to_drain.assign(heirs.begin(), heirs.end());

    // It can't answer any more for those that died before it.
    std::vector<ActorId> waiting;
    for (const auto& [number, earlier] : settling_)
        if (earlier.heirs.contains(dead)) waiting.push_back(earlier.dead);
    for (const ActorId earlier : waiting) drained(dead, earlier);
    finish_if_drained(dead.number);
    return settled;
}

void Estate::release_for(Slot slot, SegmentWord word) {
    const bool is_transfer = word.phase == Phase::offered;
    const bool was_done = is_transfer ? ledger().settle(slot, word).has_value()
                                      : ledger().retire(slot, word.epoch, word.owner).has_value();
    if (!was_done) return;
    ledger().count(me, Count::released);
    ++released_for_the_dead_;
}

void Estate::settle_segment(Slot slot, ActorNumber dead, Settled& settled) {
    // Again and again until the row stands still: its other party may be moving it.
    for (;;) {
        const SegmentWord word = ledger().word_of(slot);
        const std::uint64_t bytes = ledger().segment(slot).used_bytes.load(relaxed) & ~handed_out_mark;
        const Duration age = clock_->now().time_since_epoch() - Duration{ledger().segment(slot).since.load(relaxed)};
        if ((word.phase == Phase::owned || word.phase == Phase::lent) && word.owner == dead) {
            ++settled.held.segments;
            settled.held.bytes += bytes;
            settled.held.oldest = std::max(settled.held.oldest, age);
            release_for(slot, word);
        } else if (word.phase == Phase::offered && word.heir == dead) {
            const ActorId owner = ledger().life_of(word.owner);
            if (owner.is_somebody()) {
                if (!ledger().bounce(slot, word)) continue;
                settled.concerned.push_back(owner);
            } else {
                release_for(slot, word);
            }
            ++settled.held.incoming;
        } else if (word.phase == Phase::offered && word.owner == dead) {
            const ActorId heir = ledger().life_of(word.heir);
            if (!heir.is_somebody()) {
                release_for(slot, word);
            } else {
                settled.to_drain.push_back(heir);
            }
            ++settled.held.sent;
        }
        const SegmentWord now = ledger().word_of(slot);
        const bool names_dead = now.is_live() && (now.heir == dead || (now.owner == dead && now.phase != Phase::offered));
        if (!names_dead) return;
    }
}

void Estate::settle_lease(Slot lease, ActorNumber dead, Settled& settled) {
    for (;;) {
        const LeaseWord word = ledger().lease_word_of(lease);
        if (word.phase == LeasePhase::free) return;
        if (word.borrower == dead) {
            if (!ledger().settle_lease(lease, word)) continue;
            if (word.phase == LeasePhase::claimed) ++settled.held.leases;
            if (const ActorId lender = ledger().life_of(word.lender); lender.is_somebody()) settled.concerned.push_back(lender);
            return;
        }
        if (word.lender != dead || word.phase != LeasePhase::granted) return;
        const ActorId borrower = ledger().life_of(word.borrower);
        if (borrower.is_somebody()) return settled.to_drain.push_back(borrower);
        if (ledger().settle_lease(lease, word)) return;
    }
}

// T6 and L6: what is still offered or granted by the dead one to `heir`.
void Estate::settle_transfers(ActorNumber dead, ActorNumber heir) {
    for (Slot slot = 0; slot < ledger().segments_used(); ++slot) {
        const SegmentWord word = ledger().word_of(slot);
        if (word.phase == Phase::offered && word.owner == dead && word.heir == heir) release_for(slot, word);
    }
    for (Slot lease = 0; lease < ledger().leases_used(); ++lease) {
        const LeaseWord word = ledger().lease_word_of(lease);
        if (word.phase == LeasePhase::granted && word.lender == dead && word.borrower == heir)
            static_cast<void>(ledger().settle_lease(lease, word));
    }
    pass_crash_point(CrashPoint::drained_settled);
}

void Estate::drained(ActorId heir, ActorId dead) {
    const auto found = settling_.find(dead.number);
    if (found == settling_.end() || found->second.dead != dead || found->second.heirs.erase(heir) == 0) return;
    settle_transfers(dead.number, heir.number);
    finish_if_drained(dead.number);
}

void Estate::finish_if_drained(ActorNumber dead) {
    const auto found = settling_.find(dead);
    if (found == settling_.end() || !found->second.heirs.empty()) return;
    settling_.erase(found);
    next_collection_ = Deadline{clock_->now()};
}

// ---- the home of blocks without one ----------------------------------------------------------------

// What its home has claimed for the row, also where the memory has left the session since.
std::uint64_t Estate::bytes_of(Slot slot) const noexcept {
    const SegmentRow& row = ledger().segment(slot);
    const std::uint64_t used = row.used_bytes.load(relaxed);
    return (used & handed_out_mark) != 0 ? used & ~handed_out_mark : row.bytes.load(relaxed);
}

void Estate::adopt(ActorNumber dead) {
    std::uint64_t bytes = 0;
    for (Slot slot = 0; slot < ledger().segments_used(); ++slot)
        if (ledger().home_of(slot) == dead) bytes += bytes_of(slot);
    ledger().adopt_blocks(dead, me);
    ledger().forget_bytes(dead);
    ledger().add_bytes(me, bytes);
    next_collection_ = Deadline{clock_->now()};
}

// True if the row has nothing left that must be given back: it is free and without memory.
bool Estate::give_back(Slot slot) {
    SegmentRow& row = ledger().segment(slot);
    const SegmentWord word = ledger().word_of(slot);
    const std::uint64_t bytes = bytes_of(slot);
    if (word.phase == Phase::free && bytes == 0) return true;
    // A retired row's memory may have a name before the row says how many bytes there are.
    if (word.phase == Phase::retired && !ledger().recycle(slot, word)) return false;
    if (word.phase != Phase::free && word.phase != Phase::retired) return false;
    // At the end those who joined from outside live on, and may still look at what was theirs.
    const Store::Block block{slot, row.generation.load(relaxed)};
    is_closing_ ? store_->remove(block) : store_->discard(block);
    row.bytes.store(0, relaxed);
    row.used_bytes.store(0, relaxed);
    ledger().return_bytes(me, bytes);
    return true;
}

bool Estate::collect() {
    next_collection_ = Deadline::never();
    const Deadline enough = Deadline::in(*clock_, collection_slice);
    const Slot used = ledger().segments_used();
    bool is_empty = true;
    for (Slot looked = 0; looked < used; ++looked) {
        if (collection_cursor_ >= used) collection_cursor_ = 0;
        const Slot slot = collection_cursor_++;
        if (ledger().home_of(slot) != me) continue;
        const bool had_memory = ledger().segment(slot).bytes.load(relaxed) != 0;
        is_empty = give_back(slot) && is_empty;
        if (had_memory && enough.has_passed(*clock_)) {
            next_collection_ = Deadline{clock_->now()};
            return true;
        }
    }
    ledger().release_empty_blocks(me);
    if (!is_empty) next_collection_ = Deadline::in(*clock_, collection_interval);
    return false;
}

// ---- looking ---------------------------------------------------------------------------------------

SegmentList Estate::list(std::uint64_t rows_max) const {
    SegmentList list;
    list.bytes = ledger().bytes_in_session();
    if (const std::uint64_t budget = ledger().session_budget_bytes(); budget != ~std::uint64_t{0}) list.budget_bytes = budget;
    for (Slot slot = 0; slot < ledger().segments_used(); ++slot) {
        const SegmentWord word = ledger().word_of(slot);
        // What is retired and not leased is only memory that waits for its home.
        const bool is_waited_for = word.phase == Phase::retired && ledger().has_live_lease(slot);
        if (!word.is_live() && !is_waited_for) continue;
        ++list.alive;
        if (list.rows.size() >= rows_max) continue;
        const SegmentRow& row = ledger().segment(slot);
        list.rows.push_back({slot, word.epoch, std::string(name_of(word.phase)), AnyRef{ledger().life_of(word.owner)},
                             AnyRef{ledger().life_of(word.heir)}, row.used_bytes.load(relaxed),
                             word.phase == Phase::lent || word.phase == Phase::retired ? ledger().live_leases(slot) : 0U,
                             clock_->now().time_since_epoch() - Duration{row.since.load(relaxed)}});
    }
    return list;
}

std::vector<Finding> Estate::audit() const {
    std::vector<ActorNumber> settling;
    for (const auto& [number, one] : settling_) settling.push_back(number);
    return baton::audit(ledger(), settling);
}

std::string Estate::last_transitions(ActorId actor, std::size_t most) const {
    const ActorRow& row = ledger().actor(actor.number);
    const std::uint64_t written = row.ring_next.load(std::memory_order_acquire);
    const std::uint64_t count = std::min<std::uint64_t>({written, most, limits::ring_entries});
    std::string text;
    for (std::uint64_t number = written - count; number < written; ++number) {
        const RingEntry& entry = row.ring[number % limits::ring_entries];
        const std::uint64_t what = entry.what.load(relaxed);
        const std::uint64_t partner = entry.partner.load(relaxed);
        if (!text.empty()) text += ", ";
        text += fmt::format("{} {}.{}", name_of(static_cast<Transition>(what >> 32)), static_cast<std::uint32_t>(what),
                            entry.epoch.load(relaxed));
        if (partner != 0) text += fmt::format(" (actor {})", partner);
    }
    return text;
}

// ---- the end ---------------------------------------------------------------------------------------

Estate::Balance Estate::close() {
    is_closing_ = true;
    for (std::uint32_t number = 1; number <= limits::actors_max; ++number)
        if (const ActorId life = ledger().life_of(number); number != me && life.is_somebody())
            static_cast<void>(settle(life));
    // Nobody is left who could answer.
    while (!settling_.empty()) {
        const Settling first = settling_.begin()->second;
        if (first.heirs.empty()) settling_.erase(first.dead.number);
        for (const ActorId heir : first.heirs) drained(heir, first.dead);
    }
    while (collect()) {
    }
    Balance balance{ledger().counts_of(me), released_for_the_dead_, audit_end(ledger())};
    const Counts& counts = balance.counts;
    if (counts.created + counts.taken_in != counts.released + counts.handed_out)
        balance.findings.push_back({1, fmt::format("{} created + {} taken in is not {} released + {} handed out", counts.created,
                                                   counts.taken_in, counts.released, counts.handed_out)});
    return balance;
}

}  // namespace baton::coordinator
