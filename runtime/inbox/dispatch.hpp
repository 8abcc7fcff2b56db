#pragma once
// Dispatch: from a command's name to the actor's on() for it, decided at compile time from the protocol.
//
// For each command of the protocol the actor has one on(), in one of these shapes (C the command, R its
// Reply):
//     void on(C)                    a command without a Reply, or one whose reply nobody needs to hear
//     R on(C), Result<R> on(C)      answers at once
//     void on(C, Answer<R>)         answers later, through the Answer it keeps
// C may be taken by value or by const reference. Forgetting one does not compile. What on() throws is
// answered to an asker as `failed`, logged otherwise, and the actor lives on.

#include "runtime/answer.hpp"
#include "runtime/holdings/arrivals.hpp"
#include "runtime/inbox/loop.hpp"
#include "runtime/protocol.hpp"
#include "runtime/wire/convert.hpp"

namespace baton {

// The parts that need no template.
void refuse_command(Loop& loop, const Command& command, AnswerSlot slot, const Error& why);
void refuse_unknown(Loop& loop, const Command& command, AnswerSlot slot, std::span<const std::string_view> known);
// The command into `out`, which `read` knows the type of; what it carries is accepted. False: it has been refused.
[[nodiscard]] bool read_command(Loop& loop, const Command& command, AnswerSlot& slot, Arrivals& arrivals,
                                convert::ReadInto read, void* out);
// Called from a catch block: its type, text and frames, as an asker is told.
[[nodiscard]] Error error_of_current_exception();
void report_exception(Loop& loop, const Command& command, AnswerSlot slot);

template <class Actor, class ProtocolType>
class Dispatch;

template <class Actor, class... Commands>
class Dispatch<Actor, Protocol<Commands...>> final : public Handler {
    static_assert(CheckedProtocol<Commands...>::value);

public:
    Dispatch(Loop& loop, Actor& actor) : loop_(&loop), actor_(&actor) {}

    void handle(const Command& command, AnswerSlot slot) override {
        for (const Entry& entry : entries)
            if (entry.name == command.envelope.tag) return guarded(command, slot, entry.run);
        static constexpr std::array<std::string_view, sizeof...(Commands)> known{command_name<Commands>...};
        refuse_unknown(*loop_, command, std::move(slot), known);
    }

private:
    using Run = void (Dispatch::*)(const Command&, AnswerSlot&);
    struct Entry {
        std::string_view name;
        Run run;
    };
    static const std::array<Entry, sizeof...(Commands)> entries;

    void guarded(const Command& command, AnswerSlot& slot, Run handle_one) {
        try {
            (this->*handle_one)(command, slot);
        } catch (...) {
            report_exception(*loop_, command, std::move(slot));
        }
    }

    template <class C>
    void run(const Command& command, AnswerSlot& slot) {
        C decoded{};
        Arrivals arrivals{loop_->holdings(), command.envelope.from, command.envelope.manifest};
        if (!read_command(*loop_, command, slot, arrivals, convert::read_into<C>, &decoded)) return;
        call(std::move(decoded), slot);
    }

    template <class C>
    void call(C&& decoded, AnswerSlot& slot) {
        if constexpr (HasReply<C>) {
            using Reply = typename C::Reply;
            constexpr bool answers_later = requires { actor_->on(std::move(decoded), Answer<Reply>{}); };
            constexpr bool answers_now = requires { actor_->on(std::move(decoded)); };
            static_assert(answers_later || answers_now, "the actor has no on() for a command of its protocol");
            if constexpr (answers_later) {
                actor_->on(std::move(decoded), Answer<Reply>{std::move(slot)});
            } else {
                using Returned = decltype(actor_->on(std::move(decoded)));
                static_assert(std::is_convertible_v<Returned, Result<Reply>>,
                              "on() of a command with a Reply returns that Reply, a Result of it, or takes an Answer");
                Result<Reply> result = actor_->on(std::move(decoded));
                // What was lent with the command is in again before its asker hears the answer.
                if constexpr (carries_held<C>()) decoded = C{};
                if (!slot.is_asked()) return;
                if (!result) return slot.fail(result.error());
                Answer<Reply>{std::move(slot)}.reply(std::move(*result));
            }
        } else {
            static_assert(requires { actor_->on(std::move(decoded)); },
                          "the actor has no on() for a command of its protocol");
            if (slot.is_asked())
                return slot.fail(Error{ErrorKind::unsupported,
                                       fmt::format("{} has no reply: it can be sent, not asked", command_name<C>)});
            actor_->on(std::move(decoded));
        }
    }

    Loop* loop_;
    Actor* actor_;
};

template <class Actor, class... Commands>
constexpr std::array<typename Dispatch<Actor, Protocol<Commands...>>::Entry, sizeof...(Commands)>
    Dispatch<Actor, Protocol<Commands...>>::entries{Entry{command_name<Commands>, &Dispatch::template run<Commands>}...};

}  // namespace baton
