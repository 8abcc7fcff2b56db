#include <baton/detail/pool/queue.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace baton::detail::pool {

Result<void> Queue::push(const std::shared_ptr<Job>& job) {
    if (Result<void> fits = require_fit(*job); !fits) return fits;
    if (job->size() == 0) return {};
    constexpr std::size_t waiting_max = baton::pool::limits::tasks_waiting_max;
    if (waiting_ + job->size() > waiting_max)
        return Error{ErrorKind::overloaded,
                     fmt::format("{} tasks are waiting, and {} more would be over the limit of {} "
                                 "(pool::limits::tasks_waiting_max): wait for some of them first, or use imap()",
                                 waiting_, job->size(), waiting_max)};
    job->is_queued = true;
    stretches_.push_back({job, 0, job->size(), job->is_alone(), 0});
    waiting_ += job->size();
    return {};
}

void Queue::bring_back(const Stretch& stretch, bool is_alone) {
    Job& job = *stretch.job;
    std::size_t end = stretch.first + stretch.count;
    while (end > stretch.first) {
        std::size_t first = end;
        while (first > stretch.first && !job.is_settled(first - 1)) --first;
        if (first == end) {
            --end;
            continue;
        }
        for (std::size_t task = first; task < end; ++task) job.fates[task].state = Job::State::waiting;
        waiting_ += end - first;
        stretches_.push_front({stretch.job, first, end - first, is_alone, stretch.deaths});
        end = first;
    }
}

void Queue::bring_back(const Batch& batch) {
    for (auto stretch = batch.rbegin(); stretch != batch.rend(); ++stretch) bring_back(*stretch, stretch->is_alone);
}

Batch Queue::cut(const For& worker) {
    Batch batch;
    drop_released();
    if (stretches_.empty()) return batch;
    const Signature* const function = stretches_.front().job->function.get();
    const Tempo tempo = tempos_[function];
    if (worker.is_second && (stretches_.front().is_alone || !tempo.is_quick())) return batch;
    std::size_t wanted = stretches_.front().is_alone ? 1 : std::min(tempo.batch(worker.share), batch_tasks_max);
    // However short they seem: nothing waits behind another task while a worker has nothing to do.
    if (worker.idle > 0) wanted = std::min(wanted, (waiting_ + worker.idle - 1) / worker.idle);
    std::size_t bytes_left = batch_arguments_bytes_max;
    while (wanted > 0 && !stretches_.empty() && stretches_.front().job->function.get() == function) {
        Stretch& front = stretches_.front();
        if (front.is_alone && !batch.empty()) break;
        const std::vector<std::uint32_t>& ends = front.job->ends;
        const std::size_t begin = front.job->begin_of(front.first);
        const auto first = ends.begin() + static_cast<std::ptrdiff_t>(front.first);
        const auto last = first + static_cast<std::ptrdiff_t>(std::min(wanted, front.count));
        const auto fitting = static_cast<std::size_t>(std::upper_bound(first, last, begin + bytes_left) - first);
        const std::size_t count = std::max<std::size_t>(fitting, batch.empty() ? 1 : 0);
        if (count == 0) break;
        batch.push_back({front.job, front.first, count, front.is_alone, front.deaths});
        bytes_left -= std::min(bytes_left, ends[front.first + count - 1] - begin);
        wanted -= count;
        front.first += count;
        front.count -= count;
        const bool is_used_up = front.count == 0;
        if (is_used_up) stretches_.pop_front();
        if (batch.front().is_alone || !is_used_up) break;
        drop_released();
    }
    waiting_ -= tasks_in(batch);
    for_each_task(batch, [](Job& job, std::size_t task) { job.fates[task].state = Job::State::in_hand; });
    return batch;
}

void Queue::withdraw(const Job& job, std::size_t task) {
    const auto has_it = [&](const Stretch& one) {
        return one.job.get() == &job && one.first <= task && task < one.first + one.count;
    };
    const auto at = std::ranges::find_if(stretches_, has_it);
    if (at == stretches_.end()) return;
    --waiting_;
    Stretch behind = *at;
    behind.first = task + 1;
    behind.count = at->first + at->count - behind.first;
    at->count = task - at->first;
    const auto next = at->count == 0 ? stretches_.erase(at) : std::next(at);
    if (behind.count > 0) stretches_.insert(next, std::move(behind));
}

void Queue::withdraw(const Job& job) {
    std::erase_if(stretches_, [&](const Stretch& one) {
        if (one.job.get() != &job) return false;
        if (!job.is_settled(one.first)) waiting_ -= one.count;
        return true;
    });
}

void Queue::release(Job& job) {
    for (std::size_t task = 0; task < job.size() && job.unsettled > 0; ++task) {
        if (job.is_settled(task)) continue;
        if (job.is_queued && job.fates[task].state == Job::State::waiting) --waiting_;
        job.release(task);
    }
}

void Queue::fail_all(const Error& why) {
    for (const Stretch& stretch : std::exchange(stretches_, {}))
        for_each_task({stretch}, [&](Job& job, std::size_t task) {
            if (!job.is_settled(task)) job.fail(task, why);
        });
    waiting_ = 0;
}

bool Queue::is_quick(const Signature& function) const {
    const auto tempo = tempos_.find(&function);
    return tempo != tempos_.end() && tempo->second.is_quick();
}

void Queue::drop_released() {
    while (!stretches_.empty() && stretches_.front().job->is_settled(stretches_.front().first)) stretches_.pop_front();
}

}  // namespace baton::detail::pool
