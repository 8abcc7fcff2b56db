// The names of Holdings: what this actor publishes, and what it attaches to (N1, N2, L7).
//
// No other process is asked. An actor that attaches makes a lease of its own and then checks that the name is still
// valid; an actor that withdraws a name does so before it looks at the leases. At least one of the two sees the other
// (docs/ownership.md).
#include <fmt/format.h>

#include <algorithm>

#include "runtime/base/crash_point.hpp"
#include "runtime/holdings/holdings.hpp"

namespace baton::detail {
namespace {

constexpr auto relaxed = std::memory_order_relaxed;

Error refused(std::string text) { return Error{ErrorKind::refused, std::move(text)}; }

Result<void> check_published_name(const std::string& name) {
    const bool has_room = !name.empty() && name.size() <= limits::published_name_bytes_max;
    const bool is_plain = std::ranges::none_of(name, [](unsigned char c) { return c < 0x20 || c == 0x7F; });
    if (has_room && is_plain) return {};
    return refused(
        fmt::format("'{}' can't be the name of a published segment: it takes 1 to {} bytes without control "
                    "characters (limits::published_name_bytes_max)",
                    is_plain ? name.substr(0, 40) : std::string("..."), limits::published_name_bytes_max));
}

}  // namespace

// ---- N1, N2 ----------------------------------------------------------------------------------------

Result<void> Holdings::publish(Holding& lent, const std::string& name, LeaseKind kind) {
    if (Result<void> fine = check_published_name(name); !fine) return fine;
    if (lent.state != Holding::State::lent)
        return refused("only a segment that is lent can be published: lend it first");
    if (lent.published)
        return refused(fmt::format("{} is published as '{}' already: withdraw that first", to_text(lent),
                                   ledger().names.text_of(lent.published->row)));
    if (lent.layout.type.size() > limits::published_type_bytes_max)
        return refused(
            fmt::format("{} has elements whose type takes more than {} bytes to write: it can't be published "
                        "(limits::published_type_bytes_max)",
                        to_text(lent), limits::published_type_bytes_max));
    if (overlaps(lent, kind, 0, lent.bytes))
        return refused(fmt::format("{} can't be published {} while leases or slices of another kind are out",
                                   to_text(lent), kind == LeaseKind::read ? "to be read" : "to be shared"));
    const Result<NameSlot> row = ledger().names.bind(name);
    if (!row) return row.error();
    const std::optional<NameWord> publishing = ledger().names.begin_publishing(*row, me_.number, lent.slot);
    if (!publishing) {
        const NameWord taken = ledger().names.word_of(*row);
        return refused(fmt::format("the name '{}' is taken: actor {} has published segment {} under it", name,
                                   to_string(ledger().lives.of(taken.owner)), taken.slot));
    }
    pass_crash_point(CrashPoint::publish_begun);
    ledger().names.describe(*row, {kind, lent.epoch, lent.bytes, lent.layout.type, lent.layout.shape});
    lent.was_published = true;
    const std::optional<NameWord> word = ledger().names.publish(*row, *publishing);
    if (!word) return refused(fmt::format("the name '{}' was taken from this actor as it published", name));
    lent.published = Holding::Publication{*row, *word, kind};
    pass_crash_point(CrashPoint::publish_made);
    note(Transition::publish, lent.slot, word->epoch, 0);
    return {};
}

Result<void> Holdings::check_published(const Holding& lent, LeaseKind kind) const {
    if (!lent.published || lent.published->kind == kind) return {};
    return refused(fmt::format(
        "{} is published as '{}' to be {}: others may attach at any moment, so that {}; withdraw the name first",
        to_text(lent), ledger().names.text_of(lent.published->row),
        lent.published->kind == LeaseKind::read ? "read" : "shared",
        lent.published->kind == LeaseKind::read ? "nobody may write it" : "all of it is shared"));
}

void Holdings::unpublish(Holding& lent) noexcept {
    if (!lent.published) return;
    const Holding::Publication was = *std::exchange(lent.published, std::nullopt);
    if (!ledger().names.unpublish(was.row, was.word)) return;  // the session has ended without us
    pass_crash_point(CrashPoint::unpublish_made);
    note(Transition::unpublish, lent.slot, was.word.epoch, 0);
}

// ---- L7 --------------------------------------------------------------------------------------------

Result<Holding*> Holdings::attach(const std::string& name) {
    if (Result<void> fine = check_published_name(name); !fine) return fine.error();
    const std::optional<NameSlot> row = ledger().names.find(name);
    if (!row) return nullptr;
    const NameWord word = ledger().names.word_of(*row);
    if (word.phase != NamePhase::published || !ledger().segment_blocks.has(word.slot)) return nullptr;
    std::optional<Publication> what = ledger().names.publication_of(*row);
    if (ledger().names.word_of(*row) != word) return nullptr;  // withdrawn while it was read
    if (!what)
        return Error{ErrorKind::corrupt, fmt::format("what the ledger says about the name '{}' makes no sense", name)};
    return attach_to(*row, word, std::move(*what));
}

Result<Holding*> Holdings::attach_to(NameSlot row, NameWord word, Publication what) {
    const SegmentRow& segment = ledger().segments.row(word.slot);
    Layout layout{std::move(what.type), std::move(what.shape)};
    const std::uint64_t capacity = segment.bytes.load(relaxed);
    if (layout.bytes() != what.bytes || what.bytes > capacity)
        return Error{ErrorKind::corrupt,
                     fmt::format("the ledger says that {} is published, and that it has {} bytes of memory",
                                 baton::to_text(layout), capacity)};
    const Result<Slot> lease = unlinked_lease();
    if (!lease) return lease.error();
    ledger().leases.describe(*lease, word.slot, what.lend, {what.kind, 0, what.bytes}, LeaseTable::Listing::none);
    const std::optional<Epoch> epoch = ledger().leases.attach(*lease, word.owner, me_.number);
    if (!epoch) return Error{ErrorKind::overloaded, "the ledger has no free row for a lease at this moment"};
    pass_crash_point(CrashPoint::attach_claimed);

    Holding& holding = fresh();
    holding.state = Holding::State::borrowed;
    holding.kind = what.kind == LeaseKind::read ? HandleKind::lease : HandleKind::slice;
    holding.slot = word.slot;
    holding.epoch = what.lend;
    holding.generation = segment.generation.load(relaxed);
    holding.capacity = capacity;
    holding.bytes = what.bytes;
    holding.layout = std::move(layout);
    holding.lease = *lease;
    holding.lease_epoch = *epoch;
    holding.other = word.owner;
    // If the owner has withdrawn the name by now, it may not have seen the lease.
    const bool stands = ledger().names.word_of(row) == word &&
                        ledger().segments.word_of(word.slot) == SegmentWord{Phase::lent, word.owner, 0, what.lend};
    if (!stands) {
        release(holding);
        return nullptr;
    }
    pass_crash_point(CrashPoint::attach_checked);
    note(Transition::attach, *lease, *epoch, word.owner);
    if (Result<void> mapped = map(holding); !mapped) {
        release(holding);
        return mapped.error();
    }
    return &holding;
}

}  // namespace baton::detail
