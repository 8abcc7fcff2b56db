#pragma once
// Errors: how an Error becomes a Python exception. The classes are Python's own, in baton/_errors.py.
// Called with the GIL held.

#include <pybind11/pybind11.h>

#include <baton/result.hpp>

namespace baton::python {

namespace py = pybind11;

// An instance of baton.Error or of the subclass for its kind.
[[nodiscard]] inline py::object exception_of(const Error& error) {
    py::object text = py::reinterpret_steal<py::object>(
        PyUnicode_DecodeUTF8(error.text.data(), static_cast<Py_ssize_t>(error.text.size()), "replace"));
    py::list frames;
    for (const std::string& frame : error.frames) frames.append(frame);
    return py::module_::import("baton._errors")
        .attr("error_of")(std::string(name_of(error.kind)), text, error.type, frames, error.is_withdrawn);
}

[[noreturn]] inline void raise(const py::object& exception) {
    PyErr_SetObject(reinterpret_cast<PyObject*>(Py_TYPE(exception.ptr())), exception.ptr());
    throw py::error_already_set();
}

[[noreturn]] inline void raise(const Error& error) { raise(exception_of(error)); }

[[noreturn]] inline void refuse(std::string text) { raise(Error{ErrorKind::refused, std::move(text)}); }

template <class T>
T value_or_raise(Result<T> result) {
    if (!result) raise(result.error());
    if constexpr (!std::is_void_v<T>) return std::move(*result);
}

}  // namespace baton::python
