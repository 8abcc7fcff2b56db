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
// text of the exception as its last words. A program that is started by hand prints what it is and how to start it, as
// it does with `--help`; `--describe` prints its protocol.
//
// An actor with timed work adds two members; on_deadline() is called, between commands, once next_deadline() has
// passed:
//     baton::Deadline next_deadline();  // Deadline::never() as long as there is nothing to do
//     void on_deadline();
//
// One program may contain several actors; a spawn says which one it means (SpawnOptions::actor):
//     int main(int argc, char** argv) {
//         return baton::run_actor(argc, argv, {baton::actor<Lion, lion::Protocol>("lion"),
//                                              baton::actor<Gnu, gnu::Protocol>("gnu")});
//     }
//
// One thread: main's. Every on() is called from it, one at a time.

#include <array>
#include <concepts>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include <baton/answer.hpp>
#include <baton/context.hpp>
#include <baton/protocol.hpp>

namespace baton {

namespace detail {

// ---- from a command's name to the actor's on() for it, decided at compile time from the protocol

class Incoming;  // one command that has come: runtime/inbox/dispatching.hpp
class Loop;

// The command into `out`, which `read` knows the type of; what it carries is accepted. False: it has been refused.
[[nodiscard]] bool read_command(Incoming& incoming, const BodyReader& read, void* out);
[[nodiscard]] AnswerSlot& slot_of(Incoming& incoming) noexcept;
[[nodiscard]] Error no_reply_of(std::string_view command);
// Called from a catch block: its type, text and frames, as an asker is told.
[[nodiscard]] Error error_of_current_exception();

template <class Actor, class C>
void call_on(Actor& actor, C&& command, AnswerSlot& slot) {
    if constexpr (HasReply<C>) {
        using Reply = typename C::Reply;
        constexpr bool answers_later = requires { actor.on(std::move(command), Answer<Reply>{}); };
        constexpr bool answers_now = requires { actor.on(std::move(command)); };
        static_assert(answers_later || answers_now, "the actor has no on() for a command of its protocol");
        if constexpr (answers_later) {
            actor.on(std::move(command), Answer<Reply>{std::move(slot)});
        } else {
            using Returned = decltype(actor.on(std::move(command)));
            static_assert(std::is_same_v<Returned, Reply> || std::is_convertible_v<Returned, Result<Reply>>,
                          "on() of a command with a Reply returns that Reply, a Result of it, or takes an Answer");
            Result<Reply> result = [&]() -> Result<Reply> {
                if constexpr (std::is_void_v<Returned>) return actor.on(std::move(command)), Result<Reply>{};
                else return actor.on(std::move(command));
            }();
            // What was lent with the command is returned before its asker hears the answer.
            if constexpr (carries_held<C>()) command = C{};
            if (!slot.is_asked()) return;
            slot.end_in_hand();
            if (!result) return slot.fail(result.error());
            if constexpr (std::is_void_v<Reply>) Answer<Reply>{std::move(slot)}.reply();
            else Answer<Reply>{std::move(slot)}.reply(std::move(*result));
        }
    } else {
        static_assert(
            requires { actor.on(std::move(command)); }, "the actor has no on() for a command of its protocol");
        if (slot.is_asked()) return slot.fail(no_reply_of(command_name<C>));
        actor.on(std::move(command));
    }
}

template <class Actor, class C>
void run_command(void* actor, Incoming& incoming) {
    C command{};
    static constexpr BodyReader reader = body_reader<C>();
    if (read_command(incoming, reader, &command))
        call_on(*static_cast<Actor*>(actor), std::move(command), slot_of(incoming));
}

struct CommandHandler {
    std::string_view name;
    void (*run)(void* actor, Incoming& incoming);
};
template <class Actor, class ProtocolType>
struct CommandHandlers;
template <class Actor, class... Commands>
struct CommandHandlers<Actor, Protocol<Commands...>> {
    static_assert(CheckedProtocol<Commands...>::value);
    static constexpr std::array<CommandHandler, sizeof...(Commands)> all{
        CommandHandler{command_name<Commands>, &run_command<Actor, Commands>}...};
};

// ---- the actor

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

// Makes the actor, which gets a Context& and what run_actor(), actor() or World::start() was given more.
template <class Actor, class... More>
[[nodiscard]] std::shared_ptr<Actor> make_actor(Context& context, More&... more) {
    constexpr bool is_made = std::is_constructible_v<Actor, Context&, More&...>;
    if constexpr (sizeof...(More) == 0)
        static_assert(is_made, "the actor's class needs a public constructor that takes a baton::Context& and nothing "
                               "else, such as `explicit Tally(baton::Context& context)`");
    else
        static_assert(is_made, "the actor's class needs a public constructor that takes a baton::Context& and behind "
                               "it the further arguments of run_actor(), actor() or World::start(), as references");
    if constexpr (is_made) return std::make_shared<Actor>(context, more...);
    else return nullptr;
}

}  // namespace detail

// Returns what main() shall return. `more` is given to the actor's constructor, behind its Context; it must outlive the
// call.
template <class Actor, class ProtocolType, class... More>
[[nodiscard]] int run_actor(int argc, char** argv, More&... more) {
    detail::ActorClass actor = detail::actor_class<Actor, ProtocolType>();
    actor.make = [&](Context& context) { return detail::make_actor<Actor>(context, more...); };
    return detail::run_actor_program(argc, argv, actor);
}

// One of several actors of a program, by the name that SpawnOptions::actor gives. What `more` refers to must live as
// long as the program.
template <class Actor, class ProtocolType, class... More>
[[nodiscard]] detail::ActorClass actor(std::string name, More&... more) {
    detail::ActorClass one = detail::actor_class<Actor, ProtocolType>();
    one.name = std::move(name);
    one.make = [&more...](Context& context) { return detail::make_actor<Actor>(context, more...); };
    return one;
}

// Serves one actor of a program of several, as the spawn says. A spawn that names none of them is told which there are.
[[nodiscard]] inline int run_actor(int argc, char** argv, const std::vector<detail::ActorClass>& actors) {
    return detail::run_one_of(argc, argv, actors);
}

}  // namespace baton
