#include "python/extension/py_held.hpp"

#include <fmt/format.h>

#include "python/extension/errors.hpp"
#include "python/extension/from_python.hpp"
#include "runtime/inbox/access.hpp"
#include "runtime/wire/element_type.hpp"

namespace baton::python {

using namespace detail;
namespace {

py::object helper(const char* name) { return py::module_::import("baton._segments").attr(name); }

// As the buffer protocol writes element types, which is as the struct module does; with 'l' for 64 bits, because
// NumPy takes that for the int64 that everybody else means.
std::string format_of(std::string_view type) {
    if (is_record_type(type)) return fmt::format("{}x", bytes_of_element_type(type).value_or(1));
    const char size = type.back();
    switch (type[1]) {
        case 'b': return "?";
        case 'i': return size == '1' ? "b" : size == '2' ? "h" : size == '4' ? "i" : "l";
        case 'u': return size == '1' ? "B" : size == '2' ? "H" : size == '4' ? "I" : "L";
        case 'f': return size == '2' ? "e" : size == '4' ? "f" : size == '8' ? "d" : "g";
        case 'c': return size == '8' ? "Zf" : size == '6' ? "Zd" : "Zg";
        case 'S': return fmt::format("{}s", type.substr(2));
        default: return fmt::format("{}x", type.substr(2));  // a struct of that many bytes
    }
}

// What a Py_buffer points to, as long as the view lives.
struct View {
    std::string format;
    std::vector<Py_ssize_t> shape;
    std::vector<Py_ssize_t> strides;
};

int buffer_error(const std::string& text) {
    PyErr_SetString(PyExc_BufferError, text.c_str());
    return -1;
}

int get_buffer(PyObject* object, Py_buffer* buffer, int flags) {
    buffer->obj = nullptr;
    try {
        PyHeld& self = py::cast<PyHeld&>(py::handle(object));
        std::byte* const data = self.data();
        const Layout& layout = self.holding().layout;
        const bool is_writable = self.is_writable();
        if ((flags & PyBUF_WRITABLE) == PyBUF_WRITABLE && !is_writable)
            return buffer_error(self.to_text() + " is read-only: it is leased to this script");
        auto view = std::make_unique<View>();
        view->format = format_of(layout.type);
        const auto element = static_cast<Py_ssize_t>(layout.element_bytes().value_or(1));
        view->shape.assign(layout.shape.begin(), layout.shape.end());
        view->strides.resize(view->shape.size());
        Py_ssize_t stride = element;
        for (std::size_t dimension = view->shape.size(); dimension-- > 0; stride *= view->shape[dimension])
            view->strides[dimension] = stride;
        if ((flags & PyBUF_F_CONTIGUOUS) == PyBUF_F_CONTIGUOUS && view->shape.size() > 1)
            return buffer_error(self.to_text() + " lies rows first (C order)");
        buffer->buf = data;
        buffer->len = static_cast<Py_ssize_t>(self.holding().bytes);
        buffer->readonly = is_writable ? 0 : 1;
        buffer->itemsize = element;
        buffer->ndim = static_cast<int>(view->shape.size());
        buffer->format = (flags & PyBUF_FORMAT) == PyBUF_FORMAT ? view->format.data() : nullptr;
        buffer->shape = (flags & PyBUF_ND) == PyBUF_ND ? view->shape.data() : nullptr;
        buffer->strides = (flags & PyBUF_STRIDES) == PyBUF_STRIDES ? view->strides.data() : nullptr;
        buffer->suboffsets = nullptr;
        self.begin_view();
        buffer->internal = view.release();
        buffer->obj = py::handle(object).inc_ref().ptr();
        return 0;
    } catch (py::error_already_set& error) {
        error.restore();
        return -1;
    } catch (const std::exception& error) {
        return buffer_error(error.what());
    }
}

void release_buffer(PyObject* object, Py_buffer* buffer) {
    delete static_cast<View*>(buffer->internal);
    py::cast<PyHeld&>(py::handle(object)).end_view();
}

// pybind11's own buffers do not tell when they are released.
void add_buffer(const py::object& type) {
    auto* const heap_type = reinterpret_cast<PyHeapTypeObject*>(type.ptr());
    heap_type->as_buffer.bf_getbuffer = get_buffer;
    heap_type->as_buffer.bf_releasebuffer = release_buffer;
    heap_type->ht_type.tp_as_buffer = &heap_type->as_buffer;
}

py::tuple shape_of(const PyHeld& self) {
    const Layout& layout = self.holding().layout;
    py::tuple shape{layout.shape.size()};
    for (std::size_t dimension = 0; dimension < layout.shape.size(); ++dimension)
        shape[dimension] = layout.shape[dimension];
    return shape;
}

template <class Object>
std::unique_ptr<Object> made(const std::shared_ptr<PySession>& session, SegmentBase memory) {
    return std::make_unique<Object>(session, std::move(memory));
}

// The memory as the class of the C++ API that `work` wants; back in the object if `work` has not taken it.
template <class Typed, class Work>
auto with(PyHeld& self, Work&& work) {
    struct Lend {
        PyHeld& self;
        Typed typed;
        explicit Lend(PyHeld& one) : self(one) { static_cast<SegmentBase&>(typed) = std::move(one.memory()); }
        ~Lend() { self.memory() = std::move(static_cast<SegmentBase&>(typed)); }
    } lend{self};
    return self.session().turn([&](Session& session) { return work(session, lend.typed); });
}

std::unique_ptr<PySegment> create(const std::shared_ptr<PySession>& session, const py::object& shape,
                                  const py::object& dtype, const py::object& timeout) {
    const Layout layout = layout_from(shape, dtype);
    const Duration duration = to_duration(timeout);
    return made<PySegment>(session, value_or_raise(session->turn(
                                        [&](Session& open) { return open.context().create_as(layout, duration); })));
}

std::unique_ptr<PySegment> import_from(const std::shared_ptr<PySession>& session, const std::string& name,
                                       const py::object& shape, const py::object& dtype) {
    const Layout layout = layout_from(shape, dtype);
    return made<PySegment>(session, value_or_raise(session->turn(
                                        [&](Session& open) { return open.context().import_from(name, layout); })));
}

std::shared_ptr<PySession> shared(PySession& session) { return session.shared_from_this(); }

std::unique_ptr<PyLoan> lend(PySegment& self) {
    static_cast<void>(self.about_to_go("lend()"));
    return made<PyLoan>(shared(self.session()),
                        value_or_raise(with<Segment>(self, [](Session& session, Segment& segment) {
                            return session.context().lend(std::move(segment));
                        })));
}

void export_as(PySegment& self, const std::string& name) {
    static_cast<void>(self.about_to_go("export_as()"));
    value_or_raise(with<Segment>(self, [&](Session& session, Segment& segment) {
        return session.context().export_as(std::move(segment), name);
    }));
}

void reshape(PySegment& self, const py::object& shape, const py::object& dtype) {
    const Holding& holding = self.about_to_go("reshape()");
    const Layout layout = layout_from(shape, dtype.is_none() ? py::str(holding.layout.type) : dtype);
    value_or_raise(with<Segment>(self, [&](Session&, Segment& segment) { return segment.reshape(layout); }));
}

std::unique_ptr<PyLease> lease(PyLoan& self, std::optional<std::uint64_t> first, std::optional<std::uint64_t> count) {
    static_cast<void>(self.holding());
    if (first.has_value() != count.has_value())
        throw py::type_error("lease() takes first and count, or neither for all of it");
    return made<PyLease>(shared(self.session()), value_or_raise(with<Loan>(self, [&](Session&, Loan& loan) {
                             return first ? loan.lease(*first, *count) : loan.lease();
                         })));
}

std::unique_ptr<PySlice> slice(PyLoan& self, std::uint64_t first, std::uint64_t count) {
    static_cast<void>(self.holding());
    return made<PySlice>(shared(self.session()), value_or_raise(with<Loan>(self, [&](Session&, Loan& loan) {
                             return loan.slice(first, count);
                         })));
}

std::unique_ptr<PySegment> reclaim(PyLoan& self, const py::object& timeout) {
    static_cast<void>(self.holding());
    const Duration duration = to_duration(timeout);
    return made<PySegment>(shared(self.session()), value_or_raise(with<Loan>(self, [&](Session& session, Loan& loan) {
                               Access::wait_with(loan, session.loop());
                               return loan.reclaim(duration);
                           })));
}

void publish(PyLoan& self, const std::string& name, bool is_shared) {
    static_cast<void>(self.holding());
    value_or_raise(with<Loan>(self, [&](Session& session, Loan& loan) {
        return session.context().publish(loan, name, is_shared ? Loan::Published::to_share : Loan::Published::to_read);
    }));
}

void withdraw(PyLoan& self) {
    static_cast<void>(self.holding());
    value_or_raise(with<Loan>(self, [](Session& session, Loan& loan) -> Result<void> {
        session.context().withdraw(loan);
        return {};
    }));
}

py::object attach(const std::shared_ptr<PySession>& session, const std::string& name, const py::object& timeout) {
    const Duration duration = to_duration(timeout);
    SegmentBase held;
    value_or_raise(
        session->turn([&](Session& open) { return Access::look_up_held(open.context(), held, name, duration); }));
    return held_object(session, Access::release(held));
}

py::tuple create_or_attach(const std::shared_ptr<PySession>& session, const std::string& name, const py::object& shape,
                           const py::object& dtype, const py::object& timeout) {
    const Layout layout = layout_from(shape, dtype);
    const Duration duration = to_duration(timeout);
    Member::CreatedOrAttached one = value_or_raise(session->turn(
        [&](Session& open) { return open.context().create_or_attach_as(name, layout, {}, duration); }));
    py::object lent = py::none();
    if (one.was_created()) lent = py::cast(made<PyLoan>(session, std::move(one.loan)));
    return py::make_tuple(py::cast(made<PySlice>(session, std::move(one.slice))), lent);
}

std::uint64_t first_of(const PyHeld& self) {
    const Holding& holding = self.holding();
    std::uint64_t row = holding.layout.element_bytes().value_or(1);
    for (std::size_t dimension = 1; dimension < holding.layout.shape.size(); ++dimension)
        row *= holding.layout.shape[dimension];
    return row == 0 ? 0 : holding.offset / row;
}

}  // namespace

// ---- PyHeld ----------------------------------------------------------------------------------------

PyHeld::PyHeld(std::shared_ptr<PySession> session, SegmentBase memory)
    : session_(std::move(session)), holdings_(session_->holdings()), memory_(std::move(memory)) {}

PyHeld::~PyHeld() {
    if (session_->is_in_child()) static_cast<void>(new std::shared_ptr<Holdings>(holdings_));
    session_->drop_held(std::move(memory_));
}

std::string PyHeld::to_text() const {
    return is_empty() ? "an empty one: it was given away, lent or released, or its session has ended"
                      : memory_.to_text();
}

Holding& PyHeld::holding() const {
    Holding* const mine = Access::holding(memory_);
    if (mine != nullptr && !is_empty()) return *mine;
    refuse(
        "this object is empty: what it stood for was given away, lent, reclaimed or released, or its session has "
        "ended");
}

Holding& PyHeld::about_to_go(std::string_view where) const {
    Holding* const mine = Access::holding(memory_);
    if (mine == nullptr || is_empty())
        refuse(fmt::format(
            "{}: the object is empty: what it stood for was given away, lent, reclaimed or released, or its "
            "session has ended",
            where));
    if (mine->is<LentOut>() && where != "release()")
        refuse(fmt::format(
            "{}: a lent segment does not travel: its leases and slices do, loan.lease() and loan.slice(first, "
            "count)",
            where));
    if (mine->is<Borrowed>() && where != "release()")
        refuse(fmt::format("{}: {} is borrowed: only its lender can lend it on", where, to_text()));
    if (views_ > 0)
        refuse(fmt::format("{}: {} {} of {} {} alive (NumPy arrays, memoryviews), so nobody else may have it yet. "
                           "`del array` first, or look at it in a block, `with segment.view() as array:`",
                           where, views_, views_ == 1 ? "view" : "views", to_text(), views_ == 1 ? "is" : "are"));
    return *mine;
}

std::byte* PyHeld::data() {
    session_->require_open();
    Holding& mine = holding();
    if (mine.is<LentOut>())
        refuse(fmt::format("{} is lent: others read it, or write parts of it; reclaim() it to look at it", to_text()));
    if (mine.is<Pledge>())
        refuse(fmt::format("{} is for a borrower: send it in a command", to_text()));
    return value_or_raise(holdings_->map(mine));
}

void PyHeld::begin_view() {
    ++views_;
    ++holding().exports;
}

void PyHeld::end_view() noexcept {
    --views_;
    // Once the session has ended the book knows nothing of it.
    if (Holding* const mine = Access::holding(memory_); mine != nullptr && mine->exports > 0) --mine->exports;
}

void PyHeld::release() {
    if (is_empty()) return;
    static_cast<void>(about_to_go("release()"));
    session_->require_open();
    memory_ = SegmentBase{};
}

std::string_view class_name_of(HandleKind kind) noexcept {
    switch (kind) {
        case HandleKind::segment: return "Segment";
        case HandleKind::lease: return "Lease";
        case HandleKind::slice: return "Slice";
    }
    return "Segment";
}

py::object held_object(const std::shared_ptr<PySession>& session, Holding& holding) {
    SegmentBase memory{*session->holdings(), holding};
    switch (holding.kind()) {
        case HandleKind::segment: return py::cast(made<PySegment>(session, std::move(memory)));
        case HandleKind::lease: return py::cast(made<PyLease>(session, std::move(memory)));
        case HandleKind::slice: return py::cast(made<PySlice>(session, std::move(memory)));
    }
    return py::none();
}

Layout layout_from(const py::object& shape, const py::object& dtype) {
    Layout layout{py::cast<std::string>(helper("type_of")(dtype)), {}};
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

// ---- the classes -----------------------------------------------------------------------------------

void add_held_classes(py::module_& module) {
    py::class_<PyHeld> held(
        module, "Held",
        "What Segment, Loan, Lease and Slice have in common: memory of the session, and its layout.\n\n"
        "Once it has gone to somebody else the object is empty: false in a condition, and its use\n"
        "raises Refused.");
    held.def("__bool__", [](const PyHeld& self) { return !self.is_empty(); })
        .def("__repr__",
             [](const py::object& self) {
                 const auto& one = py::cast<const PyHeld&>(self);
                 const std::string name = py::cast<std::string>(py::type::of(self).attr("__name__"));
                 return one.is_empty() ? fmt::format("<baton.{}, empty>", name)
                                       : fmt::format("<baton.{}: {}>", name, one.to_text());
             })
        .def_property_readonly(
            "nbytes", [](const PyHeld& self) { return self.holding().bytes; }, "How many bytes its array has.")
        .def_property_readonly("shape", &shape_of, "The shape of its array, as in NumPy.")
        .def_property_readonly(
            "dtype", [](const PyHeld& self) { return helper("dtype_of")(self.holding().layout.type); },
            "The type of its elements: a numpy.dtype; without NumPy its name, '<f4'.")
        .def_property_readonly("views", &PyHeld::views, "How many arrays and memoryviews of it are alive.")
        .def(
            "release", &PyHeld::release,
            "Ends it now, rather than when Python deletes the object: the memory of a segment becomes free for\n"
            "others, a lease or slice is returned. Does nothing if it is empty. Raises Refused while views are alive.");
    const auto add_memory = [](auto& type, const char* array, const char* view) {
        type.def_property_readonly(
                "array", [](const py::object& self) { return helper("array_of")(self); }, array)
            .def(
                "view", [](const py::object& self) { return helper("Viewing")(self); }, view)
            .def_property_readonly(
                "address", [](PyHeld& self) { return reinterpret_cast<std::uintptr_t>(self.data()); },
                "Its address in this process; it differs from process to process.");
        add_buffer(type);
    };

    py::class_<PySegment, PyHeld> segment(
        module, "Segment",
        "Memory that is yours alone, and can become another's without a copy.\n\n"
        "    photo = session.create_array((480, 640), \"float32\")\n"
        "    with photo.view() as array:               # NumPy's array of the memory itself\n"
        "        array[:] = 0.5\n"
        "    alice.ask(\"Develop\", photo=photo, gain=1.5)  # now it is hers, and `photo` is empty\n\n"
        "You give it away as a field of a command or in message.reply(). If the send raises, it is still yours. If\n"
        "the receiver dies before it has taken it, it comes back: session.collect_bounced(). While arrays of it are\n"
        "alive it can't be given, lent, exported or released. numpy.asarray(photo) and memoryview(photo) are views\n"
        "like photo.array. If the session closes while views are alive, they keep what they show.");
    add_memory(segment,
               "A NumPy array of the memory itself; a memoryview if there is no NumPy. Alive until Python deletes it.",
               "For a `with` block: the array, which is detached from the memory at the end of the block.");
    segment
        .def(
            "lend", &lend,
            "Gives up writing, so that others may read it, or write parts of it: a Loan. This object is empty then.\n\n"
            "Raises Refused while views are alive.")
        .def("export_as", &export_as, py::arg("name"),
             "Keeps the memory beyond the session as /dev/shm/NAME, for anybody who knows that name. This object is\n"
             "then empty.\n\n"
             "session.import_from() is the way back. Raises Refused if the name is taken, and while views are alive.")
        .def("reshape", &reshape, py::arg("shape"), py::arg("dtype") = py::none(),
             "The same bytes under another shape or element type that needs no more of them. No view may be alive.");

    py::class_<PyLease, PyHeld> lease_class(
        module, "Lease",
        "The right to read a segment that somebody has lent, or a part of it, for as long as this object lives.\n\n"
        "One that came in a message can be looked at; one from loan.lease() is for a borrower: it is sent, once.");
    add_memory(lease_class, "A NumPy array of the memory itself, read-only; a memoryview if there is no NumPy.",
               "For a `with` block: the read-only array, which is detached from the memory at the end of the block.");

    lease_class.def_property_readonly("first", &first_of,
                                      "Where it begins in the whole: the index of its first element or row.");

    py::class_<PySlice, PyHeld> slice_class(
        module, "Slice",
        "The right to read and write a part of a segment that somebody has lent: nobody else may touch that part.\n\n"
        "One that came in a message can be looked at; one from loan.slice() is for a borrower: it is sent, once.");
    add_memory(slice_class, "A NumPy array of that part, writable; a memoryview if there is no NumPy.",
               "For a `with` block: the array, which is detached from the memory at the end of the block.");
    slice_class.def_property_readonly("first", &first_of,
                                      "Where it begins in the whole: the index of its first element or row.");

    py::class_<PyLoan, PyHeld> lent(
        module, "Loan",
        "A segment of yours while others may look at it: segment.lend() makes one.\n\n"
        "    loan = photo.lend()\n"
        "    print(alice.ask(\"Sum\", pixels=loan.lease()))      # many may read at once\n"
        "    bob.ask(\"Fill\", rows=loan.slice(0, 240))         # or each writes a part of it\n"
        "    photo = loan.reclaim()                           # when all have ended\n\n"
        "It does not travel itself. If it is released, the memory lives until the last lease ends.");
    lent.def("lease", &lease, py::arg("first") = py::none(), py::arg("count") = py::none(),
             "The right to read all of it, or the elements (of an array: rows) first to first + count, for one\n"
             "borrower.\n\n"
             "Leases may overlap each other. Refused where it overlaps a slice that is out; slices may be out beside\n"
             "it, so that a stencil reads its neighbours' edge rows.")
        .def("slice", &slice, py::arg("first"), py::arg("count"),
             "The right to write the elements (of an array: rows) first to first + count, for one borrower.\n\n"
             "Refused if it overlaps a slice or lease that is out.")
        .def("reclaim", &reclaim, py::arg("timeout") = 5.0,
             "Waits until every lease and slice has been returned (those of dead actors end by themselves), and\n"
             "returns the Segment.\n\n"
             "Raises TimedOut if some are still out after the timeout (seconds, timedelta, Deadline or None); it is\n"
             "still lent then.")
        .def("publish", &publish, py::arg("name"), py::arg("shared") = false,
             "Lets others attach to all of it by that name (session.attach()), without asking: to read it, or with\n"
             "shared=True to read and write it together. The name lasts until the Loan is reclaimed, released or\n"
             "withdrawn, or its session ends.\n\n"
             "Raises Refused if the name is taken, and says by whom.")
        .def("withdraw", &withdraw,
             "Takes the name back: nobody can attach by it any more. Attached actors keep what they have.")
        .def_property_readonly("leases_out",
                               [](PyLoan& self) {
                                   self.session().require_open();
                                   return self.session().holdings()->lending().leases_out(self.holding());
                               },
                               "How many leases and slices are held by others or on their way to them.");
    for (py::handle type :
         {py::handle(held), py::handle(segment), py::handle(lease_class), py::handle(slice_class), py::handle(lent)})
        type.attr("__module__") = "baton";

    py::object session = module.attr("Session");
    const auto add_method = [&](const char* name, auto function, auto... arguments) {
        session.attr(name) = py::cpp_function(function, py::name(name), py::is_method(session), arguments...);
    };
    add_method("create", &create, py::arg("shape"), py::arg("dtype"), py::arg("timeout"));
    add_method("import_from", &import_from, py::arg("name"), py::arg("shape"), py::arg("dtype"));
    add_method("attach", &attach, py::arg("name"), py::arg("timeout"));
    add_method("create_or_attach", &create_or_attach, py::arg("name"), py::arg("shape"), py::arg("dtype"),
               py::arg("timeout"));
}

}  // namespace baton::python
