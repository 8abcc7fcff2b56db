#pragma once
// Batch: some tasks of one function as they travel: packed into a Run, and looked at when its Done comes back.
//
// Pieces of jobs, in order. Knows neither workers nor time. Pure functions, but for the segments that leave a job with
// a Run and come back to it.

#include <baton/detail/pool/job.hpp>
#include <baton/detail/pool/work.hpp>

namespace baton::detail::pool {

// Some tasks of a job, one after the other.
struct Stretch {
    std::shared_ptr<Job> job;
    std::size_t first = 0;
    std::size_t count = 0;
    bool is_alone = false;     // one at a time, and a worker that has nothing else in hand
    std::uint32_t deaths = 0;  // of workers that had this task alone in hand; then it is one
};

using Batch = std::vector<Stretch>;

[[nodiscard]] std::size_t tasks_in(const Batch& batch);
// How many it tells of.
[[nodiscard]] std::size_t tasks_in(const Done& done);
template <class Each>
void for_each_task(const Batch& batch, const Each& each) {
    for (const Stretch& stretch : batch)
        for (std::size_t task = stretch.first; task < stretch.first + stretch.count; ++task) each(*stretch.job, task);
}

// Cuts off what is behind the first `keep` tasks, which stay.
[[nodiscard]] std::vector<Stretch> split(Batch& batch, std::size_t keep);
// Makes leases and slices, and takes segments from their job. `refused`, and everything is where it was, if something
// can't be lent now.
[[nodiscard]] Result<Run> pack(const Batch& batch);
// Returns to its task what can be given only once and has come back.
void unpack(const Batch& batch, Run& run);

// The error of a task that was cancelled before a worker had begun it.
[[nodiscard]] Error not_begun();
// Checks that a job's tasks can be packed: `refused` if arguments are larger than a message.
[[nodiscard]] Result<void> require_fit(const Job& job);
// True if everything that a task was given is still there, so that it can be tried again.
[[nodiscard]] bool is_whole(const Job& job, std::size_t task);
// True if a worker may answer that to a batch of `tasks`. The results themselves are checked when they are read.
[[nodiscard]] bool makes_sense(const Done& done, std::size_t tasks);

}  // namespace baton::detail::pool
