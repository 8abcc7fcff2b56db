#pragma once
// Spawning: one ask of the coordinator to start a program, from the ask to its outcome, within one deadline.
//
// A spawner that gives up never leaves an actor behind that nobody knows of: a coordinator that reads the ask only
// after the deadline starts nothing (Spawn::until). If it had started the actor already and its answer comes late, that
// actor is killed. This holds even if an exception ends the wait. Move-only; outlived by its loop. One thread.

#include "runtime/inbox/loop.hpp"

namespace baton::detail {

class Spawning {
public:
    // The options' timeout is what the spawner was given; the deadline, which `until` tells the coordinator, decides.
    [[nodiscard]] static Result<Spawning> begin(Loop& loop, coordinator::Spawn command, Deadline deadline);
    Spawning(Spawning&& other) noexcept;
    Spawning& operator=(Spawning&&) = delete;
    ~Spawning();

    [[nodiscard]] bool is_settled() const { return loop_->is_settled(ask_); }
    // Waits for the outcome, a little longer than the deadline, which the coordinator keeps: it knows best why.
    [[nodiscard]] Result<coordinator::Spawned> end();
    // After end(): the coordinator has said nothing at all.
    [[nodiscard]] bool was_given_up() const noexcept { return was_given_up_; }
    // When end() stops waiting.
    [[nodiscard]] Deadline patience() const noexcept { return patience_; }

private:
    Spawning(Loop& loop, AskId ask, std::string program, Duration timeout, Deadline patience)
        : loop_(&loop), ask_(ask), program_(std::move(program)), timeout_(timeout), patience_(patience) {}
    [[nodiscard]] bool give_up();
    Loop* loop_;
    AskId ask_;  // 0: its outcome has been taken
    std::string program_;
    Duration timeout_;
    Deadline patience_;
    bool was_given_up_ = false;
};

}  // namespace baton::detail
