#pragma once
// Transport: frames of bytes from one process to another, over links. An interface, so that the inbox can be
// tested without sockets and so that another lane (a ring in shared memory) can stand beside ZeroMQ.
//
// A transport binds at most one address, its inbox, and opens links to the inboxes of others. Frames that
// arrive at the inbox come with the link they came over; a frame sent back over that link reaches the one
// who opened it. What every transport promises (tests/unit/transport_contract_test.cpp runs on each):
//   - frames of one link arrive whole, once and in order;
//   - send() never blocks: a full link says so, and takes frames again after the receiver has read;
//   - a frame over limits::message_bytes_max plus a batch's worth is never delivered, nor taken by send().
// It knows nothing of envelopes. One thread: no object of it crosses a thread.

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>

#include <baton/time.hpp>
#include <baton/ref.hpp>
#include <baton/detail/answer_slot.hpp>
#include <baton/limits.hpp>
#include <baton/result.hpp>

namespace baton::detail {

inline constexpr std::size_t frame_bytes_max = limits::message_bytes_max + limits::batch_bytes_max;

class Transport {
public:
    virtual ~Transport() = default;

    // Makes this transport's inbox reachable at `address`.
    [[nodiscard]] virtual Result<void> bind(const std::string& address) = 0;
    // A link to the inbox at `address`, which may come into being later.
    [[nodiscard]] virtual Result<Link> open(const std::string& address) = 0;
    // Forgets the link. `Pending::delivered` still lets what was sent go out, up to limits::linger.
    enum class Pending { delivered, discarded };
    virtual void close(Link link, Pending pending) = 0;

    // An accepted link that is not forgotten before close(), however many others come.
    virtual void keep(Link) {}
    // The same until release(): an answer is owed over it. Counted: each hold() has its release().
    virtual void hold(Link) {}
    virtual void release(Link) {}

    enum class Sent {
        yes,   // it is on its way
        full,  // not taken; try again after wait() said writable
        gone,  // nobody is at the other end any more
        too_large,  // over frame_bytes_max: never taken
    };
    [[nodiscard]] virtual Sent send(Link link, std::string_view frame) = 0;

    // The next frame at the inbox, and whence; false when there is none now. After a false only a wait() that is
    // interested in the inbox looks at the outside again, so that asking in vain costs nothing.
    [[nodiscard]] virtual bool receive(Link& from, std::string& frame) = 0;
    // The next frame that came back over a link opened here; false when there is none now.
    [[nodiscard]] virtual bool receive_from(Link link, std::string& frame) = 0;

    // True if anything that a dead peer sent can still arrive from outside, so that receive(), or receive_from() of the
    // link to it, would not have it yet after the next wait() that is interested in it. It distinguishes connections,
    // not processes: one process may be several peers. Never waits itself; callers ask again until it is false.
    struct DeadPeer {
        ActorId id;
        pid_t pid = 0;     // of its process, as it has said itself; 0: unknown
        Link opened = {};  // the link from here to its inbox, if there is one
    };
    enum class Speaker { unknown, the_dead, another };  // another: one that lives
    [[nodiscard]] virtual bool may_deliver(const DeadPeer&, const std::function<Speaker(Link)>& /*who_speaks_over*/) {
        return false;
    }

    // Waits until a frame may be read at the inbox (if `inbox`) or on one of `links`, `writable` may be
    // written, one of `descriptors` is readable, or `at_most` (zero: looks only) has passed. May return early
    // for no reason, but then, too, receive() knows of all that had come by then. True if one of `descriptors` is
    // readable.
    struct Interest {
        bool inbox = false;
        std::span<const Link> links = {};
        Link writable = {};
        std::span<const int> descriptors = {};
    };
    virtual bool wait(const Interest& interest, Duration at_most) = 0;
};

}  // namespace baton::detail
