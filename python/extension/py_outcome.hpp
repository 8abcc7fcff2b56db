#pragma once
// PyOutcome and PyTask: baton.Outcome, how a task ended, and baton.Task, an outcome that has not arrived yet. Either
// releases its task in the session's next turn, in whatever thread Python's collector runs. Called with the GIL held.

#include <baton/pool.hpp>

#include "python/extension/py_session.hpp"
#include "python/extension/to_python.hpp"

namespace baton::python {

using namespace detail;

using JobPtr = std::shared_ptr<pool::Job>;

// What the results are read with: the session, and the actors that it knows.
struct Reading {
    std::shared_ptr<PySession> session;
    py::object known;

    [[nodiscard]] py::object to_python(const TypeDescription& type, Value value) const;
    // The result of one that has one.
    [[nodiscard]] py::object value(const pool::AnyOutcome& outcome, pool::Reader& reader) const;
};

class PyOutcome {
public:
    PyOutcome(pool::AnyOutcome outcome, Reading reading) : outcome_(std::move(outcome)), reading_(std::move(reading)) {}
    ~PyOutcome() { reading_.session->drop_task(std::make_shared<pool::AnyOutcome>(std::move(outcome_))); }
    PyOutcome(const PyOutcome&) = delete;
    PyOutcome& operator=(const PyOutcome&) = delete;

    [[nodiscard]] const pool::AnyOutcome& outcome() const noexcept { return outcome_; }
    // Of a segment the first to ask for it gets it, and everybody the same object.
    py::object value();
    [[nodiscard]] py::object error() const;
    [[nodiscard]] py::tuple arguments() const;
    [[nodiscard]] py::object moment(Timestamp time) const;

private:
    pool::AnyOutcome outcome_;
    Reading reading_;
    py::object value_;
};

class PyTask {
public:
    PyTask(Reading reading, std::shared_ptr<pool::Scheduler> scheduler, JobPtr job)
        : reading_(std::move(reading)),
          scheduler_(scheduler),
          job_(job),
          pending_(std::make_shared<pool::Pending<std::monostate>>(std::move(scheduler), std::move(job))) {}
    ~PyTask() { reading_.session->drop_task(std::move(pending_)); }
    PyTask(const PyTask&) = delete;
    PyTask& operator=(const PyTask&) = delete;

    [[nodiscard]] pool::TaskId id() const { return job_->first_id; }
    bool ready();
    py::object outcome(const py::object& timeout);
    void cancel();

private:
    Reading reading_;
    std::shared_ptr<pool::Scheduler> scheduler_;
    JobPtr job_;
    std::shared_ptr<pool::Pending<std::monostate>> pending_;
    py::object outcome_;
};

// The extension's classes Outcome and Task.
void add_outcome_classes(py::module_& module);

}  // namespace baton::python
