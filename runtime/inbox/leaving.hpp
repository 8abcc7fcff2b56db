#pragma once
// Leaving: what a member that is about to end still waits for. Its thread.

#include <vector>

#include "runtime/inbox/loop.hpp"

namespace baton::detail {

// From a deadline by which this process has ended: when it says goodbye, at the latest.
[[nodiscard]] Deadline before_goodbye(Deadline end, const Clock& clock);

// After begin_leaving(): until receivers have taken what would die with this process; the log names those that are
// behind at the deadline. They may take it yet, so it is not reported as lost from here: the coordinator does that when
// they can't. What comes while it waits is refused, and counted.
[[nodiscard]] std::vector<DeadLetter> wait_until_taken(Loop& loop, Deadline deadline);

}  // namespace baton::detail
