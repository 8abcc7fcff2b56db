#include "actors/sync/clients.hpp"

#include <algorithm>

namespace baton::sync {

Result<Client*> Clients::meet(AnyRef who) {
    if (const auto known = clients_.find(who.id); known != clients_.end()) return &known->second;
    Result<std::string> name = context_->watch(who);
    if (!name) return name.error();
    return &clients_.emplace(who.id, Client{{who.id, std::move(*name)}}).first->second;
}

Client* Clients::find(ActorId who) {
    const auto found = clients_.find(who);
    return found == clients_.end() ? nullptr : &found->second;
}

std::optional<Client> Clients::remove(ActorId who) {
    const auto found = clients_.find(who);
    if (found == clients_.end()) return std::nullopt;
    Client client = std::move(found->second);
    clients_.erase(found);
    return client;
}

bool Clients::any_waiting() const {
    return std::ranges::any_of(clients_, [](const auto& entry) { return entry.second.waiting.has_value(); });
}

std::string Clients::name_of(ActorId who) {
    const Result<Client*> client = meet(AnyRef{who});
    return client ? (*client)->party.name : fmt::format("actor {}", to_string(who));
}

}  // namespace baton::sync
