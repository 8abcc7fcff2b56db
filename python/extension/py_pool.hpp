#pragma once
// PyPool: a task pool (actors/pool/pool.hpp) as Python may use it: functions by name, values by the signatures that the
// workers published. It releases its tasks before its session ends. Called with the GIL held.

#include <pybind11/pybind11.h>

namespace baton::python {

// The classes Pool, Task and Outcome of the extension, and slice_of().
void add_pool_classes(pybind11::module_& module);

}  // namespace baton::python
