#include <baton/segment.hpp>

#include <fmt/format.h>

#include "runtime/holdings/arrivals.hpp"
#include "runtime/inbox/access.hpp"
#include "runtime/inbox/loop.hpp"
#include "runtime/wire/element_type.hpp"

namespace baton {

using namespace detail;

namespace {

[[noreturn]] void refuse(std::string text) { throw ErrorException(Error{ErrorKind::refused, std::move(text)}); }

// How often a lender looks whether its leases have been returned; a borrower drops its own without a message.
constexpr Duration reclaim_interval = std::chrono::microseconds{200};

std::uint64_t row_bytes_of(const Layout& layout) {
    std::uint64_t bytes = layout.element_bytes().value_or(1);
    for (std::size_t dimension = 1; dimension < layout.shape.size(); ++dimension) bytes *= layout.shape[dimension];
    return bytes;
}

}  // namespace

// ---- SegmentBase ------------------------------------------------------------------------------------

SegmentBase::SegmentBase(Holdings& holdings, Holding& holding)
    : holdings_(holdings.shared_from_this()), holding_(&holding), ticket_(holding.ticket) {}

SegmentBase& SegmentBase::operator=(SegmentBase&& other) noexcept {
    if (this == &other) return *this;
    if (Holding* mine = holding(); mine != nullptr) holdings_->release(*mine);
    holdings_ = std::move(other.holdings_);
    holding_ = other.holding_;
    ticket_ = other.ticket_;
    return *this;
}

SegmentBase::~SegmentBase() {
    if (Holding* mine = holding(); mine != nullptr) holdings_->release(*mine);
}

Holding* SegmentBase::holding() const noexcept {
    return holdings_ != nullptr && holding_->ticket == ticket_ ? holding_ : nullptr;
}

SegmentBase::operator bool() const noexcept {
    const Holding* mine = holding();
    return mine != nullptr && !mine->is_in_transit() && !mine->is_arriving();
}

Holding& SegmentBase::release_to_runtime() {
    Holding* mine = holding();
    if (mine == nullptr) refuse("an empty segment: it was moved from, or given away");
    holdings_->invalidate(*mine);
    holdings_.reset();
    return *mine;
}

const Layout& SegmentBase::layout() const {
    const Holding* mine = holding();
    if (mine == nullptr) refuse("an empty segment has no layout: it was moved from, or given away");
    return mine->layout;
}

std::uint64_t SegmentBase::size_bytes() const {
    const Holding* mine = holding();
    return mine == nullptr ? 0 : mine->bytes;
}

std::string SegmentBase::to_text() const {
    const Holding* mine = holding();
    return mine == nullptr ? std::string("an empty segment") : holdings_->to_text(*mine);
}

std::span<std::byte> SegmentBase::memory() const {
    Holding* mine = holding();
    if (mine == nullptr || !*this) refuse("an empty segment has no bytes: it was moved from, or given away");
    std::byte* data = mine->data();
    if (data == nullptr) {
        const Result<std::byte*> mapped = holdings_->map(*mine);
        if (!mapped) throw ErrorException(mapped.error());
        data = *mapped;
    }
    return {data, mine->bytes};
}

void SegmentBase::require_type(std::string_view type, std::size_t element_bytes) const {
    const Layout& is = layout();
    if (is_seen_as(is.type, type) || (type == "|u1" && element_bytes == 1)) return;
    refuse(fmt::format("{} can't be seen as elements of {}", to_text(), text_of_element_type(type)));
}

std::size_t SegmentBase::index_of(std::initializer_list<std::uint64_t> position) const {
    const Layout& is = layout();
    if (position.size() != is.shape.size())
        refuse(fmt::format("{} has {} dimensions, the position has {}", to_text(), is.shape.size(), position.size()));
    std::uint64_t index = 0;
    std::size_t dimension = 0;
    for (const std::uint64_t at : position) {
        if (at >= is.shape[dimension])
            refuse(fmt::format("{}: index {} of dimension {} is out of bounds", to_text(), at, dimension));
        index = index * is.shape[dimension++] + at;
    }
    return index;
}

std::uint64_t SegmentBase::first_index() const {
    const Holding* mine = holding();
    if (mine == nullptr) refuse("an empty lease or slice has no place");
    const std::uint64_t row = row_bytes_of(mine->layout);
    return row == 0 ? 0 : mine->offset / row;
}

void SegmentBase::encode_held(Encoder& encoder) const {
    // An empty one takes part too, so that departing can refuse it with the command's name.
    static Holding nobody;
    Holding* mine = holding();
    encoder.depart(mine == nullptr ? nobody : *mine);
}

bool SegmentBase::decode_held(Value from, Decoding& at, HandleKind kind) {
    if (from.kind() != ValueKind::handle) return at.expected(name_of(kind), from);
    if (at.arrivals() == nullptr) return at.fail(": nothing can be given or lent in this message");
    std::string why;
    Holding* came = at.arrivals()->take(from, kind, why);
    if (came == nullptr) return at.fail(": " + why);
    *this = SegmentBase{*at.arrivals()->holdings(), *came};
    return true;
}

Result<void> SegmentBase::name_heirs_of_held(const std::vector<Heir>& heirs, std::string_view label) {
    Holding* mine = holding();
    if (mine == nullptr)
        return Error{ErrorKind::refused, "an empty segment has no heirs: it was moved from, or given away"};
    std::vector<std::uint64_t> named;
    for (const Heir& heir : heirs) {
        if (!heir.is_next_life && !heir.actor.session.fits(holdings_->session()))
            return Error{ErrorKind::refused, fmt::format("{} can't be an heir of {}: it is an actor of another session",
                                                         to_string(heir.actor.id), to_text())};
        const ActorId id = heir.actor.id;
        named.push_back(heir.is_next_life ? next_life_heir : std::uint64_t{id.number} << 32 | id.incarnation);
    }
    return holdings_->heirs().name(*mine, named, label);
}

// ---- Segment, Slice, Loan --------------------------------------------------------------------------

Result<void> Segment::reshape(Layout layout) {
    Holding* mine = holding();
    const Memory* const memory = mine == nullptr ? nullptr : mine->memory();
    if (memory == nullptr) return Error{ErrorKind::refused, "an empty segment can't be given a shape"};
    const std::optional<std::uint64_t> bytes = layout.bytes();
    if (!bytes || *bytes > memory->capacity || layout.shape.size() > limits::shape_dimensions_max)
        return Error{ErrorKind::refused, fmt::format("{} has {} bytes of memory and can't become {}", to_text(),
                                                     memory->capacity, baton::to_text(layout))};
    mine->layout = std::move(layout);
    mine->bytes = *bytes;
    return {};
}

// A Lender knows no thread; a Loan knows its actor's.
Result<Lender> Loan::lender() const {
    if (loop_ != nullptr && !loop_->thread().is_this()) return loop_->thread().refusal();
    return Lender{*this};
}
Result<Lease> Loan::lease() {
    const Result<Lender> mine = lender();
    return mine ? mine->lease() : mine.error();
}
Result<Lease> Loan::lease(std::uint64_t first, std::uint64_t count) {
    const Result<Lender> mine = lender();
    return mine ? mine->lease(first, count) : mine.error();
}
Result<Slice> Loan::slice(std::uint64_t first, std::uint64_t count) {
    const Result<Lender> mine = lender();
    return mine ? mine->slice(first, count) : mine.error();
}
Result<Slice> Loan::share(std::uint64_t first, std::uint64_t count) {
    const Result<Lender> mine = lender();
    return mine ? mine->share(first, count) : mine.error();
}

std::uint32_t Loan::leases_out() const {
    const Holding* mine = holding();
    return mine == nullptr ? 0 : holdings()->lending().leases_out(*mine);
}

Result<Segment> Loan::reclaim(Within within) {
    Holding* mine = holding();
    if (mine == nullptr || !mine->is<LentOut>())
        return Error{ErrorKind::refused, "nothing is lent here any more"};
    if (loop_ != nullptr && !loop_->thread().is_this()) return loop_->thread().refusal();
    Holdings& book = *holdings();
    bool is_whole = book.lending().try_reclaim(*mine);
    if (!is_whole && loop_ != nullptr) {
        const Loop::Waited waited = loop_->poll([&] { return is_whole = book.lending().try_reclaim(*mine); },
                                                reclaim_interval, within.deadline(loop_->clock()));
        if (waited == Loop::Waited::stopping) return Error{ErrorKind::stopping, "this actor is stopping"};
        if (waited == Loop::Waited::gone) return loop_->coordinator_lost();
    }
    if (!is_whole)
        return Error{ErrorKind::timed_out,
                     fmt::format("{} still has {} leases and slices out at the deadline", to_text(), leases_out())};
    *static_cast<SegmentBase*>(this) = SegmentBase{};
    return Segment{book, *mine};
}

// ---- Lender ----------------------------------------------------------------------------------------

Lender::Lender(const SegmentBase& lent) {
    if ((holding_ = Access::holding(lent)) == nullptr) return;
    holdings_ = Access::holdings(lent)->shared_from_this();
    ticket_ = holding_->ticket;
}

Holding* Lender::holding() const noexcept {
    const bool is_lent = holding_ != nullptr && holding_->ticket == ticket_ && holding_->is<LentOut>();
    return is_lent ? holding_ : nullptr;
}

Result<Lease> Lender::lease() const {
    Holding* mine = holding();
    if (mine == nullptr) return Error{ErrorKind::refused, "nothing is lent here any more"};
    if (Result<void> possible = holdings_->publications().permits(*mine, LeaseKind::read); !possible)
        return possible.error();
    if (holdings_->lending().overlaps(*mine, LeaseKind::read, 0, mine->bytes))
        return Error{ErrorKind::refused,
                     fmt::format("{} has slices out: nobody may read all of it until they are in; lease(first, count) "
                                 "is the right to read a part beside them",
                                 holdings_->to_text(*mine))};
    return Lease{*holdings_, *holdings_->lending().pledge(*mine, LeaseKind::read, 0, mine->layout)};
}

Result<Lease> Lender::lease(std::uint64_t first, std::uint64_t count) const {
    return part<Lease>(first, count, Right::read);
}
Result<Slice> Lender::slice(std::uint64_t first, std::uint64_t count) const {
    return part<Slice>(first, count, Right::write);
}
Result<Slice> Lender::share(std::uint64_t first, std::uint64_t count) const {
    return part<Slice>(first, count, Right::share);
}

template <class T>
Result<T> Lender::part(std::uint64_t first, std::uint64_t count, Right right) const {
    Holding* mine = holding();
    if (mine == nullptr) return Error{ErrorKind::refused, "nothing is lent here any more"};
    Layout part = mine->layout;
    if (part.shape.empty()) part.shape.push_back(1);
    std::uint64_t end = 0;
    if (count == 0 || __builtin_add_overflow(first, count, &end) || end > part.shape.front())
        return Error{ErrorKind::refused, fmt::format("[{}, {}+{}) is no part of {}: its first dimension has {}", first,
                                                     first, count, holdings_->to_text(*mine), part.shape.front())};
    const std::uint64_t row = row_bytes_of(part);
    part.shape.front() = count;
    const LeaseKind kind = right == Right::read    ? LeaseKind::read
                           : right == Right::write ? LeaseKind::slice
                                                   : LeaseKind::shared;
    if (Result<void> possible = holdings_->publications().permits(*mine, kind); !possible) return possible.error();
    if (holdings_->lending().overlaps(*mine, kind, first * row, count * row))
        return Error{ErrorKind::refused, fmt::format("[{}, {}) of {} overlaps a slice{} that is out", first, end,
                                                     holdings_->to_text(*mine),
                                                     right == Right::read ? "" : " or lease")};
    return T{*holdings_, *holdings_->lending().pledge(*mine, kind, first * row, std::move(part))};
}

}  // namespace baton
