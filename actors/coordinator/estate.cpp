#include "actors/coordinator/estate.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "runtime/base/check.hpp"
#include "runtime/base/crash_point.hpp"
#include "runtime/base/planted_bug.hpp"

namespace baton::detail::coordinator {
namespace {

constexpr auto relaxed = std::memory_order_relaxed;
constexpr ActorNumber me = coordinator_id.number;

// How long memory of the dead is released at a time, and how often it is looked for while survivors hold segments whose
// home has died.
constexpr Duration collection_slice = std::chrono::milliseconds{5};
constexpr Duration collection_interval = std::chrono::milliseconds{50};
// Of the coordinator's time, at most one part in so many goes into looking for it.
constexpr int looks_share = 50;
// A row may move while it is looked at: its other party accepts or withdraws. Twice is a lot; more often cannot come
// from the protocol.
constexpr int looks_max = 16;
constexpr std::size_t mended_texts_max = 8;

// The actor that published it has checked it; any other process may have written there.
std::string readable_name(std::string name) {
    for (char& one : name)
        if (static_cast<unsigned char>(one) < 0x20 || static_cast<unsigned char>(one) >= 0x7F) one = '?';
    return name;
}

// Calls look(row) for each row of the blocks that `is_meant` takes, by their first row.
template <class IsMeant, class Look>
void for_each_row(const Blocks& blocks, const IsMeant& is_meant, const Look& look) {
    for (Slot first = 0; first < blocks.rows_used(); first += limits::rows_per_block) {
        if (!is_meant(first)) continue;
        for (Slot row = first; row < first + limits::rows_per_block; ++row) look(row);
    }
}

}  // namespace

Estate::Estate(LedgerRegion region, std::string session_id, const Clock& clock)
    : region_(std::move(region)),
      store_(std::make_unique<Store>(std::move(session_id), Store::Idle::accessible)),
      clock_(&clock),
      lives_(limits::actors_max + 1) {}

Result<Estate> Estate::create(std::string_view session_id, std::uint64_t budget_bytes, const Clock& clock) {
    Result<LedgerRegion> region = LedgerRegion::create(session_id, budget_bytes);
    if (!region) return region.error();
    Result<Estate> estate = over(std::move(*region), session_id, clock);
    if (!estate) remove(session_id);
    return estate;
}

Result<Estate> Estate::over(LedgerRegion region, std::string_view session_id, const Clock& clock) {
    Estate estate{std::move(region), std::string(session_id), clock};
    if (Result<void> lives = estate.give_life(coordinator_id, 0); !lives) return lives.error();
    return estate;
}

Result<Estate> Estate::resume(std::string_view session_id, const Clock& clock, const Kept& kept) {
    Result<LedgerRegion> region = LedgerRegion::open(session_id);
    if (!region) return region.error();
    return resume(std::move(*region), session_id, clock, kept);
}

Estate Estate::resume(LedgerRegion region, std::string_view session_id, const Clock& clock, const Kept& kept) {
    Estate estate{std::move(region), std::string(session_id), clock};
    estate.take_up(kept);
    return estate;
}

// What the last coordinator was doing when it ended is finished, or done again.
void Estate::take_up(const Kept& kept) {
    lives_[me] = coordinator_id;
    for (const ActorId life : kept.lives)
        if (life.number < lives_.size()) lives_[life.number] = life;
    // What they had offered, and what was offered to them, was looked at, or may have been, as of the dead.
    for (const ActorId dead : kept.settling) {
        if (dead.number >= lives_.size()) continue;
        ledger().lives.clear(dead.number);
        settling_[dead.number] = {dead, {}, true};
    }
    highest_ = std::max(highest_, kept.highest);
    released_for_the_dead_ = kept.released_for_the_dead;
    mended_rows_ = kept.mended;
    if (!is_planted(PlantedBug::intent_left)) ledger().counters.settle_intent(me);
    std::uint64_t bytes = 0;
    for_each_row(ledger().segment_blocks, [this](Slot first) { return ledger().segment_blocks.home_of(first) == me; },
                 [&](Slot slot) {
                     bytes += bytes_of(slot);
                     shelves_.note(ledger(), slot);
                 });
    ledger().budget.forget(me);
    ledger().budget.add(me, bytes);
    may_be_more_ = true;
    next_collection_ = Deadline{clock_->now()};
}

Result<void> Estate::give_life(ActorId actor, std::uint64_t budget_bytes) {
    check(!is_settling(actor.number), "a number lives again only after its last life has been settled");
    Result<void> given = ledger().lives.give(actor, budget_bytes == 0 ? ~std::uint64_t{0} : budget_bytes);
    if (given) lives_[actor.number] = actor;
    highest_ = std::max(highest_, actor.number);
    return given;
}

ActorId Estate::living(ActorNumber number) const noexcept {
    return number < lives_.size() ? lives_[number] : ActorId{};
}

bool Estate::is_known(ActorNumber number) const noexcept { return living(number).is_somebody() || is_settling(number); }

// ---- settling --------------------------------------------------------------------------------------

bool Estate::is_begun(ActorId dead) const noexcept {
    const auto found = settling_.find(dead.number);
    return found != settling_.end() && found->second.dead == dead && found->second.is_begun;
}

// Of no other block's rows is it a part.
template <class OfSegment, class OfLease>
void Estate::for_each_row_of(ActorNumber dead, const OfSegment& of_segment, const OfLease& of_lease) const {
    const Blocks& segments = ledger().segment_blocks;
    const Blocks& leases = ledger().lease_blocks;
    const Marks& marks = ledger().marks;
    for_each_row(segments, [&](Slot at) { return segments.home_of(at) == dead || marks.has_segment(dead, at); },
                 of_segment);
    for_each_row(leases, [&](Slot at) { return leases.home_of(at) == dead || marks.has_lease(dead, at); }, of_lease);
}

MemoryAtExit Estate::take_life(ActorId dead) {
    MemoryAtExit held;
    if (living(dead.number) != dead && !is_begun(dead)) return held;
    // First nobody can offer to it any more, then rows are looked at (docs/ownership.md).
    ledger().lives.clear(dead.number);
    lives_[dead.number] = {};
    settling_[dead.number] = {dead, {}, true};
    pass_crash_point(CrashPoint::life_taken);
    ledger().counters.settle_intent(dead.number);
    pass_crash_point(CrashPoint::intent_resolved);
    const auto of_segment = [&](Slot slot) {
        const SegmentWord word = ledger().segments.word_of(slot);
        if (!is_possible(word) || !word.is_live()) return;
        if (word.phase == Phase::offered && word.heir == dead.number) ++held.incoming;
        if (word.owner != dead.number) return;
        if (word.phase == Phase::offered) ++held.sent;
        if (word.phase == Phase::offered) return;
        ++held.segments;
        held.bytes += ledger().segments.row(slot).used_bytes.load(relaxed) & ~handed_out_mark;
        held.oldest = std::max(held.oldest, age_of(slot));
    };
    const auto of_lease = [&](Slot lease) {
        const LeaseWord word = ledger().leases.word_of(lease);
        if (word.borrower == dead.number && word.phase == LeasePhase::claimed) ++held.leases;
    };
    for_each_row_of(dead.number, of_segment, of_lease);
    return held;
}

Estate::Settled Estate::settle(ActorId dead, const std::vector<ActorNumber>& receivers) {
    Settled settled;
    if (!is_begun(dead)) settled.held = take_life(dead);
    if (!is_begun(dead)) return settled;
    settling_[dead.number].is_begun = false;

    // Names first: an actor that attaches checks the name after it has made its lease, and we check the leases after
    // the name (N2).
    settle_names(dead.number);
    pass_crash_point(CrashPoint::names_settled);
    for_each_row_of(dead.number, [&](Slot slot) { settle_segment(slot, dead.number, settled); },
                    [&](Slot lease) { settle_lease(lease, dead.number, settled); });
    adopt(dead.number);
    pass_crash_point(CrashPoint::settle_walked);

    std::ranges::sort(settled.concerned);
    settled.concerned.erase(std::unique(settled.concerned.begin(), settled.concerned.end()), settled.concerned.end());
    std::map<ActorId, InTransit>& heirs = settling_[dead.number].heirs;
    for (const ActorNumber number : receivers)
        if (const ActorId receiver = living(number); receiver.is_somebody() && receiver != coordinator_id)
            heirs.try_emplace(receiver);
    for (const auto& [heir, sent] : heirs) settled.to_drain.push_back(heir);

    // It can't answer any more for those that died before it.
    std::vector<ActorId> waiting;
    for (const auto& [number, earlier] : settling_)
        if (earlier.heirs.contains(dead)) waiting.push_back(earlier.dead);
    for (const ActorId earlier : waiting) static_cast<void>(drained(dead, earlier));
    finish_if_drained(dead.number);
    return settled;
}

// False if the word has changed in the meantime. Nobody else makes this transition, so it is counted once, even if this
// process ends here and its successor goes on (Counters::settle_intent).
bool Estate::release_for(Slot slot, SegmentWord word) {
    const Count how = ending_of(slot);
    ledger().counters.intend(me, how, slot);
    const bool is_transfer = word.phase == Phase::offered;
    const bool was_done = is_transfer ? ledger().segments.settle(slot, word).has_value()
                                      : ledger().segments.retire(slot, word.epoch, word.owner).has_value();
    pass_crash_point(CrashPoint::release_made);
    if (was_done) count_ended(how);
    else ledger().counters.forget_intent(me);
    return was_done;
}

// T11 if the dead owner has named heirs, T6 or T9 otherwise. False as above.
bool Estate::end_for(Slot slot, SegmentWord word) {
    if (is_closing_ || !LeftSegments::is_left(ledger(), slot, word)) return release_for(slot, word);
    const auto settling = settling_.find(word.owner);
    const ActorId owner = settling == settling_.end() ? ActorId{word.owner, 0} : settling->second.dead;
    return left_segments_.take_over(ledger(), slot, word, owner);
}

// If its owner died as it handed the memory out, what counts is whether that has left.
Count Estate::ending_of(Slot slot) const {
    const SegmentRow& row = ledger().segments.row(slot);
    const bool has_left = (row.used_bytes.load(relaxed) & handed_out_mark) != 0 &&
                          !store_->has({slot, row.generation.load(relaxed)});
    return has_left ? Count::handed_out : Count::released;
}

void Estate::count_ended(Count how) {
    ledger().counters.count(me, how);
    if (how == Count::released) ++released_for_the_dead_;
}

void Estate::settle_segment(Slot slot, ActorNumber dead, Settled& settled) {
    // Again until the row stands still: its other party may be moving it.
    for (int look = 0; look < looks_max; ++look) {
        const SegmentWord word = ledger().segments.word_of(slot);
        if (!is_possible(word)) {
            mend(slot, word);
        } else if (settle_word(slot, word, dead, settled)) {
            return;
        }
    }
    note_mended(fmt::format("segment {} keeps changing: a process writes it that should not", slot));
}

// A word that can be right. False if it has changed in the meantime.
bool Estate::settle_word(Slot slot, SegmentWord word, ActorNumber dead, Settled& settled) {
    if (!word.is_live() || (word.owner != dead && word.heir != dead)) return true;
    if (word.phase != Phase::offered) return end_for(slot, word);
    if (word.heir == dead) {
        const ActorId owner = living(word.owner);
        if (!(owner.is_somebody() ? ledger().segments.bounce(slot, word).has_value() : end_for(slot, word)))
            return false;
        if (owner == coordinator_id) left_segments_.note(slot);
        else if (owner.is_somebody()) settled.concerned.push_back(owner);
        return true;
    }
    const ActorId heir = living(word.heir);
    if (!heir.is_somebody() && !end_for(slot, word)) return false;
    if (heir.is_somebody()) settling_[dead].heirs[heir].segments.push_back(slot);
    return true;
}

void Estate::settle_lease(Slot lease, ActorNumber dead, Settled& settled) {
    for (int look = 0; look < looks_max; ++look) {
        const LeaseWord word = ledger().leases.word_of(lease);
        if (word.phase == LeasePhase::free) return;
        const ActorId lender = living(word.lender);
        const ActorId borrower = living(word.borrower);
        if (borrower.is_somebody() && (word.lender != dead || word.phase != LeasePhase::granted)) return;
        // Whatever else the word says: a living actor may still have the memory mapped, a dead one cannot.
        if (borrower.is_somebody()) return settling_[dead].heirs[borrower].leases.push_back(lease);
        if (!ledger().leases.clear(lease, word)) continue;
        if (!word.is_sound()) note_mended(fmt::format("lease {} was of phase {}, lender {}, borrower {}: freed", lease,
                                                      static_cast<unsigned>(word.phase), word.lender, word.borrower));
        if (word.borrower == dead && lender.is_somebody()) settled.concerned.push_back(lender);
        return;
    }
    note_mended(fmt::format("lease {} keeps changing: a process writes it that should not", lease));
}

void Estate::settle_names(ActorNumber dead) {
    for (NameSlot row = 0; row < ledger().names.rows_used(); ++row)
        for (int look = 0; look < looks_max; ++look) {
            const NameWord word = ledger().names.word_of(row);
            const bool is_nobodys =
                !word.is_sound() || (word.phase != NamePhase::free && !living(word.owner).is_somebody());
            if (word.owner != dead && !is_nobodys) break;
            if (word.phase == NamePhase::free && word.is_sound()) break;
            if (!ledger().names.unpublish(row, word)) continue;
            if (!word.is_sound()) note_mended(fmt::format("name {} was of phase {}, owner {}: freed", row,
                                                          static_cast<unsigned>(word.phase), word.owner));
            break;
        }
}

// ---- what could not be so --------------------------------------------------------------------------

// True if a transition can have written the word, and it names an actor that exists. (An offer that was made too late
// may name an heir that has been settled, for a moment: ownership.md, the exceptions of I6.)
bool Estate::is_possible(SegmentWord word) const noexcept {
    return word.is_sound() && (!word.is_live() || is_known(word.owner));
}

// What is left of a word that can't be so. Its owner, if there is one that lives, keeps the row until it ends: it
// may have the memory mapped, so that nobody else may get it. Where all but the heir is as it was, the row is as it
// was.
SegmentWord Estate::possible(SegmentWord word) const noexcept {
    const Epoch next = (word.epoch + 1) & words::epoch_max;
    if (word.phase == Phase::free) return {Phase::free, 0, 0, word.epoch};
    if (word.phase == Phase::retired) return {Phase::retired, word.owner, 0, word.epoch};
    if (!living(word.owner).is_somebody()) return {Phase::retired, 0, 0, next};
    if (word.phase == Phase::owned || word.phase == Phase::lent) return {word.phase, word.owner, 0, word.epoch};
    return {Phase::owned, word.owner, 0, next};
}

void Estate::mend(Slot slot, SegmentWord word) {
    const SegmentWord to = possible(word);
    if (to.is_live()) ledger().marks.mark_segment(to.owner, slot);
    const bool ends = to.phase == Phase::retired && word.phase != Phase::retired;
    const Count how = ending_of(slot);
    if (ends) ledger().counters.intend(me, how, slot);
    const bool was_done = ledger().segments.mend(slot, word, to);
    if (ends && was_done) count_ended(how);
    else if (ends) ledger().counters.forget_intent(me);
    if (!was_done) return;
    note_mended(fmt::format("segment {} was of phase {}, owner {}, heir {} at epoch {}: now {}", slot,
                            static_cast<unsigned>(word.phase), word.owner, word.heir, word.epoch, name_of(to.phase)));
}

void Estate::note_mended(std::string text) {
    ++mended_rows_;
    ++mended_.rows;
    if (mended_.texts.size() < mended_texts_max) mended_.texts.push_back(std::move(text));
}

// T6 and L6: what is still offered or granted by the dead one to `heir`.
void Estate::settle_transfers(const InTransit& sent, ActorNumber dead, ActorNumber heir) {
    for (const Slot slot : sent.segments) {
        const SegmentWord word = ledger().segments.word_of(slot);
        if (word.phase == Phase::offered && word.owner == dead && word.heir == heir)
            static_cast<void>(end_for(slot, word));
    }
    for (const Slot lease : sent.leases) {
        const LeaseWord word = ledger().leases.word_of(lease);
        if (word.phase == LeasePhase::granted && word.lender == dead && word.borrower == heir)
            static_cast<void>(ledger().leases.settle(lease, word));
    }
    pass_crash_point(CrashPoint::drained_settled);
}

bool Estate::drained(ActorId heir, ActorId dead) {
    const auto found = settling_.find(dead.number);
    if (found == settling_.end() || found->second.dead != dead) return false;
    const auto sent = found->second.heirs.extract(heir);
    if (sent.empty()) return false;
    settle_transfers(sent.mapped(), dead.number, heir.number);
    finish_if_drained(dead.number);
    return true;
}

bool Estate::awaits(ActorId heir, ActorId dead) const {
    const auto found = settling_.find(dead.number);
    return found != settling_.end() && found->second.dead == dead && found->second.heirs.contains(heir);
}

std::vector<ActorId> Estate::awaited_of(ActorId heir) const {
    std::vector<ActorId> dead;
    for (const auto& [number, settling] : settling_)
        if (settling.heirs.contains(heir)) dead.push_back(settling.dead);
    return dead;
}

void Estate::finish_if_drained(ActorNumber dead) {
    const auto found = settling_.find(dead);
    if (found == settling_.end() || !found->second.heirs.empty()) return;
    settling_.erase(found);
    next_collection_ = Deadline{clock_->now()};
}

// ---- what is left to heirs -------------------------------------------------------------------------

void Estate::carry_out_wills(const std::function<HeirStanding(ActorId, std::uint64_t)>& find,
                             const std::function<void(const LeftSegments::Offer&)>& tell,
                             const std::function<void(const LeftSegments::Unclaimed&)>& report) {
    const auto release = [this](Slot slot, SegmentWord word) { static_cast<void>(release_for(slot, word)); };
    left_segments_.carry_out(ledger(), {find, tell, report, release});
}

void Estate::take_back_offers() {
    for_each_row_of(me, [this](Slot slot) {
        if (LeftSegments::is_ours(ledger(), slot)) left_segments_.take_back(ledger(), slot);
    }, [](Slot) {});
}

// At the end nobody inherits any more.
void Estate::release_left() {
    for_each_row_of(me, [this](Slot slot) {
        if (LeftSegments::is_ours(ledger(), slot))
            static_cast<void>(release_for(slot, ledger().segments.word_of(slot)));
    }, [](Slot) {});
}

// ---- the home of blocks without one ----------------------------------------------------------------

// What its home has claimed for the row, even if the memory has left the session since.
std::uint64_t Estate::bytes_of(Slot slot) const noexcept {
    const SegmentRow& row = ledger().segments.row(slot);
    const std::uint64_t used = row.used_bytes.load(relaxed);
    return (used & handed_out_mark) != 0 ? used & ~handed_out_mark : row.bytes.load(relaxed);
}

// Rows in them name it until all have answered Drained. A coordinator that takes over before that walks them again, and
// their home does not tell it so any more.
void Estate::mark_blocks_of(ActorNumber dead) {
    const auto mark = [dead](const Blocks& blocks, const auto& mark_block) {
        for (Slot first = 0; first < blocks.rows_used(); first += limits::rows_per_block)
            if (blocks.home_of(first) == dead) mark_block(first);
    };
    mark(ledger().segment_blocks, [&](Slot first) { ledger().marks.mark_segment(dead, first); });
    mark(ledger().lease_blocks, [&](Slot first) { ledger().marks.mark_lease(dead, first); });
}

void Estate::adopt(ActorNumber dead) {
    std::uint64_t bytes = 0;
    for_each_row(ledger().segment_blocks,
                 [&](Slot first) { return ledger().segment_blocks.home_of(first) == dead; },
                 [&](Slot slot) {
                     bytes += bytes_of(slot);
                     shelves_.note(ledger(), slot);
                 });
    if (!is_planted(PlantedBug::adopted_unmarked)) mark_blocks_of(dead);
    ledger().adopt_blocks(dead, me);
    ledger().budget.forget(dead);
    ledger().budget.add(me, bytes);
    may_be_more_ = true;  // a look that has been made already has not seen them
    next_collection_ = Deadline{clock_->now()};
}

// What of our blocks is nobody's any more. First the words are seen, then the leases: what is retired is lent to nobody
// new. One look at each row of either table, whatever the lists of leases say.
void Estate::look_for_left() {
    may_be_more_ = false;
    const auto is_ours = [this](Slot first) { return ledger().segment_blocks.home_of(first) == me; };
    for_each_row(ledger().segment_blocks, is_ours, [this](Slot slot) {
        if (const SegmentWord word = ledger().segments.word_of(slot); !is_possible(word)) mend(slot, word);
        const SegmentWord word = ledger().segments.word_of(slot);
        if (word.phase == Phase::retired || (word.phase == Phase::free && bytes_of(slot) != 0))
            left_.push_back({slot, word});
        else if (word.phase != Phase::free) may_be_more_ = true;
    });
    if (left_.empty()) return;
    // Most has never been lent, and then no lease can be left.
    const auto may_be_leased = [this](const Left& one) {
        const SegmentRow& row = ledger().segments.row(one.slot);
        return one.word.phase == Phase::retired && (row.first_lease.load(relaxed) != 0 ||
                                                    (row.published.load(relaxed) & words::epoch_max) == one.word.epoch);
    };
    if (std::ranges::none_of(left_, may_be_leased)) return;
    const std::vector<std::uint32_t> leases = ledger().segment_leases.live_of_all();
    const auto is_leased = [&](const Left& one) { return one.slot < leases.size() && leases[one.slot] > 0; };
    if (std::erase_if(left_, is_leased) > 0) may_be_more_ = true;
}

void Estate::give_back(const Left& left) {
    if (left.word.phase == Phase::retired && !ledger().segments.recycle_unleased(left.slot, left.word)) {
        may_be_more_ = true;  // only somebody who should not can have moved it
        return;
    }
    SegmentRow& row = ledger().segments.row(left.slot);
    const std::uint64_t bytes = bytes_of(left.slot);
    if (row.place_bytes.load(relaxed) != 0) shelves_.note(ledger(), left.slot);
    else end_object(left.slot);
    row.bytes.store(0, relaxed);
    row.used_bytes.store(0, relaxed);
    ledger().budget.give_back(me, bytes);
}

void Estate::end_object(Slot slot) {
    // A retired row's memory may have a name before the row says how many bytes there are. At the end those who joined
    // from outside live on, and may still look at what was theirs.
    const Store::Block block{slot, ledger().segments.row(slot).generation.load(relaxed)};
    is_closing_ ? store_->remove(block) : store_->discard(block);
}

// One row, or one shelf after all rows. False if nothing is left to do.
bool Estate::collect_one() {
    if (!left_.empty()) {
        give_back(left_.back());
        left_.pop_back();
        return true;
    }
    if (!shelves_.has_any()) return false;
    shelves_.tidy_one(ledger(), *store_, is_closing_);
    return true;
}

bool Estate::collect() {
    next_collection_ = Deadline::never();
    const Deadline enough = Deadline::in(*clock_, collection_slice);
    if (!std::exchange(has_looked_, true)) {
        const Instant begun = clock_->now();
        look_for_left();
        look_took_ = clock_->now() - begun;
    }
    while (collect_one())
        if (enough.has_passed(*clock_)) {
            next_collection_ = Deadline{clock_->now()};
            return true;
        }
    has_looked_ = false;
    ledger().release_empty_blocks(me);
    if (may_be_more_)
        next_collection_ = Deadline::in(*clock_, std::max<Duration>(collection_interval, look_took_ * looks_share));
    return false;
}

// ---- looking ---------------------------------------------------------------------------------------

SegmentList Estate::list(std::uint64_t rows_max, const Called& called) const {
    SegmentList list;
    list.bytes = ledger().budget.bytes_in_session();
    if (const std::uint64_t budget = ledger().budget.session_limit(); budget != ~std::uint64_t{0})
        list.budget_bytes = budget;
    const std::vector<std::uint32_t> leases = ledger().segment_leases.live_of_all();
    std::map<Slot, std::string> names;
    for (NameSlot row = 0; row < ledger().names.rows_used(); ++row)
        if (const NameWord word = ledger().names.word_of(row); word.phase == NamePhase::published)
            names[word.slot] = readable_name(ledger().names.text_of(row));
    for (Slot slot = 0; slot < ledger().segment_blocks.rows_used(); ++slot) {
        const SegmentWord word = ledger().segments.word_of(slot);
        // What is retired and not leased is only memory that waits for its home.
        const bool is_waited_for = word.phase == Phase::retired && slot < leases.size() && leases[slot] > 0;
        if (!word.is_live() && !is_waited_for) continue;
        ++list.alive;
        if (list.rows.size() >= rows_max) continue;
        const SegmentRow& row = ledger().segments.row(slot);
        list.rows.push_back({slot, word.epoch, std::string(name_of(word.phase)), AnyRef{living(word.owner)},
                             AnyRef{living(word.heir)}, row.used_bytes.load(relaxed),
                             slot < leases.size() ? leases[slot] : 0U, age_of(slot),
                             names.contains(slot) && word.phase == Phase::lent ? names[slot] : std::string(), {}, {}});
        describe_heirs(list.rows.back(), word, called);
    }
    return list;
}

void Estate::describe_heirs(SegmentInfo& row, SegmentWord word, const Called& called) const {
    const WillWord said = ledger().wills.word_of(row.slot);
    if (!said.counts_for(word) && !LeftSegments::is_ours(ledger(), row.slot)) return;
    const Will will = ledger().wills.read(row.slot, said.place).value_or(Will{});
    row.label = readable_name(will.label);
    for (const std::uint64_t heir : will.heirs)
        row.heirs.push_back(heir == next_life_heir
                                ? std::string("next life")
                                : called({static_cast<std::uint32_t>(heir >> 32), static_cast<std::uint32_t>(heir)}));
}

// Since the word last changed. What stands in the row may be any number, and nothing yet.
Duration Estate::age_of(Slot slot) const noexcept {
    const std::int64_t now = clock_->now().time_since_epoch().count();
    const std::int64_t since = ledger().segments.row(slot).since.load(relaxed);
    return since <= 0 || since > now ? Duration::zero() : Duration{now - since};
}

std::vector<Finding> Estate::audit() const {
    std::vector<ActorNumber> settling;
    for (const auto& [number, one] : settling_) settling.push_back(number);
    return detail::audit(ledger(), settling);
}

std::string Estate::last_transitions(ActorId actor, std::size_t most) const {
    return ledger().rings.last(actor.number, most);
}

// ---- the end ---------------------------------------------------------------------------------------

// Nobody is left who could say what a row is for. What is not free was settled as far as that can be told.
void Estate::end_all_rows() {
    ledger().adopt_all_blocks(me);
    for (Slot lease = 0; lease < ledger().lease_blocks.rows_used(); ++lease)
        for (int look = 0; look < looks_max; ++look) {
            const LeaseWord word = ledger().leases.word_of(lease);
            if (word.phase == LeasePhase::free || ledger().leases.clear(lease, word)) break;
        }
    for (Slot slot = 0; slot < ledger().segment_blocks.rows_used(); ++slot)
        for (int look = 0; look < looks_max; ++look) {
            const SegmentWord word = ledger().segments.word_of(slot);
            if (is_possible(word) && !word.is_live()) break;
            mend(slot, word);
        }
    for (Slot slot = 0; slot < ledger().segment_blocks.rows_used(); ++slot) shelves_.note(ledger(), slot);
}

Estate::Balance Estate::close() {
    is_closing_ = true;
    for (ActorNumber number = 1; number < lives_.size(); ++number)
        if (const ActorId life = living(number); number != me && life.is_somebody()) static_cast<void>(settle(life));
    // Nobody is left who could answer.
    while (!settling_.empty()) {
        const Settling first = settling_.begin()->second;
        if (first.heirs.empty()) settling_.erase(first.dead.number);
        for (const auto& [heir, sent] : first.heirs) static_cast<void>(drained(heir, first.dead));
    }
    release_left();
    lives_[me] = {};
    settle_names(me);
    end_all_rows();
    left_.clear();
    has_looked_ = false;
    while (collect()) {
    }
    Counts sum = ledger().counters.of(me);
    for (ActorNumber number = me + 1; number <= highest_; ++number) sum += ledger().counters.of(number);
    Balance balance{sum, released_for_the_dead_, mended_rows_, audit_end(ledger())};
    const Counts& counts = balance.counts;
    const std::uint64_t in = counts.created + counts.taken_in;
    const std::uint64_t out = counts.released + counts.handed_out;
    if (std::max(in, out) - std::min(in, out) > mended_rows_)
        balance.findings.push_back(
            {1, fmt::format("{} created + {} imported is not {} released + {} exported", counts.created,
                            counts.taken_in, counts.released, counts.handed_out)});
    return balance;
}

}  // namespace baton::detail::coordinator
