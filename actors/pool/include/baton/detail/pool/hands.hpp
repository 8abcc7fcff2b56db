#pragma once
// Hands: the batches that the workers of a pool have in hand, from the moment a batch is sent until it is known what
// came of each of its tasks.
//
// A worker that has room is given a batch: as many tasks as the queue cuts for it, and never more than its share while
// others have nothing to do. Tasks that turn out to wait behind a long one are taken back from their worker (board.hpp)
// as soon as another worker is free, and the outcomes of those before it are known at once. The worker's answer settles
// the batch. If the worker dies instead, what it had not done comes back: the tasks of a batch then run one by one, so
// that the one that kills workers can be told from the others; it fails when its retries are used up. One thread.

#include <vector>

#include <baton/detail/pool/crew.hpp>
#include <baton/detail/pool/queue.hpp>
#include <baton/pool/cancelled.hpp>

namespace baton::detail::pool {

class Hands {
public:
    Hands(Context& context, Crew& crew, Queue& queue) : context_(&context), crew_(&crew), queue_(&queue) {}

    // Empty hands, one pair for each seat of the crew.
    void open();
    // Whatever is still in hand has failed.
    void fail_all(const Error& why);

    // Takes what the worker in that seat has answered, or has done so far; gives up a task that is over its time.
    void look(std::size_t seat);
    // Gives what waits to workers that have room.
    void fill();
    // Takes what some workers have in hand and have not begun, if others have nothing to do.
    void share_out();
    // A task that is in hand: not to be run any more, or no longer.
    [[nodiscard]] baton::pool::Cancelled cancel(Job& job, std::size_t task);

    // Says whether look() would find an answer.
    [[nodiscard]] bool has_news() const;
    // When look() or share_out() has something to do at the latest, if no answer comes.
    [[nodiscard]] Deadline next_look() const;

private:
    // A batch in a worker's hands.
    struct Flight {
        Pending<Done> answer;
        Batch tasks;              // without those that are told
        std::size_t count = 0;    // of the batch that its worker still has
        Deadline deadline;
        Timestamp sent;
        std::uint16_t batch = 0;  // its number on the board, 0 without one
        bool is_alone = false;    // one task: it is not told early, and taken back only if it is cancelled
        Deadline is_long = {};    // after that
        std::size_t told = 0;     // its first tasks, whose outcomes are known before it is done
        Duration pause = {};      // of the front one, between two looks at what it has done; doubles
        Deadline next_look = {};
        bool is_whole = true;     // nothing has been taken back

        [[nodiscard]] bool is_on_board() const noexcept { return batch != 0 && !is_alone; }
    };
    using Seat = Crew::Seat;
    // Did its tasks have to do with the worker's end?
    enum class Cause { tasks, others };

    void take_answers(std::size_t seat);
    void take_done(std::size_t seat, Flight flight, Done done);
    void take_early(std::size_t seat);
    void give_up_late(std::size_t seat);
    void begin(Flight& flight);
    void read_board(std::size_t seat, Flight& flight);
    void settle(Flight& flight, Done done, const std::string& worker, std::size_t skipped);
    void take_back(std::size_t seat, Flight& flight);
    [[nodiscard]] Flight* flight_of(const Job& job, std::size_t task, std::size_t& seat);

    void lose(std::size_t seat, const Error& why, Cause cause);
    void count_death(std::size_t seat, const Flight& flight, const Error& why);
    void take_gifts_back(const Ref<Protocol>& worker, const std::vector<Flight>& flights);

    [[nodiscard]] std::size_t idle() const;
    [[nodiscard]] bool has_room(std::size_t seat) const;
    void give(std::size_t seat, const Queue::For& worker);
    [[nodiscard]] bool has_passed(Deadline deadline) const { return context_->now() >= deadline.at(); }

    Context* context_;
    Crew* crew_;
    Queue* queue_;
    std::vector<std::vector<Flight>> flights_;  // of each seat, the oldest first
};

}  // namespace baton::detail::pool
