#include "actors/coordinator/stop_ladder.hpp"

#include <algorithm>
#include <functional>

namespace baton::detail::coordinator {

StopLadder::StopLadder(const Clock& clock, std::vector<Climber> climbers, Deadline deadline) : clock_(&clock) {
    std::map<std::uint64_t, std::vector<ActorId>, std::greater<>> waves;  // the last to start first
    for (const Climber& one : climbers) {
        waves[one.wave].push_back(one.actor);
        alive_[one.actor].parent = one.parent;
    }
    for (const Climber& one : climbers)
        if (const auto parent = alive_.find(one.parent); parent != alive_.end()) ++parent->second.children;
    for (auto& [wave, actors] : waves) turns_.push_back(std::move(actors));

    if (deadline.is_never()) return;
    const Duration time = deadline.left(clock);
    const auto after = [&](int percent) { return Deadline::in(clock, time / 100 * percent); };
    reserve_ = time / 50;
    ask_all_at_ = after(50);
    terminate_at_ = after(75);
    kill_at_ = after(90);
}

// Its time for itself: all that is left but a little for each of those after it; at least an equal share.
void StopLadder::begin_turn() {
    for (const ActorId actor : turns_[next_turn_])
        if (const auto one = alive_.find(actor); one != alive_.end()) {
            one->second.has_turn = true;
            ++alive_in_turn_;
            having_turn_.push_back(actor);
        }
    ++next_turn_;
    const auto to_come = static_cast<std::int64_t>(turns_.size() - next_turn_);
    if (to_come == 0 || ask_all_at_.is_never()) return;
    const Duration left = ask_all_at_.left(*clock_);
    turn_ends_ = Deadline::in(*clock_, std::max(left / (to_come + 1), left - reserve_ * to_come));
}

void StopLadder::ask_those_who_may(std::vector<Step>& steps) {
    const bool must_ask = ask_all_at_.has_passed(*clock_);
    std::erase_if(having_turn_, [&](ActorId actor) {
        const auto one = alive_.find(actor);
        if (one == alive_.end()) return true;
        if (one->second.children > 0 && !must_ask) return false;
        steps.push_back({actor, Rung::ask});
        return true;
    });
}

std::vector<StopLadder::Step> StopLadder::due() {
    std::vector<Step> steps;
    Rung rung = Rung::ask;
    if (terminate_at_.has_passed(*clock_)) rung = Rung::terminate;
    if (is_hurried_ || kill_at_.has_passed(*clock_)) rung = Rung::kill;
    if (rung == Rung::ask) {
        while (is_waiting() && (alive_in_turn_ == 0 || turn_ends_.has_passed(*clock_))) begin_turn();
        ask_those_who_may(steps);
        return steps;
    }
    if (rung == reached_) return steps;
    reached_ = rung;
    for (const std::vector<ActorId>& turn : turns_)
        for (const ActorId actor : turn)
            if (alive_.contains(actor)) steps.push_back({actor, rung});
    return steps;
}

Deadline StopLadder::next() const {
    if (alive_.empty() || reached_ == Rung::kill) return Deadline::never();
    if (is_hurried_) return Deadline{clock_->now()};
    if (reached_ == Rung::terminate) return kill_at_;
    Deadline next = terminate_at_;
    if (is_waiting()) next = alive_in_turn_ == 0 ? Deadline{clock_->now()} : next.or_earlier(turn_ends_);
    // Those who wait for their children alone.
    if (!having_turn_.empty()) next = next.or_earlier(ask_all_at_);
    return next;
}

void StopLadder::exited(ActorId actor) {
    const auto found = alive_.find(actor);
    if (found == alive_.end()) return;
    if (const auto parent = alive_.find(found->second.parent); parent != alive_.end()) --parent->second.children;
    if (found->second.has_turn) --alive_in_turn_;
    alive_.erase(found);
}

void StopLadder::hurry() { is_hurried_ = true; }

}  // namespace baton::detail::coordinator
