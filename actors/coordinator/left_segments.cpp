#include "actors/coordinator/left_segments.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include "runtime/base/crash_point.hpp"

namespace baton::detail::coordinator {
namespace {

constexpr auto relaxed = std::memory_order_relaxed;
constexpr ActorNumber me = coordinator_id.number;

// Printable, as the owner should have written it; any other process may have written there.
std::string readable_label(std::string label) {
    for (char& one : label)
        if (static_cast<unsigned char>(one) < 0x20 || one == 0x7F) one = '?';
    return label;
}

std::uint64_t used_bytes(const Ledger& ledger, Slot slot) noexcept {
    const SegmentRow& row = ledger.segments.row(slot);
    return std::min(row.used_bytes.load(relaxed) & ~handed_out_mark, row.bytes.load(relaxed));
}

// As the heir is told. What does not fit the memory is bytes.
Layout layout_of(const Ledger& ledger, Slot slot, Layout said) {
    const std::optional<std::uint64_t> bytes = said.type.empty() ? std::nullopt : said.bytes();
    if (bytes && *bytes <= ledger.segments.row(slot).bytes.load(relaxed)) return said;
    return {"|u1", {used_bytes(ledger, slot)}};
}

}  // namespace

bool LeftSegments::is_left(const Ledger& ledger, Slot slot, SegmentWord word) noexcept {
    // Memory that has left the session under a name of the user's is nobody's to inherit.
    const bool has_left = (ledger.segments.row(slot).used_bytes.load(relaxed) & handed_out_mark) != 0;
    return word.is_live() && !has_left && ledger.wills.word_of(slot).counts_for(word);
}

// What heirs are to be told stands before T11: afterwards the word does not say it any more.
bool LeftSegments::take_over(Ledger& ledger, Slot slot, SegmentWord word, ActorId owner) {
    ledger.wills.note(slot, {word.phase == Phase::owned, 0, owner});
    pass_crash_point(CrashPoint::heir_noted);
    if (!ledger.segments.inherit(slot, word, me)) return false;
    pass_crash_point(CrashPoint::heir_left);
    open_.insert(slot);
    return true;
}

bool LeftSegments::is_ours(const Ledger& ledger, Slot slot) noexcept {
    const SegmentWord word = ledger.segments.word_of(slot);
    const WillWord will = ledger.wills.word_of(slot);
    return word.is_sound() && word.is_live() && word.owner == me && (will.place == 1 || will.place == 2) &&
           ledger.wills.notes_of(slot).by.number == will.by;
}

void LeftSegments::take_back(Ledger& ledger, Slot slot) {
    const SegmentWord word = ledger.segments.word_of(slot);
    if (word.phase == Phase::offered) static_cast<void>(ledger.segments.withdraw(slot, word.epoch, me, word.heir));
    note(slot);
}

bool LeftSegments::decline(Ledger& ledger, ActorId heir, Slot slot, Epoch epoch) {
    if (!ledger.segment_blocks.has(slot) || !is_ours(ledger, slot)) return false;
    const SegmentWord offered{Phase::offered, me, heir.number, epoch};
    if (ledger.segments.word_of(slot) != offered) return false;
    ledger.wills.pass_over(slot, ledger.wills.notes_of(slot).listed + 1);
    pass_crash_point(CrashPoint::heir_declined);
    take_back(ledger, slot);
    return true;
}

void LeftSegments::carry_out(Ledger& ledger, const Hands& hands) {
    if (open_.empty()) return;
    const auto is_lent = [&](Slot slot) { return ledger.segments.word_of(slot).phase == Phase::lent; };
    if (std::ranges::any_of(open_, is_lent)) {
        const std::vector<std::uint32_t> leases = ledger.segment_leases.live_of_all();
        for (const Slot slot : open_) {
            const SegmentWord word = ledger.segments.word_of(slot);
            if (word.phase != Phase::lent || word.owner != me) continue;
            if (slot >= leases.size() || leases[slot] == 0)
                static_cast<void>(ledger.segments.reclaim_unleased(slot, word));  // T8
        }
    }
    const std::vector<Slot> all{open_.begin(), open_.end()};
    for (const Slot slot : all)
        if (carry_out_one(ledger, slot, hands) == Next::done) open_.erase(slot);
}

LeftSegments::Next LeftSegments::carry_out_one(Ledger& ledger, Slot slot, const Hands& hands) {
    const SegmentWord word = ledger.segments.word_of(slot);
    if (!is_ours(ledger, slot) || word.phase == Phase::offered) return Next::done;
    if (word.phase == Phase::lent) return Next::waits;
    const Will will = ledger.wills.read(slot, ledger.wills.word_of(slot).place).value_or(Will{});
    const WillNotes notes = ledger.wills.notes_of(slot);
    const std::string label = readable_label(will.label);
    for (std::uint64_t index = notes.listed; index < will.heirs.size(); ++index) {
        const HeirStanding standing = hands.find(notes.by, will.heirs[index]);
        if (standing.kind == HeirStanding::Kind::to_come) return Next::waits;
        if (standing.kind == HeirStanding::Kind::over) continue;
        ledger.wills.pass_over(slot, index);
        offer(ledger, word, {slot, 0, standing.life, layout_of(ledger, slot, will.layout), label, notes}, hands);
        return Next::done;
    }
    hands.report({slot, word.epoch, notes.by, label, used_bytes(ledger, slot)});
    pass_crash_point(CrashPoint::heir_reported);
    hands.release(slot, word);
    return Next::done;
}

void LeftSegments::offer(Ledger& ledger, SegmentWord word, Offer to_make, const Hands& hands) {
    const std::optional<Epoch> offered = ledger.segments.offer(to_make.slot, word.epoch, me, to_make.heir.number);
    if (!offered) return;  // only somebody who should not can have moved it
    pass_crash_point(CrashPoint::heir_offered);
    to_make.epoch = *offered;
    hands.tell(to_make);
    pass_crash_point(CrashPoint::heir_told);
}

}  // namespace baton::detail::coordinator
