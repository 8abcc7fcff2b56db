#pragma once
// Command: one message as it leaves the inbox; Handler: the receiver of commands.

#include <baton/answer.hpp>
#include "runtime/transport/transport.hpp"
#include "runtime/wire/envelope.hpp"
#include "runtime/wire/notices.hpp"

namespace baton::detail {

// Valid during Handler::handle() only: tag and body view the frame it came in.
struct Command {
    Envelope envelope;
    Value body;
    std::string_view body_bytes;  // the same, encoded; or by position, where its sender may still change it
    Link link;  // the connection it came over
    bool is_misaddressed = false;  // meant for another actor, or another life of this one: never handled
    bool is_withdrawn = false;     // an ask that its asker has given up by now: never handled
    bool is_positional = false;    // there is no `body`
};

// What the loop serves. All calls come from the loop's thread, one at a time.
class Handler {
public:
    virtual ~Handler() = default;
    virtual void handle(const Command& command, AnswerSlot answer) = 0;

    // Something besides messages to wake up for: a descriptor that becomes readable, a point in time.
    [[nodiscard]] virtual int descriptor() const { return -1; }
    virtual void on_descriptor() {}
    [[nodiscard]] virtual Deadline next_deadline() const { return Deadline::never(); }
    virtual void on_deadline() {}
};

}  // namespace baton::detail
