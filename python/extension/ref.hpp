#pragma once
// PyRef: baton.Ref, the address of an actor as a plain value; Actor in baton/_actor.py derives from it.

#include "runtime/base/ids.hpp"

namespace baton::python {

struct PyRef {
    ActorId id;
};

}  // namespace baton::python
