// How the keeper finds those who wait for each other, and whose wait it ends.
#include <algorithm>

#include "actors/sync/sync_actor.hpp"

namespace baton::sync {

void SyncActor::look() {
    kept::Wakes wakes;
    for (const auto& [number, one] : kept_) one.primitive->look(wakes);
    deliver(wakes);

    const std::vector<detail::WaitEdge> circle = context_->find_deadlock(waits_of_clients());
    // An owner may have released its lock in shared memory before it began to wait. So the owners are read again while
    // all in the circle wait, and the waits are read again after that.
    if (!circle.empty() && context_->find_deadlock(waits_of_clients()) == circle) break_up(circle);
}

std::vector<detail::WaitEdge> SyncActor::waits_of_clients() {
    std::vector<detail::WaitEdge> waits;
    for (const auto& [id, client] : clients_.all()) {
        if (!client.waiting || context_->now() - client.waiting->since < limits::look_interval) continue;
        kept::WaitsFor waits_for = kept_.at(client.waiting->number).primitive->waits_for(id);
        if (waits_for.whom.empty()) continue;
        detail::WaitEdge wait{id, std::move(waits_for.whom), detail::WaitEdge::For::primitive,
                              client.waiting->answer.ask_id()};
        wait.text = std::move(waits_for.text);
        waits.push_back(std::move(wait));
    }
    return waits;
}

// Ends the youngest wait in it: its owner has done the least since.
void SyncActor::break_up(std::vector<detail::WaitEdge> circle) {
    const auto turn_of = [this](const detail::WaitEdge& wait) -> std::uint64_t {
        const Client* client = wait.what == detail::WaitEdge::For::primitive ? clients_.find(wait.who) : nullptr;
        return client == nullptr || !client->waiting ? 0 : client->waiting->turn;
    };
    const auto youngest = std::ranges::max_element(circle, {}, turn_of);
    if (turn_of(*youngest) == 0) return;  // a circle of asks alone is found by those who ask
    std::rotate(circle.begin(), youngest, circle.end());
    const std::string text = detail::text_of_circle(circle, [this](ActorId who) { return clients_.name_of(who); });
    context_->log().warn("deadlock.found", "{}", text);
    if (Client* client = clients_.find(circle.front().who); client != nullptr && client->waiting)
        end_wait(*client, Error{ErrorKind::deadlock, text});
}

}  // namespace baton::sync
