#pragma once
// StopLadder: how a group of actors is brought to its end within one deadline.
//
// Actors that started together (a wave) stop together; waves stop in reverse order of start, one after
// the other. Each actor is asked, then terminated (SIGTERM), then killed (SIGKILL). A wave that does not
// end takes no more than its share of the time that is left, so the last one still gets its turn. It decides
// and does nothing itself: no process, no socket, and the time comes from a Clock. One thread.

#include <set>
#include <vector>

#include "runtime/base/clock.hpp"
#include "runtime/base/ids.hpp"

namespace baton::coordinator {

class StopLadder {
public:
    enum class Rung { ask, terminate, kill };
    struct Step {
        ActorId actor;
        Rung rung;
        bool operator==(const Step&) const = default;
    };

    // `waves` in the order in which they shall stop.
    StopLadder(const Clock& clock, std::vector<std::set<ActorId>> waves, Deadline deadline);

    // What is to be done now; each step is given out once.
    [[nodiscard]] std::vector<Step> due();
    // When to call due() next, if nothing exits before.
    [[nodiscard]] Deadline next() const;
    void exited(ActorId actor);
    // Everybody is to be killed at the next due().
    void hurry();
    [[nodiscard]] bool is_done() const noexcept { return waves_.empty(); }

private:
    void begin_wave();
    const Clock* clock_;
    std::vector<std::set<ActorId>> waves_;  // the last is stopping now
    Deadline deadline_;
    int rung_ = -1;  // the last one given out for this wave
    Deadline terminate_at_;
    Deadline kill_at_;
    bool is_hurried_ = false;
};

}  // namespace baton::coordinator
