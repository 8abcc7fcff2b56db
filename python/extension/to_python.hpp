#pragma once
// To Python: values on the wire as Python's own. A struct becomes a baton.Struct, an enum its name, a
// timestamp a datetime in UTC (whole microseconds), a duration seconds, bytes bytes, a ref what `make_ref`
// makes of it. Text that is not UTF-8 keeps its bytes as lone surrogates, as file names do in Python.
// Called with the GIL held.

#include <pybind11/pybind11.h>

#include <functional>

#include "runtime/wire/dynamic.hpp"

namespace baton::python {

namespace py = pybind11;

using MakeRef = std::function<py::object(ActorId)>;

// Raises baton.Corrupt where the value is not of that type.
[[nodiscard]] py::object to_python(const TypeDescription& type, Value value, const MakeRef& make_ref);
// Without a type: maps whose keys are all names become a Struct, other maps a dict; a ref is a pair of
// numbers, an enum its number, a duration nanoseconds.
[[nodiscard]] py::object to_python_untyped(Value value);

}  // namespace baton::python
