#pragma once
// Restarts: which actors are started again, when, and which others with them.
//
// An actor that may be restarted has a seat, which outlives it: the next life has its name and its number. Each end of
// a life is decided once (ended): it is restarted after a back-off, it is given up because it fails too often, or it
// has ended for good and the seat goes. By the strategy of its group others are to be ended and restarted with it; then
// none begins before all of them have ended, and they begin in the order in which they were spawned first.
// It only decides: it touches no process and no memory that others see, and the time comes from a Clock. One thread.

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include <baton/ref.hpp>
#include <baton/spawn.hpp>
#include <baton/time.hpp>
#include "runtime/ledger/words.hpp"

namespace baton::detail::coordinator {

// An actor across its lives.
struct Seat {
    enum State : std::uint64_t {
        founded = 0,   // its first life has not been ready: if that ends, so does the seat
        lives = 1,
        ends = 2,      // it is being ended, to be restarted with another one
        settles = 3,   // it has ended, that it is restarted is decided, and rows may still name the life
        waits = 4,     // for `due`
        given_up = 5,
    };
    State state = founded;
    ActorId first;   // its first life: the number is that of all lives, the incarnations go up
    ActorId life;    // the present one, or the last one
    ActorId parent;  // with which it ends; nobody if it outlives that
    std::string name;
    Restart how;
    std::uint64_t order = 0;      // of the spawns of a session
    std::uint64_t restarts = 0;   // ever
    std::uint32_t in_a_row = 0;   // restarts, each within the period after the one before
    std::vector<Instant> recent;  // restarts within the period
    Instant begun{};              // the last one
    Deadline due;                 // in `ends`, `settles` and `waits`
    Instant held_since{};         // it is due and cannot begin yet; its own coordinator's
    std::string failure;          // how the last life ended that did not end well

    [[nodiscard]] bool is_of(ActorId actor) const noexcept {
        return actor.number == life.number && actor.incarnation >= first.incarnation &&
               actor.incarnation <= life.incarnation;
    }
    // The last life has ended and the next one has not begun.
    [[nodiscard]] bool is_between_lives() const noexcept { return state == settles || state == waits; }
};

class Restarts {
public:
    explicit Restarts(const Clock& clock) : clock_(&clock) {}

    // ---- seats
    Seat& add(Seat seat);
    // One more is spawned.
    [[nodiscard]] std::uint64_t next_order() noexcept { return ++last_order_; }
    // That of which this is a life, whether past or present; nullptr if there is none.
    [[nodiscard]] Seat* find(ActorId life) noexcept;
    [[nodiscard]] const Seat* find(ActorId life) const noexcept;
    // The one between two lives, by its name.
    [[nodiscard]] Seat* find_between_lives(std::string_view name) noexcept;
    [[nodiscard]] bool holds(ActorNumber number) const noexcept { return seats_.contains(number); }
    [[nodiscard]] const std::map<ActorNumber, Seat>& all() const noexcept { return seats_; }
    [[nodiscard]] std::vector<ActorId> children_of(ActorId parent) const;
    // The strategy of that group, if it has members.
    [[nodiscard]] const Restart::Strategy* strategy_of(ActorId parent, std::string_view group) const noexcept;
    // It is not restarted any more.
    void drop(ActorNumber number) noexcept { seats_.erase(number); }

    // ---- the end of a life
    struct Decision {
        bool restarts = false;          // at seat.due
        bool gives_up = false;
        std::vector<ActorId> to_end;    // others, to be restarted with it
        std::vector<ActorId> to_leave;  // others, which are given up with it; they may be between two lives
    };
    // This life has ended. `has_failed`: not in good order; `how`: in words. Nothing is decided twice: after a
    // coordinator that has recorded what it decided this says the same.
    [[nodiscard]] Decision ended(ActorId life, bool has_failed, const std::string& how);
    // Nothing names its last life any more.
    void settled(ActorNumber number) noexcept;

    // ---- the next life
    // Those that are to begin now, in this order. Each is begun(), or put_off(), or dropped.
    [[nodiscard]] std::vector<ActorNumber> due() const;
    // When to call due() next, if nothing else happens.
    [[nodiscard]] Deadline next() const noexcept;
    void begun(ActorNumber number, ActorId life) noexcept;
    // It cannot begin yet.
    void put_off(ActorNumber number, Duration by) noexcept;

private:
    // True if `other` is ended and restarted with `seat`.
    [[nodiscard]] static bool goes_with(const Seat& other, const Seat& seat) noexcept;
    [[nodiscard]] bool may_begin(const Seat& seat) const;
    void decide(Seat& seat, Decision& decision);

    const Clock* clock_;
    std::map<ActorNumber, Seat> seats_;
    std::uint64_t last_order_ = 0;
};

}  // namespace baton::detail::coordinator
