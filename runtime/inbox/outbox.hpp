#pragma once
// Outbox: from a message to the receiver's link, through its window and the bound of its link.
//
// A message may leave at once, or share a frame with others a little later. What keeps one from leaving, a full window
// or a full link, is waited for until the deadline; the control lane and answers are served meanwhile, so a peer may be
// forgotten by the end of any call here. A message that could not be sent is as if it had never been: what was counted
// is not counted, and what it carried is where it was. This holds even if an exception ends the wait. One thread.

#include <optional>

#include "runtime/inbox/asks.hpp"
#include "runtime/inbox/peers.hpp"
#include "runtime/inbox/requests.hpp"
#include "runtime/inbox/returns.hpp"
#include "runtime/inbox/waiting.hpp"
#include <baton/detail/positional.hpp>
#include "runtime/wire/envelope.hpp"

namespace baton::detail {

// Whom a message is meant for: an actor of this session, or the one that a Ref names.
struct Receiver {
    Receiver(ActorId actor) : ref(actor) {}          // NOLINT: either is a receiver
    Receiver(const AnyRef& actor) : ref(actor) {}    // NOLINT
    template <class Protocol>
    Receiver(const Ref<Protocol>& actor) : ref(actor) {}  // NOLINT
    AnyRef ref;
};

// Where an actor is, for the first message to it.
class Locating {
public:
    struct Place {
        std::string name;
        std::string address;
    };
    [[nodiscard]] virtual Result<Place> locate(ActorId actor, Deadline deadline) = 0;

protected:
    ~Locating() = default;
};

class Outbox {
public:
    // Decides whether commands to a receiver that is behind may share a frame and leave a little later, at the latest
    // when the handler returns or waits.
    enum class Urgency { may_share, now };
    // `body` is one encoded value, or is not there if the receiver reads the message by position. What the parcel
    // carries leaves the caller's hands when the message is on its way.
    struct Message {
        MessageKind kind = MessageKind::send;
        AskId ask = 0;
        std::string_view tag;
        std::string_view body;
        const Parcel* parcel = nullptr;
        Urgency urgency = Urgency::now;
        const positional::Body* by_position = nullptr;
        [[nodiscard]] bool is_carrying() const noexcept { return parcel != nullptr && !parcel->holdings.empty(); }
    };

    Outbox(Self& self, Peers& peers, Asks& asks, const Requests& requests, Returns& returns, Waiting& waiting)
        : self_(&self), peers_(&peers), asks_(&asks), requests_(&requests), returns_(&returns), waiting_(&waiting) {}
    // Until then only peers that have been opened can be reached.
    void locate_with(Locating& locating) noexcept { locating_ = &locating; }

    // The peer, whose link is opened if it is a new one.
    [[nodiscard]] Result<Peer*> reach(ActorId to, Deadline deadline);
    // Opens the link over which all that is sent to that actor goes.
    [[nodiscard]] Result<Peer*> open(ActorId to, std::string name, const std::string& address);
    // On its way, or waits to share a frame.
    [[nodiscard]] Result<void> put(Peer& peer, const Message& message, Deadline deadline);
    // A command that nobody waits for. What it carries is remembered among the gifts.
    [[nodiscard]] Result<void> send(ActorId to, const Message& message, Deadline deadline);
    // The same for a receiver of the same protocol that reads commands by position: straight into its lane. Nothing if
    // it is none, or is not known yet, or if the command is one that is refused when it is encoded.
    [[nodiscard]] std::optional<Result<void>> send_by_position(ActorId to, std::string_view tag,
                                                               const positional::CommandBody& body, Within within);
    // True if put() takes a message to it with that and without a body.
    [[nodiscard]] bool reads_by_position(ActorId to, const positional::CommandBody& body) const;
    // What waits to share a frame goes out now.
    void flush();
    // What living receivers have not taken, of what was sent over links that do not outlive this process. Those that
    // do not count what they take are asked.
    struct Untaken {
        std::string name;  // of the receiver
        Link link;         // to it
        std::uint64_t commands = 0;
    };
    [[nodiscard]] std::vector<Untaken> untaken(Deadline deadline);

    // The circle in which we wait, if we are the one that has to give up so that all others go on; and what it is told.
    [[nodiscard]] std::vector<WaitEdge> circle_to_break() const;
    [[nodiscard]] Error deadlock(const std::vector<WaitEdge>& circle);

private:
    // How often a sender whose window is full looks again; the receiver has plenty to do in that time.
    static constexpr Duration window_interval = std::chrono::milliseconds{1};
    class WaitingForRoom;
    struct Unsent;
    struct Ungiven;
    [[nodiscard]] std::optional<Error> why_unreachable(ActorId to) const;
    // Without asking the coordinator; nullptr if that can't be done, or did not work.
    [[nodiscard]] Peer* open_by_id(ActorId to);
    [[nodiscard]] Result<void> put_whole(Peer& peer, const Message& message, Deadline deadline);
    [[nodiscard]] Result<void> put_parcel(Peer& peer, const Message& message, Deadline deadline);
    [[nodiscard]] Result<void> check_size(const Peer& peer, const Message& message) const;
    [[nodiscard]] Result<std::size_t> write_head(const Peer& peer, const Message& message);
    [[nodiscard]] Result<void> ask_for_count(Peer& peer, Deadline deadline);
    [[nodiscard]] Result<void> wait_for_window(Peer& peer, std::size_t bytes, Deadline deadline);
    [[nodiscard]] Result<void> push(Peer& peer, Deadline deadline);
    // Why a wait for room at `to` ends now, if it does.
    [[nodiscard]] std::optional<Error> cannot_wait(ActorId to, Deadline deadline, std::string_view for_what) const;
    // What becomes of a brief record now, without waiting.
    enum class Tried { sent, gone, no_window, no_room };
    [[nodiscard]] Tried try_brief(Peer& peer, const Message& message);
    [[nodiscard]] Result<void> put_brief(Peer& peer, const Message& message, Deadline deadline);
    [[nodiscard]] Result<void> wait_for_link(ActorId to, Link link, Deadline deadline);

    Self* self_;
    Peers* peers_;
    Asks* asks_;
    const Requests* requests_;
    Returns* returns_;
    Waiting* waiting_;
    Locating* locating_ = nullptr;
    Buffer record_;  // reused, so that the steady state allocates nothing
};

}  // namespace baton::detail
