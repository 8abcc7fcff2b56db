#pragma once
// Mischief: what happens to the processes of a world that they do not do themselves: they are killed, at once or at a
// crash point of theirs, and frozen for a while. The coordinators are among them. One thread.

#include "tests/simulation/seeded/kernel.hpp"

namespace seeded {

class Mischief {
public:
    Mischief(Kernel& kernel, ManualClock& clock, Dice& dice, Story& story);
    // After each step.
    void go_on();
    // A process has ended; the coordinator that settles it may be killed while it does.
    void note_end(const Process& process);
    // The process that runs has just sent something: it may be killed the next instant.
    void may_strike();
    // From here on nobody is killed any more. False if something is still to happen.
    [[nodiscard]] bool is_over();

private:
    Kernel* kernel_;
    ManualClock* clock_;
    Dice* dice_;
    Story* story_;
    std::uint64_t left_;
    std::uint64_t coordinators_left_;  // that may be killed: a session ends when too many die
    std::uint64_t next_;               // the step
};

}  // namespace seeded
