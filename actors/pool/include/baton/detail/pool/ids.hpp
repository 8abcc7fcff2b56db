#pragma once
// Ids: which task ids are taken, so that none is given twice. A plain value.

#include <iterator>
#include <map>
#include <optional>

#include <baton/detail/pool/job.hpp>

namespace baton::detail::pool {

class Ids {
public:
    // So many in a row, behind all that are taken; the first of them.
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

}  // namespace baton::detail::pool
