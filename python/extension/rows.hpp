#pragma once
// Rows: what the runtime says of actors and their ends, as plain tuples from which baton/ makes its values.
// Called with the GIL held.

#include <pybind11/pybind11.h>

#include <string>
#include <vector>

#include <baton/exit.hpp>

namespace baton::python {

namespace py = pybind11;

[[nodiscard]] py::object seconds_or_none(const std::optional<Duration>& time);
[[nodiscard]] py::object exit_row(const std::string& name, const Exit& exit);
// Actor and exit of each.
[[nodiscard]] py::list ended_rows(const std::vector<Ended>& all);

}  // namespace baton::python
