#include "actors/sync/deadlock.hpp"

#include <algorithm>
#include <map>

namespace baton::sync {

std::vector<Wait> find_circle(const std::vector<Wait>& waits) {
    std::map<ActorId, const Wait*> stuck;
    for (const Wait& wait : waits) stuck.emplace(wait.who, &wait);

    const auto is_stuck = [&](ActorId who) { return stuck.contains(who); };
    const auto can_go_on = [&](const auto& entry) {
        return std::ranges::none_of(entry.second->waits_for.whom, is_stuck);
    };
    while (std::erase_if(stuck, can_go_on) > 0) {
    }
    if (stuck.empty()) return {};

    // Everybody stuck waits for somebody stuck, so this walk comes back to where it has been.
    std::vector<Wait> walk;
    ActorId at = stuck.begin()->first;
    for (;;) {
        const auto seen = std::ranges::find(walk, at, &Wait::who);
        if (seen != walk.end()) return {seen, walk.end()};
        walk.push_back(*stuck.at(at));
        at = *std::ranges::find_if(walk.back().waits_for.whom, is_stuck);
    }
}

}  // namespace baton::sync
