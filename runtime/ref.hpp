#pragma once
// Ref: the typed address of an actor. A plain value that may be copied, stored and sent in a command.
//
// It names one life of one actor (see base/ids.hpp) and opens nothing by itself: the first message to it
// asks the coordinator once where that inbox lies. A Ref whose actor has exited stays valid and answers
// `gone`. It knows its session, too: used in another one it is `refused`, as the same numbers are somebody else there.
// AnyRef is a Ref that has forgotten its protocol; scripts use it. Thread rule: plain value.

#include "runtime/base/ids.hpp"

namespace baton {

namespace refs {

// Equal where they name one life of one actor, and of one session as far as both say.
[[nodiscard]] constexpr std::strong_ordering compared(ActorId a, SessionTag of_a, ActorId b, SessionTag of_b) noexcept {
    if (const auto order = a <=> b; order != 0) return order;
    return of_a.fits(of_b) ? std::strong_ordering::equal : of_a <=> of_b;
}

}  // namespace refs

template <class Protocol>
struct Ref {
    ActorId id;
    SessionTag session = {};  // none where it was made by hand: of the session in which it is used

    friend bool operator==(const Ref& a, const Ref& b) noexcept { return (a <=> b) == 0; }
    friend std::strong_ordering operator<=>(const Ref& a, const Ref& b) noexcept {
        return refs::compared(a.id, a.session, b.id, b.session);
    }
    // False for a default-constructed Ref, which addresses nobody.
    explicit operator bool() const noexcept { return id.is_somebody(); }
};

struct AnyRef {
    ActorId id;
    SessionTag session;

    friend bool operator==(const AnyRef& a, const AnyRef& b) noexcept { return (a <=> b) == 0; }
    friend std::strong_ordering operator<=>(const AnyRef& a, const AnyRef& b) noexcept {
        return refs::compared(a.id, a.session, b.id, b.session);
    }

    AnyRef() = default;
    explicit AnyRef(ActorId actor, SessionTag of = {}) : id(actor), session(of) {}
    template <class Protocol>
    AnyRef(const Ref<Protocol>& ref) : id(ref.id), session(ref.session) {}  // NOLINT: forgetting the type is safe
};

template <class Protocol>
inline AnyRef untyped(const Ref<Protocol>& ref) {
    return AnyRef{ref};
}

}  // namespace baton
