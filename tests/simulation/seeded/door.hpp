#pragma once
// Door: the transport of a member: its lanes, as they are, and beside them the network. It waits as an event loop of
// others does, so that the lanes themselves never sleep. One thread.

#include "runtime/lanes/lane_transport.hpp"
#include "tests/simulation/seeded/network.hpp"

namespace seeded {

class Door final : public Transport {
public:
    Door(Kernel& kernel, ManualClock& clock, Network& network)
        : kernel_(&kernel), clock_(&clock), outside_(network) {}
    [[nodiscard]] LaneTransport& lanes() noexcept { return lanes_; }

    Result<void> bind(const std::string& address) override { return lanes_.bind(address); }
    Result<Link> open(const std::string& address) override { return lanes_.open(address); }
    Result<Link> open_to(ActorId to, const std::string& address) override { return lanes_.open_to(to, address); }
    Result<Link> open_by_id(ActorId to) override { return lanes_.open_by_id(to); }
    void close(Link link, Pending pending) override { lanes_.close(link, pending); }
    void keep(Link link) override { lanes_.keep(link); }
    void hold(Link link) override { lanes_.hold(link); }
    void release(Link link) override { lanes_.release(link); }
    Sent send(Link link, Outgoing frame) override { return lanes_.send(link, frame); }
    Sent send_in_place(Link link, const Writing& frame) override { return lanes_.send_in_place(link, frame); }
    std::uint64_t protocol_of(Link link) const override { return lanes_.protocol_of(link); }
    bool outlives_us(Link link) const override { return lanes_.outlives_us(link); }
    void forget(ActorId dead) override { lanes_.forget(dead); }
    bool receive(Link& from, std::string& frame) override { return lanes_.receive(from, frame); }
    bool receive_where_it_lies(Link& from, std::string& own, std::string_view& frame) override {
        return lanes_.receive_where_it_lies(from, own, frame);
    }
    bool receive_from(Link link, std::string& frame) override { return lanes_.receive_from(link, frame); }
    bool receive_from_where_it_lies(Link link, std::string& own, std::string_view& frame) override {
        return lanes_.receive_from_where_it_lies(link, own, frame);
    }
    bool may_deliver(const DeadPeer& dead, const std::function<Speaker(Link)>& who_speaks_over) override {
        return lanes_.may_deliver(dead, who_speaks_over);
    }
    bool wait(const Interest& interest, Duration at_most) override {
        std::vector<int> watched;
        if (at_most > Duration::zero() && !lanes_.would_wait_for(interest, watched)) {
            // A writer that lacks memory looks again by itself.
            if (interest.writable.is_some()) at_most = std::min<Duration>(at_most, memory_interval);
            kernel_->wait({Deadline::in(*clock_, at_most), std::move(watched), [this] { return outside_.has_news(); }});
        }
        return lanes_.wait(interest, Duration::zero());
    }
    bool would_wait_for(const Interest& interest, std::vector<int>& watched) override {
        return lanes_.would_wait_for(interest, watched);
    }

private:
    static constexpr Duration memory_interval = std::chrono::milliseconds{10};
    Kernel* kernel_;
    ManualClock* clock_;
    SimTransport outside_;
    LaneTransport lanes_{outside_};
};

}  // namespace seeded
