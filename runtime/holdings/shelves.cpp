#include "runtime/holdings/shelves.hpp"

#include <algorithm>
#include <bit>

#include "runtime/base/check.hpp"
#include "runtime/base/crash_point.hpp"

namespace baton::detail {
namespace {

constexpr auto relaxed = std::memory_order_relaxed;
constexpr std::uint64_t all_places = shelf::bits(0, shelf::places);

std::uint64_t steps_in(std::uint64_t set, std::uint64_t place_bytes) noexcept {
    return static_cast<std::uint64_t>(std::popcount(set)) / shelf::step_of(place_bytes);
}

}  // namespace

std::uint64_t Shelves::place_bytes_at(Slot slot) const noexcept {
    const auto found = shelves_.find(shelf::first_of(slot));
    return found == shelves_.end() ? 0 : found->second.place_bytes;
}

bool Shelves::has_room(std::uint64_t place_bytes) const noexcept {
    const auto found = classes_.find(place_bytes);
    return found != classes_.end() && !found->second.with_room.empty();
}

// What the rows say comes before there is something, and stands as long as that (model/shelf.pml).
void Shelves::say(Slot first, std::uint64_t place_bytes) noexcept {
    for (Slot slot = first; slot < first + shelf::places; ++slot)
        ledger().segments.row(slot).place_bytes.store(place_bytes, std::memory_order_release);
}

Result<void> Shelves::make(Slot first, std::uint64_t place_bytes) {
    std::uint64_t generation = 0;
    for (Slot slot = first; slot < first + shelf::places; ++slot)
        generation = std::max(generation, ledger().segments.row(slot).generation.load(relaxed));
    ++generation;
    for (Slot slot = first; slot < first + shelf::places; ++slot) {
        ledger().segments.row(slot).bytes.store(0, relaxed);
        ledger().segments.row(slot).generation.store(generation, relaxed);
    }
    say(first, place_bytes);
    pass_crash_point(CrashPoint::shelf_said);
    const Shelf made{place_bytes, generation};
    if (Result<void> there = holder_.store().make_shelf(block_of(first, made)); !there) {
        say(first, 0);
        return there;
    }
    shelves_[first] = made;
    classes_[place_bytes].with_room.push_back(first);
    return {};
}

Shelves::Piece Shelves::next_piece(std::uint64_t place_bytes, Appetite appetite) const noexcept {
    const Class& same = classes_.at(place_bytes);
    const Slot first = same.with_room.back();
    const std::uint64_t steps = appetite == Appetite::least ? 1 : std::max<std::uint64_t>(1, same.steps_filled / 4);
    return {first, shelf::run_in(~shelves_.at(first).filled, place_bytes, 0,
                                 static_cast<std::uint32_t>(std::min<std::uint64_t>(steps, shelf::places)))};
}

Result<void> Shelves::fill(const Piece& piece) {
    Shelf& shelf = shelves_.at(piece.first);
    check(piece.run.count > 0, "a shelf with room has places without memory");
    if (Result<void> filled = holder_.store().fill(block_of(piece.first, shelf), piece.run); !filled) {
        if (filled.error().kind != ErrorKind::overloaded) abandon(piece.first);
        return filled;
    }
    for (std::uint32_t place = piece.run.first; place < piece.run.first + piece.run.count; ++place)
        ledger().segments.row(piece.first + place).bytes.store(shelf.place_bytes, relaxed);
    const std::uint64_t added = shelf::bits(piece.run.first, piece.run.count);
    shelf.filled |= added;
    Class& same = classes_[shelf.place_bytes];
    same.steps_filled += steps_in(added, shelf.place_bytes);
    if (shelf.filled == all_places) std::erase(same.with_room, piece.first);
    return {};
}

Shelves::Emptied Shelves::empty(Slot first, std::uint64_t set) noexcept {
    const auto found = shelves_.find(first);
    if (found == shelves_.end()) return {};
    Shelf& shelf = found->second;
    set &= shelf.filled;
    const bool is_gone = set == shelf.filled;
    const std::uint64_t places = is_gone ? set : holder_.store().empty(block_of(first, shelf), set);
    if (is_gone) {
        end(first);
        return {places, true};
    }
    for (Slot place = 0; place < shelf::places; ++place)
        if ((places & shelf::bits(place, 1)) != 0) ledger().segments.row(first + place).bytes.store(0, relaxed);
    Class& same = classes_[shelf.place_bytes];
    same.steps_filled -= std::min(same.steps_filled, steps_in(places, shelf.place_bytes));
    if (shelf.filled == all_places && places != 0 && !shelf.is_abandoned) same.with_room.push_back(first);
    shelf.filled &= ~places;
    return {places, false};
}

// All of its rows are free.
void Shelves::end(Slot first) noexcept {
    const Shelf shelf = shelves_.at(first);
    holder_.store().discard(block_of(first, shelf));
    for (Slot slot = first; slot < first + shelf::places; ++slot) ledger().segments.row(slot).bytes.store(0, relaxed);
    say(first, 0);
    Class& same = classes_[shelf.place_bytes];
    same.steps_filled -= std::min(same.steps_filled, steps_in(shelf.filled, shelf.place_bytes));
    std::erase(same.with_room, first);
    shelves_.erase(first);
}

std::vector<Slot> Shelves::end_unfilled() {
    std::vector<Slot> unfilled;
    for (const auto& [bytes, same] : classes_)
        for (const Slot first : same.with_room)
            if (shelves_.at(first).filled == 0) unfilled.push_back(first);
    for (const Slot first : unfilled) end(first);
    return unfilled;
}

void Shelves::abandon(Slot first) noexcept {
    Shelf& shelf = shelves_.at(first);
    shelf.is_abandoned = true;
    std::erase(classes_[shelf.place_bytes].with_room, first);
}

bool Shelves::lose(Slot slot) noexcept {
    const Slot first = shelf::first_of(slot);
    abandon(first);
    Shelf& shelf = shelves_.at(first);
    shelf.filled &= ~shelf::bits(slot - first, 1);
    ledger().segments.row(slot).bytes.store(0, relaxed);
    if (shelf.filled != 0) return false;
    end(first);
    return true;
}

}  // namespace baton::detail
