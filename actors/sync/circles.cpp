// How the keeper finds those who wait for each other, and whose wait it ends.
#include <algorithm>

#include "actors/sync/sync_actor.hpp"

namespace baton::sync {

void SyncActor::look() {
    kept::Wakes wakes;
    for (const auto& [number, one] : kept_) one.primitive->look(wakes);
    deliver(wakes);

    std::vector<Wait> waits = waits_of_clients();
    if (!waits.empty()) add_asks(waits);
    std::vector<Wait> circle = find_circle(waits);
    if (!is_at_rest(circle)) circle.clear();
    const bool is_same = !circle.empty() && circle == suspected_;
    suspected_ = std::move(circle);
    if (is_same) break_up(std::exchange(suspected_, {}));
}

std::vector<Wait> SyncActor::waits_of_clients() {
    std::vector<Wait> waits;
    for (const auto& [id, client] : clients_.all()) {
        if (!client.waiting || context_->now() - client.waiting->since < limits::look_interval) continue;
        kept::WaitsFor waits_for = kept_.at(client.waiting->number).primitive->waits_for(id);
        if (!waits_for.whom.empty()) waits.push_back({id, client.waiting->turn, std::move(waits_for)});
    }
    return waits;
}

// Those who are waited for here and wait for somebody's answer elsewhere, and so on.
void SyncActor::add_asks(std::vector<Wait>& waits) const {
    std::vector<ActorId> known;
    for (const Wait& wait : waits) known.push_back(wait.who);
    for (std::size_t index = 0; index < waits.size(); ++index) {
        const std::vector<ActorId> whom = waits[index].waits_for.whom;
        for (const ActorId one : whom) {
            if (std::ranges::find(known, one) != known.end()) continue;
            known.push_back(one);
            const std::optional<Context::Wait> ask = context_->wait_of(AnyRef{one});
            if (!ask || ask->whom == context_->id()) continue;  // a wait here that is young, or of no known end
            waits.push_back({one, ask->ask, {{ask->whom}, "waits for an answer of"}, false});
        }
    }
}

// A client that is stopped, or does not get to run, may have its answer already.
bool SyncActor::is_at_rest(const std::vector<Wait>& circle) const {
    return std::ranges::all_of(circle, [this](const Wait& wait) {
        if (!wait.is_kept) return true;  // looked at a moment ago
        const std::optional<Context::Wait> ask = context_->wait_of(AnyRef{wait.who});
        return ask && ask->whom == context_->id();
    });
}

// Ends the youngest wait in it: its owner has done the least since.
void SyncActor::break_up(const std::vector<Wait>& circle) {
    // A circle of asks alone is found by those who ask.
    if (std::ranges::none_of(circle, &Wait::is_kept)) return;
    const auto is_younger = [](const Wait& one, const Wait& other) {
        return (one.is_kept ? one.turn : 0) < (other.is_kept ? other.turn : 0);
    };
    const auto youngest = std::ranges::max_element(circle, is_younger);
    std::string text = "deadlock:";
    for (std::size_t step = 0; step < circle.size(); ++step) {
        const std::size_t at = (static_cast<std::size_t>(youngest - circle.begin()) + step) % circle.size();
        text += fmt::format("{} {} {} {}", step == 0 ? "" : ",", clients_.name_of(circle[at].who),
                            circle[at].waits_for.text, clients_.name_of(circle[(at + 1) % circle.size()].who));
    }
    context_->log().warn("deadlock.found", "{}", text);
    if (Client* client = clients_.find(youngest->who); client != nullptr && client->waiting)
        end_wait(*client, Error{ErrorKind::refused, text});
}

}  // namespace baton::sync
