#include "actors/sync/kept/queue.hpp"

#include <algorithm>

namespace baton::sync::kept {

bool Queue::has_room(std::size_t bytes) const noexcept {
    return items_.size() < bound_ && unfinished() < limits::queue_items_max &&
           (unfinished() == 0 || bytes_ + bytes <= limits::queue_bytes_max);
}

void Queue::put(ActorId who, Bytes item, Wakes& wakes) {
    putting_.push_back({who, std::move(item)});
    move_on(wakes);
}

void Queue::get(ActorId who, Wakes& wakes) {
    getting_.push_back(who);
    move_on(wakes);
}

// Until nothing moves any more: into the queue, out of it, and home.
void Queue::move_on(Wakes& wakes) {
    for (bool has_moved = true; has_moved;) {
        has_moved = false;
        if (!putting_.empty() && has_room(putting_.front().bytes.size())) {
            bytes_ += putting_.front().bytes.size();
            wakes.grant(putting_.front().who);
            items_.push_back({std::move(putting_.front().bytes)});
            putting_.pop_front();
            has_moved = true;
        }
        if (!getting_.empty() && !items_.empty()) {
            const ActorId who = getting_.front();
            wakes.grant(who, {.item = items_.front().bytes});
            taken_[who].push_back(std::move(items_.front()));
            ++taken_count_;
            items_.pop_front();
            getting_.pop_front();
            has_moved = true;
        }
    }
    if (unfinished() == 0)
        for (const ActorId who : std::exchange(joining_, {})) wakes.grant(who);
}

Result<void> Queue::task_done(const Party& who, Wakes& wakes) {
    const auto taken = taken_.find(who.id);
    if (taken == taken_.end())
        return Error{ErrorKind::refused, fmt::format("{} has no item of {} that is not finished: each that was taken is "
                                                     "finished once", who.name, to_text())};
    bytes_ -= taken->second.front().bytes.size();
    taken->second.pop_front();
    --taken_count_;
    if (taken->second.empty()) taken_.erase(taken);
    move_on(wakes);
    return {};
}

void Queue::join(ActorId who, Wakes& wakes) {
    joining_.push_back(who);
    move_on(wakes);
}

void Queue::withdraw(const Party& who, Given given, Wakes& wakes) {
    std::erase(getting_, who.id);
    std::erase(joining_, who.id);
    std::erase_if(putting_, [&](const Putting& one) { return one.who == who.id; });
    if (const auto taken = taken_.find(who.id); given == Given::item && taken != taken_.end()) {
        items_.push_front(std::move(taken->second.back()));
        taken->second.pop_back();
        --taken_count_;
        if (taken->second.empty()) taken_.erase(taken);
    }
    move_on(wakes);
}

void Queue::bury(const Party& dead, const std::string&, Wakes& wakes) {
    withdraw(dead, Given::nothing, wakes);
    const auto taken = taken_.find(dead.id);
    if (taken == taken_.end()) return;
    std::deque<Item> back = std::move(taken->second);
    taken_.erase(taken);
    taken_count_ -= back.size();
    for (auto item = back.rbegin(); item != back.rend(); ++item) {
        if (++item->dead_takers < limits::item_takers_max) {
            items_.push_front(std::move(*item));
        } else {
            bytes_ -= item->bytes.size();
            ++given_up_;
        }
    }
    move_on(wakes);
}

WaitsFor Queue::waits_for(ActorId waiter) const {
    if (std::ranges::find(joining_, waiter) == joining_.end() || !items_.empty()) return {};
    WaitsFor takers{{}, fmt::format("waits until {} is finished, items of which are with", to_text())};
    for (const auto& [who, items] : taken_) takers.whom.push_back(who);
    return takers;
}

}  // namespace baton::sync::kept
