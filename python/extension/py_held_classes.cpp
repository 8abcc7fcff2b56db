// The classes of memory, and what a script's session does with it.
#include <fmt/format.h>
#include <pybind11/stl.h>

#include "python/extension/errors.hpp"
#include "python/extension/from_python.hpp"
#include "python/extension/py_held.hpp"
#include "python/extension/py_pending.hpp"
#include "python/extension/ref.hpp"

namespace baton::python {

using namespace dynamic;
namespace {

py::object helper(const char* name) { return py::module_::import("baton._segments").attr(name); }

py::tuple shape_of(const PyHeld& self) {
    const Layout& layout = self.layout();
    py::tuple shape{layout.shape.size()};
    for (std::size_t dimension = 0; dimension < layout.shape.size(); ++dimension)
        shape[dimension] = layout.shape[dimension];
    return shape;
}

template <class Object>
std::unique_ptr<Object> made(const std::shared_ptr<PySession>& session, Memory memory) {
    return std::make_unique<Object>(session, std::make_shared<Memory>(std::move(memory)));
}

// One turn of work with the memory, which is a `Typed`.
template <class Typed, class Work>
auto with(PyHeld& self, Work&& work) {
    return self.session().turn([&](Outsider& session) { return work(session, std::get<Typed>(self.memory())); });
}

std::unique_ptr<PySegment> create(const std::shared_ptr<PySession>& session, const py::object& shape,
                                  const py::object& dtype, const py::object& timeout) {
    const Layout layout = layout_from(shape, dtype);
    const Duration duration = to_duration(timeout);
    return made<PySegment>(session, value_or_raise(session->turn(
                                        [&](Outsider& open) { return open.context().create_as(layout, duration); })));
}

std::unique_ptr<PySegment> import_from(const std::shared_ptr<PySession>& session, const std::string& name,
                                       const py::object& shape, const py::object& dtype) {
    const Layout layout = layout_from(shape, dtype);
    return made<PySegment>(session, value_or_raise(session->turn(
                                        [&](Outsider& open) { return open.context().import_from(name, layout); })));
}

std::shared_ptr<PySession> shared(PySession& session) { return session.shared_from_this(); }

std::unique_ptr<PyLoan> lend(PySegment& self) {
    static_cast<void>(self.about_to_go("lend()"));
    return made<PyLoan>(shared(self.session()),
                        value_or_raise(with<Segment>(self, [](Outsider& session, Segment& segment) {
                            return session.context().lend(std::move(segment));
                        })));
}

void export_as(PySegment& self, const std::string& name) {
    static_cast<void>(self.about_to_go("export_as()"));
    value_or_raise(with<Segment>(self, [&](Outsider& session, Segment& segment) {
        return session.context().export_as(std::move(segment), name);
    }));
}

// Of a Segment or Loan, which stays where it is: heirs may be named while views are alive.
template <class Typed>
void name_heirs(PyHeld& self, const std::vector<PyRef>& heirs, const std::string& label) {
    self.require_content();
    const std::vector<Segment::Heir> named = [&] {
        std::vector<Segment::Heir> all;
        for (const PyRef& one : heirs) all.emplace_back(one.any());
        return all;
    }();
    value_or_raise(with<Typed>(self, [&](Outsider&, Typed& held) { return held.name_heirs(named, label); }));
}

void reshape(PySegment& self, const py::object& shape, const py::object& dtype) {
    static_cast<void>(self.about_to_go("reshape()"));
    const Layout layout = layout_from(shape, dtype.is_none() ? py::str(self.layout().type) : dtype);
    value_or_raise(with<Segment>(self, [&](Outsider&, Segment& segment) { return segment.reshape(layout); }));
}

std::unique_ptr<PyLease> lease(PyLoan& self, std::optional<std::uint64_t> first, std::optional<std::uint64_t> count) {
    self.require_content();
    if (first.has_value() != count.has_value())
        throw py::type_error("lease() takes first and count, or neither for all of it");
    return made<PyLease>(shared(self.session()), value_or_raise(with<Loan>(self, [&](Outsider&, Loan& loan) {
                             return first ? loan.lease(*first, *count) : loan.lease();
                         })));
}

std::unique_ptr<PySlice> slice(PyLoan& self, std::uint64_t first, std::uint64_t count) {
    self.require_content();
    return made<PySlice>(shared(self.session()), value_or_raise(with<Loan>(self, [&](Outsider&, Loan& loan) {
                             return loan.slice(first, count);
                         })));
}

std::unique_ptr<PySegment> reclaim(PyLoan& self, const py::object& timeout) {
    self.require_content();
    const Duration duration = to_duration(timeout);
    return made<PySegment>(shared(self.session()), value_or_raise(with<Loan>(self, [&](Outsider&, Loan& loan) {
                               return loan.reclaim(duration);
                           })));
}

void publish(PyLoan& self, const std::string& name, bool is_shared) {
    self.require_content();
    value_or_raise(with<Loan>(self, [&](Outsider& session, Loan& loan) {
        return session.context().publish(loan, name, is_shared ? Loan::Published::to_share : Loan::Published::to_read);
    }));
}

void withdraw(PyLoan& self) {
    self.require_content();
    value_or_raise(with<Loan>(self, [](Outsider& session, Loan& loan) -> Result<void> {
        session.context().withdraw(loan);
        return {};
    }));
}

py::object attach(const std::shared_ptr<PySession>& session, const std::string& name, const py::object& timeout) {
    const Duration duration = to_duration(timeout);
    Memory found = value_or_raise(session->turn([&](Outsider& open) { return open.look_up(name, duration); }));
    const bool is_lease = std::holds_alternative<Lease>(found);
    return held_object(session, {is_lease ? HeldKind::lease : HeldKind::slice,
                                 std::make_shared<Memory>(std::move(found))});
}

py::tuple create_or_attach(const std::shared_ptr<PySession>& session, const std::string& name, const py::object& shape,
                           const py::object& dtype, const py::object& timeout) {
    const Layout layout = layout_from(shape, dtype);
    const Duration duration = to_duration(timeout);
    Member::CreatedOrAttached one = value_or_raise(session->turn(
        [&](Outsider& open) { return open.context().create_or_attach_as(name, layout, {}, duration); }));
    py::object lent = py::none();
    if (one.was_created()) lent = py::cast(made<PyLoan>(session, std::move(one.loan)));
    return py::make_tuple(py::cast(made<PySlice>(session, std::move(one.slice))), lent);
}

// What has been left to this session: the segment, label, whether it was being written, its owner and that one's name.
py::tuple inherited(const std::shared_ptr<PySession>& session, const std::string& label, const py::object& timeout,
                    const py::object& known) {
    const Duration duration = to_duration(timeout);
    Inherited one = value_or_raise(
        session->turn([&](Outsider& open) { return open.context().inherited(label, duration); }));
    const py::object owner = make_ref_from(known, session->me())(one.owner);
    return py::make_tuple(py::cast(made<PySegment>(session, std::move(one.segment))), one.label, one.was_written, owner,
                          one.owner_name);
}

template <class Part>
std::uint64_t first_of(const PyHeld& self) {
    self.require_content();
    return std::get<Part>(self.memory()).first();
}

// What all that can be looked at have.
template <class Class>
void add_memory(Class& type, const char* array, const char* view) {
    type.def_property_readonly(
            "array", [](const py::object& self) { return helper("array_of")(self); }, array)
        .def(
            "view", [](const py::object& self) { return helper("Viewing")(self); }, view)
        .def_property_readonly(
            "address", [](PyHeld& self) { return reinterpret_cast<std::uintptr_t>(self.look().bytes().data()); },
            "Its address in this process; it differs from process to process.");
    add_buffer(type);
}

void add_held(py::module_& module) {
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
            "nbytes", [](const PyHeld& self) { return self.require_content(), size_bytes_of(self.memory()); },
            "How many bytes its array has.")
        .def_property_readonly("shape", &shape_of, "The shape of its array, as in NumPy.")
        .def_property_readonly(
            "dtype", [](const PyHeld& self) { return helper("dtype_of")(self.layout().type); },
            "The type of its elements: a numpy.dtype; without NumPy its name, '<f4'.")
        .def_property_readonly("views", &PyHeld::views, "How many arrays and memoryviews of it are alive.")
        .def(
            "release", &PyHeld::release,
            "Ends it now, rather than when Python deletes the object: the memory of a segment becomes free for\n"
            "others, a lease or slice is returned. Does nothing if it is empty. Raises Refused while views are alive.");
    held.attr("__module__") = "baton";
}

void add_segment(py::module_& module) {
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
        .def("name_heirs", &name_heirs<Segment>, py::arg("heirs"), py::arg("label") = "",
             "If this script dies while the segment is its own, the first of these actors and scripts that lives and\n"
             "wants it receives it, with this label: session.inherited(), in C++ on_inherited().\n\n"
             "Named anew, these heirs replace the earlier ones; with an empty list there are none. Closing the\n"
             "session releases the segment, and leaves nothing. Raises Refused for more than 4 heirs, or a label of\n"
             "more than 48 bytes.")
        .def("reshape", &reshape, py::arg("shape"), py::arg("dtype") = py::none(),
             "The same bytes under another shape or element type that needs no more of them. No view may be alive.");
    segment.attr("__module__") = "baton";
}

void add_lease(py::module_& module) {
    py::class_<PyLease, PyHeld> lease_class(
        module, "Lease",
        "The right to read a segment that somebody has lent, or a part of it, for as long as this object lives.\n\n"
        "One that came in a message can be looked at; one from loan.lease() is for a borrower: it is sent, once.");
    add_memory(lease_class, "A NumPy array of the memory itself, read-only; a memoryview if there is no NumPy.",
               "For a `with` block: the read-only array, which is detached from the memory at the end of the block.");

    lease_class.def_property_readonly("first", &first_of<Lease>,
                                      "Where it begins in the whole: the index of its first element or row.");
    lease_class.attr("__module__") = "baton";
}

void add_slice(py::module_& module) {
    py::class_<PySlice, PyHeld> slice_class(
        module, "Slice",
        "The right to read and write a part of a segment that somebody has lent: nobody else may touch that part.\n\n"
        "One that came in a message can be looked at; one from loan.slice() is for a borrower: it is sent, once.");
    add_memory(slice_class, "A NumPy array of that part, writable; a memoryview if there is no NumPy.",
               "For a `with` block: the array, which is detached from the memory at the end of the block.");
    slice_class.def_property_readonly("first", &first_of<Slice>,
                                      "Where it begins in the whole: the index of its first element or row.");
    slice_class.attr("__module__") = "baton";
}

void add_loan(py::module_& module) {
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
        .def("name_heirs", &name_heirs<Loan>, py::arg("heirs"), py::arg("label") = "",
             "As Segment.name_heirs(). The heir receives it when every lease and slice has been returned.")
        .def("withdraw", &withdraw,
             "Takes the name back: nobody can attach by it any more. Attached actors keep what they have.")
        .def_property_readonly("leases_out",
                               [](PyLoan& self) {
                                   self.session().require_open();
                                   self.require_content();
                                   return std::get<Loan>(self.memory()).leases_out();
                               },
                               "How many leases and slices are held by others or on their way to them.");
    lent.attr("__module__") = "baton";
}

}  // namespace

void add_held_classes(py::module_& module) {
    add_held(module);
    add_segment(module);
    add_lease(module);
    add_slice(module);
    add_loan(module);

    py::object session = module.attr("Session");
    const auto add_method = [&](const char* name, auto function, auto... arguments) {
        session.attr(name) = py::cpp_function(function, py::name(name), py::is_method(session), arguments...);
    };
    add_method("create", &create, py::arg("shape"), py::arg("dtype"), py::arg("timeout"));
    add_method("import_from", &import_from, py::arg("name"), py::arg("shape"), py::arg("dtype"));
    add_method("attach", &attach, py::arg("name"), py::arg("timeout"));
    add_method("inherited", &inherited, py::arg("label"), py::arg("timeout"), py::arg("known"));
    add_method("create_or_attach", &create_or_attach, py::arg("name"), py::arg("shape"), py::arg("dtype"),
               py::arg("timeout"));
}

}  // namespace baton::python
