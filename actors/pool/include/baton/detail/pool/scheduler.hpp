#pragma once
// Scheduler: which task goes to which worker when, and what happens when a worker dies with it.
//
// Tasks wait in one queue, as stretches of jobs. A worker that has room is given a batch: as many as its Tempo says, of one
// function, and never more than its share while others have nothing to do. What turns out to wait behind a long task is taken
// back from its worker (board.hpp) as soon as another one is free; what was done before it is told at once. Its answer
// settles them, or its death brings back what it had not done: those of a batch run one by one, so that it shows which of
// them a worker dies of; that one is failed after some tries, the others go on. Tasks under a deadline,
// that may not be tried twice, or that carry segments, are alone in a worker's hands from the start.
//
// It moves whenever its owner calls move() or wait(); nothing runs between. Every wait ends: with the tasks, at its
// deadline, when this actor stops, or when no worker can be started any more, which fails what waits. One thread.

#include <deque>
#include <unordered_map>

#include <baton/detail/pool/batch.hpp>
#include <baton/detail/pool/crew.hpp>
#include <baton/detail/pool/tempo.hpp>

namespace baton::pool {

using namespace detail;

class Scheduler {
public:
    Scheduler(Context& context, Options options);
    ~Scheduler() { static_cast<void>(stop(limits::stop_timeout)); }
    Scheduler(const Scheduler&) = delete;
    Scheduler& operator=(const Scheduler&) = delete;

    // Starts the workers, and waits until all are ready; where some fail for good, one is enough.
    [[nodiscard]] Result<void> start();
    // Whether it has been started, and knows what its workers can do.
    [[nodiscard]] bool is_ready() const noexcept { return is_started_ && !crew_.functions().empty(); }
    // Ends the workers. Tasks that were not done by then have failed (`stopping`).
    std::vector<Ended> stop(Duration deadline);
    // The same where the Context is about to end, and the workers with it.
    void abandon();

    [[nodiscard]] const Options& options() const noexcept { return options_; }
    [[nodiscard]] Context& context() const noexcept { return *context_; }
    [[nodiscard]] const Crew& crew() const noexcept { return crew_; }

    // Its tasks wait from here. `refused` where they do not fit.
    [[nodiscard]] Result<void> enqueue(const std::shared_ptr<Job>& job);
    // Those that wait never run; what becomes of one that a worker has in hand is of no interest any more.
    void cancel(Job& job);

    // Takes what has come, and gives workers what waits. Does not wait; looks outside at most once a millisecond.
    void move();
    // The same until `done` holds.
    [[nodiscard]] Result<void> wait(const std::function<bool()>& done, Deadline deadline);

private:
    // A batch in a worker's hands.
    struct Flight {
        Pending<Done> answer;
        Batch tasks;               // without those that are told
        std::size_t count = 0;     // of the batch that its worker still has
        Deadline deadline;
        Timestamp sent;
        std::uint16_t batch = 0;   // its number on the board, 0 without one
        Deadline is_long = {};     // after that
        std::size_t told = 0;      // its first tasks, whose outcomes are known before it is done
        Duration pause = {};       // of the front one, between two looks at what it has done; doubles
        Deadline next_look = {};
        bool is_whole = true;      // nothing has been taken back
    };
    using Seat = Crew::Seat;

    void step();
    void take_answers(std::size_t seat);
    void take_done(std::size_t seat, Flight flight, Done done);
    void take_early(std::size_t seat);
    void begin(Flight& flight);
    void read_board(std::size_t seat, Flight& flight);
    void settle(Flight& flight, Done done, const std::string& worker, std::size_t skipped);
    void give_up_late(std::size_t seat);
    // Did its tasks have to do with the worker's end?
    enum class Cause { tasks, others };
    void lose(std::size_t seat, const Error& why, Cause cause);
    void count_death(std::size_t seat, const Flight& flight, const Error& why);
    void take_gifts_back(const Ref<Protocol>& worker, const std::vector<Flight>& flights);
    void bring_back(Stretch stretch, bool is_alone);
    void fail_all(const Error& why);
    void end_all_tasks();
    [[nodiscard]] bool has_news() const;
    [[nodiscard]] Deadline next_look() const;

    void fill();
    void take_back_waiting();
    [[nodiscard]] std::size_t idle() const;
    [[nodiscard]] bool has_room(std::size_t seat) const;
    void give(std::size_t seat);
    [[nodiscard]] Batch cut(bool is_second);
    void drop_cancelled();

    Context* context_;
    const Options options_;
    Crew crew_;
    bool is_started_ = false;
    std::deque<Stretch> queue_;
    std::size_t waiting_ = 0;  // tasks in the queue
    std::size_t share_ = 1;    // of those that waited when fill() began, for a hand that was free
    std::size_t idle_ = 0;     // workers without anything in hand that fill() has not come to yet
    std::vector<std::vector<Flight>> flights_;  // of each seat, the oldest first
    std::unordered_map<const Signature*, Tempo> tempos_;
    Instant looked_{};
};

}  // namespace baton::pool
