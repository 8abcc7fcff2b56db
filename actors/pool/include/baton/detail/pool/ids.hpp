#pragma once
// Ids: which task ids are taken, so that none is given twice. Register: the same, and whose they are. Plain values.

#include <iterator>
#include <map>
#include <optional>

#include <baton/detail/pool/job.hpp>

namespace baton::detail::pool {

class Ids {
public:
    // Takes `count` ids in a row, behind all that are taken; returns the first of them.
    TaskId take(std::size_t count) {
        const TaskId first = ranges_.empty() ? 1 : ranges_.rbegin()->second + 1;
        if (count > 0) add(first, first + count - 1);
        return first;
    }
    [[nodiscard]] bool is_free(TaskId id) const {
        const auto behind = ranges_.upper_bound(id);
        return behind == ranges_.begin() || std::prev(behind)->second < id;
    }
    // False for one that is taken.
    bool take_this(TaskId id) {
        if (!is_free(id)) return false;
        add(id, id);
        return true;
    }
    void forget_all() { ranges_.clear(); }

private:
    // Joins it with the range that ends right before it.
    void add(TaskId first, TaskId last) {
        const auto behind = ranges_.upper_bound(first);
        if (behind != ranges_.begin() && std::prev(behind)->second + 1 == first) std::prev(behind)->second = last;
        else ranges_.emplace(first, last);
    }
    std::map<TaskId, TaskId> ranges_;  // first and last
};

class Register {
public:
    // `refused` for an id that a task has, and for 0.
    [[nodiscard]] Result<void> require_free(std::optional<TaskId> id) const;
    // The id of a task to come: the one that is wanted, which is free, or the next.
    TaskId take(std::optional<TaskId> wanted, std::size_t count = 1);
    // From here on its tasks are found by their ids, as long as somebody holds it.
    void enter(const std::shared_ptr<Job>& job);
    struct Found {
        std::shared_ptr<Job> job;
        std::size_t task = 0;
    };
    // `refused` for an id that no task has, and if nobody holds its job any more.
    [[nodiscard]] Result<Found> find(TaskId id) const;
    // Adds those of all tasks that have no outcome yet.
    void add_pending(std::vector<TaskId>& ids) const;
    void forget_all();

    // For calls that are given ids together, and all or none of which are taken.
    [[nodiscard]] const Ids& ids() const noexcept { return ids_; }
    void restore(Ids ids) { ids_ = std::move(ids); }

private:
    Ids ids_;
    std::map<TaskId, std::weak_ptr<Job>> jobs_;  // by the id of their first task; some may have ended
    std::size_t jobs_enough_ = 64;               // then those that have ended are taken out
};

}  // namespace baton::detail::pool
