#pragma once
// Pool: calls of typed functions, run by worker actors (<baton/worker.hpp>), as many at once as there are workers.
//
//     pool::Pool pool{scenario, {.program = "my_worker", .workers = 4}};
//     auto squares = pool.map<std::int64_t>("square", numbers).values();      // waits; in the order of the numbers
//     auto task = pool.submit<std::int64_t>("square", 4);                     // does not wait
//     fmt::print("{} {}\n", squares[0], task.get(1s));
//
// A pool belongs to a scenario or to an actor, and its verbs fail as the owner's do: in a scenario they throw
// ErrorException, in an actor (Pool{context, ...}) they return a Result. The owner's type is the pool's argument, for
// members: pool::Pool<Context>. The workers start with start() or the first call, and end with stop() or the Pool;
// after stop() the pool may be started again.
//
// A pool is an object of its owner and has no thread. It gives tasks to workers and takes their results whenever its
// owner submits, waits or calls ready(), and, if then() was called, between the owner's commands; in the meantime
// workers go on with what they have in hand. Segments go from the owner to the worker in one hop. Short tasks are sent
// in batches, without being asked to.
//
// A worker whose death the kernel reports is replaced. The tasks that it had in hand run again; a task that kills every
// worker that runs it fails once its retries are used up. A failed task does not affect the results of others.
//
// Errors: `refused` for a function that the workers do not have, for arguments or a result that do not fit, and for an
// id that is taken; `overloaded` beyond pool::limits::tasks_waiting_max; `timed_out` if a wait takes longer than it
// may; `stopping` if the owner is told to stop; and any error that keeps the workers from starting. What becomes of a
// task is in its Outcome. One thread, that of the owner.

#include <memory>
#include <optional>
#include <ranges>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <baton/detail/pool/core.hpp>
#include <baton/pool/call.hpp>
#include <baton/pool/lazy.hpp>
#include <baton/pool/options.hpp>
#include <baton/pool/outcome.hpp>
#include <baton/pool/task.hpp>

namespace baton::pool {

using detail::pool::Signature;

template <detail::AnyMember Owner>
class Pool {
    using Face = detail::FaceOf<Owner>;
    template <class T>
    using Of = typename Face::template Of<T>;

public:
    Pool(Owner& owner, Options options)
        : core_(std::make_unique<detail::pool::Core>(detail::context_of(owner), std::move(options))) {}

    // Waits until the workers are ready, and lets them begin with what was added before.
    Of<void> start() { return Face::give(core_->start()); }
    // Ends the workers, and waits until the last of them has ended; returns their exits. Tasks that are not done fail
    // as `stopping`. A worker that has not ended in time is killed.
    std::vector<Ended> stop(Within within = limits::stop_timeout) { return core_->stop(within); }
    // What the workers can run. Starts them, if start() has not.
    Of<std::vector<Signature>> functions() { return Face::give(core_->functions()); }

    // ---- one task: does not wait. Arguments as in <baton/pool/call.hpp>, or a Call, which may have rules of its own.
    template <class R, class... A>
    Of<Task<R, Owner>> submit(std::string_view function, A&&... arguments) {
        const auto fill = [&](detail::pool::Job& job) { return detail::pool::fill(job, arguments...); };
        return task<R>(core_->submit(new_job<R>(function, core_->rules_of(MapOptions{})), std::nullopt, fill));
    }
    template <class R>
    Of<Task<R, Owner>> submit(Call call) {
        if (Result<void> free = core_->require_free(call.id()); !free) return task<R>(free.error());
        const auto fill = [&](detail::pool::Job& job) { return detail::pool::Inside::fill(call, job); };
        return task<R>(core_->submit(
            new_job<R>(call.function(), detail::pool::Inside::rules(call, core_->scheduler()->options().retries)),
            call.id(), fill));
    }

    // ---- many tasks of one function: waits for all of them
    // One argument for each task.
    template <class R, std::ranges::input_range Values>
    Of<Outcomes<R, Owner>> map(std::string_view function, Values&& values, const MapOptions& options = {}) {
        return run<R>(function, options, detail::pool::size_of(values), detail::pool::one_each(values));
    }
    // A tuple of arguments for each task.
    template <class R, std::ranges::input_range Rows>
    Of<Outcomes<R, Owner>> starmap(std::string_view function, Rows&& rows, const MapOptions& options = {}) {
        return run<R>(function, options, detail::pool::size_of(rows), detail::pool::tuple_each(rows));
    }
    // A tuple of arguments and a tuple of named arguments for each task; `refused` if the two ranges differ in length.
    template <class R, std::ranges::sized_range Rows, std::ranges::sized_range NamedRows>
    Of<Outcomes<R, Owner>> starmap(std::string_view function, Rows&& rows, NamedRows&& named_rows,
                                   const MapOptions& options = {}) {
        if (Result<void> same = require_same_length(function, rows, named_rows); !same)
            return Face::give(Result<Outcomes<R, Owner>>{same.error()});
        return run<R>(function, options, detail::pool::size_of(rows), detail::pool::two_tuples_each(rows, named_rows));
    }
    // Like map() and starmap(), but these return at once. `options.within` has no meaning here: Tasks::get() takes the
    // time to wait.
    template <class R, std::ranges::input_range Values>
    Of<Tasks<R, Owner>> map_async(std::string_view function, Values&& values, const MapOptions& options = {}) {
        return begin<R>(function, options, detail::pool::size_of(values), detail::pool::one_each(values));
    }
    template <class R, std::ranges::input_range Rows>
    Of<Tasks<R, Owner>> starmap_async(std::string_view function, Rows&& rows, const MapOptions& options = {}) {
        return begin<R>(function, options, detail::pool::size_of(rows), detail::pool::tuple_each(rows));
    }
    template <class R, std::ranges::sized_range Rows, std::ranges::sized_range NamedRows>
    Of<Tasks<R, Owner>> starmap_async(std::string_view function, Rows&& rows, NamedRows&& named_rows,
                                      const MapOptions& options = {}) {
        if (Result<void> same = require_same_length(function, rows, named_rows); !same)
            return Face::give(Result<Tasks<R, Owner>>{same.error()});
        return begin<R>(function, options, detail::pool::size_of(rows),
                        detail::pool::two_tuples_each(rows, named_rows));
    }
    // Like map(), but the outcomes are read one after the other, and values are taken from the source only as that goes
    // on: at most `options.ahead` (0: sixteen for each worker) whose outcomes have not been read. A source that is a
    // temporary or a view is kept; any other must live as long as the object that this returns.
    template <class R, std::ranges::input_range Source>
    Of<Lazy<R, std::remove_reference_t<Source>, Owner>> imap(std::string_view function, Source&& source,
                                                             const MapOptions& options = {}) {
        return Face::give(lazy<R>(function, std::forward<Source>(source), options));
    }

    // ---- outcomes in the order in which they come, of one or more calls of this pool
    // Takes a Tasks, or a range of Task or Tasks, and keeps it if it is a temporary. `within` is for all of them
    // together.
    template <class T>
    [[nodiscard]] auto as_completed(T&& tasks, Within within = Duration::max()) {
        detail::pool::Completing completing{within};
        std::shared_ptr<void> kept;
        if constexpr (std::ranges::input_range<T>) {
            for (const auto& one : tasks) completing.add(detail::pool::Inside::handle(one));
        } else {
            completing.add(detail::pool::Inside::handle(tasks));
        }
        if constexpr (!std::is_lvalue_reference_v<T>) kept = std::make_shared<T>(std::move(tasks));
        return Completed<detail::pool::ResultOf<std::remove_cvref_t<T>>, Owner>{std::move(completing), std::move(kept)};
    }

    // ---- step by step: add() some, before start() or after, then execute() waits for all that were added
    // Returns the id. Before start() it is not known what the workers can run, so a call that does not fit is added all
    // the same, and its outcome is `refused`.
    Of<TaskId> add(Call call) {
        return Face::give(
            core_->add(alone(std::move(call))).transform([](const std::vector<TaskId>& ids) { return ids.front(); }));
    }
    // All of them or none.
    Of<std::vector<TaskId>> add(std::vector<Call> calls) { return Face::give(core_->add(std::move(calls))); }
    // In the order in which they were added.
    Of<std::vector<AnyOutcome>> execute(const MapOptions& options = {}) { return Face::give(core_->execute(options)); }
    Of<std::vector<AnyOutcome>> execute(std::vector<Call> calls, const MapOptions& options = {}) {
        return Face::give(core_->add(std::move(calls)).and_then([&](const auto&) { return core_->execute(options); }));
    }
    Of<std::vector<AnyOutcome>> execute(Call call, const MapOptions& options = {}) {
        return execute(alone(std::move(call)), options);
    }

    // ---- by id, however the task was submitted
    // The outcome of that task; empty as long as it has none. `refused` for an id that no task has, for a task whose
    // Task was dropped, and if nobody holds the outcomes of its call any more. Looks once for new outcomes, as ready()
    // does.
    Of<std::optional<AnyOutcome>> find(TaskId id) { return Face::give(core_->find(id)); }
    // Does what Task::cancel() does; the task may be one of a map_async().
    Of<Cancelled> cancel(TaskId id) { return Face::give(core_->cancel(id)); }
    // The ids of all tasks that have no outcome yet, in order.
    [[nodiscard]] std::vector<TaskId> pending() { return core_->pending(); }

private:
    friend struct detail::pool::Inside;
    using JobResult = Result<std::shared_ptr<detail::pool::Job>>;

    [[nodiscard]] static std::vector<Call> alone(Call call) {
        std::vector<Call> calls;
        calls.push_back(std::move(call));
        return calls;
    }
    template <class R>
    [[nodiscard]] JobResult new_job(std::string_view function, detail::pool::Rules rules) {
        return core_->new_job(function, rules, detail::describe_type<R>());
    }
    template <class R>
    [[nodiscard]] static Of<Task<R, Owner>> task(Result<detail::pool::Handle> handle) {
        return Face::give(
            std::move(handle).transform([](detail::pool::Handle one) { return Task<R, Owner>{std::move(one)}; }));
    }
    template <class Rows, class NamedRows>
    [[nodiscard]] static Result<void> require_same_length(std::string_view function, const Rows& rows,
                                                          const NamedRows& named_rows) {
        return detail::pool::require_same_length(function, std::ranges::size(rows), std::ranges::size(named_rows));
    }
    // `rows` calls its argument with the arguments of each task.
    template <class R, class ForEachRow>
    [[nodiscard]] JobResult job_of(std::string_view function, const MapOptions& options, std::size_t count,
                                   const ForEachRow& rows) {
        JobResult job = new_job<R>(function, core_->rules_of(options));
        if (!job) return job;
        (*job)->reserve(count);
        if (Result<void> filled = detail::pool::fill_rows(**job, rows); !filled) return filled.error();
        return job;
    }
    template <class R, class ForEachRow>
    Of<Outcomes<R, Owner>> run(std::string_view function, const MapOptions& options, std::size_t count,
                               const ForEachRow& rows) {
        return Face::give(
            job_of<R>(function, options, count, rows).and_then([&](std::shared_ptr<detail::pool::Job> job) {
                return core_->run(job, options).transform([&] { return Outcomes<R, Owner>{std::move(job)}; });
            }));
    }
    template <class R, class ForEachRow>
    Of<Tasks<R, Owner>> begin(std::string_view function, const MapOptions& options, std::size_t count,
                              const ForEachRow& rows) {
        return Face::give(
            job_of<R>(function, options, count, rows).and_then([&](const std::shared_ptr<detail::pool::Job>& job) {
                return core_->begin(job, options.errors).transform([](detail::pool::Handle handle) {
                    return Tasks<R, Owner>{std::move(handle)};
                });
            }));
    }
    template <class R, class Source>
    [[nodiscard]] auto lazy(std::string_view function, Source&& source, const MapOptions& options)
        -> Result<Lazy<R, std::remove_reference_t<Source>, Owner>> {
        // Tells at once if the function or its result is a different one.
        if (const JobResult job = new_job<R>(function, core_->rules_of(options)); !job) return job.error();
        const std::size_t ahead = options.ahead > 0 ? options.ahead : 16 * core_->scheduler()->crew().size();
        using Range = std::remove_reference_t<Source>;
        // Not std::views::all: clang has no use for it before version 16.
        constexpr bool is_kept = !std::is_lvalue_reference_v<Source> || std::ranges::view<std::remove_const_t<Range>>;
        std::shared_ptr<Range> range;
        if constexpr (is_kept) range = std::make_shared<Range>(std::forward<Source>(source));
        else range = std::shared_ptr<Range>{std::shared_ptr<void>{}, &source};  // which frees nothing
        return Lazy<R, Range, Owner>{*core_, std::string(function), std::move(range), options, ahead};
    }

    std::unique_ptr<detail::pool::Core> core_;
};

}  // namespace baton::pool
