#include <baton/detail/pool/core.hpp>

#include <fmt/format.h>

#include <algorithm>

#include <baton/progress.hpp>

namespace baton::detail::pool {
using baton::pool::Cancelled;

namespace {

// Nobody waits for these any more: what is left of them never runs, even if an exception has left the wait.
struct ReleaseRest {
    Scheduler& scheduler;
    std::vector<std::shared_ptr<Job>> jobs;
    ReleaseRest(Scheduler& of, std::vector<std::shared_ptr<Job>> all) : scheduler(of), jobs(std::move(all)) {}
    ReleaseRest(const ReleaseRest&) = delete;
    ReleaseRest& operator=(const ReleaseRest&) = delete;
    ~ReleaseRest() {
        for (const std::shared_ptr<Job>& job : jobs) scheduler.release(*job);
    }
};

}  // namespace

// ---- start and stop --------------------------------------------------------------------------------

Result<void> Core::start() {
    if (scheduler_->is_ready()) return {};
    if (Result<void> started = scheduler_->start(); !started) return started;
    for (Added& added : added_) {
        JobResult job = added.is_cancelled ? JobResult{not_begun()} : make_job(added.id, *added.call);
        if (job) {
            added.job = std::move(*job);
            register_.enter(added.job);
            enqueue_or_fail(added.job);
            continue;
        }
        added.job = failed_job(added, job.error());
        register_.enter(added.job);
    }
    return {};
}

std::shared_ptr<Job> Core::failed_job(const Added& added, const Error& why) {
    auto job = std::make_shared<Job>(
        std::make_shared<const Signature>(Signature{added.call->function(), {}, {"nothing", "", 0, {}}}), added.id,
        Rules{});
    job->tally = added_tally_;
    job->add();
    if (added.is_cancelled) job->cancel(0, why);
    else job->fail(0, why);
    return job;
}

std::vector<Ended> Core::stop(Within within) {
    added_.clear();
    added_tally_ = std::make_shared<Tally>();
    register_.forget_all();
    return scheduler_->stop(within);
}

Result<std::vector<Signature>> Core::functions() {
    if (Result<void> started = start(); !started) return started.error();
    std::vector<Signature> all;
    for (const std::shared_ptr<const Signature>& one : scheduler_->crew().functions()) all.push_back(*one);
    return all;
}

// ---- jobs ------------------------------------------------------------------------------------------

JobResult Core::new_job(std::string_view function, Rules rules) {
    if (Result<void> started = start(); !started) return started.error();
    Result<std::shared_ptr<const Signature>> known = scheduler_->crew().function(function);
    if (!known) return known.error();
    return std::make_shared<Job>(std::move(*known), 0, rules);
}

JobResult Core::new_job(std::string_view function, Rules rules, const TypeDescription& result) {
    JobResult job = new_job(function, rules);
    if (!job) return job;
    if (Result<void> fits = require_result(*(*job)->function, result); !fits) return fits.error();
    return job;
}


Result<void> Core::send(const std::shared_ptr<Job>& job, std::optional<TaskId> id) {
    if (Result<void> free = register_.require_free(id); !free) return free;
    if (Result<void> queued = scheduler_->enqueue(job); !queued) return queued;
    job->first_id = register_.take(id, job->size());
    register_.enter(job);
    scheduler_->move();
    return {};
}

Result<Handle> Core::submit(JobResult job, std::optional<TaskId> id, const std::function<Result<void>(Job&)>& fill) {
    if (!job) return job.error();
    if (Result<void> filled = fill(**job); !filled) return filled.error();
    if (Result<void> sent = send(*job, id); !sent) return sent.error();
    return Handle{scheduler_, std::move(*job)};
}

Result<Handle> Core::begin(const std::shared_ptr<Job>& job, baton::pool::Errors errors) {
    job->tally = std::make_shared<Tally>();
    job->tally->open = job->unsettled;
    Handle handle{scheduler_, job, errors};  // which releases what an exception tears us out of
    if (Result<void> sent = send(job); !sent) return sent.error();
    return handle;
}

Result<void> Core::run(const std::shared_ptr<Job>& job, const MapOptions& options) {
    const auto tally = std::make_shared<Tally>();
    tally->open = job->unsettled;
    job->tally = tally;
    const ReleaseRest at_the_end{*scheduler_, {job}};
    if (Result<void> sent = send(job); !sent) return sent;
    Result<void> waited = wait_for(*tally, job->size(), job->function->name, options);
    if (waited && options.errors == baton::pool::Errors::stop_at_first && tally->failed != nullptr)
        return AnyOutcome{job, tally->failed_task}.error_in_call();
    return waited;
}

// Until all tasks that it counts are settled, or the first has failed if that is enough.
Result<void> Core::wait_for(const Tally& tally, std::size_t total, std::string_view what, const MapOptions& options) {
    std::optional<Progress> progress;
    if (scheduler_->options().shows_progress) progress.emplace(std::string(what), total, "tasks");
    const bool stops = options.errors == baton::pool::Errors::stop_at_first;
    const auto is_done = [&] {
        if (progress) {
            if (tally.last != nullptr) progress->rename(tally.last->function->name);
            progress->reach(total - tally.open);
        }
        return tally.open == 0 || (stops && tally.failed != nullptr);
    };
    return scheduler_->wait(is_done, options.within);
}

// ---- by id -------------------------------------------------------------------------------------------

Core::Added* Core::added_with(TaskId id) {
    const auto found =
        std::ranges::find_if(added_, [id](const Added& one) { return one.id == id && one.job == nullptr; });
    return found == added_.end() ? nullptr : &*found;
}

Result<std::optional<AnyOutcome>> Core::find(TaskId id) {
    if (added_with(id) != nullptr) return std::optional<AnyOutcome>{};
    const Result<Register::Found> found = register_.find(id);
    if (!found) return found.error();
    Job& job = *found->job;
    if (job.fates[found->task].state == Job::State::released)
        return Error{ErrorKind::refused,
                     fmt::format("task {} was cancelled: the Task that submit() returned was dropped", id)};
    if (!job.is_settled(found->task)) scheduler_->move();
    if (!job.is_settled(found->task)) return std::optional<AnyOutcome>{};
    return std::optional{AnyOutcome{found->job, found->task}};
}

Result<Cancelled> Core::cancel(TaskId id) {
    if (Added* const added = added_with(id); added != nullptr)
        return std::exchange(added->is_cancelled, true) ? Cancelled::too_late : Cancelled::withdrawn;
    return register_.find(id).transform(
        [this](const Register::Found& found) { return scheduler_->cancel(*found.job, found.task); });
}

std::vector<TaskId> Core::pending() {
    scheduler_->move();
    std::vector<TaskId> ids;
    for (const Added& one : added_)
        if (one.job == nullptr && !one.is_cancelled) ids.push_back(one.id);
    register_.add_pending(ids);
    std::ranges::sort(ids);
    return ids;
}

// ---- step by step ----------------------------------------------------------------------------------

Result<std::vector<TaskId>> Core::add(std::vector<Call> calls) {
    Ids before = register_.ids();
    std::vector<Added> adding;
    std::vector<TaskId> ids;
    const auto add_one = [&](Call& call) -> Result<void> {
        if (Result<void> free = register_.require_free(call.id()); !free) return free;
        const TaskId id = register_.take(call.id());
        ids.push_back(id);
        adding.push_back({id, std::move(call), nullptr});
        if (!scheduler_->is_ready()) return {};
        JobResult job = make_job(id, *adding.back().call);
        if (!job) return job.error();
        adding.back().job = std::move(*job);
        return {};
    };
    for (Call& call : calls) {
        const Result<void> added = add_one(call);
        if (added) continue;
        for (const Added& one : adding)
            if (one.job) scheduler_->release(*one.job);
        register_.restore(std::move(before));
        return added.error();
    }
    for (Added& one : adding) {
        if (one.job) {
            register_.enter(one.job);
            enqueue_or_fail(one.job);
        }
        added_.push_back(std::move(one));
    }
    scheduler_->move();
    return ids;
}

JobResult Core::make_job(TaskId id, const Call& call) {
    Result<std::shared_ptr<const Signature>> known = scheduler_->crew().function(call.function());
    if (!known) return known.error();
    auto job = std::make_shared<Job>(std::move(*known), id, Inside::rules(call, scheduler_->options().retries));
    if (Result<void> filled = Inside::fill(call, *job); !filled) return filled.error();
    if (Result<void> fits = require_fit(*job); !fits) return fits.error();
    job->tally = added_tally_;
    ++added_tally_->open;
    return job;
}

// For one that was added, whose outcome tells what is to be told.
void Core::enqueue_or_fail(const std::shared_ptr<Job>& job) {
    if (Result<void> queued = scheduler_->enqueue(job); !queued) job->fail(0, queued.error());
}

Result<std::vector<AnyOutcome>> Core::execute(const MapOptions& options) {
    if (Result<void> started = start(); !started) return started.error();
    std::vector<std::shared_ptr<Job>> jobs;
    for (Added& one : std::exchange(added_, {})) jobs.push_back(std::move(one.job));
    const std::shared_ptr<Tally> tally = std::exchange(added_tally_, std::make_shared<Tally>());
    const ReleaseRest at_the_end{*scheduler_, jobs};
    const Result<void> waited =
        wait_for(*tally, jobs.size(), jobs.empty() ? "" : jobs.front()->function->name, options);
    if (!waited) return waited.error();
    std::vector<AnyOutcome> outcomes;
    for (const std::shared_ptr<Job>& job : jobs) {
        if (options.errors == baton::pool::Errors::stop_at_first && job.get() == tally->failed)
            return AnyOutcome{job, 0}.error_in_call();
        outcomes.emplace_back(job, 0);
    }
    return outcomes;
}

}  // namespace baton::detail::pool
