#pragma once
// Network: what stands for ZeroMQ in a simulated world. Every link is two queues; each frame arrives after a delay of
// its own, but in the order of its link. Of what a process has sent before it is killed, the end may be lost. One
// thread.

#include <deque>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "runtime/transport/transport.hpp"
#include "tests/simulation/seeded/kernel.hpp"

namespace seeded {

class SimTransport;

class Network {
public:
    Network(Kernel& kernel, ManualClock& clock, Dice& dice) : kernel_(&kernel), clock_(&clock), dice_(&dice) {}
    // That process neither sends nor receives any more.
    void drop(const Process& process);
    [[nodiscard]] Deadline next_arrival() const;
    std::uint64_t frames = 0;
    std::uint64_t slowest_microseconds = 2'000;

private:
    friend class SimTransport;
    struct Queue {
        struct Frame {
            Instant arrives;
            std::string bytes;
        };
        std::deque<Frame> frames;
        Instant last{};  // no frame arrives before the one before it
    };
    struct Connection {
        SimTransport* opener = nullptr;    // nullptr: it has ended, or closed the link
        SimTransport* acceptor = nullptr;  // nullptr: not yet, or not any more
        bool is_broken = false;            // the acceptor has ended
        pid_t opener_pid = 0;
        std::string address;
        Queue there;  // towards the inbox
        Queue back;
    };
    [[nodiscard]] Transport::Sent put(Queue& queue, Transport::Outgoing frame);
    [[nodiscard]] bool take(Queue& queue, std::string& bytes);
    [[nodiscard]] bool has_arrived(const Queue& queue) const;
    void lose_the_end(Queue& queue);

    Kernel* kernel_;
    ManualClock* clock_;
    Dice* dice_;
    std::map<std::string, SimTransport*> bound_;
    std::vector<SimTransport*> transports_;
    std::vector<std::shared_ptr<Connection>> connections_;
};

class SimTransport final : public Transport {
public:
    // Of the process that runs.
    explicit SimTransport(Network& network);
    ~SimTransport() override;

    Result<void> bind(const std::string& address) override;
    Result<Link> open(const std::string& address) override;
    void close(Link link, Pending pending) override;
    Sent send(Link link, Outgoing frame) override;
    bool receive(Link& from, std::string& frame) override;
    bool receive_from(Link link, std::string& frame) override;
    bool may_deliver(const DeadPeer& dead, const std::function<Speaker(Link)>& who_speaks_over) override;
    bool wait(const Interest& interest, Duration at_most) override;
    [[nodiscard]] bool would_wait_for(const Interest& interest, std::vector<int>& watched) override;
    // Of what would_wait_for() was asked about last.
    [[nodiscard]] bool has_news() const;

private:
    friend class Network;
    using Connection = Network::Connection;
    void look_for_openers();
    Network* network_;
    pid_t pid_;
    std::string address_;
    std::map<Link, std::shared_ptr<Connection>> opened_;
    std::map<Link, std::shared_ptr<Connection>> accepted_;
    std::uint32_t next_opened_ = 2;
    std::uint32_t next_accepted_ = 1;
    std::uint32_t next_read_ = 0;
    bool may_hold_frames_ = true;  // the inbox has not been found empty since the last look at it
    bool waits_for_inbox_ = false;
    std::vector<Link> waits_for_;
};

}  // namespace seeded
