#pragma once
// SimWorld: a few actors' loops and a coordinator's stand-in in one thread, without sockets, processes or a
// clock that runs.
//
// Whenever a loop waits, the others run; when none of them has anything to do, the time jumps to the end of
// that wait. So a deadline of minutes passes at once, and a wait that nothing can end (I8) throws instead of
// hanging. An actor that is itself in the middle of a command (below on the stack) does not run, as in life.

#include <unistd.h>

#include <functional>
#include <list>
#include <map>
#include <set>
#include <stdexcept>

#include "runtime/inbox/loop.hpp"
#include "runtime/transport/loopback_transport.hpp"
#include <baton/detail/convert.hpp>
#include "tests/captured_stderr.hpp"
#include "tests/catch.hpp"
#include "tests/unit/vitals_fixture.hpp"

namespace sim {

using namespace baton;
using namespace baton::detail;
using namespace std::chrono_literals;

template <class T>
Buffer encoded(const T& value) {
    Buffer bytes;
    Encoder encoder{bytes};
    encode<T>(encoder, value);
    return bytes;
}

template <class T>
T decoded(Value value) {
    T out{};
    Decoding at{"sim"};
    if (!decode(value, out, at)) throw ErrorException(at.take_error());
    return out;
}

template <class T>
T decoded(const ReplyFrame& reply) {
    Unpacker unpacker;
    std::size_t offset = reply.offset;
    return decoded<T>(unpacker.next(reply.frame, offset).value());
}

// What is on its way in the whole world, and what ever was.
struct Traffic {
    std::uint64_t frames_sent = 0;
    std::uint64_t frames_received = 0;
    std::uint64_t bytes_on_the_way = 0;
    std::uint64_t bytes_on_the_way_max = 0;
};

class CountingTransport final : public Transport {
public:
    CountingTransport(LoopbackNetwork& network, Traffic& traffic) : inner_(network), traffic_(&traffic) {}
    Result<void> bind(const std::string& address) override { return inner_.bind(address); }
    Result<Link> open(const std::string& address) override { return inner_.open(address); }
    void close(Link link, Pending pending) override { inner_.close(link, pending); }
    Sent send(Link link, Outgoing frame) override {
        const Sent sent = inner_.send(link, frame);
        if (sent == Sent::yes) {
            ++traffic_->frames_sent;
            traffic_->bytes_on_the_way += frame.size();
            traffic_->bytes_on_the_way_max = std::max(traffic_->bytes_on_the_way_max, traffic_->bytes_on_the_way);
        }
        return sent;
    }
    bool receive(Link& from, std::string& frame) override { return count(inner_.receive(from, frame), frame); }
    bool receive_from(Link link, std::string& frame) override {
        before_receive_from();
        return count(inner_.receive_from(link, frame), frame);
    }
    bool may_deliver(const DeadPeer&, const std::function<Speaker(Link)>&) override { return may_still_deliver; }
    bool wait(const Interest& interest, Duration at_most) override { return inner_.wait(interest, at_most); }

    std::function<void()> before_receive_from = [] {};
    bool may_still_deliver = false;  // of actors that have died

private:
    bool count(bool any, const std::string& frame) {
        if (any) {
            ++traffic_->frames_received;
            traffic_->bytes_on_the_way -= std::min<std::uint64_t>(traffic_->bytes_on_the_way, frame.size());
        }
        return any;
    }
    LoopbackTransport inner_;
    Traffic* traffic_;
};

class SimWorld;

class SimActor final : public Handler {
public:
    using OnCommand = std::function<void(const Command&, AnswerSlot)>;

    SimActor(SimWorld& world, ActorId id, std::string name);
    SimActor(const SimActor&) = delete;
    SimActor& operator=(const SimActor&) = delete;

    void handle(const Command& command, AnswerSlot slot) override {
        handled.emplace_back(command.envelope.tag);
        on_command(command, std::move(slot));
    }

    // Handles what is there, and returns.
    void run() {
        is_busy = true;
        static_cast<void>(loop.serve(this, [] { return false; }, Deadline{loop.clock().now()}));
        is_busy = false;
    }

    // What its user code does; meanwhile only its control lane is served.
    [[nodiscard]] Result<void> send(ActorId to, std::string_view tag, std::string_view body = "\x80",
                                    Duration deadline = 5s) {
        const Busy busy{*this};
        return loop.send(to, tag, body, deadline, Loop::Urgency::may_share);
    }
    [[nodiscard]] Result<AskId> request(ActorId to, std::string_view tag, std::string_view body = "\x80") {
        const Busy busy{*this};
        return loop.request(to, tag, body, 5s);
    }
    [[nodiscard]] Result<ReplyFrame> await(AskId ask, Deadline deadline) {
        const Busy busy{*this};
        return loop.await(ask, deadline);
    }
    [[nodiscard]] Result<ReplyFrame> ask(ActorId to, std::string_view tag, std::string_view body = "\x80",
                                         Duration deadline = 5s) {
        const Busy busy{*this};
        return loop.ask(to, tag, body, deadline);
    }

    std::shared_ptr<Holdings> holdings;  // in a world with memory
    CountingTransport transport;
    Log log;
    Loop loop;
    const ActorId id;
    [[nodiscard]] int descriptor() const override { return watched_descriptor; }
    void on_descriptor() override { at_descriptor(); }
    [[nodiscard]] Deadline next_deadline() const override { return due; }
    void on_deadline() override { at_deadline(); }

    OnCommand on_command = [](const Command&, AnswerSlot) {};
    Deadline due = Deadline::never();
    std::function<void()> at_deadline = [] {};
    int watched_descriptor = -1;
    std::function<void()> at_descriptor = [] {};
    std::vector<std::string> handled;  // the tags, in order
    bool is_frozen = false;            // as by SIGSTOP
    bool is_busy = false;              // in the middle of something: does not run while others wait

private:
    struct Busy {
        SimActor& actor;
        bool before = std::exchange(actor.is_busy, true);
        explicit Busy(SimActor& one) : actor(one) {}
        Busy(const Busy&) = delete;
        Busy& operator=(const Busy&) = delete;
        ~Busy() { actor.is_busy = before; }
    };
};

class SimWorld {
public:
    explicit SimWorld(std::size_t link_frames_max = 1'024) : network(link_frames_max) {
        REQUIRE(coordinator_.bind("coordinator").ok());
        network.on_wait = [this](Duration at_most) { let_others_run(at_most); };
    }
    SimWorld(const SimWorld&) = delete;
    SimWorld& operator=(const SimWorld&) = delete;
    ~SimWorld() {
        for (SimActor& actor : actors_)
            if (actor.holdings) actor.holdings->release_all();
        for (int round = 0; round < 2; ++round)
            for (SimActor& actor : actors_)
                if (actor.holdings) actor.holdings->trim();
        actors_.clear();
        if (region) LedgerRegion::remove(vitals.id());
    }

    // From here on a spawned actor has a ledger, and may give and lend.
    void add_memory() {
        LedgerRegion::remove(vitals.id());  // of a crashed process that had this pid
        region.emplace(LedgerRegion::create(vitals.id(), ~std::uint64_t{0}).value());
        region->ledger().give_life(coordinator_id, ~std::uint64_t{0}).value();
    }

    SimActor& spawn(const std::string& name) {
        SimActor& actor = actors_.emplace_back(*this, ActorId{next_number_++, 1}, name);
        REQUIRE(actor.loop.open_control("coordinator").ok());
        actor.loop.attach(*vitals, vitals.own(actor.id));
        if (region) {
            region->ledger().give_life(actor.id, ~std::uint64_t{0}).value();
            actor.holdings = std::make_shared<Holdings>(LedgerRegion::open(vitals.id()).value(), vitals.id(), actor.id,
                                                        clock, Store::Idle::accessible);
            actor.loop.attach(*actor.holdings);
        }
        REQUIRE(actor.transport.bind(address_of(actor.id)).ok());
        // So that the coordinator knows its control lane.
        REQUIRE(actor.loop.send(coordinator_id, "Ready", "\x80", 1s, Loop::Urgency::now).ok());
        run_coordinator();
        return actor;
    }

    // As by SIGKILL: nothing of it runs any more, and those who located it are told.
    void kill(SimActor& actor, std::string why = "killed") {
        const ActorId id = actor.id;
        const std::string name = actor.loop.name();
        actors_.remove_if([&actor](const SimActor& one) { return &one == &actor; });
        exited_.insert(id);
        for (const ActorId locator : locators_[id])
            notify(locator, "Exited", encoded(notice::Exited{AnyRef{id}, name, {ExitKind::signalled, 9, why, "", {}}}));
    }
    void stop(const SimActor& actor, bool drain = false) { notify(actor.id, "Stop", encoded(notice::Stop{drain})); }

    void notify(ActorId to, std::string_view tag, std::string_view body) {
        Buffer frame;
        Encoder encoder{frame};
        begin_record(encoder, {MessageKind::notice, coordinator_id, to, 0, 0, tag});
        frame.append(body);
        static_cast<void>(coordinator_.send(control_lanes_[to], frame));
    }

    void run_until_idle() {
        for (std::uint64_t before = traffic.frames_received + 1; before != traffic.frames_received;) {
            before = traffic.frames_received;
            run_others();
        }
    }

    static std::string address_of(ActorId id) { return "sim/" + to_string(id); }

    // What the coordinator is told, besides asks for an address.
    std::function<void(const Envelope&)> on_told = [](const Envelope&) {};

    baton_test::LogLevelSetting log_level{"off"};
    LoopbackNetwork network;
    ManualClock clock;
    Traffic traffic;
    baton_test::TestVitals vitals;
    std::optional<LedgerRegion> region;

private:
    void run_others() {
        run_coordinator();
        for (SimActor& actor : actors_)
            if (!actor.is_busy && !actor.is_frozen) actor.run();
        run_coordinator();
    }

    void let_others_run(Duration at_most) {
        if (at_most == Duration::zero()) return;  // only a look, and what is there is there already
        const std::uint64_t before = traffic.frames_received;
        run_others();
        if (traffic.frames_received != before) return;
        if (at_most == Duration::max()) throw std::logic_error("a wait that nothing can end");
        clock.advance(at_most);
    }

    void run_coordinator() {
        Link from;
        static_cast<void>(coordinator_.wait({.inbox = true}, Duration::zero()));
        for (std::string frame; coordinator_.receive(from, frame);) {
            Unpacker unpacker;
            std::size_t offset = 0;
            const Envelope envelope = read_envelope(unpacker, frame, offset).value();
            const Value body = unpacker.next(frame, offset).value();
            control_lanes_[envelope.from] = from;
            if (envelope.tag != "Locate") {
                on_told(envelope);
                continue;
            }
            const ActorId wanted = decoded<coordinator::Locate>(body).actor.id;
            const bool has_lived = wanted.number < next_number_ && wanted.incarnation == 1;
            const bool is_gone = exited_.contains(wanted) || !has_lived;
            Buffer answer;
            Encoder encoder{answer};
            begin_record(encoder, {is_gone ? MessageKind::error : MessageKind::reply, coordinator_id, envelope.from, 0,
                                   envelope.ask_id, "Locate"});
            if (is_gone) {
                encode(encoder,
                       ErrorBody{"gone",
                                 to_string(wanted) + (has_lived ? " has exited" : " is nobody in this session"),
                                 "",
                                 {}});
            } else {
                locators_[wanted].insert(envelope.from);
                encode(encoder, coordinator::Located{"actor " + to_string(wanted), address_of(wanted)});
            }
            static_cast<void>(coordinator_.send(from, answer));
        }
    }

    CountingTransport coordinator_{network, traffic};
    std::map<ActorId, Link> control_lanes_;
    std::map<ActorId, std::set<ActorId>> locators_;
    std::set<ActorId> exited_;
    std::list<SimActor> actors_;
    std::uint32_t next_number_ = 2;
};

inline SimActor::SimActor(SimWorld& world, ActorId actor, std::string name)
    : transport(world.network, world.traffic), log(name), loop(transport, world.clock, log), id(actor) {
    loop.be(id, std::move(name));
}

}  // namespace sim
