#pragma once
// SimWorld: a few actors' loops and a coordinator's stand-in in one thread, without sockets, processes or a clock that
// runs. It is the Stage on which `baton::testing` stands, open to the tests: its actors handle tags and bytes.

#include <functional>
#include <list>

#include <fmt/format.h>

#include <baton/detail/convert.hpp>
#include "runtime/testing/stage.hpp"
#include "tests/captured_stderr.hpp"
#include "tests/catch.hpp"

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

class SimWorld;

class SimActor final : public StageMember, public Handler {
public:
    using OnCommand = std::function<void(const Command&, AnswerSlot)>;

    SimActor(SimWorld& world, ActorId id, std::string name);

    [[nodiscard]] Handler& handler() noexcept override { return *this; }
    void handle(const Command& command, AnswerSlot slot) override {
        handled.emplace_back(command.envelope.tag);
        on_command(command, std::move(slot));
    }

    // Handles what is there, and returns.
    void run() {
        const BusyMember busy{*this};
        static_cast<void>(loop.serve(this, [] { return false; }, Deadline{loop.clock().now()}));
    }

    // What its user code does; meanwhile only its control lane is served.
    [[nodiscard]] Result<void> send(ActorId to, std::string_view tag, std::string_view body = "\x80",
                                    Duration deadline = 5s) {
        const BusyMember busy{*this};
        return loop.send(to, tag, body, deadline, Loop::Urgency::may_share);
    }
    [[nodiscard]] Result<AskId> request(ActorId to, std::string_view tag, std::string_view body = "\x80") {
        const BusyMember busy{*this};
        return loop.request(to, tag, body, 5s);
    }
    [[nodiscard]] Result<ReplyFrame> await(AskId ask, Deadline deadline) {
        const BusyMember busy{*this};
        return loop.await(ask, deadline);
    }
    [[nodiscard]] Result<ReplyFrame> ask(ActorId to, std::string_view tag, std::string_view body = "\x80",
                                         Duration deadline = 5s) {
        const BusyMember busy{*this};
        return loop.ask(to, tag, body, deadline);
    }

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
};

class SimWorld : public Stage {
public:
    using Stage::Stage;
    ~SimWorld() {
        for (SimActor& actor : actors_)
            if (actor.holdings) actor.holdings->release_all();
        for (int round = 0; round < 2; ++round)
            for (SimActor& actor : actors_)
                if (actor.holdings) actor.holdings->trim();
    }

    SimActor& spawn(const std::string& name) {
        SimActor& actor = actors_.emplace_back(*this, next_id(), name);
        enter(actor, {fmt::format("actor {}", to_string(actor.id)), "", {}, {}, {}, {}});
        return actor;
    }

    // As by SIGKILL: nothing of it runs any more, and those who located it are told.
    void kill(SimActor& actor, std::string why = "killed") {
        registrar().rows().at(actor.id).name = actor.loop.name();
        end(actor.id, {ExitKind::signalled, 9, std::move(why), "", {}, {}});
        actors_.remove_if([&actor](const SimActor& one) { return &one == &actor; });
    }
    void stop(const SimActor& actor, bool drain = false) { notify(actor.id, "Stop", encoded(notice::Stop{drain})); }
    void notify(ActorId to, std::string_view tag, std::string_view body) { registrar().notify(to, tag, body); }

    // What the coordinator is told.
    std::function<void(const Envelope&)>& on_told = registrar().on_told;

private:
    baton_test::LogLevelSetting log_level_{"off"};
    std::list<SimActor> actors_;
};

inline SimActor::SimActor(SimWorld& world, ActorId actor, std::string name)
    : StageMember(world, actor, std::move(name)) {}

}  // namespace sim
