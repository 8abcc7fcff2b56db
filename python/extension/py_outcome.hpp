#pragma once
// PyOutcome: baton.Outcome, what became of a task. PyTask, PyTasks and PyCompleted: the outcomes to come of one call,
// of many, and those of several in the order in which they come. Each releases its tasks in the session's next turn,
// wherever Python's collector runs. Called with the GIL held.

#include <baton/dynamic_pool.hpp>

#include "python/extension/py_session.hpp"
#include "python/extension/to_python.hpp"

namespace baton::python {

using namespace dynamic;
using pool::AnyOutcome;

// What the results are read with: the session, and the actors that it knows.
struct Reading {
    std::shared_ptr<PySession> session;
    py::object known;

    [[nodiscard]] py::object to_python(const Type& type, const Value& value) const;
    // The result of one that has one.
    [[nodiscard]] py::object value(const AnyOutcome& outcome, ResultReader& reader) const;
};

class PyOutcome {
public:
    PyOutcome(AnyOutcome outcome, Reading reading) : outcome_(std::move(outcome)), reading_(std::move(reading)) {}
    ~PyOutcome() { reading_.session->drop_task(std::make_shared<AnyOutcome>(std::move(outcome_))); }
    PyOutcome(const PyOutcome&) = delete;
    PyOutcome& operator=(const PyOutcome&) = delete;

    [[nodiscard]] const AnyOutcome& outcome() const noexcept { return outcome_; }
    // Of a segment the first to ask for it gets it, and everybody the same object.
    py::object value();
    [[nodiscard]] py::object error() const;
    [[nodiscard]] py::tuple arguments() const;
    [[nodiscard]] py::object moment(Timestamp time) const;

private:
    AnyOutcome outcome_;
    Reading reading_;
    py::object value_;
};

// The one task of a submit().
class PyTask {
public:
    PyTask(Reading reading, Tasks task)
        : reading_(std::move(reading)), task_(std::make_shared<Tasks>(std::move(task))) {}
    ~PyTask() { reading_.session->drop_task(std::move(task_)); }
    PyTask(const PyTask&) = delete;
    PyTask& operator=(const PyTask&) = delete;

    [[nodiscard]] pool::TaskId id() const { return task_->id(); }
    [[nodiscard]] bool is_settled() const { return task_->is_settled(); }
    [[nodiscard]] const Tasks& tasks() const noexcept { return *task_; }
    bool ready();
    py::object outcome(const py::object& timeout);
    py::object cancel();
    // From here on the pool makes progress in other waits, too, until the outcome has come.
    void attend();

private:
    Reading reading_;
    std::shared_ptr<Tasks> task_;
    py::object outcome_;
};

// Those of a map_async().
class PyTasks {
public:
    PyTasks(Reading reading, Tasks tasks)
        : reading_(std::move(reading)), tasks_(std::make_shared<Tasks>(std::move(tasks))) {}
    ~PyTasks() { reading_.session->drop_task(std::move(tasks_)); }
    PyTasks(const PyTasks&) = delete;
    PyTasks& operator=(const PyTasks&) = delete;

    [[nodiscard]] std::size_t size() const { return tasks_->size(); }
    [[nodiscard]] std::size_t unfinished() const { return tasks_->unfinished(); }
    [[nodiscard]] bool is_settled() const { return tasks_->is_settled(); }
    [[nodiscard]] const Tasks& tasks() const noexcept { return *tasks_; }
    [[nodiscard]] std::vector<pool::TaskId> ids() const;
    bool ready();
    // Values if the first error is raised, else outcomes.
    py::list get(const py::object& timeout);
    std::tuple<std::size_t, std::size_t, std::size_t> cancel();
    void attend();

private:
    Reading reading_;
    std::shared_ptr<Tasks> tasks_;
};

class PyCompleted {
public:
    PyCompleted(Reading reading, const py::list& tasks, const py::object& timeout);
    ~PyCompleted() { reading_.session->drop_task(std::move(completed_)); }
    PyCompleted(const PyCompleted&) = delete;
    PyCompleted& operator=(const PyCompleted&) = delete;

    // The next Outcome, None behind the last.
    py::object next();

private:
    Reading reading_;
    py::list tasks_;  // which Python would drop otherwise
    std::shared_ptr<Completed> completed_;
};

// What a call came to: values, or outcomes.
[[nodiscard]] py::list results_of(const Outcomes& outcomes, const Reading& reading, bool as_outcomes);

// The extension's classes Outcome, Task, Tasks and Completed.
void add_outcome_classes(py::module_& module);

}  // namespace baton::python
