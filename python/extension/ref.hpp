#pragma once
// PyRef: baton.Ref, the address of an actor as a plain value; Actor in baton/_actor.py derives from it.

#include <baton/ref.hpp>

namespace baton::python {

using SessionTag = decltype(AnyRef::session);

struct PyRef {
    ActorId id;
    SessionTag session = {};

    [[nodiscard]] AnyRef any() const noexcept { return AnyRef{id, session}; }
};

[[nodiscard]] inline PyRef to_py(const AnyRef& ref) noexcept { return {ref.id, ref.session}; }

}  // namespace baton::python
