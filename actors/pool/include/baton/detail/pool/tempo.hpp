#pragma once
// Tempo: how long tasks of one function take, and so how many of them make a good batch.
//
// If tasks are short, a message costs more than they do, so one message carries a lot of them. If they are long, each
// goes alone, so that no worker waits for another's tasks. Nobody has to say which it is: the first tasks go one by one
// and are measured. A wrong guess is cheap, because a worker gives back what it has not begun when its budget is spent.
// Plain values.

#include <algorithm>
#include <cstddef>

#include <baton/time.hpp>

namespace baton::detail::pool {

class Tempo {
public:
    // After that a worker begins no further task of a batch.
    static constexpr Duration budget = std::chrono::milliseconds{2};

    void note(std::size_t tasks, Duration took) {
        const double mean = static_cast<double>(took.count()) / static_cast<double>(tasks);
        nanoseconds_ = nanoseconds_ < 0 ? mean : (nanoseconds_ + mean) / 2;
    }

    // Says whether a worker may have a second batch in hand, so that it need not wait for a message after the first.
    [[nodiscard]] bool is_quick() const noexcept {
        return nanoseconds_ >= 0 && nanoseconds_ <= static_cast<double>(good_batch.count());
    }

    // How many tasks a worker gets if `share` is its even share of those that wait.
    [[nodiscard]] std::size_t batch(std::size_t share) const {
        if (nanoseconds_ < 0) return 1;
        return std::clamp(share, fitting(least_batch), fitting(good_batch));
    }

private:
    static constexpr Duration good_batch = std::chrono::milliseconds{1};
    static constexpr Duration least_batch = std::chrono::microseconds{100};  // what its message costs

    [[nodiscard]] std::size_t fitting(Duration time) const {
        constexpr double tasks_max = 1e6;
        const double tasks = static_cast<double>(time.count()) / std::max(nanoseconds_, 1.0);
        return static_cast<std::size_t>(std::clamp(tasks, 1.0, tasks_max));
    }
    double nanoseconds_ = -1;  // a task, lately; nothing measured yet
};

}  // namespace baton::detail::pool
