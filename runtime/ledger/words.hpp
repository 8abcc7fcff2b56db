#pragma once
// Words: the 64 bits that say who holds a segment, and those that say who holds a lease.
//
//     bits 63..25  epoch: goes up by one with every transition, so that a handle names one moment of one row
//     bits 24..14  the other: heir of an offer, borrower of a lease; 0 where there is none
//     bits 13..3   the holder: owner of a segment, lender of a lease; 0 while free
//     bits  2..0   phase
//
// An actor stands here as its number. Numbers are given to another life only after every row that names them
// has been settled (docs/ownership.md), so that a number is enough. Pure values.

#include <cstdint>
#include <string_view>

#include "runtime/limits.hpp"

namespace baton {

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

}  // namespace baton
