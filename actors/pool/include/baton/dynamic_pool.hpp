#pragma once
// dynamic::Pool: a pool (<baton/pool.hpp>) whose functions are known only at run time: for bindings to other languages
// and for gateways. It belongs to the Context of an Outsider (<baton/outsider.hpp>) or of an actor. What it adds to a
// Pool are calls whose tasks are written from values, checked against the signature that the workers have published.
//
//     dynamic::Pool pool{outsider.context(), {.program = "my_worker"}};
//     dynamic::TaskList tasks = pool.tasks("power").value();
//     for (std::int64_t base : bases) tasks.add({dynamic::Value{base}, dynamic::Value{std::int64_t{2}}}).value();
//     const dynamic::Outcomes powers = pool.map(std::move(tasks)).value();
//     dynamic::ResultReader reader;
//     for (std::size_t task = 0; task < powers.size(); ++task)
//         fmt::print("{}\n", to_json(reader.value(powers[task]).value()));
//
// Verbs return a Result, as an actor's do. One thread, that of the pool's owner.

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <baton/dynamic.hpp>
#include <baton/pool.hpp>

namespace baton::dynamic {

// Memory as an argument of a task. What pool::lease_of() and pool::slice_of() make is lent anew for each attempt at it.
using TaskMemory = detail::pool::HeldArgument;

// The tasks of one call that has not been made yet: all of one function, under the same rules.
class TaskList {
public:
    [[nodiscard]] const pool::Signature& function() const noexcept { return *job_->function; }
    [[nodiscard]] std::size_t size() const noexcept { return job_->size(); }
    void reserve(std::size_t tasks) { job_->reserve(tasks); }

    // For which parameter each argument is, if the first `positional` ones have no names and the others have these.
    // `refused` if their number or names do not fit.
    [[nodiscard]] Result<std::vector<std::size_t>> parameters_of(std::size_t positional,
                                                                 std::span<const std::string> names) const;

    // One more task, with a value for each parameter. `refused` with the place, `power(exponent): expected ...`, if one
    // does not fit; then nothing has left the values. Memory leaves its value, except for a Loan, of which the task
    // gets a lease.
    [[nodiscard]] Result<void> add(const Value::List& arguments);

    // In two steps, for callers that check many tasks before anything leaves its owner. add_encoded(): one more task
    // with values of the parameters' types as to_bytes() writes them; for memory an empty one. hold(): the memory of
    // the first task that has none yet, in the order of the parameters; once for each task, if the function takes any.
    void add_encoded(std::span<const Bytes> arguments);
    void hold(std::vector<TaskMemory> memory) { job_->held.push_back(std::move(memory)); }

private:
    friend class Pool;
    friend pool::Call call(std::string function, std::function<Result<void>(TaskList&)> write);
    explicit TaskList(std::shared_ptr<detail::pool::Job> job) : job_(std::move(job)) {}
    std::shared_ptr<detail::pool::Job> job_;
};

// `refused` if there are not as many of one as of the other: for rows of arguments beside rows of named ones.
using detail::pool::require_same_length;

// A call of one task for Pool::add() and execute(). `write` adds the task, when the pool knows its workers.
[[nodiscard]] pool::Call call(std::string function, std::function<Result<void>(TaskList&)> write);

// What became of the tasks of one call, in the order in which they were added. Cheap to copy.
class Outcomes {
public:
    [[nodiscard]] std::size_t size() const noexcept { return job_->size(); }
    [[nodiscard]] pool::AnyOutcome operator[](std::size_t task) const { return {job_, task}; }

private:
    friend class Pool;
    friend class Tasks;
    explicit Outcomes(std::shared_ptr<detail::pool::Job> job) : job_(std::move(job)) {}
    std::shared_ptr<detail::pool::Job> job_;
};

// Tasks that are under way: as pool::Task and pool::Tasks are (<baton/pool/task.hpp>). Move-only; dropping it withdraws
// those that have not begun.
class Tasks {
public:
    [[nodiscard]] std::size_t size() const noexcept { return handle_.job()->size(); }
    [[nodiscard]] pool::TaskId id(std::size_t task = 0) const noexcept { return handle_.job()->first_id + task; }
    // How many have no outcome yet, as far as is known.
    [[nodiscard]] std::size_t unfinished() const noexcept { return handle_.job()->unsettled; }
    // Says whether all outcomes are known, or the first error if that ends the call; ready() looks once before.
    [[nodiscard]] bool is_settled() const { return handle_.is_done(); }
    [[nodiscard]] bool ready() { return handle_.ready(); }
    [[nodiscard]] Result<void> wait(Within within) { return handle_.wait(within); }
    // Once is_settled(): with Errors::stop_at_first the first error of a task.
    [[nodiscard]] Result<Outcomes> outcomes() const;
    [[nodiscard]] pool::Errors errors() const noexcept { return handle_.errors(); }
    // Of the first task, and of all.
    pool::Cancelled cancel() { return handle_.cancel(); }
    pool::CancelledTasks cancel_all() { return handle_.cancel_all(); }
    // From here on they make progress in every wait of the owner, until all have an outcome.
    void attend() const { handle_.attend(); }

private:
    friend class Pool;
    friend class Completed;
    explicit Tasks(detail::pool::Handle handle) : handle_(std::move(handle)) {}
    detail::pool::Handle handle_;
};

// Outcomes in the order in which they come, of one or more Tasks of one pool.
class Completed {
public:
    // The time is for all of them together, and begins with the first next().
    explicit Completed(Within within) : completing_(within) {}
    // Before the first next(). The tasks must live as long.
    void add(const Tasks& tasks) { completing_.add(tasks.handle_); }
    // Nothing after the last. `timed_out`, after which one may ask again; with Errors::stop_at_first the first error.
    [[nodiscard]] Result<std::optional<pool::AnyOutcome>> next() { return completing_.next(); }

private:
    detail::pool::Completing completing_;
};

// Reads results as values. Outcomes of one call are read most quickly in their order.
class ResultReader {
public:
    // Only of an outcome that is ok(). Memory is taken with AnyOutcome::as<Segment>() or as<std::vector<Segment>>().
    [[nodiscard]] Result<Value> value(const pool::AnyOutcome& outcome) const;
};

class Pool : public pool::Pool<Context> {
public:
    using pool::Pool<Context>::Pool;
    using pool::Pool<Context>::map;
    using pool::Pool<Context>::map_async;
    using pool::Pool<Context>::submit;

    // An empty list. Starts the workers, if start() has not; `refused` if they do not have the function. Of the options
    // `task_timeout` and `retries` count.
    [[nodiscard]] Result<TaskList> tasks(std::string_view function, const pool::MapOptions& options = {});
    // `refused` for an id that a task has: to be asked before a task's memory leaves its owner.
    [[nodiscard]] Result<void> require_free(std::optional<pool::TaskId> id) const;

    // The one task of that list; does not wait.
    [[nodiscard]] Result<Tasks> submit(TaskList task, std::optional<pool::TaskId> id = {});
    // Waits for all of them; of the options `errors` and `within` count.
    [[nodiscard]] Result<Outcomes> map(TaskList tasks, const pool::MapOptions& options = {});
    [[nodiscard]] Result<Tasks> map_async(TaskList tasks, pool::Errors errors = pool::Errors::collect);

    // Like stop(), for an owner that is about to end, and the workers with it.
    void abandon();
};

}  // namespace baton::dynamic
