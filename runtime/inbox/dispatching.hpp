#pragma once
// Dispatching: the untyped half of baton/actor.hpp, for what serves a loop. One thread, the loop's.

#include <baton/actor.hpp>

#include "runtime/holdings/arrivals.hpp"
#include "runtime/inbox/loop.hpp"

namespace baton::detail {

class Incoming {
public:
    Incoming(Loop& of, const Command& one, AnswerSlot back)
        : loop(of), command(one), slot(std::move(back)),
          arrivals(std::in_place, of.holdings(), one.envelope.from, one.envelope.manifest) {}
    Loop& loop;
    const Command& command;
    AnswerSlot slot;
    std::optional<Arrivals> arrivals;  // nothing: refused
};

// Calls the on() of `actor`, whose class the handlers know, for this command; `unsupported` if there is none.
void dispatch(Loop& loop, void* actor, std::span<const CommandHandler> handlers, const Command& command,
              AnswerSlot slot);

// Its two steps, for callers that do more. Nullptr: there is none, and the command has been refused.
[[nodiscard]] const CommandHandler* find_handler(std::span<const CommandHandler> handlers, Incoming& incoming);
// What on() threw: told to the asker, else logged.
void report_exception(Incoming& incoming, const Error& error);
// A command that is not handled: its asker is told why, else it is logged, and what it carries goes back.
void refuse_command(Loop& loop, const Command& command, AnswerSlot slot, const Error& why);

}  // namespace baton::detail
