#include <baton/pool.hpp>

#include <fmt/format.h>

#include <algorithm>

#include "runtime/base/progress.hpp"

namespace baton::pool {

using namespace detail;
namespace {

// Whoever waited for these does so no more: what is left of them never runs, also where the wait was left by a throw.
struct CancelRest {
    Scheduler& scheduler;
    std::vector<std::shared_ptr<Job>> jobs;
    CancelRest(Scheduler& of, std::vector<std::shared_ptr<Job>> all) : scheduler(of), jobs(std::move(all)) {}
    CancelRest(const CancelRest&) = delete;
    CancelRest& operator=(const CancelRest&) = delete;
    ~CancelRest() {
        for (const std::shared_ptr<Job>& job : jobs) scheduler.cancel(*job);
    }
};

}  // namespace

// ---- start and stop --------------------------------------------------------------------------------

Result<void> Pool::start() {
    if (scheduler_->is_ready()) return {};
    if (Result<void> started = scheduler_->start(); !started) return started;
    for (Added& added : added_) {
        Result<std::shared_ptr<Job>> job = make_job(added.id, *added.call);
        if (job) {
            added.job = std::move(*job);
            register_by_id(added.job);
            enqueue_or_fail(added.job);
            continue;
        }
        // It never runs; its outcome says why.
        added.job = std::make_shared<Job>(std::make_shared<const Signature>(Signature{added.call->function(), {}, {"nothing", "", 0, {}}}),
                                          added.id, Rules{});
        Encoder{added.job->arguments}.array(0);
        added.job->tally = added_tally_;
        added.job->add();
        added.job->fail(0, job.error());
        register_by_id(added.job);
    }
    return {};
}

std::vector<Ended> Pool::stop(Duration deadline) {
    added_.clear();
    added_tally_ = std::make_shared<Tally>();
    ids_.forget_all();
    jobs_.clear();
    return scheduler_->stop(deadline);
}

Result<std::vector<Signature>> Pool::functions() {
    if (Result<void> started = start(); !started) return started.error();
    std::vector<Signature> all;
    for (const std::shared_ptr<const Signature>& one : scheduler_->crew().functions()) all.push_back(*one);
    return all;
}

// ---- jobs ------------------------------------------------------------------------------------------

Result<std::shared_ptr<Job>> Pool::new_job(std::string_view function, Rules rules) {
    if (Result<void> started = start(); !started) return started.error();
    Result<std::shared_ptr<const Signature>> known = scheduler_->crew().function(function);
    if (!known) return known.error();
    return std::make_shared<Job>(std::move(*known), 0, rules);
}

Result<void> Pool::require_free(std::optional<TaskId> id) const {
    if (!id || (*id > 0 && ids_.is_free(*id))) return {};
    return Error{ErrorKind::refused, *id == 0 ? std::string("0 is no task id: they begin with 1")
                                              : fmt::format("there is a task with the id {} already", *id)};
}

Result<void> Pool::send(const std::shared_ptr<Job>& job, std::optional<TaskId> id) {
    if (Result<void> free = require_free(id); !free) return free;
    if (Result<void> queued = scheduler_->enqueue(job); !queued) return queued;
    job->first_id = id ? *id : ids_.take(job->size());
    if (id) ids_.take_this(*id);
    if (job->size() > 0) register_by_id(job);
    scheduler_->move();
    return {};
}

Result<void> Pool::run(const std::shared_ptr<Job>& job, const MapOptions& options) {
    const auto tally = std::make_shared<Tally>();
    tally->open = job->unsettled;
    job->tally = tally;
    const CancelRest at_the_end{*scheduler_, {job}};
    if (Result<void> sent = send(job); !sent) return sent;
    Result<void> waited = wait_for(*tally, job->size(), job->function->name, options);
    if (waited && options.errors == Errors::stop_at_first && tally->failed != nullptr)
        return AnyOutcome{job, tally->failed_task}.error_in_call();
    return waited;
}

// Until all tasks that it counts are settled, or the first has failed where that is enough.
Result<void> Pool::wait_for(const Tally& tally, std::size_t total, std::string_view what, const MapOptions& options) {
    std::optional<Progress> progress;
    if (scheduler_->options().shows_progress) progress.emplace(std::string(what), total, "tasks");
    const bool stops = options.errors == Errors::stop_at_first;
    const auto is_done = [&] {
        if (progress) {
            if (tally.last != nullptr) progress->rename(tally.last->function->name);
            progress->reach(total - tally.open);
        }
        return tally.open == 0 || (stops && tally.failed != nullptr);
    };
    return scheduler_->wait(is_done, scheduler_->context().deadline(options.deadline));
}

Result<void> Pool::require_same_length(std::string_view function, std::size_t rows, std::size_t named_rows) {
    if (rows == named_rows) return {};
    return Error{ErrorKind::refused, fmt::format("{}: {} rows of arguments and {} of named ones; each task needs one of both",
                                                 function, rows, named_rows)};
}

// ---- by id -------------------------------------------------------------------------------------------

void Pool::register_by_id(const std::shared_ptr<Job>& job) {
    if (jobs_.size() >= jobs_enough_) {
        std::erase_if(jobs_, [](const auto& entry) { return entry.second.expired(); });
        jobs_enough_ = std::max<std::size_t>(64, 2 * jobs_.size());
    }
    jobs_.insert_or_assign(job->first_id, job);
}

Result<std::optional<AnyOutcome>> Pool::find(TaskId id) {
    if (id == 0 || ids_.is_free(id)) return Error{ErrorKind::refused, fmt::format("no task of this pool has the id {}", id)};
    const auto is_it = [id](const Added& one) { return one.id == id && one.job == nullptr; };
    if (std::ranges::any_of(added_, is_it)) return std::optional<AnyOutcome>{};  // it waits for start()
    const auto behind = jobs_.upper_bound(id);
    const std::shared_ptr<Job> job = behind == jobs_.begin() ? nullptr : std::prev(behind)->second.lock();
    if (job == nullptr || id - job->first_id >= job->size())
        return Error{ErrorKind::refused, fmt::format("nobody holds the outcome of the task {} any more: keep what submit(), map() or execute() "
                                                     "return for as long as it is to be looked up", id)};
    const auto task = static_cast<std::size_t>(id - job->first_id);
    if (job->fates[task].state == Job::State::cancelled)
        return Error{ErrorKind::refused, fmt::format("the task {} was cancelled, or let go by whoever had submitted it", id)};
    if (!job->is_settled(task)) scheduler_->move();
    if (!job->is_settled(task)) return std::optional<AnyOutcome>{};
    return std::optional{AnyOutcome{job, task}};
}

std::vector<TaskId> Pool::pending() {
    scheduler_->move();
    std::vector<TaskId> ids;
    for (const Added& one : added_)
        if (one.job == nullptr) ids.push_back(one.id);
    for (const auto& [first, held] : jobs_)
        if (const std::shared_ptr<Job> job = held.lock(); job != nullptr && job->unsettled > 0)
            for (std::size_t task = 0; task < job->size(); ++task)
                if (!job->is_settled(task)) ids.push_back(first + task);
    std::ranges::sort(ids);
    return ids;
}

// ---- step by step ----------------------------------------------------------------------------------

Result<TaskId> Pool::add(Call call) {
    std::vector<Call> one;
    one.push_back(std::move(call));
    Result<std::vector<TaskId>> ids = add(std::move(one));
    if (!ids) return ids.error();
    return ids->front();
}

Result<std::vector<TaskId>> Pool::add(std::vector<Call> calls) {
    Ids before = ids_;
    std::vector<Added> adding;
    std::vector<TaskId> ids;
    const auto add_one = [&](Call& call) -> Result<void> {
        if (Result<void> free = require_free(call.id()); !free) return free;
        const TaskId id = call.id() ? *call.id() : ids_.take(1);
        if (call.id()) ids_.take_this(id);
        ids.push_back(id);
        adding.push_back({id, std::move(call), nullptr});
        if (!scheduler_->is_ready()) return {};
        Result<std::shared_ptr<Job>> job = make_job(id, *adding.back().call);
        if (!job) return job.error();
        adding.back().job = std::move(*job);
        return {};
    };
    for (Call& call : calls) {
        const Result<void> added = add_one(call);
        if (added) continue;
        for (const Added& one : adding)
            if (one.job) scheduler_->cancel(*one.job);
        ids_ = std::move(before);
        return added.error();
    }
    for (Added& one : adding) {
        if (one.job) {
            register_by_id(one.job);
            enqueue_or_fail(one.job);
        }
        added_.push_back(std::move(one));
    }
    scheduler_->move();
    return ids;
}

Result<std::shared_ptr<Job>> Pool::make_job(TaskId id, const Call& call) {
    Result<std::shared_ptr<const Signature>> known = scheduler_->crew().function(call.function());
    if (!known) return known.error();
    auto job = std::make_shared<Job>(std::move(*known), id, call.rules(scheduler_->options().retries));
    if (Result<void> filled = call.fill(*job); !filled) return filled.error();
    if (Result<void> fits = require_fit(*job); !fits) return fits.error();
    job->tally = added_tally_;
    ++added_tally_->open;
    return job;
}

// For one that was added, whose outcome tells what is to be told.
void Pool::enqueue_or_fail(const std::shared_ptr<Job>& job) {
    if (Result<void> queued = scheduler_->enqueue(job); !queued) job->fail(0, queued.error());
}

Result<std::vector<AnyOutcome>> Pool::execute(const MapOptions& options) {
    if (Result<void> started = start(); !started) return started.error();
    std::vector<std::shared_ptr<Job>> jobs;
    for (Added& one : std::exchange(added_, {})) jobs.push_back(std::move(one.job));
    const std::shared_ptr<Tally> tally = std::exchange(added_tally_, std::make_shared<Tally>());
    const CancelRest at_the_end{*scheduler_, jobs};
    const Result<void> waited = wait_for(*tally, jobs.size(), jobs.empty() ? "" : jobs.front()->function->name, options);
    if (!waited) return waited.error();
    std::vector<AnyOutcome> outcomes;
    for (const std::shared_ptr<Job>& job : jobs) {
        if (options.errors == Errors::stop_at_first && job.get() == tally->failed) return AnyOutcome{job, 0}.error_in_call();
        outcomes.emplace_back(job, 0);
    }
    return outcomes;
}

Result<std::vector<AnyOutcome>> Pool::execute(std::vector<Call> calls, const MapOptions& options) {
    if (Result<std::vector<TaskId>> added = add(std::move(calls)); !added) return added.error();
    return execute(options);
}

Result<std::vector<AnyOutcome>> Pool::execute(Call call, const MapOptions& options) {
    if (Result<TaskId> added = add(std::move(call)); !added) return added.error();
    return execute(options);
}

}  // namespace baton::pool
