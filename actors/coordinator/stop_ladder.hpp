#pragma once
// StopLadder: ends a group of actors within one deadline.
//
// Each actor is asked, then terminated (SIGTERM), then killed (SIGKILL). Actors that started together (a wave) are
// asked together, waves in reverse order of start, each when all before it have ended; an actor is asked when its
// children have ended. A slow wave does not keep the others waiting for ever: by the middle of the time, at the latest,
// all have been asked. Force is used only when the deadline demands it: what is still alive after three quarters of the
// time is terminated, after nine tenths killed. It only decides: it touches no process and no socket, and the time
// comes from a Clock. One thread.

#include <cstdint>
#include <map>
#include <vector>

#include <baton/time.hpp>
#include <baton/ref.hpp>

namespace baton::detail::coordinator {

class StopLadder {
public:
    enum class Rung { ask, terminate, kill };
    struct Step {
        ActorId actor;
        Rung rung;
        bool operator==(const Step&) const = default;
    };
    struct Climber {
        ActorId actor;
        ActorId parent;          // its spawner, which need not be on the ladder
        std::uint64_t wave = 0;  // the highest stops first
    };

    // Each actor is in `climbers` once.
    StopLadder(const Clock& clock, std::vector<Climber> climbers, Deadline deadline);

    // The steps that are due now; each is given out once.
    [[nodiscard]] std::vector<Step> due();
    // When to call due() next, if nothing exits before.
    [[nodiscard]] Deadline next() const;
    // Until when those who are asked have time: then force begins.
    [[nodiscard]] Deadline asks_until() const noexcept { return terminate_at_; }
    void exited(ActorId actor);
    // Makes the next due() kill all.
    void hurry();
    [[nodiscard]] bool is_done() const noexcept { return alive_.empty(); }
    [[nodiscard]] bool has(ActorId actor) const noexcept { return alive_.contains(actor); }

private:
    struct Living {
        ActorId parent;
        std::size_t children = 0;  // alive and on the ladder
        bool has_turn = false;
    };
    [[nodiscard]] bool is_waiting() const noexcept { return next_turn_ < turns_.size(); }
    void begin_turn();
    void ask_those_who_may(std::vector<Step>& steps);

    const Clock* clock_;
    std::map<ActorId, Living> alive_;
    std::vector<std::vector<ActorId>> turns_;  // the waves in the order in which they stop
    std::size_t next_turn_ = 0;                // the first that has not begun
    std::vector<ActorId> having_turn_;         // whose turn has begun and which have not been asked yet
    std::size_t alive_in_turn_ = 0;            // whose turn has begun
    Deadline turn_ends_;                       // the next one begins then, even if an actor is still alive
    Duration reserve_{};                       // kept for each turn that is to come, if there is that much
    Deadline ask_all_at_;
    Deadline terminate_at_;
    Deadline kill_at_;
    Rung reached_ = Rung::ask;
    bool is_hurried_ = false;
};

}  // namespace baton::detail::coordinator
