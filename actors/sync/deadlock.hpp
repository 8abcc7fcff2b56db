#pragma once
// Deadlock: who of those that wait can never go on, as they wait for each other in a circle. A pure function of who
// waits for whom, so it is tested with four lines.
//
// Somebody who does not wait can go on, and so can, step by step, everybody who waits only for such. What is left is
// stuck. A wait that nobody knows the end of (an event, a condition) is not given here and counts as able to go on.

#include <vector>

#include "actors/sync/kept/primitive.hpp"

namespace baton::sync {

struct Wait {
    ActorId who;
    std::uint64_t turn = 0;      // which of its waits: the same number, the same wait
    kept::WaitsFor waits_for;
    bool is_kept = true;         // here, and so can be ended; not an ask of somebody else

    [[nodiscard]] bool operator==(const Wait& other) const { return who == other.who && turn == other.turn; }
};

// The waits of one circle: each waits for the next, the last for the first. Empty where all can go on.
[[nodiscard]] std::vector<Wait> find_circle(const std::vector<Wait>& waits);

}  // namespace baton::sync
