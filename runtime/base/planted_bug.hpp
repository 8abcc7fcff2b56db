#pragma once
// Planted bug: a rule of the protocol that a test takes out, to see that the simulation finds what goes wrong then.
//
// In builds with tests a bug can be planted; in others is_planted() is a constant, and nothing is left of the places
// that ask. What a bug leaves out is what the model's mutant of the same kind leaves out. Thread rule: main's thread.

#include <array>
#include <string_view>

namespace baton::detail {

enum class PlantedBug : unsigned char {
    none,
    drained_unlooked,     // DRAINED_UNLOOKED: a dead peer counts as drained although something of it is unread
    offer_unlooked,       // NO_LOOK: an offer is made, and nobody looks whether the heir lives
    exit_recorded_twice,  // a take-over does not see that an exit stands in the journal
    intent_left,          // a take-over leaves what the last coordinator was about to count
    adopted_unmarked,     // blocks of the dead are not marked for them before they get another home
    spawn_repeated,       // an ask that is repeated after a take-over starts another actor
};
inline constexpr std::array<std::string_view, 7> planted_bug_names{
    "none", "drained_unlooked", "offer_unlooked", "exit_recorded_twice", "intent_left", "adopted_unmarked",
    "spawn_repeated"};

#ifdef BATON_CRASH_POINTS
[[nodiscard]] bool is_planted(PlantedBug bug) noexcept;
void plant(PlantedBug bug) noexcept;
#else
[[nodiscard]] constexpr bool is_planted(PlantedBug) noexcept { return false; }
#endif

}  // namespace baton::detail
