#pragma once
// Barrier, as it is kept: the clients that have arrived, until all have; then the action, run once by the last of them;
// then all go on, and the barrier is as it was at first.
//
// It breaks, for all and with the reason, when a client that has arrived dies or gives up, when a member dies at all,
// when the action fails, or when somebody aborts it. A client that arrives at a broken barrier is told the same;
// reset() mends it.

#include <optional>

#include "actors/sync/kept/primitive.hpp"

namespace baton::sync::kept {

class Barrier : public Primitive {
public:
    static constexpr std::string_view kind_name = "barrier";
    // With members these are the parties, and their number counts.
    Barrier(std::string name, std::uint64_t parties, std::vector<Party> members, bool has_action);

    void arrive(const Party& who, Wakes& wakes);
    [[nodiscard]] Result<void> action_done(const Party& who, const std::string& error, Wakes& wakes);
    void reset(const Party& who, Wakes& wakes);
    void abort(const Party& who, Wakes& wakes);

    void withdraw(const Party& who, Given given, Wakes& wakes) override;
    void bury(const Party& dead, const std::string& how, Wakes& wakes) override;
    [[nodiscard]] WaitsFor waits_for(ActorId waiter) const override;
    [[nodiscard]] std::uint64_t count() const override { return come_.size(); }

private:
    void open_when_full(Wakes& wakes);
    void open(ActorId except, Wakes& wakes);
    void break_because(std::string reason, Wakes& wakes);
    void refuse_all(const std::string& text, Wakes& wakes);
    [[nodiscard]] bool has_come(ActorId who) const noexcept;

    std::uint64_t parties_;
    std::vector<ActorId> members_;  // empty: anybody
    std::vector<ActorId> dead_members_;
    bool has_action_;
    std::vector<ActorId> come_;     // in order of arrival
    std::vector<ActorId> early_;    // for the next round, while the action of this one runs
    std::optional<ActorId> runner_; // of the action
    std::string broken_;            // empty: whole
};

}  // namespace baton::sync::kept
