#pragma once
// Returns: what was sent with a message and has come back, until somebody takes it. What is still on its way is among
// the gifts; one that comes back becomes a Bounce, which waits here for the taker of its type. One thread.

#include <deque>
#include <functional>
#include <optional>
#include <unordered_map>
#include <vector>

#include "runtime/inbox/gifts.hpp"

namespace baton::detail {

class Returns {
public:
    explicit Returns(Self& self) : self_(&self), gifts_(self) {}
    [[nodiscard]] Gifts& gifts() noexcept { return gifts_; }

    // What receives commands that come back, by the type of the message. Called between commands, never within one.
    void on_bounced(std::string_view type, std::function<void(Bounce)> take) { takers_[type] = std::move(take); }
    // The oldest that nobody has taken, of that type and sent to that actor, if these are given; for scenarios, which
    // serve no handler.
    [[nodiscard]] std::optional<Bounce> next(std::string_view type, ActorId to = {});
    [[nodiscard]] std::size_t count(std::string_view type) const;

    // Takes them back from the gifts, as Gifts says.
    void take_back(const Gifts::Key& key, const Error& why);
    void take_back_all(ActorId to, const Error& why) { keep(gifts_.take_back_all(to, why)); }
    void take_back_commands(ActorId to, const Error& why) { keep(gifts_.take_back_commands(to, why)); }

    enum class Unwanted { kept, released };
    // Between commands: gives what has come back to its takers. A scenario keeps what has none, and collects it itself.
    void give(Unwanted unwanted);
    // Forgets what has been accepted.
    void look();

private:
    void keep(std::vector<Bounce> bounces);
    void release(Bounce bounce);
    Self* self_;
    Gifts gifts_;
    std::deque<Bounce> bounces_;
    std::unordered_map<std::string_view, std::function<void(Bounce)>> takers_;
};

}  // namespace baton::detail
