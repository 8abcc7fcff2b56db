#pragma once
// Tempo: how long tasks of one function take, and so how many of them make a good batch.
//
// If tasks are short, a message costs more than they do, so one message carries a lot of them. If they are long, each
// goes alone, so that no worker waits for another's tasks. Nobody has to say which it is: the first tasks go one by one
// and are measured. A wrong guess is cheap, because a worker gives back what it has not begun when its budget is spent,
// or when what came of its tasks has filled its answer: then the next batches have no more than that. Plain values.

#include <algorithm>
#include <cstddef>
#include <limits>

#include <baton/time.hpp>

namespace baton::detail::pool {

class Tempo {
public:
    // After that a worker begins no further task of a batch.
    static constexpr Duration budget = std::chrono::milliseconds{2};

    // `tasks` of a batch took `took` together, and `left` were given back.
    void note(std::size_t tasks, Duration took, std::size_t left = 0) {
        const double mean = static_cast<double>(took.count()) / static_cast<double>(tasks);
        nanoseconds_ = nanoseconds_ < 0 ? mean : (nanoseconds_ + mean) / 2;
        if (left > 0 && took <= budget) answer_ = tasks;
        else if (tasks >= answer_) answer_ = 2 * tasks;
    }

    // Says whether a worker may have a second batch in hand, so that it need not wait for a message after the first.
    [[nodiscard]] bool is_quick() const noexcept {
        return nanoseconds_ >= 0 && nanoseconds_ <= static_cast<double>(good_batch.count());
    }

    // What there is, shared out evenly.
    struct Share {
        std::size_t of_hand = 1;    // among all batches that workers may take now
        std::size_t of_worker = 1;  // among the workers
    };
    // How many tasks a worker gets. Not two batches in turn if their messages would take longer than they do.
    [[nodiscard]] std::size_t batch(Share share) const {
        if (nanoseconds_ < 0) return 1;
        const std::size_t least = fitting(least_batch);
        const std::size_t wanted = share.of_hand >= least ? share.of_hand : std::max(share.of_worker, least);
        return std::min({wanted, fitting(good_batch), answer_});
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
    // Tasks that fit into one, as far as is known.
    std::size_t answer_ = std::numeric_limits<std::size_t>::max();
};

}  // namespace baton::detail::pool
