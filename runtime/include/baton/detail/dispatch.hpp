#pragma once
// Dispatch: from a command's name to the actor's on() for it, decided at compile time from the protocol.
// <baton/actor.hpp> lists the shapes that on() may have. What it throws is answered to an asker as `failed`, logged
// otherwise, and the actor lives on.

#include <array>
#include <concepts>
#include <span>

#include <baton/answer.hpp>
#include <baton/detail/convert.hpp>
#include <baton/protocol.hpp>

namespace baton::detail {

class Incoming;  // one command that has come: runtime/inbox/dispatching.hpp
class Loop;

// The command into `out`, which `read` knows the type of; what it carries is accepted. False: it has been refused.
[[nodiscard]] bool read_command(Incoming& incoming, convert::ReadInto read, void* out);
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
    if (read_command(incoming, convert::read_into<C>, &command))
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

}  // namespace baton::detail
