#pragma once
// Transition: the steps of docs/ownership.md by name, as an actor's ring remembers them. Pure values.

#include <cstdint>
#include <string_view>

namespace baton::detail {

enum class Transition : std::uint32_t {
    none = 0, create, offer, accept, withdraw, bounce, settle, lend, reclaim, retire, recycle,  // T1 to T10
    grant, claim, lease_withdraw, drop, lease_settle,                                           // L1 to L5, L6
    publish, unpublish,                                                                         // N1, N2
    attach,                                                                                     // L7
    inherit,                                                                                    // T11
};

// "T1 create", "L4 drop", ... for people.
[[nodiscard]] constexpr std::string_view name_of(Transition transition) noexcept {
    switch (transition) {
        case Transition::none: return "nothing";
        case Transition::create: return "T1 create";
        case Transition::offer: return "T2 offer";
        case Transition::accept: return "T3 accept";
        case Transition::withdraw: return "T4 withdraw";
        case Transition::bounce: return "T5 bounce";
        case Transition::settle: return "T6 settle";
        case Transition::lend: return "T7 lend";
        case Transition::reclaim: return "T8 reclaim";
        case Transition::retire: return "T9 retire";
        case Transition::recycle: return "T10 recycle";
        case Transition::grant: return "L1 grant";
        case Transition::claim: return "L2 claim";
        case Transition::lease_withdraw: return "L3 withdraw";
        case Transition::drop: return "L4 drop";
        case Transition::lease_settle: return "L5 settle";
        case Transition::publish: return "N1 publish";
        case Transition::unpublish: return "N2 withdraw";
        case Transition::attach: return "L7 attach";
        case Transition::inherit: return "T11 inherit";
    }
    return "unknown";
}

}  // namespace baton::detail
