#pragma once
// The parts of a loop, without the loop: what they would wait for is done by a function of the test. The others, an
// actor and a coordinator, are bare inboxes that read and answer frames.

#include <functional>
#include <string>
#include <vector>

#include "runtime/inbox/commands.hpp"
#include "runtime/inbox/control_lane.hpp"
#include "runtime/inbox/later.hpp"
#include "runtime/transport/loopback_transport.hpp"
#include "tests/catch.hpp"

namespace inbox_test {

using namespace baton;
using namespace baton::detail;
using namespace std::chrono_literals;

inline constexpr ActorId me{3, 1};
inline constexpr ActorId bob{4, 1};

template <class T>
Buffer encoded(const T& value) {
    Buffer bytes;
    Encoder encoder{bytes};
    encode(encoder, value);
    return bytes;
}

// One who has an inbox, and does nothing by himself.
class Other {
public:
    struct Got {
        Link link;
        Envelope envelope;  // its tag lies in `tag`
        std::string tag;
    };
    Other(LoopbackNetwork& network, ActorId id, const std::string& address) : id_(id), transport_(network) {
        REQUIRE(transport_.bind(address).ok());
    }
    // What has come since, in order.
    std::vector<Got> take() {
        std::vector<Got> all;
        static_cast<void>(transport_.wait({.inbox = true}, Duration::zero()));
        Link link;
        for (std::string frame; transport_.receive(link, frame);) {
            Unpacker unpacker;
            for (std::size_t offset = 0; offset < frame.size();) {
                Envelope envelope = read_envelope(unpacker, frame, offset).value();
                REQUIRE(unpacker.next(frame, offset).ok());
                all.push_back({link, envelope, std::string(envelope.tag)});
            }
        }
        return all;
    }
    std::vector<std::string> take_tags() {
        std::vector<std::string> tags;
        for (const Got& one : take()) tags.push_back(one.tag);
        return tags;
    }
    void say(Link link, MessageKind kind, std::uint64_t ask, std::string_view tag, std::string_view body) {
        Buffer frame;
        Encoder encoder{frame};
        begin_record(encoder, Envelope{kind, id_, me, 0, ask, tag});
        frame.append(body);
        REQUIRE(transport_.send(link, frame) == Transport::Sent::yes);
    }

private:
    ActorId id_;
    LoopbackTransport transport_;
};

// In place of the loop: serves the links, and lets the test do what happens in a wait.
class TestWaiting final : public Waiting {
public:
    TestWaiting(Self& self, ManualClock& clock) : self_(&self), clock_(&clock) {}
    Waited wait_until(const std::function<bool()>& done, Deadline deadline) override {
        for (;;) {
            serve();
            if (done()) return Waited::done;
            if (self_->ends_waits()) return Waited::stopping;
            if (deadline.has_passed(*clock_)) return Waited::deadline;
            wait(deadline, Link{});
        }
    }
    void serve_links(Link) override { serve(); }
    void wait(Deadline deadline, Link) override {
        ++waits;
        REQUIRE(waits < 1000);
        on_wait();
        clock_->advance(std::min<Duration>(deadline.left(*clock_), 1ms));
    }
    std::function<void()> serve = [] {};
    std::function<void()> on_wait = [] {};
    int waits = 0;

private:
    Self* self_;
    ManualClock* clock_;
};

// An actor that takes part in nothing yet.
struct Somebody {
    explicit Somebody(std::size_t link_frames_max) : network(link_frames_max) { self.be(me, "me"); }

    LoopbackNetwork network;
    LoopbackTransport transport{network};
    ManualClock clock;
    Log log{"test"};
    Self self{transport, clock, log};
    TestWaiting waiting{self, clock};
    Deadline soon = Deadline::in(clock, 100ms);
};

struct Parts : Somebody {
    explicit Parts(std::size_t link_frames_max = 1024) : Somebody(link_frames_max) {
        waiting.serve = [this] {
            control.serve();
            replies.collect();
        };
    }
    // Who is reached without asking anybody.
    Peer& open(ActorId id, const std::string& address) { return **outbox.open(id, address, address); }

    Peers peers{self};
    Asks asks;
    Returns returns{self};
    Requests requests;
    Outbox outbox{self, peers, asks, requests, returns, waiting};
    Asking asking{self, peers, asks, requests, returns, outbox, waiting};
    Replies replies{self, peers, asking, returns};
    Commands commands{self, returns.gifts()};
    Exits exits{self, peers, asking, returns, outbox, replies, commands.intake()};
    ControlLane control{self, peers, outbox, asking, requests, replies, exits};
    Later later{self, asks, outbox, asking};
};

inline Outbox::Message message(std::string_view tag, Outbox::Urgency urgency = Outbox::Urgency::now) {
    return {.tag = tag, .body = "\x80", .urgency = urgency};
}

}  // namespace inbox_test
