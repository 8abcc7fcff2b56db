#include "tests/simulation/seeded/mischief.hpp"

#include <csignal>

namespace seeded {
namespace {

constexpr std::uint64_t most = 8;
constexpr std::uint64_t coordinators_most = 3;
constexpr std::uint64_t points_most = 30;  // that a victim passes before it is killed
constexpr unsigned frozen_percent = 20;
constexpr unsigned struck_percent = 4;
constexpr unsigned settler_killed_percent = 30;
constexpr std::uint64_t settler_points_most = 16;  // that it passes before it is killed
constexpr unsigned killed_at_point_percent = 65;

}  // namespace

Mischief::Mischief(Kernel& kernel, ManualClock& clock, Dice& dice, Story& story)
    : kernel_(&kernel),
      clock_(&clock),
      dice_(&dice),
      story_(&story),
      left_(dice.between(0, most)),
      coordinators_left_(dice.between(0, coordinators_most)),
      next_(dice.between(20, 400)) {}

bool Mischief::is_over() {
    if (left_ > 0) return false;
    for (auto& [pid, process] : kernel_->all()) process.points_left = 0;
    return true;
}

void Mischief::may_strike() {
    if (left_ == 0 || !dice_->happens(struck_percent)) return;
    --left_;
    ++kernel_->count.kills_of[static_cast<std::size_t>(Process::Kind::actor)];
    kernel_->end(kernel_->running(), {true, SIGKILL});
}

void Mischief::note_end(const Process& ended) {
    if (left_ == 0 || coordinators_left_ == 0 || ended.kind != Process::Kind::actor) return;
    if (!dice_->happens(settler_killed_percent)) return;
    for (auto& [pid, process] : kernel_->all()) {
        if (process.kind != Process::Kind::coordinator || process.state == Process::State::ended) continue;
        if (process.points_left > 0) continue;
        --coordinators_left_;
        process.points_left = dice_->between(1, settler_points_most);
    }
}

void Mischief::go_on() {
    if (left_ == 0 || kernel_->count.steps < next_) return;
    --left_;
    next_ = kernel_->count.steps + dice_->between(10, 250);
    const bool is_for_coordinator = coordinators_left_ > 0 && dice_->happens(50);
    std::vector<Process*> victims;
    for (auto& [pid, process] : kernel_->all()) {
        const Process::Kind wanted = is_for_coordinator ? Process::Kind::coordinator : Process::Kind::actor;
        if (process.kind == wanted && process.state != Process::State::ended) victims.push_back(&process);
    }
    if (victims.empty()) return;
    Process& victim = *victims[dice_->below(victims.size())];
    const std::uint64_t what = dice_->below(100);
    if (what < frozen_percent) {
        victim.thaws = Deadline::in(*clock_, dice_->microseconds(1'000, 60'000));
        ++kernel_->count.freezes;
        return story_->tell(victim.name, "is frozen");
    }
    if (is_for_coordinator) --coordinators_left_;
    if (what < frozen_percent + killed_at_point_percent) {
        victim.points_left = dice_->between(1, points_most);
        return;
    }
    ++kernel_->count.kills_of[static_cast<std::size_t>(victim.kind)];
    kernel_->end(victim, {true, SIGKILL});
}

}  // namespace seeded
