#include "python/extension/py_pool.hpp"

#include <fmt/format.h>
#include <pybind11/stl.h>

#include <baton/pool.hpp>
#include "python/extension/errors.hpp"
#include "python/extension/from_python.hpp"
#include "python/extension/py_held.hpp"
#include "python/extension/py_session.hpp"
#include "python/extension/ref.hpp"
#include "python/extension/to_python.hpp"
#include "runtime/process/usable_cores.hpp"

namespace baton::python {

using namespace detail;
namespace {

namespace py = pybind11;
using SessionPtr = std::shared_ptr<PySession>;
using JobPtr = std::shared_ptr<pool::Job>;

// The right to write a part of a Lent, for a task that has not begun.
struct PySliceOf {
    py::object lent;
    std::uint64_t first = 0;
    std::uint64_t count = 0;
};

// ---- arguments -------------------------------------------------------------------------------------

// What Python raised, for whoever tells it later.
Error error_of(const py::error_already_set& raised) {
    const py::object& value = raised.value();
    if (!py::hasattr(value, "kind") || !py::hasattr(value, "text")) return Error{ErrorKind::refused, raised.what()};
    const auto kind = error_kind_of(py::cast<std::string>(value.attr("kind")));
    return Error{kind.value_or(ErrorKind::refused), py::cast<std::string>(value.attr("text"))};
}

PyHeld* lent_of(py::handle argument) {
    if (py::isinstance<PyLent>(argument)) return &py::cast<PyHeld&>(argument);
    if (py::isinstance<PySliceOf>(argument)) {
        const py::object& lent = py::cast<const PySliceOf&>(argument).lent;
        if (py::isinstance<PyLent>(lent)) return &py::cast<PyHeld&>(lent);
    }
    return nullptr;
}

// The kind of handle that an argument stands for, if any.
std::optional<HandleKind> held_kind(py::handle argument) {
    if (py::isinstance<PySliceOf>(argument) || py::isinstance<PySlice>(argument)) return HandleKind::slice;
    if (py::isinstance<PyLent>(argument) || py::isinstance<PyLease>(argument)) return HandleKind::lease;
    if (py::isinstance<PySegment>(argument)) return HandleKind::segment;
    return std::nullopt;
}

// One task's arguments in the order of the parameters, checked.
class Row {
public:
    Row(const pool::Signature& signature, const py::tuple& positional, const py::dict& named) : signature_(&signature) {
        std::vector<pool::Given> given;
        std::vector<std::string> names;
        names.reserve(named.size());
        const auto type_at = [&](std::size_t parameter) {
            return parameter < signature.parameters.size() ? signature.parameters[parameter].type : TypeDescription{};
        };
        for (std::size_t index = 0; index < positional.size(); ++index) given.push_back({{}, type_at(index)});
        for (const auto& [name, value] : named) {
            names.push_back(py::cast<std::string>(name));
            const auto found = std::ranges::find(signature.parameters, names.back(), &PartDescription::name);
            given.push_back({names.back(), type_at(static_cast<std::size_t>(found - signature.parameters.begin()))});
        }
        const pool::Plan plan = value_or_raise(pool::Plan::make(signature, given));
        arguments_.resize(given.size());
        std::size_t index = 0;
        for (const py::handle value : positional) arguments_[plan.parameter_of(index++)] = value;
        for (const auto& [name, value] : named) arguments_[plan.parameter_of(index++)] = value;
    }

    void encode(Buffer& out) const {
        Buffer row;
        Encoder encoder{row};
        encoder.array(arguments_.size());
        for (std::size_t parameter = 0; parameter < arguments_.size(); ++parameter) {
            const PartDescription& wanted = signature_->parameters[parameter];
            const std::string place = fmt::format("{}({})", signature_->name, wanted.name);
            if (const auto kind = handle_kind_of(wanted.type.kind); !kind) {
                encoder.encoded(encode_value(arguments_[parameter], wanted.type, place));
            } else {
                require_held(arguments_[parameter], *kind, place);
                encoder.nil();
            }
        }
        out += row;
    }

    // What is held leaves its objects.
    [[nodiscard]] std::vector<pool::HeldArgument> take_held() const {
        std::vector<pool::HeldArgument> all;
        for (const py::handle argument : arguments_) {
            const auto kind = held_kind(argument);
            if (!kind) continue;
            if (PyHeld* lent = lent_of(argument)) {
                const Lender lender{lent->memory()};
                if (py::isinstance<PySliceOf>(argument)) {
                    const auto& slice = py::cast<const PySliceOf&>(argument);
                    all.emplace_back(pool::SliceOf{lender, slice.first, slice.count});
                } else {
                    all.emplace_back(pool::LeaseOf{lender});
                }
                continue;
            }
            HeldMemory& memory = py::cast<PyHeld&>(argument).memory();
            const auto moved = [&memory]<class T>(T typed) {
                static_cast<HeldMemory&>(typed) = std::move(memory);
                return pool::HeldArgument{std::move(typed)};
            };
            all.push_back(*kind == HandleKind::segment ? moved(Segment{}) : *kind == HandleKind::lease ? moved(Lease{}) : moved(Slice{}));
        }
        return all;
    }

private:
    static void require_held(py::handle argument, HandleKind wanted, const std::string& place) {
        const auto kind = held_kind(argument);
        if (kind != wanted)
            refuse(fmt::format("{}: expected a {}, got {}", place,
                               wanted == HandleKind::segment ? "baton.Segment"
                               : wanted == HandleKind::lease ? "baton.Lent, of which the task gets a lease, or a baton.Lease"
                                                             : "baton.slice_of(lent, first, count) or a baton.Slice",
                               Py_TYPE(argument.ptr())->tp_name));
        if (const PyHeld* lent = lent_of(argument)) static_cast<void>(lent->holding());
        else if (py::isinstance<PySliceOf>(argument)) refuse(place + ": slice_of() is of a baton.Lent");
        else static_cast<void>(py::cast<PyHeld&>(argument).about_to_go(place));
    }

    const pool::Signature* signature_;
    std::vector<py::handle> arguments_;
};

// Fills a job with these rows; all are checked before anything leaves its object.
void fill(pool::Job& job, const std::vector<std::pair<py::tuple, py::dict>>& rows) {
    std::vector<Row> all;
    job.reserve(rows.size());
    for (const auto& [positional, named] : rows) {
        all.emplace_back(*job.function, positional, named).encode(job.arguments);
        job.add();
    }
    const bool takes_held = std::ranges::any_of(job.function->parameters, [](const PartDescription& parameter) {
        return handle_kind_of(parameter.type.kind).has_value();
    });
    if (!takes_held) return;
    for (const Row& row : all) job.held.push_back(row.take_held());
}

// ---- outcomes --------------------------------------------------------------------------------------

// What the results are read with: the session, and the actors that it knows.
struct Reading {
    SessionPtr session;
    py::object known;

    [[nodiscard]] py::object to_python(const TypeDescription& type, Value value) const {
        const MakeRef make_ref = make_ref_from(known, session->tag());
        const MakeHeld make_held = [](Value, std::optional<HandleKind>) -> py::object {
            raise(Error{ErrorKind::corrupt, "a result refers to a segment that did not come with it"});
        };
        return python::to_python(type, value, make_ref, make_held);
    }

    // The result of one that has one.
    [[nodiscard]] py::object value(const pool::AnyOutcome& outcome, pool::Reader& reader) const {
        const pool::Signature& signature = *outcome.job().function;
        if (!pool::Job::makes_segments(signature)) return to_python(signature.result, value_or_raise(outcome.value(reader)));
        const auto take = [&](std::size_t index) {
            return py::cast(std::make_unique<PySegment>(session, HeldMemory{value_or_raise(outcome.take_segment(index))}));
        };
        if (signature.result.kind != "list") return take(0);
        py::list all;
        for (std::size_t index = 0; index < outcome.segments(); ++index) all.append(take(index));
        return all;
    }
};

class PyOutcome {
public:
    PyOutcome(pool::AnyOutcome outcome, Reading reading) : outcome_(std::move(outcome)), reading_(std::move(reading)) {}
    ~PyOutcome() { reading_.session->drop_task(std::make_shared<pool::AnyOutcome>(std::move(outcome_))); }
    PyOutcome(const PyOutcome&) = delete;
    PyOutcome& operator=(const PyOutcome&) = delete;

    [[nodiscard]] const pool::AnyOutcome& outcome() const noexcept { return outcome_; }

    // Of a segment the first to ask for it gets it, and everybody the same object.
    py::object value() {
        if (!outcome_.ok()) raise(error());
        if (!value_) {
            pool::Reader reader;
            value_ = reading_.value(outcome_, reader);
        }
        return value_;
    }
    py::object error() const {
        if (outcome_.ok()) return py::none();
        py::object exception = exception_of(outcome_.error());
        exception.attr("function") = outcome_.function();
        exception.attr("arguments") = arguments();
        exception.attr("worker") = outcome_.worker();
        return exception;
    }
    py::tuple arguments() const {
        const pool::Signature& signature = *outcome_.job().function;
        Unpacker unpacker;
        std::size_t offset = 0;
        const Result<Value> list = unpacker.next(outcome_.job().arguments_of(outcome_.task()), offset);
        py::tuple all{list ? list->size() : 0};
        for (std::size_t index = 0; index < all.size(); ++index) {
            const TypeDescription& type = signature.parameters[index].type;
            all[index] = handle_kind_of(type.kind) ? py::object(py::str(type.kind)) : reading_.to_python(type, list->at(index));
        }
        return all;
    }
    py::object moment(Timestamp time) const {
        Buffer bytes;
        Encoder{bytes}.timestamp(time);
        Unpacker unpacker;
        std::size_t offset = 0;
        return reading_.to_python(describe_type<Timestamp>(), value_or_raise(unpacker.next(bytes, offset)));
    }

private:
    pool::AnyOutcome outcome_;
    Reading reading_;
    py::object value_;
};

// The outcome to come of one task.
class PyTask {
public:
    PyTask(Reading reading, std::shared_ptr<pool::Scheduler> scheduler, JobPtr job)
        : reading_(std::move(reading)), scheduler_(scheduler), job_(job),
          pending_(std::make_shared<pool::Pending<std::monostate>>(std::move(scheduler), std::move(job))) {}
    ~PyTask() { reading_.session->drop_task(std::move(pending_)); }
    PyTask(const PyTask&) = delete;
    PyTask& operator=(const PyTask&) = delete;

    [[nodiscard]] pool::TaskId id() const { return job_->first_id; }
    bool ready() {
        if (job_->unsettled == 0) return true;
        return reading_.session->turn([this](Session&) { return pending_->ready(); });
    }
    py::object outcome(const py::object& deadline) {
        if (job_->unsettled > 0) {
            const Duration duration = to_duration(deadline);
            value_or_raise(reading_.session->turn([&](Session& session) {
                return scheduler_->wait([this] { return job_->unsettled == 0; }, Deadline::in(session.loop().clock(), duration));
            }));
        }
        if (!outcome_) outcome_ = py::cast(std::make_unique<PyOutcome>(pool::AnyOutcome{job_, 0}, reading_));
        return outcome_;
    }
    void cancel() {
        if (job_->unsettled > 0) reading_.session->turn([this](Session&) { pending_->cancel(); });
    }

private:
    Reading reading_;
    std::shared_ptr<pool::Scheduler> scheduler_;
    JobPtr job_;
    std::shared_ptr<pool::Pending<std::monostate>> pending_;
    py::object outcome_;
};

// ---- the pool --------------------------------------------------------------------------------------

class PyPool {
public:
    PyPool(SessionPtr session, py::object known, pool::Options options)
        : reading_{std::move(session), std::move(known)}, options_(std::move(options)) {
        reading_.session->turn([this](Session& open) {
            options_.folders = open.searched_folders();
            pool_ = std::make_shared<pool::Pool>(open.context(), options_);
        });
        reading_.session->before_end([weak = std::weak_ptr(pool_->scheduler())] {
            if (const auto scheduler = weak.lock()) scheduler->abandon();
        });
    }
    ~PyPool() { reading_.session->drop_task(std::make_shared<LastStop>(std::move(pool_))); }
    PyPool(const PyPool&) = delete;
    PyPool& operator=(const PyPool&) = delete;

    void start() {
        value_or_raise(turn([this] { return pool_->start(); }));
    }
    void stop(const py::object& deadline) {
        if (!reading_.session->is_open()) return;
        const Duration duration = to_duration(deadline);
        turn([&] { static_cast<void>(pool_->stop(duration)); });
    }
    py::list functions() {
        py::list all;
        for (const pool::Signature& one : value_or_raise(turn([this] { return pool_->functions(); }))) all.append(to_text(one));
        return all;
    }

    std::unique_ptr<PyTask> submit(const std::string& function, const py::tuple& positional, const py::dict& named,
                                   const std::optional<pool::TaskId>& id, const py::object& deadline,
                                   const std::optional<std::uint32_t>& retries) {
        value_or_raise(pool_->require_free(id));
        const JobPtr job = new_job(function, rules(deadline, retries));
        fill(*job, {{positional, named}});
        auto task = std::make_unique<PyTask>(reading_, pool_->scheduler(), job);  // which cancels what a signal tears us out of
        value_or_raise(turn([&] { return pool_->send(job, id); }));
        return task;
    }

    // Values where the first error is raised, else outcomes.
    py::list map(const std::string& function, const std::vector<std::pair<py::tuple, py::dict>>& rows, bool collects,
                 const py::object& deadline, const py::object& task_deadline, const std::optional<std::uint32_t>& retries) {
        pool::MapOptions options;
        options.errors = collects ? pool::Errors::collect : pool::Errors::stop_at_first;
        options.deadline = to_duration(deadline);
        options.task_deadline = task_duration(task_deadline);
        options.retries = retries;
        const JobPtr job = new_job(function, pool_->rules_of(options));
        fill(*job, rows);
        value_or_raise(turn([&] { return pool_->run(job, options); }));
        py::list all{job->size()};
        pool::Reader reader;
        for (std::size_t task = 0; task < job->size(); ++task) {
            pool::AnyOutcome outcome{job, task};
            all[task] = collects ? py::cast(std::make_unique<PyOutcome>(std::move(outcome), reading_)) : reading_.value(outcome, reader);
        }
        return all;
    }

    pool::TaskId add(const std::string& function, const py::tuple& positional, const py::dict& named,
                     const std::optional<pool::TaskId>& id, const py::object& deadline, const std::optional<std::uint32_t>& retries) {
        // Let go, and read, wherever the pool is at the time.
        using Kept = std::pair<py::tuple, py::dict>;
        const std::shared_ptr<Kept> kept{new Kept{positional, named}, [](Kept* one) {
                                             const py::gil_scoped_acquire acquired;
                                             delete one;
                                         }};
        const auto fill_in = [kept](pool::Job& job) -> Result<void> {
            const py::gil_scoped_acquire acquired;
            try {
                fill(job, {*kept});
                return {};
            } catch (const py::error_already_set& raised) {
                return error_of(raised);
            }
        };
        pool::Call call{function, fill_in};
        const pool::Rules rules_ = rules(deadline, retries);
        call = std::move(call).with_deadline(rules_.deadline).with_retries(rules_.retries);
        if (id) call = std::move(call).with_id(*id);
        return value_or_raise(turn([&] { return pool_->add(std::move(call)); }));
    }
    py::list execute(bool collects, const py::object& deadline) {
        pool::MapOptions options;
        options.errors = collects ? pool::Errors::collect : pool::Errors::stop_at_first;
        options.deadline = to_duration(deadline);
        py::list all;
        for (pool::AnyOutcome& one : value_or_raise(turn([&] { return pool_->execute(options); })))
            all.append(std::make_unique<PyOutcome>(std::move(one), reading_));
        return all;
    }

    py::object find(pool::TaskId id) {
        std::optional<pool::AnyOutcome> one = value_or_raise(turn([&] { return pool_->find(id); }));
        if (!one) return py::none();
        return py::cast(std::make_unique<PyOutcome>(std::move(*one), reading_));
    }
    std::vector<pool::TaskId> pending() {
        return turn([this] { return pool_->pending(); });
    }

private:
    template <class Work>
    auto turn(const Work& work) -> std::invoke_result_t<Work> {
        return reading_.session->turn([&](Session&) { return work(); });
    }
    pool::Rules rules(const py::object& deadline, const std::optional<std::uint32_t>& retries) const {
        return {task_duration(deadline), retries.value_or(options_.retries)};
    }
    static Duration task_duration(const py::object& deadline) { return deadline.is_none() ? Duration::max() : to_duration(deadline); }
    JobPtr new_job(const std::string& function, pool::Rules rules) {
        return value_or_raise(turn([&] { return pool_->new_job(function, rules); }));
    }

    // Of a pool that nobody has stopped.
    struct LastStop {
        explicit LastStop(std::shared_ptr<pool::Pool> last) : pool(std::move(last)) {}
        LastStop(const LastStop&) = delete;
        LastStop& operator=(const LastStop&) = delete;
        ~LastStop() {
            try {
                static_cast<void>(pool->stop());
            } catch (...) {  // a signal's handler
                pool->scheduler()->abandon();
            }
        }
        std::shared_ptr<pool::Pool> pool;
    };

    Reading reading_;
    pool::Options options_;
    std::shared_ptr<pool::Pool> pool_;
};

}  // namespace

void add_pool_classes(py::module_& module) {
    py::class_<PySliceOf>(module, "SliceOf")
        .def("__repr__", [](const PySliceOf& self) {
            return fmt::format("baton.slice_of({}, {}, {})", std::string(py::repr(self.lent)), self.first, self.count);
        });
    module.def("slice_of", [](py::object lent, std::uint64_t first, std::uint64_t count) {
        return PySliceOf{std::move(lent), first, count};
    }, py::arg("lent"), py::arg("first"), py::arg("count"),
               "The right to write the elements (rows) [first, first + count) of a baton.Lent, as the argument of a task: a\n"
               "new slice for each attempt at it. A Lent itself as an argument is the right to read all of it.");

    module.def("usable_cores", [] { return usable_cores(); },
               "How many processors this process can keep busy: those it is bound to, as far as its cgroups have time for them.");
    module.def("require_same_length", [](const std::string& function, std::size_t rows, std::size_t named_rows) {
        value_or_raise(pool::Pool::require_same_length(function, rows, named_rows));
    });

    py::class_<PyOutcome> outcome(module, "Outcome",
                                  "What became of one task. str() says it: 'Call to square(4) --> Result: 16'.");
    outcome.def_property_readonly("id", [](const PyOutcome& self) { return self.outcome().id(); }, "The task's.")
        .def_property_readonly("function", [](const PyOutcome& self) { return self.outcome().function(); }, "Its name.")
        .def_property_readonly("arguments", &PyOutcome::arguments, "In the order of the parameters; of a segment only the kind.")
        .def_property_readonly("worker", [](const PyOutcome& self) { return self.outcome().worker(); },
                               "The name of the worker that did it; '' where none came so far.")
        .def_property_readonly("started", [](const PyOutcome& self) { return self.moment(self.outcome().started()); }, "A datetime in UTC.")
        .def_property_readonly("finished", [](const PyOutcome& self) { return self.moment(self.outcome().finished()); }, "A datetime in UTC.")
        .def_property_readonly("ok", [](const PyOutcome& self) { return self.outcome().ok(); }, "Whether there is a value.")
        .def_property_readonly("value", &PyOutcome::value, "The result; raises the error where there is none.")
        .def_property_readonly("error", &PyOutcome::error,
                               "The baton.Error, which also knows function, arguments and worker; None where there is a value.")
        .def("__str__", [](const PyOutcome& self) { return self.outcome().to_text(); })
        .def("__repr__", [](const PyOutcome& self) { return fmt::format("<baton.Outcome: {}>", self.outcome().to_text()); });
    outcome.attr("__module__") = "baton";

    py::class_<PyTask>(module, "Task")
        .def_property_readonly("id", &PyTask::id)
        .def("ready", &PyTask::ready)
        .def("outcome", &PyTask::outcome)
        .def("cancel", &PyTask::cancel);

    py::class_<PyPool>(module, "Pool")
        .def(py::init([](SessionPtr session, py::object known, std::string program, std::size_t workers, std::string name,
                         std::vector<std::string> arguments, std::uint32_t retries, bool shows_progress, const py::object& start_deadline) {
            return std::make_unique<PyPool>(std::move(session), std::move(known),
                                            pool::Options{std::move(program), workers, std::move(name), std::move(arguments), retries,
                                                          shows_progress, to_duration(start_deadline)});
        }))
        .def("start", &PyPool::start)
        .def("stop", &PyPool::stop)
        .def("functions", &PyPool::functions)
        .def("submit", &PyPool::submit)
        .def("map", &PyPool::map)
        .def("add", &PyPool::add)
        .def("execute", &PyPool::execute)
        .def("find", &PyPool::find)
        .def("pending", &PyPool::pending);
}

}  // namespace baton::python
