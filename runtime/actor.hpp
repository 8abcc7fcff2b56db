#pragma once
// Actor: what an actor's main() calls.
//
//     int main(int argc, char** argv) { return baton::run_actor<Darkroom, darkroom::Protocol>(argc, argv); }
//
// The actor class is an ordinary one: a constructor that takes a Context& and one on() per command of its
// protocol (inbox/dispatch.hpp lists the shapes). run_actor joins the session that spawned the program,
// makes the actor, serves its commands until it is stopped, reports what was left unread, and destroys the
// actor. An exception of the constructor ends the program with code 1 and its text as last words. Started
// by hand it says what it is and how to use it; `--describe` prints its protocol.
//
// An actor that wants to do something at a certain time says when, and is called between commands once it has come:
//     baton::Deadline next_deadline() const;  // Deadline::never() as long as there is nothing to do
//     void on_deadline();
//
// One thread: main's. All on() are called from it, one at a time.

#include <functional>
#include <memory>

#include "runtime/context.hpp"
#include "runtime/inbox/dispatch.hpp"

namespace baton {

// The part that needs no template: `make` constructs the actor and what dispatches to it.
[[nodiscard]] int run_actor_program(int argc, char** argv, const ProtocolDescription& protocol,
                                    const std::function<std::unique_ptr<Handler>(Context&)>& make);

template <class Actor, class ProtocolType>
class HostedActor final : public Handler {
public:
    explicit HostedActor(Context& context) : actor_(context), dispatch_(context.loop(), actor_) {}
    void handle(const Command& command, AnswerSlot answer) override { dispatch_.handle(command, std::move(answer)); }
    [[nodiscard]] Deadline next_deadline() const override {
        if constexpr (requires { actor_.next_deadline(); }) return actor_.next_deadline();
        else return Deadline::never();
    }
    void on_deadline() override {
        if constexpr (requires { actor_.on_deadline(); }) actor_.on_deadline();
    }

private:
    Actor actor_;
    Dispatch<Actor, ProtocolType> dispatch_;
};

template <class Actor, class ProtocolType>
[[nodiscard]] int run_actor(int argc, char** argv) {
    return run_actor_program(argc, argv, describe_protocol<ProtocolType>(), [](Context& context) {
        return std::make_unique<HostedActor<Actor, ProtocolType>>(context);
    });
}

}  // namespace baton
