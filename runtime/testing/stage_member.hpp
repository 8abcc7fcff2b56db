#pragma once
// StageMember: one member of a Stage: its transport, log and loop, and its memory if the stage has any. One thread.

#include <functional>
#include <memory>
#include <map>
#include <set>
#include <string>

#include "runtime/holdings/holdings.hpp"
#include "runtime/inbox/loop.hpp"
#include "runtime/transport/loopback_transport.hpp"

namespace baton::detail {

class Stage;
class StageMember;

// How much is on its way in the whole world, and how much ever was.
struct StageTraffic {
    std::uint64_t frames_sent = 0;
    std::uint64_t frames_received = 0;
    std::uint64_t bytes_on_the_way = 0;
    std::uint64_t bytes_on_the_way_max = 0;
    std::set<std::string> full_inboxes = {};  // addresses where nothing that is sent finds room
};

// Thrown out of every wait of a member that has been killed, so that what it was doing ends there. Not a
// std::exception, so that code which handles those does not take it for one of its own.
struct MemberKilled {};

class StageTransport final : public Transport {
public:
    StageTransport(LoopbackNetwork& network, StageTraffic& traffic, StageMember* owner = nullptr)
        : inner_(std::make_shared<LoopbackTransport>(network)), traffic_(&traffic), owner_(owner) {}
    Result<void> bind(const std::string& address) override;
    Result<Link> open(const std::string& address) override;
    void close(Link link, Pending pending) override;
    Sent send(Link link, Outgoing frame) override;
    bool receive(Link& from, std::string& frame) override;
    bool receive_from(Link link, std::string& frame) override;
    bool may_deliver(const DeadPeer&, const std::function<Speaker(Link)>&) override { return may_still_deliver; }
    bool wait(const Interest& interest, Duration at_most) override;
    [[nodiscard]] bool would_wait_for(const Interest&, std::vector<int>&) override { return false; }

    // Nothing goes out or comes in any more.
    void cut() { inner_.reset(); }

    std::function<void()> before_receive_from = [] {};
    bool may_still_deliver = false;  // of actors that have died

private:
    bool count(bool any, const std::string& frame);
    std::shared_ptr<LoopbackTransport> inner_;  // nullptr: cut. A wait in it keeps it until it ends.
    StageTraffic* traffic_;
    StageMember* owner_;  // nullptr: the coordinator's stand-in
    std::map<Link, std::string> addresses_;
};

class StageMember {
public:
    StageMember(Stage& stage, ActorId id, std::string name);
    StageMember(const StageMember&) = delete;
    StageMember& operator=(const StageMember&) = delete;
    virtual ~StageMember() = default;

    // What is served in its name.
    [[nodiscard]] virtual Handler& handler() noexcept = 0;
    // It was asked to stop, and is between two commands.
    virtual void on_stop() {}
    // What it does threw the exception that is being handled, outside of a command.
    virtual void on_throw() { throw; }
    // It has ended and is not on the stack: every verb of it answers `gone` from here on.
    virtual void on_end() { loop.control().lose_coordinator(); }

    std::shared_ptr<Holdings> holdings;  // on a stage with memory
    StageTransport transport;
    Log log;
    Loop loop;
    const ActorId id;
    bool is_frozen = false;  // as by SIGSTOP
    bool is_busy = false;    // in the middle of something: does not run while others wait
    bool is_running = false; // by the stage, not by a verb that the test calls in its name
    bool is_dead = false;
};

// Holds a member to be in the middle of something.
struct BusyMember {
    explicit BusyMember(StageMember& one) : member(one) {}
    BusyMember(const BusyMember&) = delete;
    BusyMember& operator=(const BusyMember&) = delete;
    ~BusyMember() { member.is_busy = before; }
    StageMember& member;
    bool before = std::exchange(member.is_busy, true);
};

}  // namespace baton::detail
