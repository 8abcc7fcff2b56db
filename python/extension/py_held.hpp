#pragma once
// PyHeld: baton.Segment, Loan, Lease and Slice: memory of the session in the hands of Python.
//
// NumPy and memoryview look at the memory itself, through Python's buffer protocol, which says when the last of these
// views is gone. While there are any, the segment can't be given away: its new owner must be the only one who sees it.
// Views keep the object alive, so that nothing that is looked at is ever released. When the session closes, what they
// show stays as it is, as private memory at the same address (dynamic::View).
//
// There is no __array_interface__: arrays made through it would not be counted.
// Called with the GIL held. An object may be destroyed in any thread; everything else happens in the session's.

#include <pybind11/pybind11.h>

#include <memory>
#include <string>

#include "python/extension/py_session.hpp"
#include <baton/segment.hpp>

namespace baton::python {

using namespace dynamic;

namespace py = pybind11;

class PyHeld {
public:
    // Of a session that is open.
    PyHeld(std::shared_ptr<PySession> session, std::shared_ptr<Memory> memory);
    virtual ~PyHeld();
    PyHeld(const PyHeld&) = delete;
    PyHeld& operator=(const PyHeld&) = delete;

    [[nodiscard]] bool is_empty() const noexcept { return dynamic::is_empty(*memory_); }
    // "segment 17.3 (float32[480, 640])", or that it is empty.
    [[nodiscard]] std::string to_text() const;
    [[nodiscard]] PySession& session() const noexcept { return *session_; }

    // Raises Refused if it has become empty.
    void require_content() const;
    // The memory of one that is about to leave this object: refused while views are alive. `where` names the field or
    // call.
    [[nodiscard]] const std::shared_ptr<Memory>& about_to_go(std::string_view where) const;
    // What to do instead, if the call wants another kind: "; lend it and keep the loan, ..."; nothing if it wants this.
    [[nodiscard]] std::string way_to(HeldKind wanted) const;
    [[nodiscard]] Memory& memory() const noexcept { return *memory_; }
    // Not of a Loan, which does not travel.
    [[nodiscard]] HeldKind kind() const noexcept;
    // "segment", "loan", "lease", "slice"
    [[nodiscard]] std::string_view word() const noexcept;
    [[nodiscard]] const Layout& layout() const;

    // Keeps its bytes where they are; raises if they may not be looked at now.
    [[nodiscard]] View look();
    [[nodiscard]] virtual bool is_writable() const noexcept { return true; }
    [[nodiscard]] std::uint32_t views() const noexcept { return views_; }
    void release();

    // The buffer protocol; see py_buffer.cpp.
    void begin_view() noexcept { ++views_; }
    void end_view() noexcept { --views_; }

private:
    std::shared_ptr<PySession> session_;
    std::shared_ptr<Memory> memory_;
    std::uint32_t views_ = 0;
};

struct PySegment : PyHeld {
    using PyHeld::PyHeld;
};
struct PyLease : PyHeld {
    using PyHeld::PyHeld;
    [[nodiscard]] bool is_writable() const noexcept override { return false; }
};
struct PySlice : PyHeld {
    using PyHeld::PyHeld;
};
struct PyLoan : PyHeld {
    using PyHeld::PyHeld;
};

// "segment", as a field's type is called.
[[nodiscard]] std::string_view word_of(HeldKind kind) noexcept;
// "Segment", as Python calls it.
[[nodiscard]] std::string_view class_name_of(HeldKind kind) noexcept;

// The object for what has come, or come back, to this session.
[[nodiscard]] py::object held_object(const std::shared_ptr<PySession>& session, const Value::Held& held);

// NumPy's name of an element type ("<f4"), from whatever NumPy takes for one; and of an integer or a tuple a shape.
[[nodiscard]] Layout layout_from(const py::object& shape, const py::object& dtype);

// Gives a class Python's buffer protocol (py_buffer.cpp).
void add_buffer(const py::object& type);

// The classes, and create(), import_from(), attach(), create_or_attach() and
// inherited() of the extension's Session.
void add_held_classes(py::module_& module);

}  // namespace baton::python
