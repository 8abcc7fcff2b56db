#include "python/extension/py_pending.hpp"

#include <fmt/format.h>
#include <pybind11/stl.h>

#include "python/extension/errors.hpp"
#include "python/extension/from_python.hpp"
#include "python/extension/py_held.hpp"
#include "python/extension/ref.hpp"
#include "runtime/holdings/arrivals.hpp"

namespace baton::python {

using namespace detail;

MakeRef make_ref_from(const py::object& known, SessionTag session) {
    return [&known, session](AnyRef any) -> py::object {
        if (!any.session.is_some()) any.session = session;
        const py::object ref = py::cast(to_py(any));
        return known.attr("get")(ref, ref);
    };
}

MakeHeld make_held_from(const SessionPtr& session, Arrivals* arrivals) {
    return [&session, arrivals](Value value, std::optional<HandleKind> kind) -> py::object {
        std::string why = "refers to a segment that did not come with it";
        if (arrivals != nullptr && !kind) kind = arrivals->kind_of(value);
        Holding* const holding = arrivals == nullptr || !kind ? nullptr : arrivals->take(value, *kind, why);
        if (holding == nullptr) raise(Error{ErrorKind::corrupt, "the message " + why});
        return held_object(session, *holding);
    };
}

py::object decoded(const SessionPtr& session, const TypeDescription& type, const ReplyFrame& reply,
                   const py::object& known) {
    Unpacker unpacker;
    std::size_t offset = reply.offset;
    return to_python(type, value_or_raise(unpacker.next(reply.frame, offset)), make_ref_from(known, session->tag()),
                     make_held_from(session, reply.arrivals.get()));
}

py::bytes encode_item(const py::object& value) {
    const Written written = encode_untyped(value, "item");
    if (!written.parcel.holdings.empty()) refuse("an item can't carry a segment: give it to the actor itself");
    return written.body;
}

py::object decode_item(const py::bytes& item) {
    const std::string_view bytes = item;
    Unpacker unpacker;
    std::size_t offset = 0;
    const Value value = value_or_raise(unpacker.next(bytes, offset));
    return to_python_untyped(value, [](Value, std::optional<HandleKind>) -> py::object {
        raise(Error{ErrorKind::corrupt, "an item carries no segment"});
    });
}

const TypeDescription& reply_type(const ProtocolDescription& protocol, std::string_view command) {
    const CommandDescription* known = protocol.find(command);
    if (known == nullptr) static_cast<void>(encode_fields(protocol, command, py::dict{}));  // raises
    if (!known->reply) refuse(fmt::format("{} has no reply: it can be sent, not asked", command));
    return *known->reply;
}

// ---- PyPending -------------------------------------------------------------------------------------

bool PyPending::ready() {
    if (state_ != State::under_way) return true;
    return session_->turn([this](Session& session) {
        Loop& loop = session.loop();
        return loop.serve(nullptr, [&] { return loop.is_settled(ask_); }, Deadline{loop.clock().now()}) ==
               Loop::Waited::done;
    });
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
    return session_->drop_ask(ask_);
}

void PyPending::wait(Duration duration, bool gives_up) {
    std::optional<Result<ReplyFrame>> outcome;
    const Loop::Waited waited = session_->turn([&](Session& session) {
        Loop& loop = session.loop();
        const Loop::Waited how = loop.serve(
            nullptr, [&] { return loop.is_settled(ask_); }, Deadline::in(loop.clock(), duration));
        if (how == Loop::Waited::done || (gives_up && how == Loop::Waited::deadline))
            outcome.emplace(loop.await(ask_, Deadline{loop.clock().now()}));
        return how;
    });
    if (waited == Loop::Waited::stopping)
        raise(Error{ErrorKind::stopping, fmt::format("this scenario is stopping and does not wait for {}", who_)});
    if (waited == Loop::Waited::gone) raise(Error{ErrorKind::gone, "the session has ended: its coordinator has died"});
    if (waited == Loop::Waited::deadline && !gives_up)
        raise(Error{ErrorKind::timed_out, fmt::format("{} has not answered {} in time; it is still asked: get() can be "
                                                      "called again, cancel() withdraws it",
                                                      who_, command_)});
    if (*outcome) {
        state_ = State::answered;
        outcome_ = decoded(session_, reply_type(*protocol_, command_), **outcome, known_);
    } else {
        state_ = State::failed;
        outcome_ = exception_of(outcome->error());
    }
}

// ---- PyAnswer --------------------------------------------------------------------------------------

void PyAnswer::reply(py::handle value) {
    const std::string what = "the reply to " + command_;
    const ProtocolPtr& protocol = session_->protocol();
    const Written reply = protocol == nullptr ? encode_untyped(value, what)
                                              : encode_reply(reply_type(*protocol, command_), value, what);
    if (reply.body.size() > limits::message_bytes_max)
        refuse(fmt::format("the reply to {} has {} bytes, a message holds at most {} (limits::message_bytes_max)",
                           command_, reply.body.size(), limits::message_bytes_max));
    answer([&reply](AnswerSlot& slot) { slot.reply(reply.body, &reply.parcel); });
}

void PyAnswer::fail(const std::string& text, const std::string& kind, const std::string& type,
                    const std::vector<std::string>& frames) {
    const Error error{error_kind_of(kind).value_or(ErrorKind::failed), text, type, frames};
    answer([&](AnswerSlot& slot) { slot.fail(error); });
}

void PyAnswer::waits_for(const PyRef& whom) {
    if (!session_->say_waits_for(key_, whom.any())) refuse(fmt::format("{} has been answered already", command_));
}

void PyAnswer::answer(const std::function<void(AnswerSlot&)>& say) {
    if (!session_->answer(key_, say)) refuse(fmt::format("{} has been answered already", command_));
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
