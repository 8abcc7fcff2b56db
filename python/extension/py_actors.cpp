// Actors: started, found, listed, watched and ended by a script.
#include <fmt/ranges.h>
#include <pybind11/stl.h>

#include <algorithm>
#include <array>

#include "python/extension/errors.hpp"
#include "python/extension/from_python.hpp"
#include "python/extension/py_calls.hpp"
#include "python/extension/ref.hpp"
#include "python/extension/rows.hpp"
#include <baton/progress.hpp>

namespace baton::python {

using namespace dynamic;
namespace {

py::object actor_row(const Actor& actor) {
    return py::make_tuple(to_py(actor.ref), actor.name, actor.pid,
                          std::const_pointer_cast<dynamic::Protocol>(actor.protocol));
}

std::vector<AnyRef> refs_of(const std::vector<PyRef>& refs) {
    std::vector<AnyRef> out;
    for (const PyRef& ref : refs) out.push_back(ref.any());
    return out;
}

// policy, restarts_max, period, back_off_first, back_off_most, group, strategy: fields of baton.Restart.
using RestartRow = std::tuple<std::string, std::uint32_t, double, double, double, std::string, std::string>;

constexpr std::array policies{"never", "on_failure", "always"};
constexpr std::array strategies{"one_for_one", "one_for_all", "rest_for_one"};

template <class Enum, std::size_t Size>
Enum enum_of(const std::string& name, const std::array<const char*, Size>& names) {
    const auto found = std::ranges::find(names, name);
    if (found == names.end())
        throw py::value_error(fmt::format("'{}' is none of {}", name, fmt::join(names, ", ")));
    return static_cast<Enum>(found - names.begin());
}

Restart restart_of(const RestartRow& row) {
    const auto& [policy, restarts_max, period, first, most, group, strategy] = row;
    return {enum_of<Restart::Policy>(policy, policies),
            restarts_max,
            to_duration(py::float_(period)),
            to_duration(py::float_(first)),
            to_duration(py::float_(most)),
            group,
            enum_of<Restart::Strategy>(strategy, strategies)};
}

py::object restarts_row(const RosterRow& row) {
    const auto& report = row.restarts;
    if (!report) return py::none();
    return py::make_tuple(policies.at(static_cast<std::size_t>(report->policy)), report->restarts, report->recent,
                          report->restarts_max, std::chrono::duration<double>(report->period).count(),
                          seconds_or_none(report->due_in), report->group,
                          strategies.at(static_cast<std::size_t>(report->strategy)), report->failure);
}

py::list spawn(PySession& self, const std::vector<std::tuple<std::string, std::string, std::vector<std::string>>>& what,
               const std::string& actor, std::uint64_t memory_bytes, const py::object& spin,
               const std::optional<RestartRow>& restart, const py::object& hung_after, bool kill_hung,
               const py::object& timeout, bool shows_progress) {
    std::vector<SpawnOptions> options;
    for (const auto& [program, name, arguments] : what) {
        options.push_back({.program = program, .name = name, .arguments = arguments, .memory_bytes = memory_bytes});
        options.back().actor = actor;
        if (!spin.is_none()) options.back().spin = to_duration(spin);
        if (restart) options.back().restart = restart_of(*restart);
        if (!hung_after.is_none()) options.back().hung_after = to_duration(hung_after);
        if (kill_hung) options.back().kill_hung = true;
    }
    const Duration duration = to_duration(timeout);
    auto spawned = self.turn([&](Outsider& session) {
        std::optional<Progress> progress;
        if (shows_progress) progress.emplace("starting", options.size(), "actors");
        return session.spawn(options, duration, [&](std::size_t ready) {
            if (progress) progress->reach(ready);
        });
    });
    py::list list;
    for (const Actor& one : value_or_raise(std::move(spawned))) list.append(actor_row(one));
    return list;
}

py::list roster(PySession& self, bool with_exited) {
    const std::vector<RosterRow> rows =
        value_or_raise(self.turn([&](Outsider& session) { return session.context().roster(with_exited); }));
    py::list list;
    for (const RosterRow& row : rows)
        list.append(py::make_tuple(to_py(row.actor), row.name, row.program, row.pid, row.ppid, row.state,
                                   row.inbox_depth, row.handled, row.in_hand,
                                   row.exit.has_ended() ? exit_row(row.name, row.exit) : py::object(py::none()),
                                   restarts_row(row)));
    return list;
}

std::string name_of_ref(PySession& self, const PyRef& ref) {
    return value_or_raise(self.turn([&](Outsider& session) { return session.name_of(ref.any()); }));
}

py::list stop(PySession& self, const std::vector<PyRef>& actors, const py::object& timeout, bool drain) {
    const Duration duration = to_duration(timeout);
    const auto how = drain ? Outsider::Drain::yes : Outsider::Drain::no;
    return ended_rows(
        value_or_raise(self.turn([&](Outsider& session) { return session.stop(refs_of(actors), duration, how); })));
}

py::object join(PySession& self, const PyRef& actor, const py::object& timeout) {
    const Duration duration = to_duration(timeout);
    const Ended ended =
        value_or_raise(self.turn([&](Outsider& session) { return session.context().join(actor.any(), duration); }));
    return exit_row(ended.name, ended.exit);
}

int sentinel(PySession& self, const PyRef& actor) {  // the caller closes it
    return value_or_raise(self.turn([&](Outsider& session) { return session.sentinel(AnyRef{actor.id}); })).release();
}

// Reports the actor's exit to on_exited() from here on; returns its name.
std::string watch(PySession& self, const PyRef& actor) {
    return value_or_raise(self.turn([&](Outsider& session) { return session.context().watch(actor.any()); }));
}

void link(PySession& self, const PyRef& one, const PyRef& other) {
    value_or_raise(self.turn([&](Outsider& session) { return session.context().link(one.any(), other.any()); }));
}

void unlink(PySession& self, const PyRef& one, const PyRef& other) {
    value_or_raise(self.turn([&](Outsider& session) { return session.context().unlink(one.any(), other.any()); }));
}

void send_signal(PySession& self, const PyRef& actor, int number) {
    value_or_raise(self.turn([&](Outsider& session) { return session.context().signal(actor.any(), number); }));
}

void wait_until_handled(PySession& self, const std::vector<PyRef>& actors, const py::object& timeout) {
    const Duration duration = to_duration(timeout);
    value_or_raise(self.turn([&](Outsider& session) { return session.context().sync(refs_of(actors), duration); }));
}

}  // namespace

void add_actor_calls(SessionClass& session) {
    session.def("spawn", &spawn, py::arg("what"), py::arg("actor"), py::arg("memory_bytes"), py::arg("spin"),
                py::arg("restart"), py::arg("hung_after"), py::arg("kill_hung"), py::arg("timeout"),
                py::arg("progress"))
        .def(
            "find",
            [](PySession& self, const std::string& name) {
                return actor_row(value_or_raise(self.turn([&](Outsider& open) { return open.find(name); })));
            },
            py::arg("name"))
        .def(
            "find_life",
            [](PySession& self, const std::string& name, const py::object& timeout) {
                const Duration within = to_duration(timeout);
                return actor_row(
                    value_or_raise(self.turn([&](Outsider& open) { return open.find_life(name, within); })));
            },
            py::arg("name"), py::arg("timeout"))
        .def("name_of", &name_of_ref, py::arg("ref"))
        .def("roster", &roster, py::arg("exited"))
        .def("stop", &stop, py::arg("actors"), py::arg("timeout"), py::arg("drain"))
        .def("join", &join, py::arg("actor"), py::arg("timeout"))
        .def("sentinel", &sentinel, py::arg("actor"))
        .def("link", &link, py::arg("one"), py::arg("other"))
        .def("unlink", &unlink, py::arg("one"), py::arg("other"))
        .def("watch", &watch, py::arg("actor"))
        .def("on_exited", &PySession::on_exited, py::arg("tell"))
        .def("signal", &send_signal, py::arg("actor"), py::arg("number"))
        .def("sync", &wait_until_handled, py::arg("actors"), py::arg("timeout"));
}

}  // namespace baton::python
