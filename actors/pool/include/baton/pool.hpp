#pragma once
// Pool: calls of typed functions, run by worker actors (worker.hpp), as many at once as there are workers.
//
//     pool::Pool pool{scenario.context(), {.program = "my_worker", .workers = 4}};
//     auto squares = pool.map<std::int64_t>("square", numbers).value();             // waits; in the order of the numbers
//     auto pending = pool.submit<std::int64_t>("square", 4).value();                // does not
//     fmt::print("{} {}\n", squares[0].to_text(), pending.get(1s).value());
//
// The workers start with start() or the first call, and end with stop() or the Pool; then start() may be called again. A
// pool is no actor: it belongs to who uses it, a scenario or an actor, and moves whenever that submits, waits or asks
// ready(). Segments go in one hop from there to the worker, and the worker's death is known from the kernel.
//
// Who dies does not hold up the others: scheduler.hpp says what happens to the tasks, crew.hpp to the workers. One
// failed task loses no other's result. Short tasks travel many at a time without being told to.
//
// Errors: `refused` for a function that the workers do not have, arguments or a result that do not fit, an id that is
// taken; `timed_out` at a deadline, and the tasks that were waited for are cancelled; `stopping`; and what keeps the
// workers from starting. What becomes of a task is in its Outcome. One thread, that of the Context.

#include <deque>
#include <ranges>

#include <baton/detail/pool/call.hpp>
#include <baton/detail/pool/ids.hpp>
#include <baton/detail/pool/outcome.hpp>
#include <baton/detail/pool/scheduler.hpp>

namespace baton::pool {

using namespace detail;

enum class Errors {
    collect,        // all tasks are run; each outcome says how it went
    stop_at_first,  // the first error is returned, and tasks that have not begun never run
};

struct MapOptions {
    Errors errors = Errors::collect;
    Duration deadline = Duration::max();       // of the whole wait
    Duration task_deadline = Duration::max();  // of each task in a worker's hands; see Rules
    std::optional<std::uint32_t> retries = {}; // instead of the pool's
    std::size_t ahead = 0;                     // of imap(): see there
};

// The outcome to come of one task. Move-only; who lets it go cancels the task.
template <class R>
class Pending {
public:
    Pending(std::shared_ptr<Scheduler> scheduler, std::shared_ptr<Job> job) : scheduler_(std::move(scheduler)), job_(std::move(job)) {}
    Pending(Pending&&) noexcept = default;
    Pending& operator=(Pending&& other) noexcept {
        if (this != &other) {
            cancel();
            scheduler_ = std::move(other.scheduler_);
            job_ = std::move(other.job_);
        }
        return *this;
    }
    ~Pending() { cancel(); }

    [[nodiscard]] TaskId id() const { return job_->first_id; }
    // Looks once, without waiting.
    [[nodiscard]] bool ready() {
        if (job_->unsettled > 0) scheduler_->move();
        return job_->unsettled == 0;
    }
    // The result or the task's error; `timed_out` when it has not come by the deadline, and then one may ask again.
    [[nodiscard]] Result<R> get(Duration deadline) {
        Result<Outcome<R>> one = outcome(deadline);
        if (!one) return one.error();
        return one->result();
    }
    [[nodiscard]] Result<Outcome<R>> outcome(Duration deadline) {
        const Deadline end = scheduler_->context().deadline(deadline);
        if (job_->unsettled > 0)
            if (Result<void> waited = scheduler_->wait([this] { return job_->unsettled == 0; }, end); !waited) return waited.error();
        return Outcome<R>{AnyOutcome{job_, 0}};
    }
    // It never runs if it has not begun. Its outcome is `refused`.
    void cancel() {
        if (job_ != nullptr && job_->unsettled > 0) scheduler_->cancel(*job_);
    }

private:
    std::shared_ptr<Scheduler> scheduler_;
    std::shared_ptr<Job> job_;
};

template <class R, std::ranges::input_range Source>
class Lazy;

class Pool {
public:
    explicit Pool(Context& context, Options options)
        : scheduler_(std::make_shared<Scheduler>(context, std::move(options))), added_tally_(std::make_shared<Tally>()) {}
    ~Pool() { static_cast<void>(stop()); }
    Pool(const Pool&) = delete;
    Pool& operator=(const Pool&) = delete;

    // Waits until the workers are ready, and lets them begin with what was added before.
    [[nodiscard]] Result<void> start();
    // Ends the workers, and waits until the last of them has ended; their exits. What was not done has failed.
    std::vector<Ended> stop(Duration deadline = limits::stop_timeout);
    // What the workers can run; starts them.
    [[nodiscard]] Result<std::vector<Signature>> functions();

    // ---- one task. Arguments as in arguments.hpp, or a Call.
    template <class R, class... A>
    [[nodiscard]] Result<Pending<R>> submit(std::string_view function, A&&... arguments) {
        Result<std::shared_ptr<Job>> job = new_job<R>(function, usual_rules());
        if (!job) return job.error();
        if (Result<void> filled = baton::pool::fill(**job, arguments...); !filled) return filled.error();
        return sent<R>(std::move(*job));
    }
    template <class R>
    [[nodiscard]] Result<Pending<R>> submit(Call call) {
        if (Result<void> free = require_free(call.id()); !free) return free.error();
        Result<std::shared_ptr<Job>> job = new_job<R>(call.function(), call.rules(scheduler_->options().retries));
        if (!job) return job.error();
        if (Result<void> filled = call.fill(**job); !filled) return filled.error();
        return sent<R>(std::move(*job), call.id());
    }

    // ---- many tasks of one function: waits for all of them
    // One argument each.
    template <class R, std::ranges::input_range Values>
    [[nodiscard]] Result<Outcomes<R>> map(std::string_view function, Values&& values, const MapOptions& options = {}) {
        return run_rows<R>(function, options, size_of(values), [&](const auto& each) {
            for (auto&& value : values)
                if (Result<void> done = each(value); !done) return done;
            return Result<void>{};
        });
    }
    // A tuple of arguments each.
    template <class R, std::ranges::input_range Rows>
    [[nodiscard]] Result<Outcomes<R>> starmap(std::string_view function, Rows&& rows, const MapOptions& options = {}) {
        return run_rows<R>(function, options, size_of(rows), [&](const auto& each) {
            for (auto&& row : rows)
                if (Result<void> done = std::apply(each, row); !done) return done;
            return Result<void>{};
        });
    }
    // A tuple of arguments, and one of named ones, each; `refused` where there are not as many of both.
    template <class R, std::ranges::sized_range Rows, std::ranges::sized_range NamedRows>
    [[nodiscard]] Result<Outcomes<R>> starmap(std::string_view function, Rows&& rows, NamedRows&& named_rows,
                                              const MapOptions& options = {}) {
        if (Result<void> same = require_same_length(function, std::ranges::size(rows), std::ranges::size(named_rows)); !same)
            return same.error();
        return run_rows<R>(function, options, size_of(rows), [&](const auto& each) {
            auto named_row = std::ranges::begin(named_rows);
            for (auto&& row : rows) {
                const auto all = [&](auto&... one) {
                    return std::apply([&](auto&... more) { return each(one..., more...); }, *named_row);
                };
                if (Result<void> done = std::apply(all, row); !done) return done;
                ++named_row;
            }
            return Result<void>{};
        });
    }
    // The same as map(), but the outcomes are looked at one after the other, and values are only taken as that goes on: at
    // most `options.ahead` (0: sixteen a worker) that have not been looked at.
    // A source that is a temporary or a view is kept; any other must live as long as what this returns.
    template <class R, std::ranges::input_range Source>
    [[nodiscard]] Result<Lazy<R, std::remove_reference_t<Source>>> imap(std::string_view function, Source&& source, const MapOptions& options = {});

    // ---- step by step: add() some, before start() or after, then execute() waits for all that were added
    // The id. Before start() a call is not compared with what workers have: execute() tells, `refused`, in its outcome.
    [[nodiscard]] Result<TaskId> add(Call call);
    // All of them or none.
    [[nodiscard]] Result<std::vector<TaskId>> add(std::vector<Call> calls);
    // In the order in which they were added.
    [[nodiscard]] Result<std::vector<AnyOutcome>> execute(const MapOptions& options = {});
    [[nodiscard]] Result<std::vector<AnyOutcome>> execute(std::vector<Call> calls, const MapOptions& options = {});
    [[nodiscard]] Result<std::vector<AnyOutcome>> execute(Call call, const MapOptions& options = {});

    // ---- by id, whichever way a task was given
    // The outcome of that task; nothing as long as there is none. `refused` for an id that no task has, for a task that was
    // cancelled, and where nobody holds the outcomes of its call any more. Looks as ready() does.
    [[nodiscard]] Result<std::optional<AnyOutcome>> find(TaskId id);
    // The ids of all tasks that have no outcome yet, in order.
    [[nodiscard]] std::vector<TaskId> pending();

    // ---- for the pool's own parts, and for other languages
    // A job of that function without tasks; starts the workers. `refused` where it is not there.
    [[nodiscard]] Result<std::shared_ptr<Job>> new_job(std::string_view function, Rules rules);
    // `refused` for an id that a task has. To be asked before a call's segments leave the caller.
    [[nodiscard]] Result<void> require_free(std::optional<TaskId> id) const;
    // Numbers its tasks, the only one as wanted, and lets them run.
    [[nodiscard]] Result<void> send(const std::shared_ptr<Job>& job, std::optional<TaskId> id = {});
    // Sends it, and waits until its tasks are done, as the options say.
    [[nodiscard]] Result<void> run(const std::shared_ptr<Job>& job, const MapOptions& options);
    [[nodiscard]] Rules rules_of(const MapOptions& options) const {
        return {options.task_deadline, options.retries.value_or(scheduler_->options().retries)};
    }
    [[nodiscard]] Rules usual_rules() const { return rules_of({}); }
    [[nodiscard]] const std::shared_ptr<Scheduler>& scheduler() const noexcept { return scheduler_; }
    [[nodiscard]] static Result<void> require_same_length(std::string_view function, std::size_t rows, std::size_t named_rows);

private:
    // A call that was added; its job is made when there are workers.
    struct Added {
        TaskId id = 0;
        std::optional<Call> call;
        std::shared_ptr<Job> job;
    };

    template <class R>
    [[nodiscard]] Result<std::shared_ptr<Job>> new_job(std::string_view function, Rules rules) {
        Result<std::shared_ptr<Job>> job = new_job(function, rules);
        if (job)
            if (Result<void> fits = require_result(*(*job)->function, describe_type<R>()); !fits) return fits.error();
        return job;
    }
    template <class R>
    [[nodiscard]] Result<Pending<R>> sent(std::shared_ptr<Job> job, std::optional<TaskId> id = {}) {
        if (Result<void> done = send(job, id); !done) return done.error();
        return Pending<R>{scheduler_, std::move(job)};
    }
    // As far as it is known beforehand.
    template <class Range>
    [[nodiscard]] static std::size_t size_of(const Range& range) {
        if constexpr (std::ranges::sized_range<const Range>) return std::ranges::size(range);
        else return 0;
    }
    // `rows` calls its argument with the arguments of each task. All are checked before the first is sent.
    template <class R, class ForEachRow>
    [[nodiscard]] Result<Outcomes<R>> run_rows(std::string_view function, const MapOptions& options, std::size_t count, const ForEachRow& rows) {
        Result<std::shared_ptr<Job>> job = new_job<R>(function, rules_of(options));
        if (!job) return job.error();
        (*job)->reserve(count);
        std::optional<Plan> plan;
        bool is_any_held = false;
        bool is_holding = false;  // the second time: segments leave the rows when all values have been found to fit
        const auto each = [&]<class... A>(A&... arguments) -> Result<void> {
            // Names may be others in each row.
            if (!plan || (given::NamedOf<std::remove_cvref_t<A>>::value || ...)) {
                Result<Plan> made = plan_of(*(*job)->function, arguments...);
                if (!made) return made.error();
                plan.emplace(std::move(*made));
            }
            if (is_holding) {
                if constexpr (given::any_held<A...>) hold(**job, *plan, arguments...);
                return {};
            }
            is_any_held = given::any_held<A...>;
            return add_task(**job, *plan, arguments...);
        };
        if (Result<void> added = rows(each); !added) return added.error();
        is_holding = true;
        if (is_any_held) static_cast<void>(rows(each));
        if (Result<void> done = run(*job, options); !done) return done.error();
        return Outcomes<R>{std::move(*job)};
    }

    [[nodiscard]] Result<std::shared_ptr<Job>> make_job(TaskId id, const Call& call);
    void enqueue_or_fail(const std::shared_ptr<Job>& job);
    void register_by_id(const std::shared_ptr<Job>& job);
    [[nodiscard]] Result<void> wait_for(const Tally& tally, std::size_t total, std::string_view what, const MapOptions& options);

    std::shared_ptr<Scheduler> scheduler_;
    Ids ids_;
    std::map<TaskId, std::weak_ptr<Job>> jobs_;  // by the id of their first task; some may have ended
    std::size_t jobs_enough_ = 64;               // then those that have ended are taken out
    std::vector<Added> added_;
    std::shared_ptr<Tally> added_tally_;
};

// The outcomes of imap(), one after the other; a range that can be walked once. Of a pool that lives as long.
template <class R, std::ranges::input_range Source>
class Lazy {
public:
    Lazy(Pool& pool, std::string function, std::shared_ptr<Source> source, const MapOptions& options, std::size_t ahead)
        : pool_(&pool), function_(std::move(function)), source_(std::move(source)), options_(options),
          at_(std::ranges::begin(*source_)), ahead_(ahead) {}

    // The next one, nothing behind the last. An error: a value that does not fit, behind the outcomes of those before it;
    // `timed_out`, and then one may ask again; `stopping`; with Errors::stop_at_first also that of a task. What the source
    // throws is thrown behind the outcomes of the values before it, too.
    [[nodiscard]] Result<std::optional<Outcome<R>>> next() {
        take_values();
        if (pending_.empty()) {
            if (thrown_) std::rethrow_exception(std::exchange(thrown_, nullptr));
            if (trouble_) return *std::exchange(trouble_, std::nullopt);
            return std::optional<Outcome<R>>{};
        }
        Result<Outcome<R>> one = pending_.front().outcome(options_.deadline);
        if (!one) return one.error();
        pending_.pop_front();
        if (!one->ok() && options_.errors == Errors::stop_at_first) {
            pending_.clear();
            is_over_ = true;
            thrown_ = nullptr;
            trouble_.reset();
            return one->error_in_call();
        }
        return std::optional{std::move(*one)};
    }

    // for (const Outcome<R>& one : lazy): throws ErrorException where next() is an error.
    class Iterator {
    public:
        explicit Iterator(Lazy& lazy) : lazy_(&lazy), current_(lazy.next().value()) {}
        [[nodiscard]] const Outcome<R>& operator*() const { return *current_; }
        Iterator& operator++() { return current_ = lazy_->next().value(), *this; }
        [[nodiscard]] bool operator!=(std::default_sentinel_t) const { return current_.has_value(); }

    private:
        Lazy* lazy_;
        std::optional<Outcome<R>> current_;
    };
    [[nodiscard]] Iterator begin() { return Iterator{*this}; }
    [[nodiscard]] std::default_sentinel_t end() const { return {}; }

private:
    // As long as few enough wait to be looked at.
    void take_values() {
        try {
            while (!is_over_ && pending_.size() < ahead_ && at_ != std::ranges::end(*source_)) {
                if (Result<void> begun = begin_one(*at_); !begun) {
                    is_over_ = true;
                    trouble_ = begun.error();
                    return;
                }
                ++at_;
            }
        } catch (...) {
            is_over_ = true;
            thrown_ = std::current_exception();
        }
    }
    template <class V>
    [[nodiscard]] Result<void> begin_one(V&& value) {
        Result<std::shared_ptr<Job>> job = pool_->new_job(function_, pool_->rules_of(options_));
        if (!job) return job.error();
        if (Result<void> filled = baton::pool::fill(**job, value); !filled) return filled;
        if (Result<void> sent = pool_->send(*job); !sent) return sent;
        pending_.emplace_back(pool_->scheduler(), std::move(*job));
        return {};
    }

    Pool* pool_;
    std::string function_;
    std::shared_ptr<Source> source_;  // where `at_` points to, wherever this goes
    MapOptions options_;
    std::ranges::iterator_t<Source> at_;
    std::size_t ahead_;
    bool is_over_ = false;              // no further value is taken
    std::exception_ptr thrown_;         // why
    std::optional<Error> trouble_;      // or this
    std::deque<Pending<R>> pending_;
};

template <class R, std::ranges::input_range Source>
Result<Lazy<R, std::remove_reference_t<Source>>> Pool::imap(std::string_view function, Source&& source, const MapOptions& options) {
    // Tells at once where the function or its result is another one.
    Result<std::shared_ptr<Job>> job = new_job<R>(function, usual_rules());
    if (!job) return job.error();
    const std::size_t ahead = options.ahead > 0 ? options.ahead : 16 * scheduler_->crew().size();
    using Range = std::remove_reference_t<Source>;
    // Not std::views::all: clang has no use for it before version 16.
    constexpr bool is_kept = !std::is_lvalue_reference_v<Source> || std::ranges::view<std::remove_const_t<Range>>;
    std::shared_ptr<Range> range;
    if constexpr (is_kept) range = std::make_shared<Range>(std::forward<Source>(source));
    else range = std::shared_ptr<Range>{std::shared_ptr<void>{}, &source};  // which frees nothing
    return Lazy<R, Range>{*this, std::string(function), std::move(range), options, ahead};
}

}  // namespace baton::pool
