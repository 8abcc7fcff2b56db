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

void Queue::get(const Party& who, Wakes& wakes) {
    getting_.push_back(who);
    move_on(wakes);
}

// Takers that have one item each are at work on it. More than that may be for good.
bool Queue::is_stuck() const noexcept {
    return !putting_.empty() && items_.empty() && taken_count_ > taken_.size() &&
           !has_room(putting_.front().bytes.size());
}

std::string Queue::stuck_text() const {
    const auto most = std::ranges::max_element(taken_, {}, [](const auto& entry) { return entry.second.items.size(); });
    return fmt::format(
        "{} takes nothing more: {} items of {} bytes have been taken and not finished, {} of them by {}; it keeps "
        "those too, up to {} items (limits::queue_items_max) and {} bytes (limits::queue_bytes_max), in case their "
        "taker dies. A process that takes an item has to call task_done() when it is done with it",
        to_text(), taken_count_, bytes_, most->second.items.size(), most->second.name, limits::queue_items_max,
        limits::queue_bytes_max);
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
            const Party& who = getting_.front();
            wakes.grant(who.id, {.item = items_.front().bytes});
            Taker& taker = taken_.try_emplace(who.id, Taker{who.name, {}}).first->second;
            taker.items.push_back(std::move(items_.front()));
            ++taken_count_;
            items_.pop_front();
            getting_.pop_front();
            has_moved = true;
        }
    }
    if (is_stuck()) {
        const std::string text = stuck_text();
        for (const Putting& one : std::exchange(putting_, {})) wakes.end(one.who, ErrorKind::overloaded, text);
    }
    if (unfinished() == 0)
        for (const ActorId who : std::exchange(joining_, {})) wakes.grant(who);
}

Result<void> Queue::task_done(const Party& who, Wakes& wakes) {
    const auto taken = taken_.find(who.id);
    if (taken == taken_.end())
        return Error{ErrorKind::refused,
                     fmt::format("{} has no item of {} that is not finished: each that was taken is "
                                 "finished once",
                                 who.name, to_text())};
    std::deque<Item>& items = taken->second.items;
    bytes_ -= items.front().bytes.size();
    items.pop_front();
    --taken_count_;
    if (items.empty()) taken_.erase(taken);
    move_on(wakes);
    return {};
}

void Queue::join(ActorId who, Wakes& wakes) {
    joining_.push_back(who);
    move_on(wakes);
}

void Queue::withdraw(const Party& who, Given given, Wakes& wakes) {
    std::erase_if(getting_, [&](const Party& one) { return one.id == who.id; });
    std::erase(joining_, who.id);
    std::erase_if(putting_, [&](const Putting& one) { return one.who == who.id; });
    if (const auto taken = taken_.find(who.id); given == Given::item && taken != taken_.end()) {
        std::deque<Item>& items = taken->second.items;
        items_.push_front(std::move(items.back()));
        items.pop_back();
        --taken_count_;
        if (items.empty()) taken_.erase(taken);
    }
    move_on(wakes);
}

void Queue::bury(const Party& dead, const std::string&, Wakes& wakes) {
    withdraw(dead, Given::nothing, wakes);
    const auto taken = taken_.find(dead.id);
    if (taken == taken_.end()) return;
    std::deque<Item> back = std::move(taken->second.items);
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
    for (const auto& [who, taker] : taken_) takers.whom.push_back(who);
    return takers;
}

}  // namespace baton::sync::kept
