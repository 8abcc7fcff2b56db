#include "actors/coordinator/stop_ladder.hpp"

#include <algorithm>

namespace baton::coordinator {

StopLadder::StopLadder(const Clock& clock, std::vector<std::set<ActorId>> waves, Deadline deadline)
    : clock_(&clock), waves_(std::move(waves)), deadline_(deadline) {
    std::erase_if(waves_, [](const auto& wave) { return wave.empty(); });
    std::ranges::reverse(waves_);
    if (!waves_.empty()) begin_wave();
}

void StopLadder::begin_wave() {
    const Duration share = deadline_.left(*clock_) / static_cast<std::int64_t>(waves_.size());
    rung_ = -1;
    // Three fifths to end by itself, one to end on SIGTERM, one for the kernel to end it.
    terminate_at_ = Deadline::in(*clock_, share / 5 * 3);
    kill_at_ = Deadline::in(*clock_, share / 5 * 4);
}

std::vector<StopLadder::Step> StopLadder::due() {
    std::vector<Step> steps;
    if (is_hurried_) {
        for (const auto& wave : waves_)
            for (const ActorId actor : wave) steps.push_back({actor, Rung::kill});
        is_hurried_ = false;
        rung_ = static_cast<int>(Rung::kill);
        return steps;
    }
    if (waves_.empty()) return steps;
    Rung rung = Rung::ask;
    if (terminate_at_.has_passed(*clock_)) rung = Rung::terminate;
    if (kill_at_.has_passed(*clock_)) rung = Rung::kill;
    if (static_cast<int>(rung) <= rung_) return steps;
    rung_ = static_cast<int>(rung);
    for (const ActorId actor : waves_.back()) steps.push_back({actor, rung});
    return steps;
}

Deadline StopLadder::next() const {
    if (waves_.empty() || rung_ == static_cast<int>(Rung::kill)) return Deadline::never();
    if (rung_ < 0 || is_hurried_) return Deadline{clock_->now()};
    return rung_ == static_cast<int>(Rung::ask) ? terminate_at_ : kill_at_;
}

void StopLadder::exited(ActorId actor) {
    if (waves_.empty()) return;
    for (auto& wave : waves_) wave.erase(actor);
    const bool current_is_done = waves_.back().empty();
    std::erase_if(waves_, [](const auto& wave) { return wave.empty(); });
    if (current_is_done && !waves_.empty()) begin_wave();
}

void StopLadder::hurry() { is_hurried_ = true; }

}  // namespace baton::coordinator
