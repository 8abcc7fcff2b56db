#pragma once
// Crew: the workers of a pool: as many seats as it has workers, and who sits in them.
//
// A seat is filled by spawning a worker and asking it what it can do, without waiting, all seats at once. A worker that
// has died is replaced: at once the first time, then after a pause that doubles with every death or failed start in
// that seat in which no task was finished. A seat whose workers do not start, or end before they are given anything, is
// given up after a few attempts, or after the first if no later start could go better. Knows no tasks. Driven by
// look(), whenever the pool's owner has time. One thread.

#include <optional>
#include <string>
#include <vector>

#include <baton/detail/pool/board.hpp>
#include <baton/detail/pool/work.hpp>
#include <baton/pool/options.hpp>

namespace baton::detail::pool {

using baton::pool::Options;

class Crew {
public:
    struct Seat {
        enum class State { empty, starting, asked, ready, given_up };
        State state = State::empty;
        Ref<Protocol> worker;
        std::string name;                 // of the worker
        std::uint32_t failures = 0;       // deaths and failed starts since a task was finished here
        std::uint32_t useless = 0;        // workers in a row that did not start, or ended with nothing in hand
        Deadline due{Instant{}};          // of an empty one: when the next start is tried
        std::optional<Error> why;         // the last worker ended, or did not start
        std::optional<Pending<Ref<Protocol>>> spawned;
        std::optional<Pending<Described>> described;
    };

    Crew(Context& context, const Options& options) : context_(&context), options_(&options) {}

    // Empty seats, to be filled by look().
    void open();
    // Takes what has come and starts whose time it is.
    void look();
    // Says whether look() has something to take, and when it has something to start.
    [[nodiscard]] bool has_news() const;
    [[nodiscard]] Deadline next_start() const;

    [[nodiscard]] std::vector<Seat>& seats() noexcept { return seats_; }
    [[nodiscard]] const std::vector<Seat>& seats() const noexcept { return seats_; }
    [[nodiscard]] std::size_t size() const noexcept { return seats_.size(); }
    [[nodiscard]] std::size_t ready() const;
    // On which each seat has a place.
    [[nodiscard]] Board& board() noexcept { return board_; }
    // Nobody is starting, and nobody will: why.
    [[nodiscard]] std::optional<Error> hopeless() const;
    // What the workers can do; empty before the first of them has said so.
    [[nodiscard]] const std::vector<std::shared_ptr<const Signature>>& functions() const noexcept { return functions_; }
    // `refused` for one that they can't, with those they can.
    [[nodiscard]] Result<std::shared_ptr<const Signature>> function(std::string_view name) const;

    // The worker of that seat has ended. What had it in hand? If it was nothing, the seat is given up after some times;
    // if it was tasks, they see to it that this comes to an end.
    enum class Had { nothing, tasks };
    void lose(Seat& seat, Error why, Had had);
    // The same after killing one that had tasks.
    void kill(Seat& seat, Error why);
    // Kills one that is wanted no more, and starts another at once.
    void replace(Seat& seat, Error why);
    // A task came to its end there.
    static void praise(Seat& seat) noexcept { seat.failures = seat.useless = 0; }

    // Ends all workers, and waits until the last of them has ended. Afterwards there are no seats.
    std::vector<Ended> stop(Within within);
    // They end by themselves.
    void abandon() noexcept {
        seats_.clear();
        functions_.clear();
        board_.close();
    }

private:
    [[nodiscard]] bool is_due(const Seat& seat) const { return context_->now() >= seat.due.at(); }
    void start(Seat& seat);
    void take_spawned(Seat& seat);
    void take_described(Seat& seat);
    void fail_start(Seat& seat, Error why);
    void give_up_or_rest(Seat& seat, Error why, bool is_useless);

    Context* context_;
    const Options* options_;
    std::vector<Seat> seats_;
    Board board_;
    std::uint64_t started_ = 0;  // workers, ever: the name of one that is still dying is not free
    std::vector<std::shared_ptr<const Signature>> functions_;
};

}  // namespace baton::detail::pool
