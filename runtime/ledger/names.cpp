// The names of Ledger: which segment is published under which name, and of two who want one name, who has it (N1, N2).
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "runtime/base/check.hpp"
#include "runtime/ledger/layout.hpp"

namespace baton::detail {

using namespace layout;

namespace {

// FNV-1a, as docs/wire/ledger.md says: clients in other languages find the same bucket.
std::size_t bucket_of(std::string_view name) noexcept {
    std::uint64_t hash = 0xcbf29ce484222325ULL;
    for (const char one : name) hash = (hash ^ static_cast<unsigned char>(one)) * 0x100000001b3ULL;
    return hash % name_buckets;
}

// Text in words of atomics: any process of the session may write there while another reads. A reader that sees any of
// it and then looks at the word of its row sees that word as it was when this was written, or later: all that a
// publication says is stored `releasing` and loaded `acquiring`.
constexpr auto releasing = std::memory_order_release;
constexpr auto acquiring = std::memory_order_acquire;
template <std::size_t words>
void store_text(std::atomic<std::uint64_t> (&out)[words], std::string_view text) noexcept {
    std::array<std::uint64_t, words> copy{};
    std::memcpy(copy.data(), text.data(), std::min(text.size(), words * sizeof(std::uint64_t)));
    for (std::size_t index = 0; index < words; ++index) out[index].store(copy[index], releasing);
}
template <std::size_t words>
std::string load_text(const std::atomic<std::uint64_t> (&from)[words], std::uint64_t bytes) {
    std::array<std::uint64_t, words> copy{};
    for (std::size_t index = 0; index < words; ++index) copy[index] = from[index].load(acquiring);
    std::string text(reinterpret_cast<const char*>(copy.data()), sizeof copy);
    text.resize(std::min<std::uint64_t>(bytes, sizeof copy));
    return text;
}

}  // namespace

Ledger::NameSlot Ledger::names_used() const noexcept {
    return static_cast<NameSlot>(std::min<std::uint64_t>(header().names_used.load(sequential), limits::names_max));
}

NameWord Ledger::name_word_of(NameSlot row) const noexcept { return NameWord::of(names_[row].word.load(sequential)); }

std::string Ledger::name_of_row(NameSlot row) const {
    return load_text(names_[row].name, names_[row].name_bytes.load(relaxed));
}

std::optional<Ledger::NameSlot> Ledger::find_name(std::string_view name, std::uint64_t first) const {
    const NameSlot used = names_used();
    // Bounded, because a hostile process can close the chain to a ring.
    for (NameSlot steps = 0; first != 0 && first <= used && steps < limits::names_max; ++steps) {
        const auto row = static_cast<NameSlot>(first - 1);
        if (names_[row].name_bytes.load(relaxed) == name.size() && name_of_row(row) == name) return row;
        first = names_[row].next.load(relaxed);
    }
    return std::nullopt;
}

std::optional<Ledger::NameSlot> Ledger::find_name(std::string_view name) const {
    return find_name(name, header().buckets[bucket_of(name)].load(sequential));
}

// A row that nobody else has, and in which nothing stands.
Result<Ledger::NameSlot> Ledger::fresh_name() {
    if (spare_name_) return *spare_name_;
    const Error full{ErrorKind::overloaded,
                     fmt::format("the session has had {} names, and there is room for no other "
                                 "(limits::names_max): publish under names that were used before",
                                 limits::names_max)};
    if (names_used() >= limits::names_max) return full;
    // Committed first, because a process that reads `names_used` reads the row. A page holds several rows; committing
    // it again has no effect.
    std::uint64_t row = header().names_used.load(sequential);
    do {
        if (row >= limits::names_max) return full;
        const auto offset = static_cast<std::size_t>(reinterpret_cast<std::byte*>(&names_[row]) - memory_.data());
        if (Result<void> committed = commit_(offset / page * page, page); !committed) return committed.error();
    } while (!header().names_used.compare_exchange_weak(row, row + 1, sequential));
    spare_name_ = static_cast<NameSlot>(row);
    return *spare_name_;
}

Result<Ledger::NameSlot> Ledger::bind_name(std::string_view name) {
    check(!name.empty() && name.size() <= limits::published_name_bytes_max,
          "a name's size is checked before it is bound");
    std::atomic<std::uint64_t>& bucket = header().buckets[bucket_of(name)];
    for (int tries = 0; tries < 1000; ++tries) {
        std::uint64_t first = bucket.load(sequential);
        if (const std::optional<NameSlot> found = find_name(name, first)) return *found;
        Result<NameSlot> row = fresh_name();
        if (!row) return row;
        NameRow& fresh = names_[*row];
        store_text(fresh.name, name);
        fresh.name_bytes.store(name.size(), relaxed);
        fresh.next.store(first, relaxed);
        // The row joins where the look ended: if another has joined since, it may be this name, and is looked at again.
        if (!bucket.compare_exchange_strong(first, *row + 1, sequential)) continue;
        spare_name_.reset();
        return *row;
    }
    return Error{ErrorKind::overloaded,
                 fmt::format("the name '{}' could not be added: others add names all the time", name)};
}

std::optional<NameWord> Ledger::begin_publishing(NameSlot row, ActorNumber me, Slot slot) noexcept {
    const NameWord word = name_word_of(row);
    if (word.phase != NamePhase::free) return std::nullopt;
    const NameWord next{NamePhase::publishing, me, slot, (word.epoch + 1) & NameWord::epoch_max};
    std::uint64_t expected = word.packed();
    if (!names_[row].word.compare_exchange_strong(expected, next.packed(), sequential)) return std::nullopt;
    return next;
}

void Ledger::describe_publication(NameSlot row, const Publication& what) noexcept {
    NameRow& to = names_[row];
    to.kind.store(static_cast<std::uint64_t>(what.kind), releasing);
    to.lend.store(what.lend, releasing);
    to.bytes_leased.store(what.bytes, releasing);
    to.dimensions.store(what.shape.size(), releasing);
    for (std::size_t index = 0; index < std::min(what.shape.size(), std::size(to.shape)); ++index)
        to.shape[index].store(what.shape[index], releasing);
    to.type_bytes.store(what.type.size(), releasing);
    store_text(to.type, what.type);
}

std::optional<NameWord> Ledger::publish(NameSlot row, NameWord publishing) noexcept {
    // Before the name says so: a process that looks at the leases of the segment from now on includes those that are in
    // no list.
    segments_[publishing.slot].published.store(1 + names_[row].lend.load(relaxed), sequential);
    NameWord next = publishing;
    next.phase = NamePhase::published;
    next.epoch = (next.epoch + 1) & NameWord::epoch_max;
    std::uint64_t expected = publishing.packed();
    if (!names_[row].word.compare_exchange_strong(expected, next.packed(), sequential)) return std::nullopt;
    return next;
}

bool Ledger::unpublish(NameSlot row, NameWord word) noexcept {
    const NameWord next{NamePhase::free, 0, 0, (word.epoch + 1) & NameWord::epoch_max};
    std::uint64_t expected = word.packed();
    return names_[row].word.compare_exchange_strong(expected, next.packed(), sequential);
}

std::optional<Publication> Ledger::publication_of(NameSlot row) const {
    const NameRow& from = names_[row];
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
