#pragma once
// Actor: what an actor's main() calls.
//
//     int main(int argc, char** argv) { return baton::run_actor<Darkroom, darkroom::Protocol>(argc, argv); }
//
// The actor class is an ordinary one: a constructor that takes a Context& and one on() for each command of its
// protocol, in one of these shapes (C the command, R its Reply):
//     void on(C)                    a command without a Reply, or one whose reply nobody needs to hear
//     R on(C), Result<R> on(C)      answers at once
//     void on(C, Answer<R>)         answers later, through the Answer it keeps (<baton/answer.hpp>)
// C may be taken by value or by const reference. If a command has no on(), the program does not compile. If on()
// throws, the asker gets `failed` (if the command was only sent, the exception is logged), and the actor lives on.
//
// run_actor joins the session that spawned the program, constructs the actor, serves its commands until it is stopped,
// reports what was left unread, and destroys the actor. If the constructor throws, the program ends with code 1 and the
// text of the exception as its last words. A program that is started by hand prints what it is and how to use it;
// `--describe` prints its protocol.
//
// An actor with timed work adds two members; on_deadline() is called, between commands, once next_deadline() has
// passed:
//     baton::Deadline next_deadline();  // Deadline::never() as long as there is nothing to do
//     void on_deadline();
//
// One program may contain several actors; a spawn says which one it means (SpawnOptions::actor):
//     int main(int argc, char** argv) {
//         return baton::run_actors(argc, argv, {baton::actor<Lion, lion::Protocol>("lion"),
//                                               baton::actor<Gnu, gnu::Protocol>("gnu")});
//     }
//
// One thread: main's. Every on() is called from it, one at a time.

#include <functional>
#include <memory>
#include <vector>

#include <baton/context.hpp>
#include <baton/detail/dispatch.hpp>

namespace baton {

namespace detail {

// An actor's class without its type.
struct ActorClass {
    std::string name;  // of one among several
    ProtocolDescription protocol;
    std::span<const CommandHandler> handlers;
    std::function<std::shared_ptr<void>(Context&)> make;
    Deadline (*next_deadline)(void* actor) = nullptr;
    void (*on_deadline)(void* actor) = nullptr;
};
[[nodiscard]] int run_actor_program(int argc, char** argv, const ActorClass& actor);
[[nodiscard]] int run_one_of(int argc, char** argv, const std::vector<ActorClass>& actors);

template <class Actor, class ProtocolType>
[[nodiscard]] ActorClass actor_class() {
    ActorClass out{{}, describe_protocol<ProtocolType>(), CommandHandlers<Actor, ProtocolType>::all, {}};
    if constexpr (requires(Actor& actor) { actor.next_deadline(); })
        out.next_deadline = [](void* actor) { return static_cast<Actor*>(actor)->next_deadline(); };
    if constexpr (requires(Actor& actor) { actor.on_deadline(); })
        out.on_deadline = [](void* actor) { static_cast<Actor*>(actor)->on_deadline(); };
    return out;
}

}  // namespace detail

// Returns what main() shall return. `more` is given to the actor's constructor, behind its Context; it must outlive the
// call.
template <class Actor, class ProtocolType, class... More>
[[nodiscard]] int run_actor(int argc, char** argv, More&... more) {
    detail::ActorClass actor = detail::actor_class<Actor, ProtocolType>();
    actor.make = [&](Context& context) { return std::make_shared<Actor>(context, more...); };
    return detail::run_actor_program(argc, argv, actor);
}

// One of several actors of a program, by the name that SpawnOptions::actor gives. What `more` refers to must live as
// long as the program.
template <class Actor, class ProtocolType, class... More>
[[nodiscard]] detail::ActorClass actor(std::string name, More&... more) {
    detail::ActorClass one = detail::actor_class<Actor, ProtocolType>();
    one.name = std::move(name);
    one.make = [&more...](Context& context) { return std::make_shared<Actor>(context, more...); };
    return one;
}

// Works like run_actor(), for a program of several actors. A spawn that names none of them is told which there are.
[[nodiscard]] inline int run_actors(int argc, char** argv, const std::vector<detail::ActorClass>& actors) {
    return detail::run_one_of(argc, argv, actors);
}

}  // namespace baton
