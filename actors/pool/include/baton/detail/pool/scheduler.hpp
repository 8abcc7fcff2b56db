#pragma once
// Scheduler: a pool at work: the tasks that wait (queue.hpp), its workers (crew.hpp) and what they have in hand
// (hands.hpp).
//
// It makes progress whenever its owner calls move(), wait() or cancel(), and, as long as somebody has left a function
// with then(), between the commands of its owner, too. Every wait ends: with the tasks, at its deadline, when its owner
// stops, or when no worker can be started any more, which fails what waits. One thread.

#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include <baton/detail/pool/crew.hpp>
#include <baton/detail/pool/hands.hpp>
#include <baton/detail/pool/queue.hpp>
#include <baton/pool/cancelled.hpp>

namespace baton::detail::pool {

class Scheduler : public std::enable_shared_from_this<Scheduler> {
public:
    Scheduler(Context& context, Options options);
    ~Scheduler();
    Scheduler(const Scheduler&) = delete;
    Scheduler& operator=(const Scheduler&) = delete;

    // Starts the workers, and waits until all are ready; if some fail for good, one is enough.
    [[nodiscard]] Result<void> start();
    // Says whether it has been started, and knows what its workers can do.
    [[nodiscard]] bool is_ready() const noexcept { return is_started_ && !crew_.functions().empty(); }
    // Ends the workers. Tasks that were not done by then have failed (`stopping`).
    std::vector<Ended> stop(Within within);
    // Like stop(), if the Context is about to end, and the workers with it.
    void abandon();

    [[nodiscard]] const Options& options() const noexcept { return options_; }
    [[nodiscard]] Context& context() const noexcept { return *context_; }
    [[nodiscard]] const Crew& crew() const noexcept { return crew_; }

    // Its tasks wait from here. `refused` if they do not fit, `overloaded` if there are too many.
    [[nodiscard]] Result<void> enqueue(const std::shared_ptr<Job>& job);
    // Nobody wants the outcomes any more: tasks that wait never run; what becomes of one that runs is of no interest.
    void release(Job& job) { queue_.release(job); }
    // See Cancelled.
    baton::pool::Cancelled cancel(Job& job, std::size_t task);
    baton::pool::CancelledTasks cancel_all(Job& job);

    // Takes what has come, and gives workers what waits. Does not wait; looks outside at most once a millisecond.
    void move();
    // Does so until `done` holds.
    [[nodiscard]] Result<void> wait(const std::function<bool()>& done, Within within);
    // Calls `take` between commands once each task of the job has an outcome. With Errors::stop_at_first the other
    // tasks are released when one has failed. Never called if the pool ends before that. The job has a tally.
    void then(std::shared_ptr<Job> job, baton::pool::Errors errors, std::function<void()> take);

private:
    // What is left to do when a job is done.
    struct Continuation {
        std::shared_ptr<Job> job;
        baton::pool::Errors errors = baton::pool::Errors::collect;
        std::function<void()> take;
    };

    void step();
    void look_outside();
    void end_all_tasks();
    [[nodiscard]] Deadline continue_settled();
    [[nodiscard]] bool has_news() const { return crew_.has_news() || hands_.has_news(); }
    [[nodiscard]] Deadline next_look() const { return crew_.next_start().or_earlier(hands_.next_look()); }

    Context* context_;
    const Options options_;
    Crew crew_;
    Queue queue_;
    Hands hands_;
    bool is_started_ = false;
    bool is_stopping_ = false;
    bool is_stepping_ = false;
    Instant looked_{};
    std::vector<Continuation> continuations_;
    std::shared_ptr<void> attendance_;  // between commands, as long as there are continuations
};

}  // namespace baton::detail::pool
