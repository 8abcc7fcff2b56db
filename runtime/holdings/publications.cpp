#include "runtime/holdings/publications.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "runtime/base/crash_point.hpp"

namespace baton::detail {
namespace {

constexpr auto relaxed = std::memory_order_relaxed;

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

// ---- N1 --------------------------------------------------------------------------------------------

Result<void> Publications::check_publishable(const Holding& loan, LeaseKind kind) const {
    const auto* const lender = loan.as<LentOut>();
    if (lender == nullptr) return refused("only a segment that is lent can be published: lend it first");
    if (lender->name)
        return refused(fmt::format("{} is published as '{}' already: withdraw that first", book_.to_text(loan),
                                   ledger().names.text_of(lender->name->row)));
    if (loan.layout.type.size() > limits::published_type_bytes_max)
        return refused(
            fmt::format("{} has elements whose type takes more than {} bytes to write: it can't be published "
                        "(limits::published_type_bytes_max)",
                        book_.to_text(loan), limits::published_type_bytes_max));
    if (lending_.overlaps(loan, kind, 0, loan.bytes))
        return refused(fmt::format("{} can't be published {} while leases or slices of another kind are out",
                                   book_.to_text(loan), kind == LeaseKind::read ? "to be read" : "to be shared"));
    return {};
}

Result<void> Publications::publish(Holding& loan, const std::string& name, LeaseKind kind) {
    if (Result<void> fine = check_published_name(name); !fine) return fine;
    if (Result<void> fine = check_publishable(loan, kind); !fine) return fine;
    const Result<NameSlot> row = ledger().names.bind(name);
    if (!row) return row.error();
    const std::optional<NameWord> publishing = ledger().names.begin_publishing(*row, holder_.number(), loan.slot);
    if (!publishing) {
        const NameWord taken = ledger().names.word_of(*row);
        return refused(fmt::format("the name '{}' is taken: actor {} has published segment {} under it", name,
                                   to_string(ledger().lives.of(taken.owner)), taken.slot));
    }
    pass_crash_point(CrashPoint::publish_begun);
    ledger().names.describe(*row, {kind, loan.epoch, loan.bytes, loan.layout.type, loan.layout.shape});
    LentOut& lender = lent(loan);
    lender.was_published = true;
    const std::optional<NameWord> word = ledger().names.publish(*row, *publishing);
    if (!word) return refused(fmt::format("the name '{}' was taken from this actor as it published", name));
    lender.name = LentOut::Name{*row, *word, kind};
    pass_crash_point(CrashPoint::publish_made);
    holder_.note(Transition::publish, loan.slot, word->epoch, 0);
    return {};
}

Result<void> Publications::permits(const Holding& loan, LeaseKind kind) const {
    const std::optional<LentOut::Name>& name = lent(loan).name;
    if (!name || name->kind == kind) return {};
    return refused(fmt::format(
        "{} is published as '{}' to be {}: others may attach at any moment, so that {}; withdraw the name first",
        book_.to_text(loan), ledger().names.text_of(name->row), name->kind == LeaseKind::read ? "read" : "shared",
        name->kind == LeaseKind::read ? "nobody may write it" : "all of it is shared"));
}

// ---- L7 --------------------------------------------------------------------------------------------

Result<Holding*> Publications::attach(const std::string& name) {
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

Result<Holding*> Publications::attach_to(NameSlot row, NameWord word, Publication what) {
    const SegmentRow& segment = ledger().segments.row(word.slot);
    Layout layout{std::move(what.type), std::move(what.shape)};
    const std::uint64_t capacity = segment.bytes.load(relaxed);
    if (layout.bytes() != what.bytes || what.bytes > capacity)
        return Error{ErrorKind::corrupt,
                     fmt::format("the ledger says that {} is published, and that it has {} bytes of memory",
                                 baton::to_text(layout), capacity)};
    const Result<Slot> lease = lease_rows_.unlisted();
    if (!lease) return lease.error();
    ledger().leases.describe(*lease, word.slot, what.lend, {what.kind, 0, what.bytes}, LeaseTable::Listing::none);
    const std::optional<Epoch> epoch = ledger().leases.attach(*lease, word.owner, holder_.number());
    if (!epoch) return Error{ErrorKind::overloaded, "the ledger has no free row for a lease at this moment"};
    pass_crash_point(CrashPoint::attach_claimed);

    Memory memory = Memory::of(segment);
    memory.capacity = capacity;
    Holding& holding = book_.add(Borrowed{handle_kind_of(what.kind), memory, *lease, *epoch, word.owner},
                                 {word.slot, what.lend, std::move(layout)});
    // If the owner has withdrawn the name by now, it may not have seen the lease.
    const bool stands = ledger().names.word_of(row) == word &&
                        ledger().segments.word_of(word.slot) == SegmentWord{Phase::lent, word.owner, 0, what.lend};
    if (!stands) {
        endings_.release(holding);
        return nullptr;
    }
    pass_crash_point(CrashPoint::attach_checked);
    holder_.note(Transition::attach, *lease, *epoch, word.owner);
    if (Result<std::byte*> mapped = book_.map(holding); !mapped) {
        endings_.release(holding);
        return mapped.error();
    }
    return &holding;
}

}  // namespace baton::detail
