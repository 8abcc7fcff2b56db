// The extension baton._baton: the runtime's Session, and what it hands out, for the Python in baton/.
#include <dlfcn.h>
#include <fmt/format.h>
#include <pybind11/stl.h>

#include <filesystem>

#include "python/extension/errors.hpp"
#include "python/extension/from_python.hpp"
#include "python/extension/py_held.hpp"
#include "python/extension/py_pending.hpp"
#include "python/extension/py_pool.hpp"
#include "python/extension/py_session.hpp"
#include "python/extension/py_sync.hpp"
#include "python/extension/ref.hpp"
#include "python/extension/to_python.hpp"
#include "runtime/base/text.hpp"
#include "runtime/inbox/call.hpp"
#include "runtime/base/say.hpp"
#include "runtime/holdings/arrivals.hpp"
#include "runtime/process/birth.hpp"
#include "runtime/session/environment.hpp"
#include "runtime/base/progress.hpp"
#include "runtime/base/version.hpp"

namespace baton::python {

using namespace detail;
namespace {

// ---- rows ------------------------------------------------------------------------------------------

py::object exit_of(const std::string& name, const Exit& exit) {
    py::list letters;
    for (const DeadLetter& letter : exit.dead_letters) letters.append(py::make_tuple(letter.from, letter.command, letter.count));
    const char* kind = "running";
    switch (exit.kind) {
        case ExitKind::running: break;
        case ExitKind::stopped: kind = "stopped"; break;
        case ExitKind::returned: kind = "returned"; break;
        case ExitKind::signalled: kind = "signalled"; break;
        case ExitKind::failed_check: kind = "failed_check"; break;
        case ExitKind::left: kind = "left"; break;
    }
    return py::make_tuple(name, kind, exit.code, exit.text, exit.in_hand, letters, exit.held ? to_text(*exit.held) : "", to_text(exit));
}

py::list ended_list(const std::vector<Ended>& all) {
    py::list list;
    for (const Ended& one : all) list.append(py::make_tuple(to_py(one.actor), exit_of(one.name, one.exit)));
    return list;
}

py::object spawned_row(Spawned spawned) {
    const auto protocol = std::make_shared<ProtocolDescription>(std::move(spawned.protocol));
    return py::make_tuple(to_py(spawned.actor), spawned.name, spawned.pid, protocol);
}

std::vector<AnyRef> refs_of(const std::vector<PyRef>& refs) {
    std::vector<AnyRef> out;
    for (const PyRef& ref : refs) out.push_back(ref.any());
    return out;
}

// ---- what a session does ---------------------------------------------------------------------------

py::list spawn(PySession& self, const std::vector<std::tuple<std::string, std::string, std::vector<std::string>>>& what,
               std::uint64_t memory_bytes, const py::object& deadline, bool shows_progress) {
    std::vector<SpawnOptions> options;
    for (const auto& [program, name, arguments] : what) options.push_back({.program = program, .name = name, .arguments = arguments, .memory_bytes = memory_bytes});
    const Duration duration = to_duration(deadline);
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
        list.append(py::make_tuple(to_py(row.actor), row.name, row.program, row.pid, row.ppid, row.state, row.inbox_depth,
                                   row.handled, row.in_hand,
                                   row.exit.has_ended() ? exit_of(row.name, row.exit) : py::object(py::none())));
    return list;
}

std::string name_of_ref(PySession& self, const PyRef& ref) {
    const coordinator::Locate locate{ref.any()};
    return value_or_raise(self.turn([&](Session& session) { return call(session.loop(), locate, limits::coordinator_deadline); }))
        .name;
}

void send(PySession& self, const PyRef& to, const ProtocolDescription& protocol, const std::string& command,
          const py::dict& fields, const py::object& deadline) {
    const Written written = encode_fields(protocol, command, fields);
    const Duration duration = to_duration(deadline);
    value_or_raise(self.turn([&](Session& session) {
        return session.loop().send(to.any(), command, written.body, duration, Loop::Urgency::now, &written.parcel);
    }));
}

py::object ask(const SessionPtr& self, const PyRef& to, const ProtocolPtr& protocol, const std::string& command,
               const py::dict& fields, const py::object& deadline, const py::object& known) {
    const TypeDescription& type = reply_type(*protocol, command);
    const Written written = encode_fields(*protocol, command, fields);
    const Duration duration = to_duration(deadline);
    const ReplyFrame reply = value_or_raise(self->turn(
        [&](Session& session) { return session.loop().ask(to.any(), command, written.body, duration, &written.parcel); }));
    return decoded(self, type, reply, known);
}

std::unique_ptr<PyPending> request(const SessionPtr& self, const PyRef& to, const ProtocolPtr& protocol,
                                   const std::string& command, const py::dict& fields, const py::object& deadline,
                                   const std::string& who, const py::object& known) {
    static_cast<void>(reply_type(*protocol, command));
    const Written written = encode_fields(*protocol, command, fields);
    const Duration duration = to_duration(deadline);
    const AskId ask = value_or_raise(self->turn(
        [&](Session& session) { return session.loop().request(to.any(), command, written.body, duration, &written.parcel); }));
    return std::make_unique<PyPending>(self, protocol, command, who, ask, known);
}

using Target = std::tuple<PyRef, ProtocolPtr, std::string>;  // whom, what it accepts, its name

// For each the same command, all checked before the first is sent.
std::vector<Written> encode_for(const std::vector<Target>& targets, const std::string& command, const py::dict& fields) {
    std::vector<Written> all;
    for (const auto& [to, protocol, who] : targets) all.push_back(encode_fields(*protocol, command, fields));
    if (all.size() > 1 && !all.front().parcel.holdings.empty())
        refuse(fmt::format("{} carries a segment, lease or slice, which only one can be given: send it to each with one of its own",
                           command));
    return all;
}

// None, or why it was not taken, for each.
py::list broadcast(PySession& self, const std::vector<Target>& targets, const std::string& command, const py::dict& fields,
                   const py::object& deadline) {
    const std::vector<Written> written = encode_for(targets, command, fields);
    const Duration duration = to_duration(deadline);
    const std::vector<Result<void>> sent = self.turn([&](Session& session) {
        Loop& loop = session.loop();
        const Deadline end = Deadline::in(loop.clock(), duration);
        std::vector<Result<void>> results;
        for (std::size_t index = 0; index < targets.size(); ++index)
            results.push_back(loop.send(std::get<PyRef>(targets[index]).any(), command, written[index].body, end.left(loop.clock()),
                                        Loop::Urgency::now, &written[index].parcel));
        return results;
    });
    py::list list;
    for (const Result<void>& one : sent) list.append(one ? py::object(py::none()) : exception_of(one.error()));
    return list;
}

// A Pending, or why there is none, for each.
py::list request_all(const SessionPtr& self, const std::vector<Target>& targets, const std::string& command,
                     const py::dict& fields, const py::object& deadline, const py::object& known) {
    for (const auto& [to, protocol, who] : targets) static_cast<void>(reply_type(*protocol, command));
    const std::vector<Written> written = encode_for(targets, command, fields);
    const Duration duration = to_duration(deadline);
    const std::vector<Result<AskId>> asks = self->turn([&](Session& session) {
        Loop& loop = session.loop();
        const Deadline end = Deadline::in(loop.clock(), duration);
        std::vector<Result<AskId>> results;
        for (std::size_t index = 0; index < targets.size(); ++index)
            results.push_back(loop.request(std::get<PyRef>(targets[index]).any(), command, written[index].body,
                                           end.left(loop.clock()), &written[index].parcel));
        return results;
    });
    py::list list;
    for (std::size_t index = 0; index < targets.size(); ++index) {
        const auto& [to, protocol, who] = targets[index];
        if (asks[index]) {
            list.append(std::make_unique<PyPending>(self, protocol, command, who, *asks[index], known));
        } else {
            list.append(exception_of(asks[index].error()));
        }
    }
    return list;
}

// Until all are settled or the deadline has passed.
void wait_for(PySession& self, const std::vector<const PyPending*>& pendings, const py::object& deadline) {
    const Duration duration = to_duration(deadline);
    self.turn([&](Session& session) {
        std::size_t settled = 0;  // the first so many
        const auto all_settled = [&] {
            while (settled < pendings.size() && pendings[settled]->is_settled(session)) ++settled;
            return settled == pendings.size();
        };
        static_cast<void>(session.loop().serve(nullptr, all_settled, Deadline::in(session.loop().clock(), duration)));
    });
}

py::list collect(const SessionPtr& self, const std::string& wanted, const std::optional<std::size_t>& count,
                 const py::object& quiet, const py::object& deadline) {
    Enough until;
    if (count) until.count = std::min(*count, limits::collected_commands_max);
    if (!quiet.is_none()) until.quiet = to_duration(quiet);
    until.within = to_duration(deadline);
    std::vector<Session::Message> messages =
        value_or_raise(self->turn([&](Session& session) { return session.collect(wanted, until); }));
    py::list list;
    for (Session::Message& message : messages) {
        py::object answer = py::none();
        if (message.answer.is_asked())
            answer = py::cast(std::make_unique<PyAnswer>(self, self->keep(std::move(message.answer)), message.tag));
        Unpacker unpacker;
        std::size_t offset = 0;
        const py::object fields = to_python_untyped(value_or_raise(unpacker.next(message.body, offset)),
                                                    make_held_from(self, message.arrivals.get()));
        list.append(py::make_tuple(message.tag, PyRef{message.from, self->tag()}, fields, answer));
    }
    return list;
}

// Gifts that came back: their command (or nothing, for a reply), fields, receiver and why.
py::list collect_bounced(const SessionPtr& self, const std::optional<std::size_t>& count, const py::object& deadline,
                         const py::object& known) {
    const Duration duration = to_duration(deadline);
    const std::size_t enough = count.value_or(limits::collected_commands_max);
    // Kept by the session, for the next call where a signal's handler raises out of this one.
    std::vector<Bounce>& bounces = self->bounces();
    value_or_raise(self->turn([&](Session& session) {
        const auto has_enough = [&] {
            while (bounces.size() < enough) {
                std::optional<Bounce> one = session.loop().next_bounce(command_parcel);
                if (!one) one = session.loop().next_bounce(reply_parcel);
                if (!one) return false;
                bounces.push_back(std::move(*one));
            }
            return true;
        };
        Result<void> waited = session.wait_for(has_enough, duration);
        // What has come by then is returned.
        return waited || waited.error().kind != ErrorKind::timed_out ? waited : Result<void>{};
    }));
    py::list list;
    for (Bounce& bounce : std::exchange(bounces, {})) {
        Arrivals returned{self->holdings().get(), std::move(bounce.holdings)};
        const bool is_reply = bounce.type == reply_parcel;
        const py::object to = make_ref_from(known, self->tag())(AnyRef{bounce.to});
        Unpacker unpacker;
        std::size_t offset = 0;
        const Value body = value_or_raise(unpacker.next(bounce.body, offset));
        // Its types are known as long as the script knows the actor.
        const CommandDescription* command = nullptr;
        if (!is_reply && py::hasattr(to, "_protocol"))
            command = py::cast<const ProtocolDescription&>(to.attr("_protocol")).find(bounce.tag);
        const MakeHeld make_held = make_held_from(self, &returned);
        const py::object fields = command == nullptr ? to_python_untyped(body, make_held)
                                                     : to_python(command->fields, body, make_ref_from(known, self->tag()), make_held);
        list.append(py::make_tuple(bounce.tag, is_reply, fields, to, exception_of(bounce.why)));
    }
    return list;
}

// None where it is for ever.
py::object seconds_of(const py::object& deadline) {
    if (deadline.is_none()) return py::none();
    return py::float_(std::chrono::duration<double>(to_duration(deadline)).count());
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
        if (const auto folder = (package / bin).lexically_normal(); std::filesystem::exists(folder / coordinator_program, error))
            return folder.string();
    return {};
}

}  // namespace
}  // namespace baton::python

PYBIND11_MODULE(_baton, module) {
    using namespace baton;
    using namespace baton::detail;
    using namespace baton::python;
    module.doc() = "What baton is made of; use the package baton.";
    module.attr("version") = std::string(version_text);
    module.def("own_programs", own_programs);
    module.def("seconds_of", seconds_of, py::arg("deadline"),
               "A deadline (seconds, a timedelta, or None for ever) in seconds; TypeError and ValueError as every wait raises them.");
    module.def("say", [](const std::string& text) { say(text); }, py::arg("text"), py::call_guard<py::gil_scoped_release>(),
               "Text on descriptor 2, as far as it takes it.");
    // Where Python started without a descriptor 2, that number is somebody else's by now, or will be.
    if (py::module_::import("sys").attr("__stderr__").is_none()) say_nothing();
    take_over_for_library();
    module.def("encode", encode_item, py::arg("value"), "A value without segments as it stands in a message.");
    module.def("decode", decode_item, py::arg("value"), "The value of such bytes; Corrupt where they are none.");

    py::class_<PyRef> ref(module, "Ref",
                          "The address of one life of one actor: a plain value that can be compared, kept and sent in a\n"
                          "command. It opens nothing by itself; session.find(ref) makes an Actor of it.");
    ref.def(py::init([](std::uint32_t number, std::uint32_t incarnation, const std::string& session) {
                return PyRef{{number, incarnation}, SessionTag::of(session)};
            }),
            py::arg("number"), py::arg("incarnation"), py::arg("session") = "")
        .def_property_readonly("number", [](const PyRef& self) { return self.id.number; }, "The row in the roster.")
        .def_property_readonly("incarnation", [](const PyRef& self) { return self.id.incarnation; },
                               "Which life in that row.")
        .def_property_readonly("session", [](const PyRef& self) { return readable(to_string(self.session)); },
                               "The id of its session; '' where it was made without: it means the one in which it is used.")
        .def_property_readonly("id", [](const PyRef& self) { return to_string(self.id); },
                               "Number and incarnation as text, '3.1', as in the logs.")
        .def("__eq__",
             [](const PyRef& self, const py::object& other) -> py::object {
                 if (!py::isinstance<PyRef>(other)) return py::reinterpret_borrow<py::object>(Py_NotImplemented);
                 return py::bool_(self.any() == py::cast<const PyRef&>(other).any());
             })
        .def("__hash__", [](const PyRef& self) { return std::hash<ActorId>{}(self.id); })
        .def("__repr__", [](const PyRef& self) { return fmt::format("baton.Ref({}, {})", self.id.number, self.id.incarnation); })
        .def(py::pickle([](const PyRef& self) { return py::make_tuple(self.id.number, self.id.incarnation, self.session.letters); },
                        [](const py::tuple& state) {
                            return PyRef{{state[0].cast<std::uint32_t>(), state[1].cast<std::uint32_t>()},
                                         {state[2].cast<std::uint64_t>()}};
                        }));
    ref.attr("__module__") = "baton";

    py::class_<ProtocolDescription, ProtocolPtr> protocol(
        module, "Protocol", "The commands that an actor accepts, as it published them itself. str() prints them.");
    protocol.def_readonly("name", &ProtocolDescription::name, "The namespace of the commands: 'student'.")
        .def_property_readonly("commands",
                               [](const ProtocolDescription& self) {
                                   py::list names;
                                   for (const CommandDescription& command : self.commands) names.append(command.name);
                                   return names;
                               },
                               "The names of the commands.")
        .def("_has_field",
             [](const ProtocolDescription& self, const std::string& command, const std::string& field) {
                 const CommandDescription* known = self.find(command);
                 return known != nullptr && std::ranges::find(known->fields.parts, field, &PartDescription::name) !=
                                                known->fields.parts.end();
             })
        .def("__str__",
             [](const ProtocolDescription& self) {
                 std::string text;
                 for (const CommandDescription& command : self.commands)
                     text += (text.empty() ? "" : "\n") + to_text(command);
                 return text;
             })
        .def("__repr__", [](const ProtocolDescription& self) {
            return fmt::format("<baton.Protocol {}: {} commands>", self.name, self.commands.size());
        });
    protocol.attr("__module__") = "baton";

    py::class_<PyPending> pending(module, "Pending",
                                  "The answer to come of a request; who lets it go does not hear the answer.");
    pending
        .def("get", &PyPending::get, py::arg("deadline") = 5.0,
             "Waits for the reply and returns it; again and again the same one.\n\n"
             "Raises what the handler raised (baton.Failed) or what became of the actor (baton.Gone, baton.Stopping);\n"
             "baton.TimedOut when the deadline (seconds, timedelta or None) has passed, and then get() may be called again.")
        .def("ready", &PyPending::ready, "Whether get() has something to say at once. Looks for a millisecond at most.")
        .def("cancel", &PyPending::cancel, "Lets the answer go. The actor handles the command nevertheless.");
    pending.attr("__module__") = "baton";

    py::class_<PyAnswer>(module, "Answer")
        .def("reply", &PyAnswer::reply, py::arg("value"))
        .def("fail", &PyAnswer::fail, py::arg("text"));

    py::class_<PySession, SessionPtr>(module, "Session")
        .def(py::init([](std::optional<std::string> session, std::string name, std::vector<std::string> folders) {
            return std::make_shared<PySession>(
                Session::Entry{std::move(session), true, std::move(name), Session::Inbox::open, std::move(folders)});
        }))
        .def_property_readonly("id", &PySession::id)
        .def_property_readonly("me", [](const PySession& self) { return PyRef{self.me(), self.tag()}; })
        .def_property_readonly("is_open", &PySession::is_open)
        .def_property_readonly("is_in_child", &PySession::is_in_child)
        .def("adopt", &PySession::adopt)
        .def("kill_all", &PySession::kill_all)
        .def("spawn", &spawn)
        .def("find", [](PySession& self, const std::string& name) {
            return spawned_row(value_or_raise(self.turn([&](Session& session) { return session.find(name); })));
        })
        .def("name_of", &name_of_ref)
        .def("roster", &roster)
        .def("stop", [](PySession& self, const std::vector<PyRef>& actors, const py::object& deadline, bool drain) {
            const Duration duration = to_duration(deadline);
            return ended_list(value_or_raise(
                self.turn([&](Session& session) { return session.stop(refs_of(actors), duration, drain); })));
        })
        .def("join", [](PySession& self, const PyRef& actor, const py::object& deadline) {
            const Duration duration = to_duration(deadline);
            const Ended ended =
                value_or_raise(self.turn([&](Session& session) { return session.join(actor.any(), duration); }));
            return exit_of(ended.name, ended.exit);
        })
        .def("sentinel", [](PySession& self, const PyRef& actor) {  // whoever calls closes it
            return value_or_raise(self.turn([&](Session& session) { return session.sentinel(AnyRef{actor.id}); })).release();
        })
        .def("signal", [](PySession& self, const PyRef& actor, int number) {
            value_or_raise(self.turn([&](Session& session) { return session.signal(actor.any(), number); }));
        })
        .def("sync", [](PySession& self, const std::vector<PyRef>& actors, const py::object& deadline) {
            const Duration duration = to_duration(deadline);
            value_or_raise(self.turn([&](Session& session) { return session.sync(refs_of(actors), duration); }));
        })
        .def("send", &send)
        .def("ask", &ask)
        .def("request", &request)
        .def("broadcast", &broadcast)
        .def("request_all", &request_all)
        .def("wait_for", &wait_for)
        .def("collect", &collect)
        .def("collect_bounced", &collect_bounced)
        .def("close", [](PySession& self, const py::object& deadline, bool was_interrupted, const py::object& on_interrupt) {
            return ended_list(self.close(to_duration(deadline), was_interrupted, on_interrupt));
        });

    add_held_classes(module);
    add_pool_classes(module);
    add_sync_classes(module);
}
