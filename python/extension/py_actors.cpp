// Actors: started, found, listed, watched and ended by a script.
#include <pybind11/stl.h>

#include "python/extension/errors.hpp"
#include "python/extension/from_python.hpp"
#include "python/extension/py_calls.hpp"
#include "python/extension/ref.hpp"
#include "python/extension/rows.hpp"
#include <baton/progress.hpp>
#include "runtime/inbox/call.hpp"

namespace baton::python {

using namespace detail;
namespace {

py::object spawned_row(Spawned spawned) {
    const auto protocol = std::make_shared<ProtocolDescription>(std::move(spawned.protocol));
    return py::make_tuple(to_py(spawned.actor), spawned.name, spawned.pid, protocol);
}

std::vector<AnyRef> refs_of(const std::vector<PyRef>& refs) {
    std::vector<AnyRef> out;
    for (const PyRef& ref : refs) out.push_back(ref.any());
    return out;
}

py::list spawn(PySession& self, const std::vector<std::tuple<std::string, std::string, std::vector<std::string>>>& what,
               std::uint64_t memory_bytes, const py::object& timeout, bool shows_progress) {
    std::vector<SpawnOptions> options;
    for (const auto& [program, name, arguments] : what)
        options.push_back({.program = program, .name = name, .arguments = arguments, .memory_bytes = memory_bytes});
    const Duration duration = to_duration(timeout);
    auto spawned = self.turn([&](Session& session) {
        std::optional<Progress> progress;
        if (shows_progress) progress.emplace("starting", options.size(), "actors");
        return session.spawn(options, duration, 0, [&](std::size_t ready) {
            if (progress) progress->reach(ready);
        });
    });
    py::list list;
    for (Spawned& one : value_or_raise(std::move(spawned))) list.append(spawned_row(std::move(one)));
    return list;
}

py::list roster(PySession& self, bool with_exited) {
    const std::vector<RosterRow> rows =
        value_or_raise(self.turn([&](Session& session) { return session.roster(with_exited); }));
    py::list list;
    for (const RosterRow& row : rows)
        list.append(py::make_tuple(to_py(row.actor), row.name, row.program, row.pid, row.ppid, row.state,
                                   row.inbox_depth, row.handled, row.in_hand,
                                   row.exit.has_ended() ? exit_row(row.name, row.exit) : py::object(py::none())));
    return list;
}

std::string name_of_ref(PySession& self, const PyRef& ref) {
    const coordinator::Locate locate{ref.any()};
    return value_or_raise(
               self.turn([&](Session& session) { return call(session.loop(), locate, limits::coordinator_timeout); }))
        .name;
}

py::list stop(PySession& self, const std::vector<PyRef>& actors, const py::object& timeout, bool drain) {
    const Duration duration = to_duration(timeout);
    return ended_rows(
        value_or_raise(self.turn([&](Session& session) { return session.stop(refs_of(actors), duration, drain); })));
}

py::object join(PySession& self, const PyRef& actor, const py::object& timeout) {
    const Duration duration = to_duration(timeout);
    const Ended ended =
        value_or_raise(self.turn([&](Session& session) { return session.join(actor.any(), duration); }));
    return exit_row(ended.name, ended.exit);
}

int sentinel(PySession& self, const PyRef& actor) {  // the caller closes it
    return value_or_raise(self.turn([&](Session& session) { return session.sentinel(AnyRef{actor.id}); })).release();
}

// Reports the actor's exit to on_exited() from here on; returns its name.
std::string watch(PySession& self, const PyRef& actor) {
    const coordinator::Watch wanted{actor.any()};
    return value_or_raise(
        self.turn([&](Session& session) { return call(session.loop(), wanted, limits::coordinator_timeout); }));
}

void send_signal(PySession& self, const PyRef& actor, int number) {
    value_or_raise(self.turn([&](Session& session) { return session.signal(actor.any(), number); }));
}

void wait_until_handled(PySession& self, const std::vector<PyRef>& actors, const py::object& timeout) {
    const Duration duration = to_duration(timeout);
    value_or_raise(self.turn([&](Session& session) { return session.sync(refs_of(actors), duration); }));
}

}  // namespace

void add_actor_calls(SessionClass& session) {
    session.def("spawn", &spawn, py::arg("what"), py::arg("memory_bytes"), py::arg("timeout"), py::arg("progress"))
        .def(
            "find",
            [](PySession& self, const std::string& name) {
                return spawned_row(value_or_raise(self.turn([&](Session& open) { return open.find(name); })));
            },
            py::arg("name"))
        .def("name_of", &name_of_ref, py::arg("ref"))
        .def("roster", &roster, py::arg("exited"))
        .def("stop", &stop, py::arg("actors"), py::arg("timeout"), py::arg("drain"))
        .def("join", &join, py::arg("actor"), py::arg("timeout"))
        .def("sentinel", &sentinel, py::arg("actor"))
        .def("watch", &watch, py::arg("actor"))
        .def("on_exited", &PySession::on_exited, py::arg("tell"))
        .def("signal", &send_signal, py::arg("actor"), py::arg("number"))
        .def("sync", &wait_until_handled, py::arg("actors"), py::arg("timeout"));
}

}  // namespace baton::python
