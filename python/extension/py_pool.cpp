#include "python/extension/py_pool.hpp"

#include <fmt/format.h>
#include <pybind11/stl.h>

#include <baton/dynamic_pool.hpp>
#include <baton/program.hpp>
#include "python/extension/errors.hpp"
#include "python/extension/from_python.hpp"
#include "python/extension/py_outcome.hpp"
#include "python/extension/py_session.hpp"
#include "python/extension/task_arguments.hpp"

namespace baton::python {

using namespace dynamic;
namespace {

namespace py = pybind11;
using SessionPtr = std::shared_ptr<PySession>;

// What Python raised, to be told later.
Error error_of(const py::error_already_set& raised) {
    const py::object& value = raised.value();
    if (!py::hasattr(value, "kind") || !py::hasattr(value, "text")) return Error{ErrorKind::refused, raised.what()};
    const auto kind = error_kind_of(py::cast<std::string>(value.attr("kind")));
    return Error{kind.value_or(ErrorKind::refused), py::cast<std::string>(value.attr("text"))};
}

class PyPool {
public:
    PyPool(SessionPtr session, py::object known, pool::Options options)
        : reading_{std::move(session), std::move(known)}, options_(std::move(options)) {
        reading_.session->turn([this](Outsider& open) {
            options_.folders = open.program_folders();
            pool_ = std::make_shared<Pool>(open.context(), options_);
        });
        reading_.session->before_end([weak = std::weak_ptr(pool_)] {
            if (const auto last = weak.lock()) last->abandon();
        });
    }
    ~PyPool() { reading_.session->drop_task(std::make_shared<LastStop>(std::move(pool_))); }
    PyPool(const PyPool&) = delete;
    PyPool& operator=(const PyPool&) = delete;

    void start() {
        value_or_raise(turn([this] { return pool_->start(); }));
    }
    void stop(const py::object& timeout) {
        if (!reading_.session->is_open()) return;
        const Duration duration = to_duration(timeout);
        turn([&] { static_cast<void>(pool_->stop(duration)); });
    }
    py::list functions() {
        py::list all;
        for (const pool::Signature& one : value_or_raise(turn([this] { return pool_->functions(); })))
            all.append(to_text(one));
        return all;
    }

    std::unique_ptr<PyTask> submit(const std::string& function, const py::tuple& positional, const py::dict& named,
                                   const std::optional<pool::TaskId>& id, const py::object& timeout,
                                   const std::optional<std::uint32_t>& retries) {
        value_or_raise(pool_->require_free(id));
        TaskList task = new_tasks(function, rules(timeout, retries));
        fill(task, {{positional, named}});
        return std::make_unique<PyTask>(
            reading_, value_or_raise(turn([&] { return pool_->submit(std::move(task), id); })));
    }

    // Values if the first error is raised, else outcomes.
    py::list map(const std::string& function, const std::vector<std::pair<py::tuple, py::dict>>& rows, bool collects,
                 const py::object& timeout, const py::object& task_timeout,
                 const std::optional<std::uint32_t>& retries) {
        pool::MapOptions options = rules(task_timeout, retries);
        options.errors = errors_of(collects);
        options.within = to_duration(timeout);
        TaskList tasks = new_tasks(function, options);
        fill(tasks, rows);
        const Outcomes outcomes = value_or_raise(turn([&] { return pool_->map(std::move(tasks), options); }));
        return results_of(outcomes, reading_, collects);
    }
    // Begins it, and returns at once.
    std::unique_ptr<PyTasks> map_async(const std::string& function,
                                       const std::vector<std::pair<py::tuple, py::dict>>& rows, bool collects,
                                       const py::object& task_timeout, const std::optional<std::uint32_t>& retries) {
        TaskList tasks = new_tasks(function, rules(task_timeout, retries));
        fill(tasks, rows);
        return std::make_unique<PyTasks>(reading_, value_or_raise(turn([&] {
            return pool_->map_async(std::move(tasks), errors_of(collects));
        })));
    }
    std::unique_ptr<PyCompleted> as_completed(const py::list& tasks, const py::object& timeout) {
        return std::make_unique<PyCompleted>(reading_, tasks, timeout);
    }

    pool::TaskId add(const std::string& function, const py::tuple& positional, const py::dict& named,
                     const std::optional<pool::TaskId>& id, const py::object& timeout,
                     const std::optional<std::uint32_t>& retries) {
        // They are read and released wherever the pool is at the time, so both take the GIL.
        using Kept = std::pair<py::tuple, py::dict>;
        const std::shared_ptr<Kept> kept{new Kept{positional, named}, [](Kept* one) {
                                             const py::gil_scoped_acquire acquired;
                                             delete one;
                                         }};
        const auto fill_in = [kept](TaskList& tasks) -> Result<void> {
            const py::gil_scoped_acquire acquired;
            try {
                fill(tasks, {*kept});
                return {};
            } catch (const py::error_already_set& raised) {
                return error_of(raised);
            }
        };
        pool::Call call = dynamic::call(function, fill_in)
                              .with_timeout(task_duration(timeout))
                              .with_retries(retries.value_or(options_.retries));
        if (id) call = std::move(call).with_id(*id);
        return value_or_raise(turn([&] { return pool_->add(std::move(call)); }));
    }
    py::list execute(bool collects, const py::object& timeout) {
        pool::MapOptions options;
        options.errors = errors_of(collects);
        options.within = to_duration(timeout);
        py::list all;
        for (AnyOutcome& one : value_or_raise(turn([&] { return pool_->execute(options); })))
            all.append(std::make_unique<PyOutcome>(std::move(one), reading_));
        return all;
    }

    py::object find(pool::TaskId id) {
        std::optional<AnyOutcome> one = value_or_raise(turn([&] { return pool_->find(id); }));
        if (!one) return py::none();
        return py::cast(std::make_unique<PyOutcome>(std::move(*one), reading_));
    }
    py::object cancel(pool::TaskId id) {
        switch (value_or_raise(turn([&] { return pool_->cancel(id); }))) {
            case pool::Cancelled::too_late: break;
            case pool::Cancelled::withdrawn: return py::str("withdrawn");
            case pool::Cancelled::ended: return py::str("ended");
        }
        return py::none();
    }
    std::vector<pool::TaskId> pending() {
        return turn([this] { return pool_->pending(); });
    }

private:
    template <class Work>
    auto turn(const Work& work) -> std::invoke_result_t<Work> {
        return reading_.session->turn([&](Outsider&) { return work(); });
    }
    static pool::MapOptions rules(const py::object& timeout, const std::optional<std::uint32_t>& retries) {
        pool::MapOptions options;
        options.task_timeout = task_duration(timeout);
        options.retries = retries;
        return options;
    }
    static pool::Errors errors_of(bool collects) {
        return collects ? pool::Errors::collect : pool::Errors::stop_at_first;
    }
    static Duration task_duration(const py::object& timeout) {
        return timeout.is_none() ? Duration::max() : to_duration(timeout);
    }
    TaskList new_tasks(const std::string& function, const pool::MapOptions& rules) {
        return value_or_raise(turn([&] { return pool_->tasks(function, rules); }));
    }

    // Of a pool that nobody has stopped.
    struct LastStop {
        explicit LastStop(std::shared_ptr<Pool> last) : pool(std::move(last)) {}
        LastStop(const LastStop&) = delete;
        LastStop& operator=(const LastStop&) = delete;
        ~LastStop() {
            try {
                static_cast<void>(pool->stop(limits::stop_timeout));
            } catch (...) {  // a signal's handler
                pool->abandon();
            }
        }
        std::shared_ptr<Pool> pool;
    };

    Reading reading_;
    pool::Options options_;
    std::shared_ptr<Pool> pool_;
};

template <class Part>
void add_part(py::module_& module, const char* name, const std::string& function, const char* documentation) {
    const std::string about = "Part of a baton.Loan as the argument of a task; " + function + "() makes one.";
    py::class_<Part>(module, name, about.c_str()).def("__repr__", [function](const Part& self) {
        return fmt::format("baton.{}({}, {}, {})", function, std::string(py::repr(self.loan)), self.first, self.count);
    });
    module.def(
        function.c_str(),
        [](py::object loan, std::uint64_t first, std::uint64_t count) {
            return Part{{std::move(loan), first, count}};
        },
        py::arg("loan"), py::arg("first"), py::arg("count"), documentation);
}

}  // namespace

void add_pool_classes(py::module_& module) {
    add_part<PySliceOf>(
        module, "SliceOf", "slice_of",
        "The right to write the elements (rows) [first, first + count) of a baton.Loan, as the argument of a task: a\n"
        "new slice for each attempt at it. A Loan itself as an argument is the right to read all of it.");
    add_part<PyLeaseOf>(
        module, "LeaseOf", "lease_of",
        "The right to read the elements (rows) [first, first + count) of a baton.Loan, as the argument of a task: a\n"
        "new lease for each attempt at it. Other tasks may write elsewhere in the Loan at the same time; a range that\n"
        "somebody may write at that moment is Refused.");

    module.def(
        "usable_cores", [] { return program::usable_cores(); },
        "How many processors this process can keep busy: those it is bound to, as far as its cgroups have time for "
        "them.");
    module.def("require_same_length", [](const std::string& function, std::size_t rows, std::size_t named_rows) {
        value_or_raise(require_same_length(function, rows, named_rows));
    }, py::arg("function"), py::arg("rows"), py::arg("named_rows"));

    add_outcome_classes(module);

    py::class_<PyPool>(module, "Pool")
        .def(py::init([](SessionPtr session, py::object known, std::string program, std::size_t workers,
                         std::string name, std::vector<std::string> arguments, std::uint32_t retries,
                         bool shows_progress, const py::object& start_timeout) {
                 return std::make_unique<PyPool>(
                     std::move(session), std::move(known),
                     pool::Options{std::move(program), workers, std::move(name), std::move(arguments), retries,
                                   shows_progress, to_duration(start_timeout)});
             }),
             py::arg("session"), py::arg("known"), py::arg("program"), py::arg("workers"), py::arg("name"),
             py::arg("arguments"), py::arg("retries"), py::arg("progress"), py::arg("start_timeout"))
        .def("start", &PyPool::start)
        .def("stop", &PyPool::stop, py::arg("timeout"))
        .def("functions", &PyPool::functions)
        .def("submit", &PyPool::submit, py::arg("function"), py::arg("positional"), py::arg("named"), py::arg("id"),
             py::arg("task_timeout"), py::arg("retries"))
        .def("map", &PyPool::map, py::arg("function"), py::arg("rows"), py::arg("collects"), py::arg("timeout"),
             py::arg("task_timeout"), py::arg("retries"))
        .def("map_async", &PyPool::map_async, py::arg("function"), py::arg("rows"), py::arg("collects"),
             py::arg("task_timeout"), py::arg("retries"))
        .def("as_completed", &PyPool::as_completed, py::arg("tasks"), py::arg("timeout"))
        .def("cancel", &PyPool::cancel, py::arg("id"))
        .def("add", &PyPool::add, py::arg("function"), py::arg("positional"), py::arg("named"), py::arg("id"),
             py::arg("task_timeout"), py::arg("retries"))
        .def("execute", &PyPool::execute, py::arg("collects"), py::arg("timeout"))
        .def("find", &PyPool::find, py::arg("id"))
        .def("pending", &PyPool::pending);
}

}  // namespace baton::python
