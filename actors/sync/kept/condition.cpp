#include "actors/sync/kept/condition.hpp"

#include <algorithm>

namespace baton::sync::kept {

void Condition::wait(ActorId who, Wakes& wakes) {
    notified_.erase(who);
    if (!lock_->is_held_by(who))
        return wakes.refuse(who, fmt::format("{} can only be waited for while holding its {}",
                                             to_text(), lock_->to_text()));
    waiting_.push_back(who);
    static_cast<void>(lock_->release(who, wakes));
}

Result<std::uint64_t> Condition::notify(ActorId who, std::uint64_t count, Wakes& wakes) {
    if (!lock_->is_held_by(who))
        return Error{ErrorKind::refused, fmt::format("{} can only be notified while holding its {}",
                                                     to_text(), lock_->to_text())};
    return move_to_lock(count, wakes);
}

std::uint64_t Condition::move_to_lock(std::uint64_t count, Wakes& wakes) {
    const std::uint64_t moved = std::min<std::uint64_t>(count, waiting_.size());
    for (std::uint64_t number = 0; number < moved; ++number) {
        const ActorId next = waiting_.front();
        waiting_.pop_front();
        notified_.insert(next);
        lock_->acquire(next, wakes);
    }
    return moved;
}

void Condition::withdraw(const Party& who, Given given, Wakes& wakes) {
    std::erase(waiting_, who.id);
    if (notified_.erase(who.id) == 0) return;
    lock_->withdraw(who, given, wakes);
    move_to_lock(1, wakes);
}

void Condition::bury(const Party& dead, const std::string& how, Wakes& wakes) {
    std::erase(waiting_, dead.id);
    // A client that dies with the lock may not have seen the notice yet.
    const bool is_unheard = lock_->has_in_line(dead.id) || lock_->is_held_by(dead.id);
    if (notified_.erase(dead.id) == 0 || !is_unheard) return;
    lock_->bury(dead, how, wakes);
    move_to_lock(1, wakes);
}

void Condition::forget_waits() {
    for (const ActorId who : std::exchange(notified_, {})) lock_->leave_line(who);
    waiting_.clear();
}

WaitsFor Condition::waits_for(ActorId waiter) const {
    return lock_->has_in_line(waiter) ? lock_->waits_for(waiter) : WaitsFor{};
}

}  // namespace baton::sync::kept
