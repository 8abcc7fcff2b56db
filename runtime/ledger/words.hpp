#pragma once
// Words: the 64 bits that say which actor holds a segment, and those for a lease.
//
//     bits 63..25  epoch: goes up by one with every transition, so that a handle names one moment of one row
//     bits 24..14  the other: heir of an offer, borrower of a lease; 0 if there is none
//     bits 13..3   the holder: owner of a segment, lender of a lease; 0 while free
//     bits  2..0   phase
//
// NameWord has the bits that say which actor has published a segment under a name, WillWord those that say which actor
// has named heirs of it.
//
// An actor stands here as its number. Numbers are given to another life only after every row that names them
// has been settled (docs/ownership.md), so that a number is enough. Pure values.

#include <cstdint>
#include <string_view>

#include <baton/limits.hpp>
#include <baton/ref.hpp>

namespace baton::detail {

using ActorNumber = std::uint32_t;
using Slot = std::uint32_t;    // the index of a row
using Epoch = std::uint64_t;

enum class Phase : std::uint8_t { free = 0, owned = 1, offered = 2, lent = 3, retired = 4 };
enum class LeasePhase : std::uint8_t { free = 0, granted = 1, claimed = 2 };

namespace words {

inline constexpr unsigned phase_bits = 3;
inline constexpr unsigned number_bits = 11;
inline constexpr unsigned epoch_shift = phase_bits + 2 * number_bits;
inline constexpr std::uint64_t number_mask = (std::uint64_t{1} << number_bits) - 1;
inline constexpr Epoch epoch_max = (Epoch{1} << (64 - epoch_shift)) - 1;
static_assert(limits::actors_max <= number_mask);

// True if an actor can have that number.
constexpr bool is_number(ActorNumber number) noexcept { return number > 0 && number <= limits::actors_max; }

constexpr std::uint64_t pack(std::uint64_t phase, ActorNumber holder, ActorNumber other, Epoch epoch) noexcept {
    return (epoch & epoch_max) << epoch_shift | (other & number_mask) << (phase_bits + number_bits) |
           (holder & number_mask) << phase_bits | phase;
}
constexpr std::uint64_t phase_of(std::uint64_t word) noexcept { return word & ((1U << phase_bits) - 1); }
constexpr ActorNumber holder_of(std::uint64_t word) noexcept {
    return static_cast<ActorNumber>(word >> phase_bits & number_mask);
}
constexpr ActorNumber other_of(std::uint64_t word) noexcept {
    return static_cast<ActorNumber>(word >> (phase_bits + number_bits) & number_mask);
}
constexpr Epoch epoch_of(std::uint64_t word) noexcept { return word >> epoch_shift; }

}  // namespace words

struct SegmentWord {
    Phase phase = Phase::free;
    ActorNumber owner = 0;
    ActorNumber heir = 0;
    Epoch epoch = 0;

    bool operator==(const SegmentWord&) const = default;
    [[nodiscard]] constexpr std::uint64_t packed() const noexcept {
        return words::pack(static_cast<std::uint64_t>(phase), owner, heir, epoch);
    }
    [[nodiscard]] static constexpr SegmentWord of(std::uint64_t word) noexcept {
        return {static_cast<Phase>(words::phase_of(word)), words::holder_of(word), words::other_of(word),
                words::epoch_of(word)};
    }
    [[nodiscard]] constexpr bool is_live() const noexcept { return phase != Phase::free && phase != Phase::retired; }
    // True if a lease that was granted in the lend of that epoch is one of the segment's present lend, or of its last
    // one if it has been retired since. Leases stay valid when the coordinator takes a lent segment over (T11).
    [[nodiscard]] constexpr bool is_of_lend(Epoch lend) const noexcept {
        const Epoch since = (epoch - lend) & words::epoch_max;
        const Epoch left = owner == detail::coordinator_id.number ? 1 : 0;
        return (phase == Phase::lent && (since == 0 || since == left)) ||
               (phase == Phase::retired && (since == 1 || since == 1 + left));
    }
    // True if a transition can have written it. Any process of the session can write anything here.
    [[nodiscard]] constexpr bool is_sound() const noexcept {
        switch (phase) {
            case Phase::free: return owner == 0 && heir == 0;
            case Phase::owned:
            case Phase::lent: return words::is_number(owner) && heir == 0;
            case Phase::offered: return words::is_number(owner) && words::is_number(heir) && owner != heir;
            case Phase::retired: return heir == 0;
        }
        return false;
    }
};

struct LeaseWord {
    LeasePhase phase = LeasePhase::free;
    ActorNumber lender = 0;
    ActorNumber borrower = 0;
    Epoch epoch = 0;

    bool operator==(const LeaseWord&) const = default;
    [[nodiscard]] constexpr std::uint64_t packed() const noexcept {
        return words::pack(static_cast<std::uint64_t>(phase), lender, borrower, epoch);
    }
    [[nodiscard]] static constexpr LeaseWord of(std::uint64_t word) noexcept {
        return {static_cast<LeasePhase>(words::phase_of(word)), words::holder_of(word), words::other_of(word),
                words::epoch_of(word)};
    }
    [[nodiscard]] constexpr bool is_sound() const noexcept {
        switch (phase) {
            case LeasePhase::free: return lender == 0 && borrower == 0;
            case LeasePhase::granted:
                return words::is_number(lender) && words::is_number(borrower) && lender != borrower;
            // An actor that attaches to what it has published borrows from itself.
            case LeasePhase::claimed: return words::is_number(lender) && words::is_number(borrower);
        }
        return false;
    }
};

// The owner and slot of what is published under a name. The bits differ: 0 to 2 phase, 3 to 13 owner, 14 to 34 slot, 35
// to 63 epoch.
enum class NamePhase : std::uint8_t { free = 0, publishing = 1, published = 2 };
struct NameWord {
    static constexpr unsigned slot_shift = words::phase_bits + words::number_bits;
    static constexpr unsigned slot_bits = 21;
    static constexpr unsigned epoch_shift = slot_shift + slot_bits;
    static constexpr std::uint64_t slot_mask = (std::uint64_t{1} << slot_bits) - 1;
    static constexpr Epoch epoch_max = (Epoch{1} << (64 - epoch_shift)) - 1;
    static_assert(limits::segments_max - 1 <= slot_mask);

    NamePhase phase = NamePhase::free;
    ActorNumber owner = 0;
    Slot slot = 0;
    Epoch epoch = 0;

    bool operator==(const NameWord&) const = default;
    [[nodiscard]] constexpr std::uint64_t packed() const noexcept {
        return (epoch & epoch_max) << epoch_shift | (slot & slot_mask) << slot_shift |
               (owner & words::number_mask) << words::phase_bits | static_cast<std::uint64_t>(phase);
    }
    [[nodiscard]] static constexpr NameWord of(std::uint64_t word) noexcept {
        return {static_cast<NamePhase>(words::phase_of(word)), words::holder_of(word),
                static_cast<Slot>(word >> slot_shift & slot_mask), word >> epoch_shift};
    }
    [[nodiscard]] constexpr bool is_sound() const noexcept {
        if (phase == NamePhase::free) return owner == 0 && slot == 0;
        return (phase == NamePhase::publishing || phase == NamePhase::published) && words::is_number(owner);
    }
};

// Which of its two places holds the list of heirs of a segment (0: none does), who wrote it, and the epoch of the
// segment's word when it was last stamped.
struct WillWord {
    std::uint32_t place = 0;
    ActorNumber by = 0;
    Epoch epoch = 0;

    bool operator==(const WillWord&) const = default;
    [[nodiscard]] constexpr std::uint64_t packed() const noexcept { return words::pack(place, by, 0, epoch); }
    [[nodiscard]] static constexpr WillWord of(std::uint64_t word) noexcept {
        return {static_cast<std::uint32_t>(words::phase_of(word)), words::holder_of(word), words::epoch_of(word)};
    }
    // True if it says who receives a segment whose owner has died at that word: the owner wrote it, and has made at
    // most one transition since it was stamped, which may have been bounced. An older will is of an earlier time in
    // which the same actor had the segment.
    [[nodiscard]] constexpr bool counts_for(const SegmentWord& word) const noexcept {
        constexpr Epoch moves_max = 2;
        return (place == 1 || place == 2) && by == word.owner &&
               ((word.epoch - epoch) & words::epoch_max) <= moves_max;
    }
};

// "owned", "offered", ... for people.
[[nodiscard]] constexpr std::string_view name_of(Phase phase) noexcept {
    switch (phase) {
        case Phase::free: return "free";
        case Phase::owned: return "owned";
        case Phase::offered: return "offered";
        case Phase::lent: return "lent";
        case Phase::retired: return "retired";
    }
    return "unknown";
}

}  // namespace baton::detail
