#pragma once
// Dispatching: the untyped half of baton/detail/dispatch.hpp, for what serves a loop. One thread, the loop's.

#include <baton/detail/dispatch.hpp>

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

// Calls the on() of `actor`, whose class the handlers know, for this command; `unsupported` where there is none.
void dispatch(Loop& loop, void* actor, std::span<const CommandHandler> handlers, const Command& command,
              AnswerSlot slot);

}  // namespace baton::detail
