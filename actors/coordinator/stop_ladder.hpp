#pragma once
// StopLadder: ends a group of actors within one deadline.
//
// Each actor is asked, then terminated (SIGTERM), then killed (SIGKILL). Actors that started together (a wave) are
// asked together, waves in reverse order of start, each when all before it have ended; an actor is asked when its
// children have ended. A slow wave does not keep the others waiting for ever: by the middle of the time, at the latest,
// all are asked. Force is used only when the whole stop is late, and only on those that are late themselves: not before
// three quarters of the time, and not before the actor has had a quarter of it since it was asked. It is terminated
// then, and killed a little later. Each actor that is still alive when a twentieth is left is killed, asked or not: so
// the asker hears of all exits by its deadline. It only decides: it touches no process and no socket, and the time
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
    // That actor has been asked: its time begins, unless it has begun already. Of one that could not be asked yet this
    // is not called, and it is not late before the stop ends. Returns until when it has time: then force begins.
    Deadline asked(ActorId actor);
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
        Rung reached = Rung::ask;
        Deadline late_at;          // terminated then, and killed later; never: it has not been asked
    };
    [[nodiscard]] bool is_waiting() const noexcept { return next_turn_ < turns_.size(); }
    void begin_turn();
    void ask_those_who_may(std::vector<Step>& steps);
    void force_those_who_are_late(std::vector<Step>& steps);
    void kill_all(std::vector<Step>& steps);
    [[nodiscard]] Deadline kill_at(const Living& one) const;

    const Clock* clock_;
    std::map<ActorId, Living> alive_;
    std::vector<std::vector<ActorId>> turns_;  // the waves in the order in which they stop
    std::size_t next_turn_ = 0;                // the first that has not begun
    std::vector<ActorId> having_turn_;         // whose turn has begun and which have not been asked yet
    std::size_t alive_in_turn_ = 0;            // whose turn has begun
    Deadline turn_ends_;                       // the next one begins then, even if an actor is still alive
    Duration reserve_{};                       // kept for each turn that is to come, if there is that much
    Duration time_{};                          // of the whole stop
    Deadline ask_all_at_;
    Deadline terminate_at_;                    // nobody before
    Deadline end_;
    Deadline next_force_;                      // nobody is late before
    bool is_hurried_ = false;
    bool is_over_ = false;                     // all are killed
};

}  // namespace baton::detail::coordinator
