#include "python/extension/py_outcome.hpp"

#include <fmt/format.h>

#include "python/extension/errors.hpp"
#include "python/extension/from_python.hpp"
#include "python/extension/py_held.hpp"
#include "python/extension/py_pending.hpp"

namespace baton::python {

using namespace detail;

// ---- Reading ---------------------------------------------------------------------------------------

py::object Reading::to_python(const TypeDescription& type, Value value) const {
    const MakeRef make_ref = make_ref_from(known, session->tag());
    const MakeHeld make_held = [](Value, std::optional<HandleKind>) -> py::object {
        raise(Error{ErrorKind::corrupt, "a result refers to a segment that did not come with it"});
    };
    return python::to_python(type, value, make_ref, make_held);
}

py::object Reading::value(const pool::AnyOutcome& outcome, pool::Reader& reader) const {
    const pool::Signature& signature = *outcome.job().function;
    if (!pool::Job::makes_segments(signature))
        return to_python(signature.result, value_or_raise(outcome.value(reader)));
    const auto take = [&](std::size_t index) {
        return py::cast(std::make_unique<PySegment>(session, SegmentBase{value_or_raise(outcome.take_segment(index))}));
    };
    if (signature.result.kind != "list") return take(0);
    py::list all;
    for (std::size_t index = 0; index < outcome.segments(); ++index) all.append(take(index));
    return all;
}

// ---- PyOutcome -------------------------------------------------------------------------------------

py::object PyOutcome::value() {
    if (!outcome_.ok()) raise(error());
    if (!value_) {
        pool::Reader reader;
        value_ = reading_.value(outcome_, reader);
    }
    return value_;
}

py::object PyOutcome::error() const {
    if (outcome_.ok()) return py::none();
    py::object exception = exception_of(outcome_.error());
    exception.attr("function") = outcome_.function();
    exception.attr("arguments") = arguments();
    exception.attr("worker") = outcome_.worker();
    return exception;
}

py::tuple PyOutcome::arguments() const {
    const pool::Signature& signature = *outcome_.job().function;
    Unpacker unpacker;
    std::size_t offset = 0;
    const Result<Value> list = unpacker.next(outcome_.job().arguments_of(outcome_.task()), offset);
    py::tuple all{list ? list->size() : 0};
    for (std::size_t index = 0; index < all.size(); ++index) {
        const TypeDescription& type = signature.parameters[index].type;
        all[index] =
            handle_kind_of(type.kind) ? py::object(py::str(type.kind)) : reading_.to_python(type, list->at(index));
    }
    return all;
}

py::object PyOutcome::moment(Timestamp time) const {
    Buffer bytes;
    Encoder{bytes}.timestamp(time);
    Unpacker unpacker;
    std::size_t offset = 0;
    return reading_.to_python(describe_type<Timestamp>(), value_or_raise(unpacker.next(bytes, offset)));
}

// ---- PyTask ----------------------------------------------------------------------------------------

bool PyTask::ready() {
    if (job_->unsettled == 0) return true;
    return reading_.session->turn([this](Session&) { return pending_->ready(); });
}

py::object PyTask::outcome(const py::object& timeout) {
    if (job_->unsettled > 0) {
        const Duration duration = to_duration(timeout);
        value_or_raise(reading_.session->turn([&](Session& session) {
            return scheduler_->wait([this] { return job_->unsettled == 0; },
                                    Deadline::in(session.loop().clock(), duration));
        }));
    }
    if (!outcome_) outcome_ = py::cast(std::make_unique<PyOutcome>(pool::AnyOutcome{job_, 0}, reading_));
    return outcome_;
}

void PyTask::cancel() {
    if (job_->unsettled > 0) reading_.session->turn([this](Session&) { pending_->cancel(); });
}

// ---- the classes -----------------------------------------------------------------------------------

void add_outcome_classes(py::module_& module) {
    py::class_<PyOutcome> outcome(module, "Outcome",
                                  "What became of one task. str() says it: 'Call to square(4) --> Result: 16'.");
    outcome
        .def_property_readonly(
            "id", [](const PyOutcome& self) { return self.outcome().id(); }, "The task's.")
        .def_property_readonly(
            "function", [](const PyOutcome& self) { return self.outcome().function(); }, "Its name.")
        .def_property_readonly("arguments", &PyOutcome::arguments,
                               "In the order of the parameters; of a segment only the kind.")
        .def_property_readonly(
            "worker", [](const PyOutcome& self) { return self.outcome().worker(); },
            "The name of the worker that did it; '' if none came so far.")
        .def_property_readonly(
            "started", [](const PyOutcome& self) { return self.moment(self.outcome().started()); },
            "A datetime in UTC.")
        .def_property_readonly(
            "finished", [](const PyOutcome& self) { return self.moment(self.outcome().finished()); },
            "A datetime in UTC.")
        .def_property_readonly(
            "ok", [](const PyOutcome& self) { return self.outcome().ok(); }, "True if there is a value.")
        .def_property_readonly("value", &PyOutcome::value, "The result; raises the error if there is none.")
        .def_property_readonly(
            "error", &PyOutcome::error,
            "The baton.Error, which also knows function, arguments and worker; None if there is a value.")
        .def("__str__", [](const PyOutcome& self) { return self.outcome().to_text(); })
        .def("__repr__",
             [](const PyOutcome& self) { return fmt::format("<baton.Outcome: {}>", self.outcome().to_text()); });
    outcome.attr("__module__") = "baton";

    py::class_<PyTask>(module, "Task")
        .def_property_readonly("id", &PyTask::id)
        .def("ready", &PyTask::ready)
        .def("outcome", &PyTask::outcome, py::arg("timeout"))
        .def("cancel", &PyTask::cancel);
}

}  // namespace baton::python
