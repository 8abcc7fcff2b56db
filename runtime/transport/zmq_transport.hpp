#pragma once
// ZmqTransport: the transport over ZeroMQ. The only door to it.
//
// The inbox is a ROUTER socket (mandatory routing), each opened link a DEALER: one hop, peer to peer. Every socket has
// explicit high-water marks and linger; ZeroMQ's I/O thread is the only thread besides the caller's. Addresses are
// ZeroMQ endpoints ("ipc:///run/user/1000/baton/x/3.1.sock").

#include <memory>

#include "runtime/transport/transport.hpp"

namespace baton::detail {

class ZmqTransport final : public Transport {
public:
    // `accepted_max`: how many connections to the inbox are remembered, apart from those that are held or kept.
    explicit ZmqTransport(std::size_t accepted_max = limits::accepted_links_max);
    ~ZmqTransport() override;

    Result<void> bind(const std::string& address) override;
    Result<void> bind_again() override;
    Result<Link> open(const std::string& address) override;
    void close(Link link, Pending pending) override;
    void keep(Link link) override;
    void hold(Link link) override;
    void release(Link link) override;
    Sent send(Link link, Outgoing frame) override;
    bool receive(Link& from, std::string& frame) override;
    bool receive_from(Link link, std::string& frame) override;
    [[nodiscard]] bool may_deliver(const DeadPeer& dead, const std::function<Speaker(Link)>& who_speaks_over) override;
    bool wait(const Interest& interest, Duration at_most) override;
    [[nodiscard]] bool would_wait_for(const Interest& interest, std::vector<int>& watched) override;

private:
    [[nodiscard]] bool look_at(const Interest& interest);
    struct Sockets;
    std::unique_ptr<Sockets> sockets_;
};

}  // namespace baton::detail
