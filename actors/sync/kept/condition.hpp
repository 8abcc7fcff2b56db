#pragma once
// Condition, as it is kept: the clients that wait to be notified, beside the lock that they hold before and after.
//
// Waiting releases the lock; being notified means getting into the lock's line. A notice to a client that gives up, or
// dies before it releases the lock again, goes to the next, so none is lost.

#include <deque>
#include <set>

#include "actors/sync/kept/lock.hpp"

namespace baton::sync::kept {

class Condition : public Primitive {
public:
    static constexpr std::string_view kind_name = "condition";
    // The lock lives longer.
    Condition(std::string name, Lock& lock) : Primitive(kind_name, std::move(name)), lock_(&lock) {}

    void wait(ActorId who, Wakes& wakes);
    [[nodiscard]] bool is_of(const Lock& lock) const noexcept { return lock_ == &lock; }
    [[nodiscard]] Result<std::uint64_t> notify(ActorId who, std::uint64_t count, Wakes& wakes);

    void withdraw(const Party& who, Given given, Wakes& wakes) override;
    void bury(const Party& dead, const std::string& how, Wakes& wakes) override;
    [[nodiscard]] WaitsFor waits_for(ActorId waiter) const override;
    // Clients that were notified leave the line of the lock.
    void forget_waits() override;
    [[nodiscard]] std::uint64_t count() const override { return waiting_.size(); }

private:
    std::uint64_t move_to_lock(std::uint64_t count, Wakes& wakes);
    Lock* lock_;
    std::deque<ActorId> waiting_;
    std::set<ActorId> notified_;  // in their latest wait here; they may be in the lock's line still
};

}  // namespace baton::sync::kept
