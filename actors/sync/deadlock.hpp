#pragma once
// Deadlock: which waits can never end, because the clients wait for each other in a circle. A pure function of who
// waits for whom, so it is tested with four lines.
//
// A client that does not wait can go on, and so can, step by step, every client that waits only for such clients. The
// others are stuck. A wait whose end nobody can know (an event, a condition) is not passed in and counts as able to go
// on.

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

// The waits of one circle: each waits for the next, the last for the first. Empty if all can go on.
[[nodiscard]] std::vector<Wait> find_circle(const std::vector<Wait>& waits);

}  // namespace baton::sync
