#include "runtime/ledger/names.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "runtime/base/check.hpp"
#include "runtime/ledger/texts.hpp"

namespace baton::detail {

using namespace layout;

namespace {

// FNV-1a, as docs/wire/ledger.md says: clients in other languages find the same bucket.
std::size_t bucket_of(std::string_view name) noexcept {
    std::uint64_t hash = 0xcbf29ce484222325ULL;
    for (const char one : name) hash = (hash ^ static_cast<unsigned char>(one)) * 0x100000001b3ULL;
    return hash % name_buckets;
}

}  // namespace

NameSlot Names::rows_used() const noexcept {
    return static_cast<NameSlot>(std::min<std::uint64_t>(header().names_used.load(sequential), limits::names_max));
}

NameWord Names::word_of(NameSlot row) const noexcept { return NameWord::of(at(row).word.load(sequential)); }

std::string Names::text_of(NameSlot row) const {
    return load_text(at(row).name, at(row).name_bytes.load(relaxed));
}

std::optional<NameSlot> Names::find(std::string_view name, std::uint64_t first) const {
    const NameSlot used = rows_used();
    // Bounded, because a hostile process can close the chain to a ring.
    for (NameSlot steps = 0; first != 0 && first <= used && steps < limits::names_max; ++steps) {
        const auto row = static_cast<NameSlot>(first - 1);
        if (at(row).name_bytes.load(relaxed) == name.size() && text_of(row) == name) return row;
        first = at(row).next.load(relaxed);
    }
    return std::nullopt;
}

std::optional<NameSlot> Names::find(std::string_view name) const {
    return find(name, header().buckets[bucket_of(name)].load(sequential));
}

// A row that nobody else has, and in which nothing stands.
Result<NameSlot> Names::fresh() {
    if (spare_) return *spare_;
    const Error full{ErrorKind::overloaded,
                     fmt::format("the session has had {} names, and there is room for no other "
                                 "(limits::names_max): publish under names that were used before",
                                 limits::names_max)};
    if (rows_used() >= limits::names_max) return full;
    // Committed first, because a process that reads `names_used` reads the row. A page holds several rows; committing
    // it again has no effect.
    std::uint64_t row = header().names_used.load(sequential);
    do {
        if (row >= limits::names_max) return full;
        NameRow& fresh = at(static_cast<NameSlot>(row));
        if (Result<void> committed = layout_->commit(&fresh, NameRow::bytes); !committed) return committed.error();
    } while (!header().names_used.compare_exchange_weak(row, row + 1, sequential));
    spare_ = static_cast<NameSlot>(row);
    return *spare_;
}

Result<NameSlot> Names::bind(std::string_view name) {
    check(!name.empty() && name.size() <= limits::published_name_bytes_max,
          "a name's size is checked before it is bound");
    std::atomic<std::uint64_t>& bucket = header().buckets[bucket_of(name)];
    for (int tries = 0; tries < 1000; ++tries) {
        std::uint64_t first = bucket.load(sequential);
        if (const std::optional<NameSlot> found = find(name, first)) return *found;
        Result<NameSlot> row = fresh();
        if (!row) return row;
        NameRow& fresh = at(*row);
        store_text(fresh.name, name);
        fresh.name_bytes.store(name.size(), relaxed);
        fresh.next.store(first, relaxed);
        // The row joins where the look ended: if another has joined since, it may be this name, and is looked at again.
        if (!bucket.compare_exchange_strong(first, *row + 1, sequential)) continue;
        spare_.reset();
        return *row;
    }
    return Error{ErrorKind::overloaded,
                 fmt::format("the name '{}' could not be added: others add names all the time", name)};
}

std::optional<NameWord> Names::begin_publishing(NameSlot row, ActorNumber me, Slot slot) noexcept {
    const NameWord word = word_of(row);
    if (word.phase != NamePhase::free) return std::nullopt;
    const NameWord next{NamePhase::publishing, me, slot, (word.epoch + 1) & NameWord::epoch_max};
    std::uint64_t expected = word.packed();
    if (!at(row).word.compare_exchange_strong(expected, next.packed(), sequential)) return std::nullopt;
    return next;
}

void Names::describe(NameSlot row, const Publication& what) noexcept {
    NameRow& to = at(row);
    to.kind.store(static_cast<std::uint64_t>(what.kind), releasing);
    to.lend.store(what.lend, releasing);
    to.bytes_leased.store(what.bytes, releasing);
    to.dimensions.store(what.shape.size(), releasing);
    for (std::size_t index = 0; index < std::min(what.shape.size(), std::size(to.shape)); ++index)
        to.shape[index].store(what.shape[index], releasing);
    to.type_bytes.store(what.type.size(), releasing);
    store_text(to.type, what.type);
}

std::optional<NameWord> Names::publish(NameSlot row, NameWord publishing) noexcept {
    // Before the name says so: a process that looks at the leases of the segment from now on includes those that are in
    // no list.
    layout_->segments()[publishing.slot].published.store(1 + at(row).lend.load(relaxed), sequential);
    NameWord next = publishing;
    next.phase = NamePhase::published;
    next.epoch = (next.epoch + 1) & NameWord::epoch_max;
    std::uint64_t expected = publishing.packed();
    if (!at(row).word.compare_exchange_strong(expected, next.packed(), sequential)) return std::nullopt;
    return next;
}

bool Names::unpublish(NameSlot row, NameWord word) noexcept {
    const NameWord next{NamePhase::free, 0, 0, (word.epoch + 1) & NameWord::epoch_max};
    std::uint64_t expected = word.packed();
    return at(row).word.compare_exchange_strong(expected, next.packed(), sequential);
}

std::optional<Publication> Names::publication_of(NameSlot row) const {
    const NameRow& from = at(row);
    const std::uint64_t kind = from.kind.load(acquiring);
    const std::uint64_t dimensions = from.dimensions.load(acquiring);
    const std::uint64_t type_bytes = from.type_bytes.load(acquiring);
    const bool is_known =
        kind == static_cast<std::uint64_t>(LeaseKind::read) || kind == static_cast<std::uint64_t>(LeaseKind::shared);
    if (!is_known || dimensions > limits::shape_dimensions_max || type_bytes > limits::published_type_bytes_max)
        return std::nullopt;
    Publication what{static_cast<LeaseKind>(kind), from.lend.load(acquiring), from.bytes_leased.load(acquiring),
                     load_text(from.type, type_bytes), {}};
    for (std::size_t index = 0; index < dimensions; ++index) what.shape.push_back(from.shape[index].load(acquiring));
    return what;
}

}  // namespace baton::detail
