#pragma once
// Words: what is in the memory that a keeper shares with those that use a lock, a value or an array.
//
// A cell is eight words, one line of the processor's cache, so that neighbours do not slow each other down. The first
// word is the lock, the second the value. Both are changed by atomic operations only:
//
// | lock                 | from                    | to                  | by
// | acquired             | free                    | owner(me)           | any client
// | acquired of the dead | abandoned(x)            | owner(me)           | any client, which is told that x died
// | released             | owner(me)               | free                | its owner
// | given up             | owner(me) + waited      | free                | its owner, if the keeper can't be told
// | waited for           | owner(x)                | owner(x) + waited   | the keeper, when a client waits
// | passed on            | owner(x) + waited, free | owner(next) or free | the keeper, when x tells it or ends
// | abandoned            | owner(x), waited or not | abandoned(x)        | the keeper, when x ends and none waits
// | removed              | free, abandoned(x)      | removed             | the keeper; clients ask it, and are told
//
// Nobody waits in shared memory: a client that finds the lock taken asks the keeper, which knows who is alive. A word
// is hostile input like any other: the keeper copes with whatever it finds there.

#include <atomic>
#include <cstdint>

#include <baton/ref.hpp>

namespace baton::sync {

inline constexpr std::uint64_t cell_words = 8;
inline constexpr std::uint64_t lock_place = 0;
inline constexpr std::uint64_t value_place = 1;

using Word = std::atomic_ref<std::uint64_t>;
static_assert(Word::is_always_lock_free);

namespace lock_word {

inline constexpr std::uint64_t free = 0;
inline constexpr std::uint64_t waited = std::uint64_t{1} << 63;
inline constexpr std::uint64_t abandoned = std::uint64_t{1} << 62;
inline constexpr std::uint64_t removed = std::uint64_t{1} << 61;

// Numbers of actors are far below 2^30.
[[nodiscard]] constexpr std::uint64_t of(ActorId owner) noexcept {
    return std::uint64_t{owner.number} << 32 | owner.incarnation;
}
[[nodiscard]] constexpr ActorId owner_of(std::uint64_t word) noexcept {
    const std::uint64_t id = word & ~(waited | abandoned);
    return {static_cast<std::uint32_t>(id >> 32), static_cast<std::uint32_t>(id)};
}
[[nodiscard]] constexpr bool is_abandoned(std::uint64_t word) noexcept { return (word & abandoned) != 0; }
[[nodiscard]] constexpr bool is_waited(std::uint64_t word) noexcept { return (word & waited) != 0; }

}  // namespace lock_word

}  // namespace baton::sync
