#pragma once
// Stopping: the stops in progress in a session. Each has a ladder, the steps taken on it, and the askers that are
// answered at its end. It asks, terminates and kills; it does not see exits itself but is told of them (exited). One
// thread.

#include <functional>

#include "actors/coordinator/records.hpp"
#include "actors/coordinator/stop_ladder.hpp"
#include "runtime/inbox/loop.hpp"

namespace baton::detail::coordinator {

class Stopping {
public:
    // The scenario on the ladder: it is not a spawned actor, but it is a child that must end.
    static constexpr ActorId scenario{0, 1};

    Stopping(Loop& loop, Members& members, Records& records, std::function<void(int signal)> signal_scenario)
        : loop_(&loop), members_(&members), records_(&records), signal_scenario_(std::move(signal_scenario)) {}

    // Begins to stop the named and their children; that they are to stop is recorded first, of all or of nobody. The
    // answer holds the exits of the named.
    void begin(std::vector<ActorId> named, Deadline deadline, bool drain, Answer<std::vector<Ended>> answer);
    // Takes the steps that are due.
    void climb();
    void exited(ActorId actor);
    // All that are to stop are killed with the next climb().
    void hurry();
    // Answers the stops that are done, and lets the others continue with their next wave.
    void finish();

    // Asks a member to stop whose turn has come, also again: of one that rejoins nobody knows what it has been told.
    // Its time begins now.
    void ask(Member& member);

    // True if one more may be asked for; our own stops (of orphans, of the session) are always allowed.
    [[nodiscard]] bool has_room() const noexcept { return jobs_.size() < limits::stops_max; }
    [[nodiscard]] bool is_idle() const noexcept { return jobs_.empty(); }
    // When to climb() next, if nobody exits before.
    [[nodiscard]] Deadline next() const;

private:
    struct Job {
        StopLadder ladder;
        std::vector<ActorId> named;
        std::set<ActorId> lived;  // of those, when the stop began
        bool drain = false;
        Answer<std::vector<Ended>> answer;
    };
    void record(const std::vector<StopLadder::Climber>& climbers, Deadline deadline, bool drain);
    [[nodiscard]] Deadline begin_time_of(ActorId actor);
    void climb(Job& job);
    [[nodiscard]] std::vector<Ended> exits_of(const Job& job) const;
    void take_step(const StopLadder::Step& step);

    Loop* loop_;
    Members* members_;
    Records* records_;
    std::function<void(int)> signal_scenario_;
    std::vector<std::unique_ptr<Job>> jobs_;
};

}  // namespace baton::detail::coordinator
