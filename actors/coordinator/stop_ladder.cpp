#include "actors/coordinator/stop_ladder.hpp"

#include <algorithm>
#include <functional>
#include <utility>

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
    time_ = time;
    ask_all_at_ = after(50);
    terminate_at_ = after(75);
    end_ = after(95);
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

Deadline StopLadder::asked(ActorId actor) {
    const auto found = alive_.find(actor);
    if (found == alive_.end() || end_.is_never()) return Deadline::never();
    Deadline& late_at = found->second.late_at;
    if (late_at.is_never()) {
        const Deadline own_time = Deadline::in(*clock_, time_ / 4);
        late_at = own_time.at() < terminate_at_.at() ? terminate_at_ : own_time.or_earlier(end_);
        next_force_ = next_force_.or_earlier(late_at);
    }
    return late_at;
}

Deadline StopLadder::kill_at(const Living& one) const {
    return Deadline{one.late_at.at() + time_ / 100 * 15}.or_earlier(end_);
}

void StopLadder::force_those_who_are_late(std::vector<Step>& steps) {
    next_force_ = Deadline::never();
    for (const std::vector<ActorId>& turn : turns_)
        for (const ActorId actor : turn) {
            const auto found = alive_.find(actor);
            if (found == alive_.end()) continue;
            Living& one = found->second;
            if (one.late_at.is_never() || one.reached == Rung::kill) continue;
            Rung due = Rung::ask;
            if (one.late_at.has_passed(*clock_)) due = Rung::terminate;
            if (kill_at(one).has_passed(*clock_)) due = Rung::kill;
            if (due != one.reached) steps.push_back({actor, one.reached = due});
            if (due != Rung::kill) next_force_ = next_force_.or_earlier(due == Rung::ask ? one.late_at : kill_at(one));
        }
}

void StopLadder::kill_all(std::vector<Step>& steps) {
    is_over_ = true;
    for (const std::vector<ActorId>& turn : turns_)
        for (const ActorId actor : turn)
            if (const auto one = alive_.find(actor);
                one != alive_.end() && std::exchange(one->second.reached, Rung::kill) != Rung::kill)
                steps.push_back({actor, Rung::kill});
}

std::vector<StopLadder::Step> StopLadder::due() {
    std::vector<Step> steps;
    if (is_hurried_ || end_.has_passed(*clock_)) {
        kill_all(steps);
        return steps;
    }
    while (is_waiting() && (alive_in_turn_ == 0 || turn_ends_.has_passed(*clock_))) begin_turn();
    ask_those_who_may(steps);
    if (next_force_.has_passed(*clock_)) force_those_who_are_late(steps);
    return steps;
}

Deadline StopLadder::next() const {
    if (alive_.empty() || is_over_) return Deadline::never();
    if (is_hurried_) return Deadline{clock_->now()};
    Deadline next = end_.or_earlier(next_force_);
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
