// The extension baton._baton: a place in a session, and what it hands out, for the Python in baton/.
#include <dlfcn.h>
#include <pybind11/stl.h>

#include <filesystem>

#include <baton/program.hpp>
#include <baton/sessions.hpp>
#include <baton/version.hpp>
#include "python/extension/from_python.hpp"
#include "python/extension/py_calls.hpp"
#include "python/extension/py_held.hpp"
#include "python/extension/py_pending.hpp"
#include "python/extension/py_pool.hpp"
#include "python/extension/py_protocol.hpp"
#include "python/extension/py_session.hpp"
#include "python/extension/py_sync.hpp"
#include "python/extension/ref.hpp"
#include "python/extension/rows.hpp"

namespace baton::python {

using namespace dynamic;
namespace {

// None if it is for ever.
py::object seconds_of(const py::object& timeout) {
    if (timeout.is_none()) return py::none();
    return py::float_(std::chrono::duration<double>(to_duration(timeout)).count());
}

// Where the programs of this build or installation lie, seen from this file.
std::string own_programs() {
    Dl_info info{};
    if (::dladdr(reinterpret_cast<void*>(&own_programs), &info) == 0 || info.dli_fname == nullptr) return {};
    std::error_code error;
    const std::filesystem::path self = std::filesystem::weakly_canonical(info.dli_fname, error);
    if (error) return {};
    const std::filesystem::path package = self.parent_path();
    for (const char* bin : {"../../bin", "../../../../bin"})  // built, installed
        if (const auto folder = (package / bin).lexically_normal();
            std::filesystem::exists(folder / coordinator_program, error))
            return folder.string();
    return {};
}

SessionPtr enter(std::optional<std::string> session, std::string name, std::vector<std::string> folders,
                 const py::object& protocol) {
    return std::make_shared<PySession>(Outsider::Entry{std::move(session), true, std::move(name), true,
                                                       std::move(folders), 0, protocol_from(protocol)});
}

py::list close(PySession& self, const py::object& timeout, bool was_interrupted, const py::object& on_interrupt) {
    return ended_rows(self.close(to_duration(timeout), was_interrupted, on_interrupt));
}

void add_session_class(py::module_& module) {
    SessionClass session{module, "Session"};
    session
        .def(py::init(&enter), py::arg("session"), py::arg("name"), py::arg("folders"),
             py::arg("protocol") = py::none())
        .def_property_readonly("id", &PySession::id)
        .def_property_readonly("me",
                               [](const PySession& self) {
                                   return to_py(self.me());
                               })
        .def_property_readonly("protocol", &PySession::protocol)
        .def_property_readonly("is_open", &PySession::is_open)
        .def_property_readonly("is_in_child", &PySession::is_in_child)
        .def("adopt", &PySession::adopt)
        .def("kill_all", &PySession::kill_all)
        .def("close", &close, py::arg("timeout"), py::arg("was_interrupted"), py::arg("on_interrupt"));
    add_actor_calls(session);
    add_message_calls(session);
}

}  // namespace
}  // namespace baton::python

PYBIND11_MODULE(_baton, module) {
    using namespace baton;
    using namespace baton::python;
    module.doc() = "What baton is made of; use the package baton.";
    module.attr("version") = std::string(version_text);
    module.def("own_programs", own_programs);
    module.def("seconds_of", seconds_of, py::arg("timeout"),
               "A timeout (seconds, a timedelta, a Deadline, or None for ever) in seconds; TypeError as every wait "
               "raises it.");
    module.def(
        "say", [](const std::string& text) { program::say(text); }, py::arg("text"),
        py::call_guard<py::gil_scoped_release>(),
        "Text on descriptor 2, as far as it takes it.");
    // If Python started without a descriptor 2, that number is somebody else's by now, or will be.
    if (py::module_::import("sys").attr("__stderr__").is_none()) program::say_nothing();
    program::begin_library();
    module.def("encode", encode_item, py::arg("value"), "A value without segments as it stands in a message.");
    module.def("decode", decode_item, py::arg("value"), "The value of such bytes; Corrupt if they are none.");

    add_value_classes(module);
    add_session_class(module);
    add_pending_classes(module);
    add_held_classes(module);
    add_pool_classes(module);
    add_sync_classes(module);
}
