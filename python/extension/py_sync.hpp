#pragma once
// The classes behind baton.sync: what a script does at a keeper and must not do by halves.
//
// A signal's handler may raise in every wait and between any two steps of Python, so each of these calls is one step of
// the extension: it is done, or it is as if it had never been. A wait that is left early is withdrawn, and what was
// granted in the meantime is given back; a release takes effect even if the handler raises.

#include <pybind11/pybind11.h>

namespace baton::python {

void add_sync_classes(pybind11::module_& module);

}  // namespace baton::python
