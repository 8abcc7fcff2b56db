#pragma once
// Queue: the tasks of a pool that wait for a worker, in the order in which they will run, as stretches of jobs; and how
// they are cut into batches.
//
// A batch is of one function, and about as long as its Tempo says. Tasks with a timeout, tasks that may not run twice
// and tasks that carry segments are alone in a batch, and so are those that may have killed a worker. All tasks of a
// stretch are waiting, unless its whole job was released: then it is skipped. Knows neither workers nor time. One
// thread.

#include <deque>
#include <memory>
#include <unordered_map>

#include <baton/detail/pool/batch.hpp>
#include <baton/detail/pool/tempo.hpp>

namespace baton::detail::pool {

class Queue {
public:
    // `refused` if the arguments do not fit into a message, `overloaded` if too many tasks wait.
    [[nodiscard]] Result<void> push(const std::shared_ptr<Job>& job);
    // Those of the stretch that have no outcome wait again, before all others.
    void bring_back(const Stretch& stretch, bool is_alone);
    // Brings all of them back, as they were.
    void bring_back(const Batch& batch);

    [[nodiscard]] std::size_t size() const noexcept { return waiting_; }

    // What the worker is like that a batch is for.
    struct For {
        Tempo::Share share;      // of the tasks that wait
        std::size_t idle = 0;    // workers that have nothing to do, this one included
        bool is_second = false;  // it has a batch in hand already
    };
    // The next batch, which is nobody's yet. Empty if it would have to be alone, or is too long, for a worker that has
    // one in hand already.
    [[nodiscard]] Batch cut(const For& worker);

    // That task waits here no more. Its state is the caller's to change.
    void withdraw(const Job& job, std::size_t task);
    // None of the job's tasks waits here any more.
    void withdraw(const Job& job);
    // Nobody wants the outcomes of that job any more. Those of its tasks that wait never run.
    void release(Job& job);
    // No task waits any more: all have failed.
    void fail_all(const Error& why);

    // Notes how long `tasks` of that function took, and that `left` more came back with them.
    void note(const Signature& function, std::size_t tasks, Duration took, std::size_t left) {
        tempos_[&function].note(tasks, took, left);
    }
    // Says whether a worker may have a second batch in hand behind tasks of that function.
    [[nodiscard]] bool is_quick(const Signature& function) const;
    // Forgets how long tasks take: the functions may be different when the pool is started again.
    void forget_tempos() { tempos_.clear(); }

private:
    void drop_released();

    std::deque<Stretch> stretches_;
    std::size_t waiting_ = 0;  // tasks
    std::unordered_map<const Signature*, Tempo> tempos_;
};

}  // namespace baton::detail::pool
