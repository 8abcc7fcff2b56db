#pragma once
// Ref: the typed address of an actor. A plain value that may be copied, stored and sent in a command.
//
// It names one life of one actor (see base/ids.hpp) and opens nothing by itself: the first message to it
// asks the coordinator once where that inbox lies. A Ref whose actor has exited stays valid and answers
// `gone`. AnyRef is a Ref that has forgotten its protocol; scripts use it. Thread rule: plain value.

#include "runtime/base/ids.hpp"

namespace baton {

template <class Protocol>
struct Ref {
    ActorId id;

    auto operator<=>(const Ref&) const = default;
    // False for a default-constructed Ref, which addresses nobody.
    explicit operator bool() const noexcept { return id.is_somebody(); }
};

struct AnyRef {
    ActorId id;
    auto operator<=>(const AnyRef&) const = default;

    AnyRef() = default;
    explicit AnyRef(ActorId actor) : id(actor) {}
    template <class Protocol>
    AnyRef(const Ref<Protocol>& ref) : id(ref.id) {}  // NOLINT: forgetting the type is safe
};

template <class Protocol>
inline AnyRef untyped(const Ref<Protocol>& ref) {
    return AnyRef{ref.id};
}

}  // namespace baton
