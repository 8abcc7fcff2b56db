#pragma once
// Waits: one wait of the loop: what it looks at, until when at most, and whom it wakes. One thread.

#include <functional>
#include <utility>
#include <vector>

#include "runtime/inbox/commands.hpp"
#include "runtime/inbox/control_lane.hpp"
#include "runtime/inbox/later.hpp"

namespace baton::detail {

class Waits {
public:
    Waits(Self& self, Commands& commands, Replies& replies, Exits& exits, ControlLane& control, Later& later)
        : self_(&self), commands_(&commands), replies_(&replies), exits_(&exits), control_(&control), later_(&later) {}

    // Wakes up for `descriptor` in every wait, even if no handler serves.
    void watch(int descriptor, std::function<void()> on_readable);
    // Until something has come, for the handler if there is one, or a link can be written, or the deadline has passed.
    void wait(Handler* handler, Deadline deadline, Link writable);
    // For an event loop of others: the descriptors of which one becomes readable when there is something to serve,
    // besides those of watch(), and when to serve at the latest. The set may differ after each serve(), ask and send.
    [[nodiscard]] Deadline would_wait_for(Handler* handler, std::vector<int>& watched);

private:
    [[nodiscard]] Transport::Interest interest_of(Handler* handler, Deadline& deadline, Link writable);

    Self* self_;
    Commands* commands_;
    Replies* replies_;
    Exits* exits_;
    ControlLane* control_;
    Later* later_;
    std::vector<std::pair<int, std::function<void()>>> watched_;
    // Reused, so that the steady state allocates nothing.
    std::vector<Link> links_;
    std::vector<int> descriptors_;
};

}  // namespace baton::detail
