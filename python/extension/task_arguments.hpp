#pragma once
// TaskArguments: what Python gives to the tasks of a pool: checked against the signature that the workers published,
// and put into a list of tasks. Called with the GIL held.

#include <pybind11/pybind11.h>

#include <baton/dynamic_pool.hpp>

namespace baton::python {

namespace py = pybind11;

// A part of a Loan, for a task that has not begun: the right to read it, or to write it.
struct PyPartOf {
    py::object loan;
    std::uint64_t first = 0;
    std::uint64_t count = 0;
};
struct PyLeaseOf : PyPartOf {};
struct PySliceOf : PyPartOf {};

using TaskRows = std::vector<std::pair<py::tuple, py::dict>>;  // of each task the positional and the named arguments
// All are checked before anything leaves its object. Raises Refused with the place, `power(exponent): ...`.
void fill(dynamic::TaskList& tasks, const TaskRows& rows);

}  // namespace baton::python
