#pragma once
// Inheritances: segments that actors which have died have left to this member, until somebody takes them.
//
// The coordinator has offered each of them (T2) and says so by the notice Inherited. It is accepted (T3) when it is
// handed to user code, and not before: what nobody wants is declined, and the next heir gets it. The ledger says
// whether it is still offered to this member; a coordinator that takes over takes back what the last one had
// offered. One thread.

#include <deque>
#include <functional>
#include <optional>

#include "runtime/inbox/outbox.hpp"
#include "runtime/wire/notices.hpp"

namespace baton::detail {

// One that this member has accepted: it owns the holding.
struct Accepted {
    Holding* holding;
    notice::Inherited said;
};

class Inheritances {
public:
    Inheritances(Self& self, Outbox& outbox) : self_(&self), outbox_(&outbox) {}

    // It waits here if this member has not mapped the ledger yet.
    void keep(const notice::Inherited& one);
    // The oldest with that label, or of all if it is empty, accepted.
    [[nodiscard]] std::optional<Accepted> next(std::string_view label);

    // For an actor's own code: called between commands, never within one.
    void on_inherited(std::function<void(Accepted)> take) { taker_ = std::move(take); }
    enum class Unwanted { kept, declined };
    // Between commands: gives what has come to the taker. A scenario keeps it if it has none, and asks for it itself.
    void give(Unwanted unwanted);

private:
    [[nodiscard]] std::optional<Accepted> accept(const notice::Inherited& one);
    void decline(const notice::Inherited& one);

    Self* self_;
    Outbox* outbox_;
    std::deque<notice::Inherited> kept_;
    std::deque<notice::Inherited> declined_;  // and not said yet
    std::function<void(Accepted)> taker_;
};

}  // namespace baton::detail
