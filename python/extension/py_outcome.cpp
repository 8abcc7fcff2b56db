#include "python/extension/py_outcome.hpp"

#include <fmt/format.h>
#include <pybind11/stl.h>

#include "python/extension/errors.hpp"
#include "python/extension/from_python.hpp"
#include "python/extension/py_held.hpp"
#include "python/extension/py_pending.hpp"

namespace baton::python {

using namespace dynamic;

// ---- Reading ---------------------------------------------------------------------------------------

py::object Reading::to_python(const Type& type, const Value& value) const {
    const MakeHeld make_held = [](const Value::Held&) -> py::object {
        raise(Error{ErrorKind::corrupt, "a result refers to a segment that did not come with it"});
    };
    return python::to_python(type, value, make_ref_from(known, session->me()), make_held);
}

py::object Reading::value(const AnyOutcome& outcome, ResultReader& reader) const {
    const auto object_of = [&](Segment segment) {
        return py::cast(std::make_unique<PySegment>(session, std::make_shared<Memory>(std::move(segment))));
    };
    const Type& result = outcome.signature().result;
    if (result.kind == "segment") return object_of(value_or_raise(outcome.as<Segment>()));
    if (result.kind != "list" || result.parts[0].type.kind != "segment")
        return to_python(result, value_or_raise(reader.value(outcome)));
    py::list all;
    for (Segment& one : value_or_raise(outcome.as<std::vector<Segment>>())) all.append(object_of(std::move(one)));
    return all;
}

// ---- PyOutcome -------------------------------------------------------------------------------------

py::object PyOutcome::value() {
    if (!outcome_.ok()) raise(error());
    if (!value_) {
        ResultReader reader;
        value_ = reading_.value(outcome_, reader);
    }
    return value_;
}

py::object PyOutcome::error() const {
    if (outcome_.ok()) return py::none();
    const Error why = outcome_.error();
    py::object exception = outcome_.was_cancelled() ? py::module_::import("baton._errors").attr("Cancelled")(why.text)
                                                    : exception_of(why);
    exception.attr("function") = outcome_.function();
    exception.attr("arguments") = arguments();
    exception.attr("worker") = outcome_.worker();
    return exception;
}

py::tuple PyOutcome::arguments() const {
    const Result<Value::List> values = outcome_.arguments();
    py::tuple all{values ? values->size() : 0};
    for (std::size_t index = 0; index < all.size(); ++index) {
        const Type& type = outcome_.signature().parameters[index].type;
        all[index] =
            held_kind_of(type.kind) ? py::object(py::str(type.kind)) : reading_.to_python(type, (*values)[index]);
    }
    return all;
}

py::object PyOutcome::moment(Timestamp time) const { return reading_.to_python(type_of<Timestamp>(), Value{time}); }

// ---- PyTask ----------------------------------------------------------------------------------------

namespace {

void wait(const Reading& reading, Tasks& tasks, const py::object& timeout) {
    if (tasks.is_settled()) return;
    const Duration duration = to_duration(timeout);
    value_or_raise(reading.session->turn([&](Outsider&) { return tasks.wait(duration); }));
}

bool look(const Reading& reading, Tasks& tasks) {
    return tasks.is_settled() || reading.session->turn([&](Outsider&) { return tasks.ready(); });
}

void keep_moving(const Reading& reading, const Tasks& tasks) {
    if (!tasks.is_settled()) reading.session->turn([&](Outsider&) { tasks.attend(); });
}

}  // namespace

bool PyTask::ready() { return look(reading_, *task_); }

py::object PyTask::outcome(const py::object& timeout) {
    wait(reading_, *task_, timeout);
    if (!outcome_)
        outcome_ = py::cast(std::make_unique<PyOutcome>(value_or_raise(task_->outcomes())[0], reading_));
    return outcome_;
}

py::object PyTask::cancel() {
    if (task_->is_settled()) return py::none();
    switch (reading_.session->turn([this](Outsider&) { return task_->cancel(); })) {
        case pool::Cancelled::too_late: break;
        case pool::Cancelled::withdrawn: return py::str("withdrawn");
        case pool::Cancelled::ended: return py::str("ended");
    }
    return py::none();
}

void PyTask::attend() { keep_moving(reading_, *task_); }

// ---- PyTasks ---------------------------------------------------------------------------------------

std::vector<pool::TaskId> PyTasks::ids() const {
    std::vector<pool::TaskId> all(size());
    for (std::size_t task = 0; task < all.size(); ++task) all[task] = tasks_->id(task);
    return all;
}

bool PyTasks::ready() { return look(reading_, *tasks_); }

py::list PyTasks::get(const py::object& timeout) {
    wait(reading_, *tasks_, timeout);
    return results_of(value_or_raise(tasks_->outcomes()), reading_, tasks_->errors() == pool::Errors::collect);
}

std::tuple<std::size_t, std::size_t, std::size_t> PyTasks::cancel() {
    if (unfinished() == 0) return {0, 0, size()};
    const pool::CancelledTasks all = reading_.session->turn([this](Outsider&) { return tasks_->cancel_all(); });
    return {all.withdrawn, all.ended, all.too_late};
}

void PyTasks::attend() { keep_moving(reading_, *tasks_); }

py::list results_of(const Outcomes& outcomes, const Reading& reading, bool as_outcomes) {
    py::list all{outcomes.size()};
    ResultReader reader;
    for (std::size_t task = 0; task < outcomes.size(); ++task) {
        AnyOutcome outcome = outcomes[task];
        all[task] = as_outcomes ? py::cast(std::make_unique<PyOutcome>(std::move(outcome), reading))
                                : reading.value(outcome, reader);
    }
    return all;
}

// ---- PyCompleted -----------------------------------------------------------------------------------

PyCompleted::PyCompleted(Reading reading, const py::list& tasks, const py::object& timeout)
    : reading_(std::move(reading)),
      tasks_(tasks),
      completed_(std::make_shared<Completed>(to_duration(timeout))) {
    for (const py::handle one : tasks_) {
        if (py::isinstance<PyTasks>(one)) completed_->add(py::cast<const PyTasks&>(one).tasks());
        else completed_->add(py::cast<const PyTask&>(one).tasks());
    }
}

py::object PyCompleted::next() {
    std::optional<AnyOutcome> one =
        value_or_raise(reading_.session->turn([this](Outsider&) { return completed_->next(); }));
    if (!one) return py::none();
    return py::cast(std::make_unique<PyOutcome>(std::move(*one), reading_));
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
            "The name of the worker that had it in hand; '' if none had.")
        .def_property_readonly(
            "started", [](const PyOutcome& self) { return self.moment(self.outcome().started()); },
            "A datetime in UTC.")
        .def_property_readonly(
            "finished", [](const PyOutcome& self) { return self.moment(self.outcome().finished()); },
            "A datetime in UTC.")
        .def_property_readonly(
            "ok", [](const PyOutcome& self) { return self.outcome().ok(); }, "True if there is a value.")
        .def_property_readonly(
            "was_cancelled", [](const PyOutcome& self) { return self.outcome().was_cancelled(); },
            "True if there is no value because the task was cancelled.")
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
        .def_property_readonly("is_settled", &PyTask::is_settled)
        .def("ready", &PyTask::ready)
        .def("outcome", &PyTask::outcome, py::arg("timeout"))
        .def("cancel", &PyTask::cancel)
        .def("attend", &PyTask::attend);

    py::class_<PyTasks>(module, "Tasks")
        .def("__len__", &PyTasks::size)
        .def_property_readonly("ids", &PyTasks::ids)
        .def_property_readonly("unfinished", &PyTasks::unfinished)
        .def_property_readonly("is_settled", &PyTasks::is_settled)
        .def("ready", &PyTasks::ready)
        .def("get", &PyTasks::get, py::arg("timeout"))
        .def("cancel", &PyTasks::cancel)
        .def("attend", &PyTasks::attend);

    py::class_<PyCompleted>(module, "Completed").def("next", &PyCompleted::next);
}

}  // namespace baton::python
