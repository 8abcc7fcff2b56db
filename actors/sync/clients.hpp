#pragma once
// Clients: the processes that use a keeper, what each is called and what each waits for. All of them are watched, so
// that the keeper hears of their exits; a process that is not here has ended or was never seen.

#include <map>

#include "actors/sync/kept/primitive.hpp"
#include <baton/answer.hpp>
#include <baton/context.hpp>

namespace baton::sync {

struct Client {
    struct Waiting {
        std::uint32_t number = 0;  // of the primitive
        Answer<Granted> answer;
        std::uint64_t turn = 0;    // later waits have higher ones
        Instant since;
    };
    struct Last {
        std::uint32_t number = 0;
        kept::Given given = kept::Given::nothing;
    };
    kept::Party party;
    std::optional<Waiting> waiting = {};
    Last last = {};  // the wait that ended last: what it brought can be given back
};

class Clients {
public:
    explicit Clients(Context& context) : context_(&context) {}

    // Watches it from now on. `gone` if it has ended.
    [[nodiscard]] Result<Client*> meet(AnyRef who);
    [[nodiscard]] Client* find(ActorId who);
    [[nodiscard]] bool contains(ActorId who) const { return clients_.contains(who); }
    // Returns what was known of it; nothing if it was never met.
    [[nodiscard]] std::optional<Client> remove(ActorId who);

    [[nodiscard]] std::map<ActorId, Client>& all() noexcept { return clients_; }
    [[nodiscard]] bool any_waiting() const;
    // Works for a process that is not a client, too.
    [[nodiscard]] std::string name_of(ActorId who);

private:
    Context* context_;
    std::map<ActorId, Client> clients_;
};

}  // namespace baton::sync
