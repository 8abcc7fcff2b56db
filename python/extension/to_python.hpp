#pragma once
// To Python: values on the wire as Python's own. A struct becomes a baton.Struct, a tuple a tuple, a set a set
// (of structs or maps, which Python has in no set, a list), an enum its name, a timestamp a datetime in UTC (whole
// microseconds), a duration seconds, bytes bytes, a ref what `make_ref` makes of it, a segment what `make_held` does.
// Text that is not UTF-8 keeps its bytes as lone surrogates, as file names do in Python. Called with the GIL held.

#include <pybind11/pybind11.h>

#include <functional>

#include "runtime/wire/dynamic.hpp"

namespace baton::python {

using namespace detail;

namespace py = pybind11;

using MakeRef = std::function<py::object(AnyRef)>;
// Makes the Segment, Lease or Slice of a reference to the manifest; without a kind it is whatever came.
using MakeHeld = std::function<py::object(Value, std::optional<HandleKind>)>;

// Raises baton.Corrupt if the value is not of that type.
[[nodiscard]] py::object to_python(const TypeDescription& type, Value value, const MakeRef& make_ref,
                                   const MakeHeld& make_held);
// Without a type: maps whose keys are all names become a Struct, other maps a dict; a ref is a list of
// its numbers and its session, an enum its number, a duration nanoseconds.
[[nodiscard]] py::object to_python_untyped(Value value, const MakeHeld& make_held);

}  // namespace baton::python
