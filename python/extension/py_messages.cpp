// Messages: what a script sends, asks, and is sent.
#include <pybind11/stl.h>

#include "python/extension/errors.hpp"
#include "python/extension/from_python.hpp"
#include "python/extension/py_calls.hpp"
#include "python/extension/py_held.hpp"
#include "python/extension/py_pending.hpp"
#include "python/extension/ref.hpp"

namespace baton::python {

using namespace dynamic;
namespace {

void send(PySession& self, const PyRef& to, const ProtocolPtr& protocol, const std::string& command,
          const py::dict& fields, const py::object& timeout) {
    const EncodedCommand encoded = encode_fields(protocol, command, fields);
    const Duration duration = to_duration(timeout);
    value_or_raise(self.turn([&](Outsider& session) { return session.send(to.any(), encoded, duration); }));
}

py::object ask(const SessionPtr& self, const PyRef& to, const ProtocolPtr& protocol, const std::string& command,
               const py::dict& fields, const py::object& timeout, const py::object& known) {
    const Type& type = reply_type(protocol, command);
    const EncodedCommand encoded = encode_fields(protocol, command, fields);
    const Duration duration = to_duration(timeout);
    const Value reply =
        value_or_raise(self->turn([&](Outsider& session) { return session.ask(to.any(), encoded, duration); }));
    return decoded(self, type, reply, known);
}

std::unique_ptr<PyPending> request(const SessionPtr& self, const PyRef& to, const ProtocolPtr& protocol,
                                   const std::string& command, const py::dict& fields, const py::object& timeout,
                                   const std::string& who, const py::object& known) {
    static_cast<void>(reply_type(protocol, command));
    const EncodedCommand encoded = encode_fields(protocol, command, fields);
    const Duration duration = to_duration(timeout);
    dynamic::Pending pending =
        value_or_raise(self->turn([&](Outsider& session) { return session.request(to.any(), encoded, duration); }));
    return std::make_unique<PyPending>(self, protocol, command, who, std::move(pending), known);
}

using Target = std::tuple<PyRef, ProtocolPtr, std::string>;  // whom, what it accepts, its name

// For each the same command, all checked before the first is sent.
std::vector<EncodedCommand> encode_for(const std::vector<Target>& targets, const std::string& command,
                                       const py::dict& fields) {
    std::vector<EncodedCommand> all;
    for (const auto& [to, protocol, who] : targets) all.push_back(encode_fields(protocol, command, fields));
    if (all.size() > 1 && all.front().carries_memory())
        refuse(fmt::format(
            "{} carries a segment, lease or slice, which only one can be given: send it to each with one of its own",
            command));
    return all;
}

// None, or why it was not taken, for each.
py::list send_all(PySession& self, const std::vector<Target>& targets, const std::string& command,
                  const py::dict& fields, const py::object& timeout) {
    const std::vector<EncodedCommand> encoded = encode_for(targets, command, fields);
    const Duration duration = to_duration(timeout);
    const std::vector<Result<void>> sent = self.turn([&](Outsider& session) {
        const Deadline end = session.context().deadline(duration);
        std::vector<Result<void>> results;
        for (std::size_t index = 0; index < targets.size(); ++index)
            results.push_back(session.send(std::get<PyRef>(targets[index]).any(), encoded[index], end));
        return results;
    });
    py::list list;
    for (const Result<void>& one : sent) list.append(one ? py::object(py::none()) : exception_of(one.error()));
    return list;
}

// A Pending, or why there is none, for each.
py::list request_all(const SessionPtr& self, const std::vector<Target>& targets, const std::string& command,
                     const py::dict& fields, const py::object& timeout, const py::object& known) {
    for (const auto& [to, protocol, who] : targets) static_cast<void>(reply_type(protocol, command));
    const std::vector<EncodedCommand> encoded = encode_for(targets, command, fields);
    const Duration duration = to_duration(timeout);
    std::vector<Result<dynamic::Pending>> asked = self->turn([&](Outsider& session) {
        const Deadline end = session.context().deadline(duration);
        std::vector<Result<dynamic::Pending>> results;
        for (std::size_t index = 0; index < targets.size(); ++index)
            results.push_back(session.request(std::get<PyRef>(targets[index]).any(), encoded[index], end));
        return results;
    });
    py::list list;
    for (std::size_t index = 0; index < targets.size(); ++index) {
        const auto& [to, protocol, who] = targets[index];
        if (asked[index])
            list.append(std::make_unique<PyPending>(self, protocol, command, who, std::move(*asked[index]), known));
        else list.append(exception_of(asked[index].error()));
    }
    return list;
}

// Until all are settled or the time is over.
void wait_for(PySession& self, const std::vector<const PyPending*>& pendings, const py::object& timeout) {
    const Duration duration = to_duration(timeout);
    self.turn([&](Outsider& session) {
        std::size_t settled = 0;  // that many at the front are
        const auto all_settled = [&] {
            while (settled < pendings.size() && pendings[settled]->is_settled()) ++settled;
            return settled == pendings.size();
        };
        static_cast<void>(session.wait_for(all_settled, duration));
    });
}

// Of a command that the script has published the fields are typed, and have been checked when it came.
py::object fields_of(const SessionPtr& self, const Command* command, const Value& fields, const py::object& known) {
    const MakeRef make_ref = make_ref_from(known, self->me());
    const MakeHeld make_held = make_held_from(self);
    return command == nullptr ? to_python(fields, make_ref, make_held)
                              : to_python(command->fields, fields, make_ref, make_held);
}

py::list collect(const SessionPtr& self, const std::string& wanted, const std::optional<std::size_t>& count,
                 const py::object& quiet, const py::object& timeout, const py::object& known) {
    Enough until;
    if (count) until.count = std::min(*count, limits::collected_commands_max);
    if (!quiet.is_none()) until.quiet = to_duration(quiet);
    until.within = to_duration(timeout);
    std::vector<Message> messages =
        value_or_raise(self->turn([&](Outsider& session) { return session.collect(wanted, until); }));
    py::list list;
    for (Message& message : messages) {
        py::object answer = py::none();
        if (message.answer.is_asked())
            answer = py::cast(std::make_unique<PyAnswer>(self, std::move(message.answer), message.command));
        const Command* const command = self->protocol() == nullptr ? nullptr : self->protocol()->find(message.command);
        const py::object fields = fields_of(self, command, value_or_raise(std::move(message.fields)), known);
        list.append(py::make_tuple(message.command, to_py(message.from), fields, answer));
    }
    return list;
}

// The protocol of an actor that the script knows.
ProtocolPtr protocol_of(const py::object& known, const AnyRef& actor) {
    const py::object found = known.attr("get")(py::cast(to_py(actor)));
    if (!py::hasattr(found, "_protocol")) return nullptr;
    return py::cast<ProtocolPtr>(found.attr("_protocol"));
}

// Gifts that came back: their command (or nothing, for a reply), fields, receiver and why.
py::list collect_bounced(const SessionPtr& self, const std::optional<std::size_t>& count, const py::object& timeout,
                         const py::object& known) {
    const Duration duration = to_duration(timeout);
    const std::size_t enough = count.value_or(limits::collected_commands_max);
    const auto protocol_of_receiver = [&known](const AnyRef& to) -> std::shared_ptr<const dynamic::Protocol> {
        const py::gil_scoped_acquire acquired;
        return protocol_of(known, to);
    };
    std::vector<dynamic::Bounced> bounced = value_or_raise(self->turn(
        [&](Outsider& session) { return session.collect_bounced(enough, duration, protocol_of_receiver); }));
    py::list list;
    for (dynamic::Bounced& one : bounced) {
        const ProtocolPtr protocol = one.is_reply ? nullptr : protocol_of(known, one.to);
        const Command* const command = protocol == nullptr ? nullptr : protocol->find(one.command);
        const py::object fields = fields_of(self, command, value_or_raise(std::move(one.fields)), known);
        const py::object to = make_ref_from(known, self->me())(one.to);
        list.append(py::make_tuple(one.command, one.is_reply, fields, to, exception_of(one.why)));
    }
    return list;
}

bool may_go_on(const Result<void>& waited) { return waited || waited.error().kind == ErrorKind::timed_out; }

// Waits for a command to this script; false if none has come in time, or somebody is to be told of an exit first.
bool wait_for_mail(PySession& self, const py::object& timeout) {
    const Duration duration = to_duration(timeout);
    bool has_mail = false;
    const Result<void> waited = self.turn([&](Outsider& session) {
        Result<void> result = session.wait_for([&] { return session.has_mail() || self.has_exits(); }, duration,
                                               Outsider::Mail::is_kept);
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
    const std::optional<Duration> latest = self.turn([&](Outsider& session) -> std::optional<Duration> {
        bool goes_on = session.look();
        if (with_mail)
            goes_on = goes_on && may_go_on(session.wait_for([&] { return session.has_mail(); }, Duration::zero(),
                                                            Outsider::Mail::is_kept));
        has_mail = with_mail && (session.has_mail() || !goes_on);  // at the end, too: the call that collects raises why
        for (const PyPending* one : pendings) settled.push_back(!goes_on || one->is_settled());
        const Deadline next = session.would_wait_for(
            with_mail ? Outsider::Mail::is_kept : Outsider::Mail::waits, watched);
        if (next.is_never()) return std::nullopt;
        return next.left(session.context().clock());
    });
    const py::object seconds =
        latest ? py::object(py::float_(std::chrono::duration<double>(*latest).count())) : py::none();
    self.forget_turns();
    return py::make_tuple(settled, watched, seconds, has_mail);
}

// Refused or Unsupported if these are not the fields of such a command.
void check_fields(const ProtocolPtr& protocol, const std::string& command, const py::dict& fields) {
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
