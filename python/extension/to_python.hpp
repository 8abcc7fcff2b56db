#pragma once
// To Python: values that came in a message as Python's own. A struct becomes a baton.Struct, a tuple a tuple, a set a
// set (of structs or maps, which Python has in no set, a list), an enum its name, a timestamp a datetime in UTC (whole
// microseconds), a duration seconds, bytes bytes, a ref what `make_ref` makes of it, memory what `make_held` does. Text
// that is not UTF-8 keeps its bytes as lone surrogates, as file names do in Python. Called with the GIL held.

#include <pybind11/pybind11.h>

#include <functional>

#include <baton/dynamic.hpp>

namespace baton::python {

using namespace dynamic;

namespace py = pybind11;

using MakeRef = std::function<py::object(AnyRef)>;
using MakeHeld = std::function<py::object(const Value::Held&)>;

// A value that was read as one of that type.
[[nodiscard]] py::object to_python(const Type& type, const Value& value, const MakeRef& make_ref,
                                   const MakeHeld& make_held);
// One that was read without a type: maps whose keys are all names become a Struct, other maps a dict; a ref is a list
// of its numbers and its session, an enum its number, a duration nanoseconds.
[[nodiscard]] py::object to_python(const Value& value, const MakeRef& make_ref, const MakeHeld& make_held);

}  // namespace baton::python
