#include "python/extension/py_held.hpp"

#include <fmt/format.h>

#include "python/extension/errors.hpp"
#include "python/extension/from_python.hpp"

namespace baton::python {

using namespace dynamic;

PyHeld::PyHeld(std::shared_ptr<PySession> session, std::shared_ptr<Memory> memory)
    : session_(std::move(session)), memory_(std::move(memory)) {}

PyHeld::~PyHeld() { session_->drop_held(std::move(memory_)); }

std::string PyHeld::to_text() const {
    return is_empty() ? "an empty one: it was given away, lent or released, or its session has ended"
                      : dynamic::to_text(*memory_);
}

void PyHeld::require_content() const {
    if (is_empty())
        refuse(
            "this object is empty: what it stood for was given away, lent, reclaimed or released, or its session has "
            "ended");
}

HeldKind PyHeld::kind() const noexcept {
    if (std::holds_alternative<Lease>(*memory_)) return HeldKind::lease;
    return std::holds_alternative<Slice>(*memory_) ? HeldKind::slice : HeldKind::segment;
}

const Layout& PyHeld::layout() const {
    require_content();
    return layout_of(*memory_);
}

const std::shared_ptr<Memory>& PyHeld::about_to_go(std::string_view where) const {
    const bool is_released = where == "release()";
    if (is_empty())
        refuse(fmt::format(
            "{}: the object is empty: what it stood for was given away, lent, reclaimed or released, or its "
            "session has ended",
            where));
    if (std::holds_alternative<Loan>(*memory_) && !is_released)
        refuse(fmt::format(
            "{}: a lent segment does not travel: its leases and slices do, loan.lease() and loan.slice(first, "
            "count)",
            where));
    if (is_borrowed(*memory_) && !is_released)
        refuse(fmt::format("{}: {} is borrowed: only its lender can lend it on", where, to_text()));
    if (views_ > 0)
        refuse(fmt::format("{}: {} {} of {} {} alive (NumPy arrays, memoryviews), so nobody else may have it yet. "
                           "`del array` first, or look at it in a block, `with segment.view() as array:`",
                           where, views_, views_ == 1 ? "view" : "views", to_text(), views_ == 1 ? "is" : "are"));
    return memory_;
}

std::string PyHeld::way_to(HeldKind wanted) const {
    const bool is_loan = std::holds_alternative<Loan>(*memory_);
    if (!is_loan && kind() == wanted) return {};
    const std::string_view part = wanted == HeldKind::slice ? "loan.slice(first, count)" : "loan.lease()";
    if (wanted == HeldKind::segment && is_loan) return "; a loan does not travel: give the segment, loan.reclaim()";
    if (wanted == HeldKind::segment) return "; what is lent can't be given: its owner gives the segment itself";
    if (is_loan) return fmt::format("; a loan does not travel: send {}", part);
    if (kind() == HeldKind::segment)
        return fmt::format("; lend it and keep the loan, loan = segment.lend(), then send {}", part);
    return fmt::format("; its lender sends {}", part);
}

View PyHeld::look() {
    session_->require_open();
    require_content();
    return value_or_raise(View::of(*memory_));
}

void PyHeld::release() {
    if (is_empty()) return;
    static_cast<void>(about_to_go("release()"));
    session_->require_open();
    std::visit([](auto& one) { one = std::remove_cvref_t<decltype(one)>{}; }, *memory_);
}

std::string_view PyHeld::word() const noexcept {
    return std::holds_alternative<Loan>(*memory_) ? "loan" : word_of(kind());
}

std::string_view word_of(HeldKind kind) noexcept {
    switch (kind) {
        case HeldKind::segment: return "segment";
        case HeldKind::lease: return "lease";
        case HeldKind::slice: return "slice";
    }
    return "segment";
}

std::string_view class_name_of(HeldKind kind) noexcept {
    switch (kind) {
        case HeldKind::segment: return "Segment";
        case HeldKind::lease: return "Lease";
        case HeldKind::slice: return "Slice";
    }
    return "Segment";
}

py::object held_object(const std::shared_ptr<PySession>& session, const Value::Held& held) {
    switch (held.kind) {
        case HeldKind::segment: return py::cast(std::make_unique<PySegment>(session, held.memory));
        case HeldKind::lease: return py::cast(std::make_unique<PyLease>(session, held.memory));
        case HeldKind::slice: return py::cast(std::make_unique<PySlice>(session, held.memory));
    }
    return py::none();
}

Layout layout_from(const py::object& shape, const py::object& dtype) {
    Layout layout{py::cast<std::string>(py::module_::import("baton._segments").attr("type_of")(dtype)), {}};
    const auto add = [&](py::handle length) {
        const py::object number = py::reinterpret_steal<py::object>(PyNumber_Index(length.ptr()));
        if (!number) throw py::error_already_set();
        const std::uint64_t value = PyLong_AsUnsignedLongLong(number.ptr());
        if (PyErr_Occurred() != nullptr) {
            PyErr_Clear();
            refuse(fmt::format("{} is not the length of a dimension", std::string(py::str(number))));
        }
        layout.shape.push_back(value);
    };
    if (PyIndex_Check(shape.ptr())) {
        add(shape);
    } else {
        for (const py::handle length : py::iter(shape)) add(length);
    }
    return layout;
}

}  // namespace baton::python
