#pragma once
// Transport: carries frames of bytes from one process to another, over links. It is an interface, so that the inbox can
// be tested without sockets and another kind of lane (a ring in shared memory) can exist beside ZeroMQ.
//
// A transport binds at most one address, its inbox, and opens links to the inboxes of others. A frame arrives at the
// inbox together with the link that it came over, and a frame sent back over that link reaches the side that opened it.
// Every transport promises the following (tests/unit/transport_contract_test.cpp runs on each):
//   - frames of one link arrive whole, once and in order;
//   - send() never blocks: a full link says so, and takes frames again after the receiver has read;
//   - a frame over limits::message_bytes_max plus a batch's worth is never delivered, nor taken by send().
// It knows nothing of envelopes. One thread: no object of it crosses a thread.

#include <sys/types.h>

#include <concepts>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <baton/time.hpp>
#include <baton/ref.hpp>
#include <baton/limits.hpp>
#include <baton/result.hpp>

namespace baton::detail {

inline constexpr std::size_t frame_bytes_max = limits::message_bytes_max + limits::batch_bytes_max;

class Transport {
public:
    virtual ~Transport() = default;

    // Makes this transport's inbox reachable at `address`.
    [[nodiscard]] virtual Result<void> bind(const std::string& address) = 0;
    // Makes it reachable there again, after the file by which others find it was removed. Links to it stay.
    [[nodiscard]] virtual Result<void> bind_again() { return {}; }
    // Opens a link to the inbox at `address`, which need not exist yet.
    [[nodiscard]] virtual Result<Link> open(const std::string& address) = 0;
    // The same for the inbox of that member, by the best way that there is.
    [[nodiscard]] virtual Result<Link> open_to(ActorId /*to*/, const std::string& address) { return open(address); }
    // The same without an address, if this transport knows a way to that member by itself; `unsupported` if not.
    [[nodiscard]] virtual Result<Link> open_by_id(ActorId /*to*/) {
        return Error{ErrorKind::unsupported, "an address is needed"};
    }
    // Forgets the link. With `Pending::delivered`, what was sent may still leave, for up to limits::linger.
    enum class Pending { delivered, discarded };
    virtual void close(Link link, Pending pending) = 0;

    // Keeps an accepted link until close(), however many others come.
    virtual void keep(Link) {}
    // Keeps it until release(), because an answer is owed over it. Counted: each hold() has its release().
    virtual void hold(Link) {}
    virtual void release(Link) {}

    enum class Sent {
        yes,   // it is on its way
        full,  // not taken; try again after wait() said writable
        gone,  // nobody is at the other end any more
        too_large,  // over frame_bytes_max: never taken
    };
    // What is sent as one frame. A message is given in two pieces, its envelope and its body, so that the transport's
    // own copy of the body is the only one.
    struct Outgoing {
        template <std::convertible_to<std::string_view> Text>
        Outgoing(const Text& whole) : head(whole) {}  // NOLINT: implicit by design
        Outgoing(std::string_view envelope, std::string_view rest) : head(envelope), body(rest) {}
        [[nodiscard]] std::size_t size() const noexcept { return head.size() + body.size(); }

        std::string_view head;
        std::string_view body = {};
    };
    [[nodiscard]] virtual Sent send(Link link, Outgoing frame) = 0;
    // A frame of that size, which is written where it lies, if it is taken.
    struct Writing {
        std::size_t bytes = 0;
        void (*write)(const void* what, std::byte* to) = nullptr;
        const void* what = nullptr;
    };
    [[nodiscard]] virtual Sent send_in_place(Link link, const Writing& frame) {
        std::string bytes(frame.bytes, '\0');
        frame.write(frame.what, reinterpret_cast<std::byte*>(bytes.data()));
        return send(link, bytes);
    }
    // The fingerprint of the protocol whose commands the other side of that link reads without names; 0: of none.
    [[nodiscard]] virtual std::uint64_t protocol_of(Link) const { return 0; }

    // True if what send() took over that link outlives this process, whatever ends it.
    [[nodiscard]] virtual bool outlives_us(Link) const { return false; }
    // All that a dead member sent has been taken, and nothing goes to it any more.
    virtual void forget(ActorId /*dead*/) {}

    // Takes the next frame at the inbox, with its link; false if there is none now. After that only a wait() that is
    // interested in the inbox looks outside again, so that asking in vain costs nothing.
    [[nodiscard]] virtual bool receive(Link& from, std::string& frame) = 0;
    // The same, without a copy where there is none yet: `frame` views `own`, or lies where its sender may still change
    // it. It is valid until the next call that takes from the inbox, waits, or closes a link.
    [[nodiscard]] virtual bool receive_where_it_lies(Link& from, std::string& own, std::string_view& frame) {
        const bool is_there = receive(from, own);
        frame = own;
        return is_there;
    }
    // Takes the next frame that came back over a link opened here; false if there is none now.
    [[nodiscard]] virtual bool receive_from(Link link, std::string& frame) = 0;
    // Does this without a copy where there is none yet, as receive_where_it_lies() does. `frame` is valid until the
    // next call that takes from that link or closes it.
    [[nodiscard]] virtual bool receive_from_where_it_lies(Link link, std::string& own, std::string_view& frame) {
        const bool is_there = receive_from(link, own);
        frame = own;
        return is_there;
    }

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

    // Waits until a frame may be read at the inbox (if `inbox`) or on one of `links`, `writable` may be written, one of
    // `descriptors` is readable, or `at_most` (zero: looks only) has passed. May return early without a reason, but
    // even then receive() knows of everything that had arrived, unless the wait `may_be_brief`. True if one of
    // `descriptors` is readable.
    struct Interest {
        bool inbox = false;
        std::span<const Link> links = {};
        Link writable = {};
        std::span<const int> descriptors = {};
        // What can be seen in memory is enough for now. The kernel is asked now and then all the same, so that who is
        // heard through it does not have to wait for the others to fall silent.
        bool may_be_brief = false;
    };
    virtual bool wait(const Interest& interest, Duration at_most) = 0;
    // For an event loop that waits in place of wait(): adds the descriptors to `watched` of which one becomes readable
    // when wait() would return. True if wait() would return at once. After either, wait() is called, with zero.
    [[nodiscard]] virtual bool would_wait_for(const Interest& interest, std::vector<int>& watched) {
        watched.insert(watched.end(), interest.descriptors.begin(), interest.descriptors.end());
        return true;
    }
};

}  // namespace baton::detail
