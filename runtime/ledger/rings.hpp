#pragma once
// Rings: what each actor did last, for post-mortems. Each has one writer, its actor, which it outlives.
//
// A view of the ledger's actor rows.

#include <string>

#include "runtime/ledger/layout.hpp"
#include "runtime/ledger/transition.hpp"

namespace baton::detail {

class Rings {
public:
    explicit Rings(const LedgerLayout& layout) : rows_(layout.actors()) {}

    void note(ActorNumber me, Transition transition, Slot slot, Epoch epoch, ActorNumber partner,
              std::int64_t now) noexcept;
    // "T2 offer 17.4 (actor 3), ...": the last ones, at most so many, the latest at the end.
    [[nodiscard]] std::string last(ActorNumber actor, std::size_t most) const;

private:
    ActorRow* rows_;
};

}  // namespace baton::detail
