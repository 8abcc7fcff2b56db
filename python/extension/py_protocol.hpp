#pragma once
// baton.Ref and baton.Protocol: plain values of the extension; and how a script says what commands it answers.
// Called with the GIL held.

#include <pybind11/pybind11.h>

#include <baton/dynamic.hpp>

namespace baton::python {

// As baton/_commands.py writes it down: (name, [(command, fields, reply or None)]), where a type is (kind, name, count,
// [(name, type)]). Refused if it is none that others could read.
[[nodiscard]] dynamic::Protocol protocol_from(const pybind11::object& described);

void add_value_classes(pybind11::module_& module);

}  // namespace baton::python
