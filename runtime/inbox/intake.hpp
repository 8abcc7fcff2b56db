#pragma once
// Intake: turns frames of the inbox into commands, one at a time, and keeps what is known about each sender's
// connection.
//
// If bytes do not parse, the connection that they came over is dropped: its other side is told why, once, and
// everything that it sends later is discarded unread. A connection speaks for one actor, and its commands are numbered
// without gaps. A command that is addressed to another actor is marked, and the loop refuses it. One thread.

#include <unordered_map>

#include "runtime/inbox/command.hpp"
#include "runtime/inbox/self.hpp"

namespace baton::detail {

class Intake {
public:
    explicit Intake(Self& self) : self_(&self) {}
    // The fingerprint of the protocol whose commands its actor reads without names; at first of none.
    void read_by_position(std::uint64_t protocol) noexcept { protocol_ = protocol; }

    // Takes the next command and counts it as taken; false if there is none now. It refers to the intake's memory until
    // the next call.
    [[nodiscard]] bool next(Command& out);

    // An ask that came over the link has been answered.
    void count_answer(Link link, std::uint64_t ask) noexcept;
    // It can't be answered before `whom` has gone on.
    void keep_answer(Link link, std::uint64_t ask, ActorId whom) noexcept;

    // From now on everything that comes over the link is discarded unread.
    void drop_silently(Link link);
    // The member that a connection belongs to, if it has not said so itself: it joined over it, and may never speak
    // again.
    void introduce(Link link, ActorId sender);
    // The actor has exited: its connection will not speak again.
    void forget(ActorId sender);
    // The actor that the link has spoken for; nobody if it has not spoken yet.
    [[nodiscard]] ActorId speaker_of(Link link) const;
    [[nodiscard]] std::uint64_t dropped_peers() const noexcept { return dropped_peers_; }
    [[nodiscard]] std::uint64_t frames_taken() const noexcept { return frames_taken_; }

private:
    struct Sender {
        ActorId id;
        ActorId joined_as;
        std::uint64_t last_sequence = 0;
        Traffic* taken = nullptr;  // as long as it is_of(id)
        const VitalsRow* row = nullptr;  // in which it says what it has withdrawn, if that is still its own
        bool is_dropped = false;
        bool has_misaddressed = false;
    };
    [[nodiscard]] bool parse(Command& out);
    [[nodiscard]] bool parse_brief(std::string_view record, Command& out);
    [[nodiscard]] bool admit(Command& out, std::size_t bytes);
    // The peer that has spoken over link_.
    [[nodiscard]] Sender* known_sender();
    void count_taken(Sender& sender, Command& command, std::size_t bytes) noexcept;
    [[nodiscard]] bool is_for_me(const Envelope& envelope) const noexcept;
    void drop(Link link, const Error& why);
    void make_room();

    Self* self_;
    Unpacker unpacker_;
    Buffer frame_;
    std::size_t offset_ = 0;
    std::uint64_t protocol_ = 0;
    Buffer tag_;  // of the last brief record
    Link link_;
    Sender* last_sender_ = nullptr;  // over link_, if it has been looked up
    std::unordered_map<Link, Sender> senders_;
    std::uint64_t dropped_peers_ = 0;
    std::uint64_t frames_taken_ = 0;
};

}  // namespace baton::detail
