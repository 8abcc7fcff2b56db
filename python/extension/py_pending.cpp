#include "python/extension/py_pending.hpp"

#include <fmt/format.h>
#include <pybind11/stl.h>

#include "python/extension/errors.hpp"
#include "python/extension/from_python.hpp"
#include "python/extension/py_held.hpp"
#include "python/extension/ref.hpp"

namespace baton::python {

using namespace dynamic;

MakeRef make_ref_from(const py::object& known, const AnyRef& me) {
    return [&known, session = me.session](AnyRef any) -> py::object {
        if (!any.session.is_some()) any.session = session;
        const py::object ref = py::cast(to_py(any));
        return known.attr("get")(ref, ref);
    };
}

MakeHeld make_held_from(const SessionPtr& session) {
    return [&session](const Value::Held& held) { return held_object(session, held); };
}

py::object decoded(const SessionPtr& session, const Type& type, const Value& reply, const py::object& known) {
    return to_python(type, reply, make_ref_from(known, session->me()), make_held_from(session));
}

py::bytes encode_item(const py::object& value) {
    const Bytes bytes = value_or_raise(to_bytes(read_untyped(value, "item"), "item"));
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

py::object decode_item(const py::bytes& item) {
    const std::string_view bytes = item;
    const auto no_ref = [](AnyRef) -> py::object { return py::none(); };  // without a type a ref is a list
    return to_python(value_or_raise(from_bytes(std::as_bytes(std::span(bytes)))), no_ref,
                     [](const Value::Held&) -> py::object {
                         raise(Error{ErrorKind::corrupt, "an item carries no segment"});
                     });
}

const Type& reply_type(const ProtocolPtr& protocol, std::string_view command) {
    const Command* const known = protocol->find(command);
    if (known == nullptr) static_cast<void>(encode_fields(protocol, command, py::dict{}));  // raises
    if (!known->reply) refuse(fmt::format("{} has no reply: it can be sent, not asked", command));
    return *known->reply;
}

// ---- PyPending -------------------------------------------------------------------------------------

bool PyPending::ready() {
    if (state_ != State::under_way) return true;
    return session_->turn([this](Outsider&) { return pending_.wait(Duration::zero()).ok(); });
}

py::object PyPending::get(const py::object& timeout) {
    if (state_ == State::under_way) wait(to_duration(timeout), false);
    return outcome();
}

py::object PyPending::finish() {
    if (state_ == State::under_way) wait(Duration::zero(), true);
    return outcome();
}

py::object PyPending::outcome() const {
    if (state_ == State::cancelled) refuse(fmt::format("the request of {} to {} was cancelled", command_, who_));
    if (state_ == State::failed) raise(outcome_);
    return outcome_;
}

bool PyPending::cancel() {
    if (state_ != State::under_way) return false;
    state_ = State::cancelled;
    return session_->drop_pending(std::move(pending_));
}

void PyPending::wait(Duration duration, bool gives_up) {
    std::optional<Result<Value>> outcome;
    const Result<void> waited = session_->turn([&](Outsider&) {
        Result<void> how = pending_.wait(duration);
        if (how || (gives_up && how.error().kind == ErrorKind::timed_out))
            outcome.emplace(pending_.get(Duration::zero()));
        return how;
    });
    if (!outcome) raise(why_not_waited(waited.error()));
    if (*outcome) {
        state_ = State::answered;
        outcome_ = decoded(session_, reply_type(protocol_, command_), **outcome, known_);
    } else {
        state_ = State::failed;
        outcome_ = exception_of(outcome->error());
    }
}

Error PyPending::why_not_waited(Error error) const {
    if (error.kind == ErrorKind::stopping)
        error.text = fmt::format("this scenario is stopping and does not wait for {}", who_);
    if (error.kind == ErrorKind::gone) error.text = "the session has ended";
    if (error.kind == ErrorKind::timed_out)
        error.text = fmt::format(
            "{} has not answered {} in time; it is still asked: get() can be called again, cancel() withdraws it", who_,
            command_);
    return error;
}

// ---- PyAnswer --------------------------------------------------------------------------------------

void PyAnswer::reply(py::handle value) {
    const std::string what = "the reply to " + command_;
    const ProtocolPtr& protocol = session_->protocol();
    const Value reply = protocol == nullptr ? read_untyped(value, what)
                                            : read_value(value, reply_type(protocol, command_), what);
    value_or_raise(session_->turn([&](Outsider&) { return answer_.reply(reply); }));
}

void PyAnswer::fail(const std::string& text, const std::string& kind, const std::string& type,
                    const std::vector<std::string>& frames) {
    const Error error{error_kind_of(kind).value_or(ErrorKind::failed), text, type, frames};
    value_or_raise(session_->turn([&](Outsider&) { return answer_.fail(error); }));
}

void PyAnswer::waits_for(const PyRef& whom) {
    value_or_raise(session_->turn([&](Outsider&) { return answer_.waits_for(whom.any()); }));
}

// ---- the classes -----------------------------------------------------------------------------------

void add_pending_classes(py::module_& module) {
    py::class_<PyPending> pending(
        module, "Pending",
        "A reply that has not arrived yet, from Actor.request(). Destroying it discards the reply.\n\n"
        "get() waits for it; under asyncio `await pending` does, without holding up the event loop. A task that is\n"
        "cancelled while it awaits cancels the request.");
    pending
        .def("get", &PyPending::get, py::arg("timeout") = 5.0,
             "Waits for the reply and returns it; each further call returns the same one.\n\n"
             "Raises what the handler raised (baton.Failed) or what became of the actor (baton.Gone, baton.Stopping).\n"
             "Raises baton.TimedOut when the reply has not arrived in time; get() may then be called again.")
        .def("_finish", &PyPending::finish)
        .def("ready", &PyPending::ready,
             "True if get() would return or raise at once. Looks for a millisecond at most.")
        .def("cancel", &PyPending::cancel,
             "Discards the reply. True if the command is withdrawn: the actor had not begun it, and never will. False\n"
             "if it may have begun, and may still finish.")
        .def("__await__", [](const py::object& self) {
            return py::module_::import("baton._awaiting").attr("reply_of")(self).attr("__await__")();
        }, "Waits for the reply without holding up asyncio's event loop.")
        .def_property_readonly("_core", [](const PyPending& self) { return self.session(); });
    pending.attr("__module__") = "baton";

    py::class_<PyAnswer>(module, "Answer")
        .def("reply", &PyAnswer::reply, py::arg("value"))
        .def("fail", &PyAnswer::fail, py::arg("text"), py::arg("kind") = "failed", py::arg("type") = "",
             py::arg("frames") = std::vector<std::string>{})
        .def("waits_for", &PyAnswer::waits_for, py::arg("whom"));
}

}  // namespace baton::python
