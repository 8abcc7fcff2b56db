#include <baton/detail/pool/handle.hpp>

#include <algorithm>
#include <utility>

namespace baton::detail::pool {

using baton::pool::AnyOutcome;
using baton::pool::Cancelled;
using baton::pool::CancelledTasks;
using baton::pool::Errors;

namespace {

Error no_tasks() {
    return Error{ErrorKind::refused, "there is no task here: it was moved away, given to then(), or never submitted"};
}

}  // namespace

// ---- Handle ----------------------------------------------------------------------------------------

Handle& Handle::operator=(Handle&& other) noexcept {
    if (this == &other) return *this;
    release();
    scheduler_ = std::move(other.scheduler_);
    job_ = std::move(other.job_);
    errors_ = other.errors_;
    return *this;
}

void Handle::release() noexcept {
    if (job_ != nullptr && job_->unsettled > 0) scheduler_->release(*job_);
}

bool Handle::is_done() const {
    if (job_ == nullptr) return false;
    return job_->unsettled == 0 || (errors_ == Errors::stop_at_first && job_->tally && job_->tally->failed != nullptr);
}

bool Handle::ready() {
    if (job_ == nullptr) return false;
    if (!is_done()) scheduler_->move();
    return is_done();
}

Result<void> Handle::wait(Within within) {
    if (job_ == nullptr) return no_tasks();
    if (is_done()) return {};
    return scheduler_->wait([this] { return is_done(); }, within);
}

Result<void> Handle::verdict() const {
    if (errors_ == Errors::collect || !job_->tally || job_->tally->failed == nullptr) return {};
    scheduler_->release(*job_);  // the others never run if they have not begun
    return AnyOutcome{job_, job_->tally->failed_task}.error_in_call();
}

Cancelled Handle::cancel() {
    if (job_ == nullptr || job_->unsettled == 0) return Cancelled::too_late;
    return scheduler_->cancel(*job_, 0);
}

CancelledTasks Handle::cancel_all() {
    if (job_ == nullptr) return {};
    return scheduler_->cancel_all(*job_);
}

void Handle::attend() const {
    if (job_ != nullptr && !is_done()) scheduler_->then(job_, errors_, [] {});
}

void Handle::then(std::function<void(std::shared_ptr<Job>)> take) {
    const std::shared_ptr<Job> job = std::exchange(job_, nullptr);
    const std::shared_ptr<Scheduler> scheduler = std::exchange(scheduler_, nullptr);
    if (job == nullptr) return;
    scheduler->then(job, errors_, [job, take = std::move(take)] { take(job); });
}

// ---- Completing ------------------------------------------------------------------------------------

void Completing::add(const Handle& handle) {
    if (handle.is_empty()) return;
    scheduler_ = handle.scheduler_;
    parts_.push_back({handle.job(), handle.errors()});
}

// Those that are done come first, in the order in which they ended; the others as the pool hears of them.
void Completing::begin() {
    std::ranges::sort(parts_, {}, [](const Part& one) { return one.job.get(); });
    const auto is_same = [](const Part& one, const Part& other) { return one.job == other.job; };
    parts_.erase(std::unique(parts_.begin(), parts_.end(), is_same), parts_.end());
    for (const Part& part : parts_) {
        left_ += part.job->size();
        std::erase_if(part.job->listeners, [](const std::weak_ptr<Finished>& one) { return one.expired(); });
        part.job->listeners.push_back(finished_);
        for (std::size_t task = 0; task < part.job->size(); ++task)
            if (part.job->is_settled(task)) finished_->tasks.emplace_back(part.job.get(), task);
    }
    const auto ended = [this](const std::pair<const Job*, std::size_t>& one) {
        return AnyOutcome{
            std::ranges::lower_bound(parts_, one.first, {}, [](const Part& part) { return part.job.get(); })->job,
            one.second}
            .finished();
    };
    std::ranges::stable_sort(finished_->tasks, {}, ended);
}

Result<std::optional<AnyOutcome>> Completing::next() {
    if (scheduler_ == nullptr) return std::optional<AnyOutcome>{};
    if (!deadline_) {
        deadline_ = scheduler_->context().deadline(within_);
        begin();
    }
    if (left_ == 0) return std::optional<AnyOutcome>{};
    if (finished_->tasks.empty())
        if (Result<void> waited = scheduler_->wait([this] { return !finished_->tasks.empty(); }, *deadline_); !waited)
            return waited.error();
    const auto [job, task] = finished_->tasks.front();
    finished_->tasks.pop_front();
    --left_;
    const Part& part = *std::ranges::lower_bound(parts_, job, {}, [](const Part& one) { return one.job.get(); });
    AnyOutcome outcome{part.job, task};
    if (part.errors == Errors::collect || outcome.ok()) return std::optional{std::move(outcome)};
    for (const Part& one : parts_) scheduler_->release(*one.job);
    left_ = 0;
    return outcome.error_in_call();
}

}  // namespace baton::detail::pool
