// Messages: what a script sends, asks, and is sent.
#include <pybind11/stl.h>

#include "python/extension/errors.hpp"
#include "python/extension/from_python.hpp"
#include "python/extension/py_calls.hpp"
#include "python/extension/py_held.hpp"
#include "python/extension/py_pending.hpp"
#include "python/extension/ref.hpp"
#include "runtime/holdings/arrivals.hpp"

namespace baton::python {

using namespace detail;
namespace {

void send(PySession& self, const PyRef& to, const ProtocolDescription& protocol, const std::string& command,
          const py::dict& fields, const py::object& timeout) {
    const Written written = encode_fields(protocol, command, fields);
    const Duration duration = to_duration(timeout);
    value_or_raise(self.turn([&](Session& session) {
        return session.loop().send(to.any(), command, written.body, duration, Loop::Urgency::now, &written.parcel);
    }));
}

py::object ask(const SessionPtr& self, const PyRef& to, const ProtocolPtr& protocol, const std::string& command,
               const py::dict& fields, const py::object& timeout, const py::object& known) {
    const TypeDescription& type = reply_type(*protocol, command);
    const Written written = encode_fields(*protocol, command, fields);
    const Duration duration = to_duration(timeout);
    const ReplyFrame reply = value_or_raise(self->turn([&](Session& session) {
        return session.loop().ask(to.any(), command, written.body, duration, &written.parcel);
    }));
    return decoded(self, type, reply, known);
}

std::unique_ptr<PyPending> request(const SessionPtr& self, const PyRef& to, const ProtocolPtr& protocol,
                                   const std::string& command, const py::dict& fields, const py::object& timeout,
                                   const std::string& who, const py::object& known) {
    static_cast<void>(reply_type(*protocol, command));
    const Written written = encode_fields(*protocol, command, fields);
    const Duration duration = to_duration(timeout);
    const AskId ask = value_or_raise(self->turn([&](Session& session) {
        return session.loop().request(to.any(), command, written.body, duration, &written.parcel);
    }));
    return std::make_unique<PyPending>(self, protocol, command, who, ask, known);
}

using Target = std::tuple<PyRef, ProtocolPtr, std::string>;  // whom, what it accepts, its name

// For each the same command, all checked before the first is sent.
std::vector<Written> encode_for(const std::vector<Target>& targets, const std::string& command,
                                const py::dict& fields) {
    std::vector<Written> all;
    for (const auto& [to, protocol, who] : targets) all.push_back(encode_fields(*protocol, command, fields));
    if (all.size() > 1 && !all.front().parcel.holdings.empty())
        refuse(fmt::format(
            "{} carries a segment, lease or slice, which only one can be given: send it to each with one of its own",
            command));
    return all;
}

// None, or why it was not taken, for each.
py::list send_all(PySession& self, const std::vector<Target>& targets, const std::string& command,
                  const py::dict& fields, const py::object& timeout) {
    const std::vector<Written> written = encode_for(targets, command, fields);
    const Duration duration = to_duration(timeout);
    const std::vector<Result<void>> sent = self.turn([&](Session& session) {
        Loop& loop = session.loop();
        const Deadline end = Deadline::in(loop.clock(), duration);
        std::vector<Result<void>> results;
        for (std::size_t index = 0; index < targets.size(); ++index)
            results.push_back(loop.send(std::get<PyRef>(targets[index]).any(), command, written[index].body,
                                        end.left(loop.clock()), Loop::Urgency::now, &written[index].parcel));
        return results;
    });
    py::list list;
    for (const Result<void>& one : sent) list.append(one ? py::object(py::none()) : exception_of(one.error()));
    return list;
}

// A Pending, or why there is none, for each.
py::list request_all(const SessionPtr& self, const std::vector<Target>& targets, const std::string& command,
                     const py::dict& fields, const py::object& timeout, const py::object& known) {
    for (const auto& [to, protocol, who] : targets) static_cast<void>(reply_type(*protocol, command));
    const std::vector<Written> written = encode_for(targets, command, fields);
    const Duration duration = to_duration(timeout);
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

// Until all are settled or the time is over.
void wait_for(PySession& self, const std::vector<const PyPending*>& pendings, const py::object& timeout) {
    const Duration duration = to_duration(timeout);
    self.turn([&](Session& session) {
        std::size_t settled = 0;  // that many at the front are
        const auto all_settled = [&] {
            while (settled < pendings.size() && pendings[settled]->is_settled(session)) ++settled;
            return settled == pendings.size();
        };
        static_cast<void>(session.loop().serve(nullptr, all_settled, Deadline::in(session.loop().clock(), duration)));
    });
}

// Of a command that the script has published the fields are typed, and have been checked when it came.
py::object fields_of(const SessionPtr& self, Session::Message& message, const py::object& known) {
    Unpacker unpacker;
    std::size_t offset = 0;
    const Value body = value_or_raise(unpacker.next(message.body, offset));
    const MakeHeld make_held = make_held_from(self, message.arrivals.get());
    const CommandDescription* const command =
        self->protocol() == nullptr ? nullptr : self->protocol()->find(message.tag);
    if (command == nullptr) return to_python_untyped(body, make_held);
    return to_python(command->fields, body, make_ref_from(known, self->tag()), make_held);
}

py::list collect(const SessionPtr& self, const std::string& wanted, const std::optional<std::size_t>& count,
                 const py::object& quiet, const py::object& timeout, const py::object& known) {
    Enough until;
    if (count) until.count = std::min(*count, limits::collected_commands_max);
    if (!quiet.is_none()) until.quiet = to_duration(quiet);
    until.within = to_duration(timeout);
    std::vector<Session::Message> messages =
        value_or_raise(self->turn([&](Session& session) { return session.collect(wanted, until); }));
    py::list list;
    for (Session::Message& message : messages) {
        py::object answer = py::none();
        if (message.answer.is_asked())
            answer = py::cast(std::make_unique<PyAnswer>(self, self->keep(std::move(message.answer)), message.tag));
        const py::object fields = fields_of(self, message, known);
        list.append(py::make_tuple(message.tag, PyRef{message.from, self->tag()}, fields, answer));
    }
    return list;
}

// Gifts that came back: their command (or nothing, for a reply), fields, receiver and why.
py::list collect_bounced(const SessionPtr& self, const std::optional<std::size_t>& count, const py::object& timeout,
                         const py::object& known) {
    const Duration duration = to_duration(timeout);
    const std::size_t enough = count.value_or(limits::collected_commands_max);
    // Kept by the session, for the next call if a signal's handler raises out of this one.
    std::vector<Bounce>& bounces = self->bounces();
    value_or_raise(self->turn([&](Session& session) {
        const auto has_enough = [&] {
            while (bounces.size() < enough) {
                std::optional<Bounce> one = session.loop().returns().next(command_parcel);
                if (!one) one = session.loop().returns().next(reply_parcel);
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
        const bool is_reply = bounce.parcel.type == reply_parcel;
        Arrivals returned{self->holdings().get(), std::move(bounce.parcel)};
        const py::object to = make_ref_from(known, self->tag())(AnyRef{bounce.key.to});
        Unpacker unpacker;
        std::size_t offset = 0;
        const Value body = value_or_raise(unpacker.next(bounce.body, offset));
        // Its types are known as long as the script knows the actor.
        const CommandDescription* command = nullptr;
        if (!is_reply && py::hasattr(to, "_protocol"))
            command = py::cast<const ProtocolDescription&>(to.attr("_protocol")).find(bounce.tag);
        const MakeHeld make_held = make_held_from(self, &returned);
        const py::object fields = command == nullptr
                                      ? to_python_untyped(body, make_held)
                                      : to_python(command->fields, body, make_ref_from(known, self->tag()), make_held);
        list.append(py::make_tuple(bounce.tag, is_reply, fields, to, exception_of(bounce.why)));
    }
    return list;
}

bool may_go_on(const Result<void>& waited) { return waited || waited.error().kind == ErrorKind::timed_out; }

// Waits for a command to this script; false if none has come in time, or somebody is to be told of an exit first.
bool wait_for_mail(PySession& self, const py::object& timeout) {
    const Duration duration = to_duration(timeout);
    bool has_mail = false;
    const Result<void> waited = self.turn([&](Session& session) {
        Result<void> result = session.wait_for([&] { return session.has_mail() || self.has_exits(); }, duration);
        has_mail = session.has_mail();
        return result;
    });
    if (!may_go_on(waited)) value_or_raise(waited);
    return has_mail;
}

// For an event loop of others: what is settled by now, the descriptors to watch, and the seconds after which to look
// again at the latest (None: only when one is readable). with_mail: also for commands that come to this script.
py::tuple look(PySession& self, const std::vector<const PyPending*>& pendings, bool with_mail) {
    std::vector<bool> settled;
    std::vector<int> watched;
    bool has_mail = false;
    const std::optional<Duration> latest = self.turn([&](Session& session) -> std::optional<Duration> {
        bool goes_on = session.look();
        if (with_mail)
            goes_on = goes_on && may_go_on(session.wait_for([&] { return session.has_mail(); }, Duration::zero()));
        has_mail = with_mail && (session.has_mail() || !goes_on);  // at the end, too: the call that collects raises why
        for (const PyPending* one : pendings) settled.push_back(!goes_on || one->is_settled(session));
        const Deadline next = session.would_wait_for(with_mail, watched);
        if (next.is_never()) return std::nullopt;
        return next.left(session.loop().clock());
    });
    const py::object seconds =
        latest ? py::object(py::float_(std::chrono::duration<double>(*latest).count())) : py::none();
    self.forget_turns();
    return py::make_tuple(settled, watched, seconds, has_mail);
}

// Refused or Unsupported if these are not the fields of such a command.
void check_fields(const ProtocolDescription& protocol, const std::string& command, const py::dict& fields) {
    static_cast<void>(encode_fields(protocol, command, fields));
}

}  // namespace

void add_message_calls(SessionClass& session) {
    session
        .def("send", &send, py::arg("to"), py::arg("protocol"), py::arg("command"), py::arg("fields"),
             py::arg("timeout"))
        .def("ask", &ask, py::arg("to"), py::arg("protocol"), py::arg("command"), py::arg("fields"), py::arg("timeout"),
             py::arg("known"))
        .def("request", &request, py::arg("to"), py::arg("protocol"), py::arg("command"), py::arg("fields"),
             py::arg("timeout"), py::arg("who"), py::arg("known"))
        .def("send_all", &send_all, py::arg("targets"), py::arg("command"), py::arg("fields"), py::arg("timeout"))
        .def("request_all", &request_all, py::arg("targets"), py::arg("command"), py::arg("fields"), py::arg("timeout"),
             py::arg("known"))
        .def("wait_for", &wait_for, py::arg("pendings"), py::arg("timeout"))
        .def("collect", &collect, py::arg("command"), py::arg("count"), py::arg("quiet"), py::arg("timeout"),
             py::arg("known"))
        .def("collect_bounced", &collect_bounced, py::arg("count"), py::arg("timeout"), py::arg("known"))
        .def("wait_for_mail", &wait_for_mail, py::arg("timeout"))
        .def("tell_turns", &PySession::tell_turns, py::arg("tells"))
        .def("look", &look, py::arg("pendings"), py::arg("with_mail"));
    session.attr("check_fields") =
        py::staticmethod(py::cpp_function(&check_fields, py::arg("protocol"), py::arg("command"), py::arg("fields")));
}

}  // namespace baton::python
