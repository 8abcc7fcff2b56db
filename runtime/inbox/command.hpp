#pragma once
// Command: one message as it leaves the inbox; AnswerSlot: the way back to who asked; Handler: who takes it.

#include "runtime/transport/transport.hpp"
#include "runtime/wire/envelope.hpp"
#include "runtime/wire/notices.hpp"

namespace baton {

class Answers;
struct Parcel;

// Valid during Handler::handle() only: tag and body view the frame it came in.
struct Command {
    Envelope envelope;
    Value body;
    std::string_view body_bytes;  // the same, encoded
    Link link;  // the connection it came over
    bool is_misaddressed = false;  // meant for another actor, or another life of this one: never handled
};

// Answers one ask, once. Move-only; may be kept and answered later, by the loop's thread. Dropped without an
// answer, it answers `failed` itself, or `stopping` where its actor ends, so that no asker waits in vain. For a
// command that was only sent it takes the answer and does nothing.
class AnswerSlot {
public:
    AnswerSlot() = default;
    AnswerSlot(Answers& answers, const Command& command);
    AnswerSlot(AnswerSlot&& other) noexcept;
    AnswerSlot& operator=(AnswerSlot&& other) noexcept;
    ~AnswerSlot();

    [[nodiscard]] bool is_asked() const noexcept { return ask_id_ != 0; }
    [[nodiscard]] ActorId asker() const noexcept { return asker_; }
    [[nodiscard]] Link link() const noexcept { return link_; }

    // One encoded value. What it carries leaves the caller's hands when the reply is on its way, else it stays.
    void reply(std::string_view body, const Parcel* parcel = nullptr);
    void fail(const Error& error);

private:
    void drop();
    void answer(MessageKind kind, std::string_view body);
    Answers* answers_ = nullptr;  // nullptr: answered
    Link link_;
    ActorId asker_;
    std::uint64_t ask_id_ = 0;
    std::string tag_;
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

}  // namespace baton
