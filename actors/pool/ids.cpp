#include <baton/detail/pool/ids.hpp>

#include <fmt/format.h>

#include <algorithm>

namespace baton::detail::pool {

Result<void> Register::require_free(std::optional<TaskId> id) const {
    if (!id || (*id > 0 && ids_.is_free(*id))) return {};
    return Error{ErrorKind::refused, *id == 0 ? std::string("0 can't be the id of a task: ids begin with 1")
                                              : fmt::format("there is a task with the id {} already", *id)};
}

TaskId Register::take(std::optional<TaskId> wanted, std::size_t count) {
    if (!wanted) return ids_.take(count);
    ids_.take_this(*wanted);
    return *wanted;
}

void Register::enter(const std::shared_ptr<Job>& job) {
    if (job->size() == 0) return;
    if (jobs_.size() >= jobs_enough_) {
        std::erase_if(jobs_, [](const auto& entry) { return entry.second.expired(); });
        jobs_enough_ = std::max<std::size_t>(64, 2 * jobs_.size());
    }
    jobs_.insert_or_assign(job->first_id, job);
}

Result<Register::Found> Register::find(TaskId id) const {
    if (id == 0 || ids_.is_free(id))
        return Error{ErrorKind::refused, fmt::format("no task of this pool has the id {}", id)};
    const auto behind = jobs_.upper_bound(id);
    std::shared_ptr<Job> job = behind == jobs_.begin() ? nullptr : std::prev(behind)->second.lock();
    if (job == nullptr || id - job->first_id >= job->size())
        return Error{ErrorKind::refused,
                     fmt::format("nobody holds the outcome of task {} any more: keep what submit(), map() or execute() "
                                 "returned for as long as the task is to be looked up",
                                 id)};
    const auto task = static_cast<std::size_t>(id - job->first_id);
    return Found{std::move(job), task};
}

void Register::add_pending(std::vector<TaskId>& ids) const {
    for (const auto& [first, held] : jobs_) {
        const std::shared_ptr<Job> job = held.lock();
        for (std::size_t task = 0; job != nullptr && job->unsettled > 0 && task < job->size(); ++task)
            if (!job->is_settled(task)) ids.push_back(first + task);
    }
}

void Register::forget_all() {
    ids_.forget_all();
    jobs_.clear();
}

}  // namespace baton::detail::pool
