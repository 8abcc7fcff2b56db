#pragma once
// Peers: the actors that this one has sent to. For each it keeps one link, what waits to leave over it, and how much
// the other has not taken yet. It knows only bytes and counts; the loop decides when to wait. One thread.

#include <deque>
#include <unordered_map>
#include <vector>

#include "runtime/transport/transport.hpp"
#include "runtime/vitals/vitals.hpp"
#include <baton/detail/codec.hpp>

namespace baton::detail {

struct Peer {
    ActorId id;
    std::string name;
    Link link;
    std::uint64_t sent_commands = 0;  // also the sequence of the last one
    std::uint64_t sent_bytes = 0;
    Buffer waiting;                   // records that share the next frame
    std::size_t waiting_commands = 0;
    std::size_t asks_in_flight = 0;

    Traffic* mine = nullptr;          // where our vitals say what we sent, as long as it is_of(id)
    const VitalsRow* their_row = nullptr;
    const Traffic* theirs = nullptr;  // where its vitals say what it took; nullptr: nothing yet
    std::uint64_t taken_commands_seen = 0;
    std::uint64_t taken_bytes_seen = 0;

    // For a receiver that does not count: what had been sent to it when it was last asked whether it has taken it.
    std::uint64_t count_asked_commands = 0;
    std::uint64_t count_asked_bytes = 0;
};

class Peers {
public:
    // From then on traffic is counted.
    void attach(const Vitals& vitals, OwnVitals& own, ActorId me);

    Peer& add(ActorId id, std::string name, Link link);
    [[nodiscard]] Peer* find(ActorId id) noexcept;
    void remove(ActorId id) noexcept;
    [[nodiscard]] std::unordered_map<ActorId, Peer>& all() noexcept { return peers_; }

    // Commands and bytes sent and not taken, as far as known; looks this up only if it could matter.
    struct InFlight {
        std::uint64_t commands = 0;
        std::uint64_t bytes = 0;
        [[nodiscard]] bool fits(std::size_t more_bytes) const noexcept {
            return commands < limits::window_commands_max && bytes + more_bytes <= limits::window_bytes_max;
        }
    };
    [[nodiscard]] InFlight in_flight(Peer& peer) const noexcept;
    // True if the receiver counts in its vitals what it takes. Otherwise it is asked now and then (is_count_due), and
    // everything sent after the last ask that it has answered is in flight.
    [[nodiscard]] bool is_counted(const Peer& peer) const noexcept;
    [[nodiscard]] bool is_count_due(const Peer& peer) const noexcept;
    // It has taken that much.
    void note_taken(Peer& peer, std::uint64_t commands, std::uint64_t bytes) const noexcept;

    // One record is sent, as far as the receiver's window and the coordinator's count are concerned.
    void count(Peer& peer, std::size_t record_bytes) const noexcept;
    void uncount(Peer& peer, std::size_t record_bytes) const noexcept;
    // Adds one record, given in two pieces, to what leaves next; take_back() removes exactly the last one.
    void append(Peer& peer, std::string_view head, std::string_view body) const;
    void take_back(Peer& peer, std::size_t record_bytes) const;
    // Drops everything that still waits to leave, as if it had never been sent.
    void discard_waiting(Peer& peer);

private:
    void publish(Peer& peer) const noexcept;
    std::unordered_map<ActorId, Peer> peers_;
    const Vitals* vitals_ = nullptr;
    OwnVitals* own_ = nullptr;
    ActorId me_;
};

}  // namespace baton::detail
