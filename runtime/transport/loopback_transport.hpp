#pragma once
// LoopbackTransport: the transport inside one thread, for tests and simulation. No sockets, no clock.
//
// All transports of one LoopbackNetwork reach each other by any address that one of them has bound. Each direction of a
// link holds at most `frames_per_link_max` frames, as ZeroMQ's high-water mark does. An inbox that has been found empty
// stays so until a wait() that is interested in it, as with ZeroMQ. wait() does not wait, because in one thread nothing
// else can happen; it calls the network's `on_wait`, with which a test lets the others run.

#include <deque>
#include <map>
#include <memory>
#include <unordered_map>

#include "runtime/transport/transport.hpp"

namespace baton::detail {

class LoopbackTransport;

class LoopbackNetwork {
public:
    explicit LoopbackNetwork(std::size_t link_frames_max = 1'024) : frames_per_link_max(link_frames_max) {}
    const std::size_t frames_per_link_max;
    std::function<void(Duration)> on_wait = [](Duration) {};

private:
    friend class LoopbackTransport;
    std::map<std::string, LoopbackTransport*> bound_;
};

class LoopbackTransport final : public Transport {
public:
    explicit LoopbackTransport(LoopbackNetwork& network) : network_(&network) {}
    ~LoopbackTransport() override;

    Result<void> bind(const std::string& address) override;
    Result<Link> open(const std::string& address) override;
    void close(Link link, Pending pending) override;
    Sent send(Link link, Outgoing frame) override;
    bool receive(Link& from, std::string& frame) override;
    bool receive_from(Link link, std::string& frame) override;
    bool wait(const Interest& interest, Duration at_most) override;

private:
    struct Connection {
        LoopbackTransport* opener = nullptr;  // nullptr: has gone
        std::string address;
        std::deque<std::string> there;        // towards the inbox
        std::deque<std::string> back;
    };
    void settle_unbound();

    LoopbackNetwork* network_;
    std::string address_;
    std::map<Link, std::shared_ptr<Connection>> opened_;
    std::map<Link, std::shared_ptr<Connection>> accepted_;
    std::uint32_t next_opened_ = 2;
    std::uint32_t next_accepted_ = 1;
    std::uint32_t next_read_ = 0;
    bool may_hold_frames_ = true;  // the inbox has not been found empty since the last look at it
};

}  // namespace baton::detail
