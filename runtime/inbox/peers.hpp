#pragma once
// Peers: the actors that this one has sent to. For each it keeps one link, what waits to leave over it, and how much
// the other has not taken yet; and of those that have ended, why they are of no use any more. It knows only bytes and
// counts; the outbox decides when to wait. One thread.

#include <string>
#include <unordered_map>
#include <vector>

#include "runtime/inbox/self.hpp"
#include <baton/detail/codec.hpp>

namespace baton::detail {

// How much of what goes to a peer: records, and their bytes.
struct Amount {
    std::uint64_t commands = 0;
    std::uint64_t bytes = 0;
};

// Where what is sent to a peer goes.
struct Route {
    Link link;
    std::uint64_t protocol = 0;  // whose commands it reads by position over that link, and counts
};

struct Peer : Route {
    ActorId id;
    std::string name;
    Amount sent;                      // its commands are also the sequence of the last one
    Buffer waiting;                   // records that share the next frame
    std::size_t waiting_commands = 0;
    std::size_t asks_in_flight = 0;

    Traffic* mine = nullptr;          // where our vitals say what we sent, as long as it is_of(id)
    const VitalsRow* their_row = nullptr;
    const Traffic* theirs = nullptr;  // where its vitals say what it took; nullptr: nothing yet
    Amount taken;                     // as far as seen
    // For a receiver that does not count: what had been sent to it when it was last asked whether it has taken it.
    Amount count_asked;
};

class Peers {
public:
    // Once the vitals are attached to it, traffic is counted.
    explicit Peers(Self& self) : self_(&self) {}

    Peer& add(ActorId id, std::string name, Link link);
    [[nodiscard]] Peer* find(ActorId id) noexcept;
    [[nodiscard]] Peer* over(Link link) noexcept;
    [[nodiscard]] std::unordered_map<ActorId, Peer>& all() noexcept { return peers_; }
    // It has exited, or has been found to have: why a Ref of it is of no use any more.
    void remember_gone(ActorId id, const std::string& why);
    void remove(ActorId id) noexcept;
    // Nullptr: not as far as known.
    [[nodiscard]] const std::string* why_gone(ActorId id) const noexcept;

    // Commands and bytes sent and not taken, as far as known; looks this up only if it could matter.
    struct InFlight : Amount {
        [[nodiscard]] bool fits(std::size_t more_bytes) const noexcept {
            return commands < limits::window_commands_max && bytes + more_bytes <= limits::window_bytes_max;
        }
    };
    [[nodiscard]] InFlight in_flight(Peer& peer) const noexcept;
    // Commands that were sent and not taken; looks this up.
    [[nodiscard]] std::uint64_t untaken(Peer& peer) const noexcept;
    // True if so many more bytes fit into the window of a receiver that counts; looks only if they would not.
    [[nodiscard]] bool has_room(Peer& peer, std::size_t bytes) const noexcept;
    // True if the receiver counts in its vitals what it takes. Otherwise it is asked now and then (is_count_due), and
    // everything sent after the last ask that it has answered is in flight.
    [[nodiscard]] bool is_counted(const Peer& peer) const noexcept;
    [[nodiscard]] bool is_count_due(const Peer& peer) const noexcept;
    // It has taken that much.
    void note_taken(Peer& peer, Amount taken) const noexcept;

    // One record is sent, as far as the receiver's window and the coordinator's count are concerned.
    void count(Peer& peer, std::size_t record_bytes) const noexcept;
    void uncount(Peer& peer, std::size_t record_bytes) const noexcept;

    // Adds one record, given in two pieces, to what leaves next; take_back() removes exactly the last one.
    void append(Peer& peer, std::string_view head, std::string_view body);
    void take_back(Peer& peer, std::size_t record_bytes);
    // What waited has left.
    void clear_waiting(Peer& peer) noexcept;
    // Drops everything that still waits to leave, as if it had never been sent.
    void discard_waiting(Peer& peer);
    [[nodiscard]] bool any_waiting() const noexcept { return unsent_ > 0; }

    // An answer is owed by it, and has come.
    void expect_answer(Peer& peer) noexcept;
    void note_answer(Peer& peer) noexcept;
    [[nodiscard]] bool any_owes_answer() const noexcept { return asked_ > 0; }
    // Nobody answers any more.
    void expect_no_answers() noexcept;

private:
    Self* self_;
    std::unordered_map<ActorId, Peer> peers_;
    std::unordered_map<ActorId, std::string> gone_;
    std::size_t unsent_ = 0;  // that hold records in `waiting`
    std::size_t asked_ = 0;   // that owe an answer
};

}  // namespace baton::detail
