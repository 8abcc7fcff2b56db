#pragma once
// Answer: the promise to answer one ask later. An on() that can't answer at once takes it and keeps it: a barrier does,
// a lock, an actor that must first ask others.
//
//     void on(const Wait&, baton::Answer<Turn> answer) { waiting_.push_back(std::move(answer)); }
//
// Move-only; answered once, by the actor's thread. If it is destroyed unanswered, it answers `failed`, so that nobody
// waits for ever; if the actor that keeps it ends, `stopping`. If the command was sent and not asked, the answer goes
// nowhere.

#include <cstdint>
#include <string>
#include <string_view>

#include <baton/detail/convert.hpp>
#include <baton/detail/positional.hpp>
#include <baton/protocol.hpp>
#include <baton/ref.hpp>
#include <baton/result.hpp>

namespace baton {

namespace detail {

struct Access;  // the runtime's way to what is private here
class Answers;
struct Command;
struct Parcel;
enum class MessageKind : std::uint8_t;

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
    [[nodiscard]] std::uint64_t ask_id() const noexcept { return ask_id_; }
    [[nodiscard]] Link link() const noexcept { return link_; }

    // One encoded value. What it carries leaves the caller's hands when the reply is on its way, else it stays.
    void reply(std::string_view body, const Parcel* parcel = nullptr);
    // Without a copy of it, if the asker reads replies by position; false: it does not, or the reply is one that is
    // refused when it is encoded.
    [[nodiscard]] bool reply_by_position(const positional::Body& reply);
    [[nodiscard]] bool is_brief() const noexcept { return is_brief_; }
    void fail(const Error& error);
    void waits_for(ActorId whom);
    // The handler has returned, and its answer comes next: the command is in its actor's hand no more.
    void end_in_hand() noexcept;

private:
    void drop();
    void answer(MessageKind kind, std::string_view body);
    Answers* answers_ = nullptr;  // nullptr: answered
    Link link_;
    ActorId asker_;
    std::uint64_t ask_id_ = 0;
    bool is_brief_ = false;  // it was asked by position, and may be answered so
    std::string tag_;
};

}  // namespace detail

template <class R>
class Answer {
    using Value = detail::ReplyValue<R>;

public:
    Answer() = default;
    explicit Answer(detail::AnswerSlot slot) : slot_(std::move(slot)) {}

    // Answers a command whose Reply is void.
    void reply()
        requires std::is_void_v<R>
    {
        reply(std::monostate{});
    }
    void reply(const Value& value)
        requires(!detail::carries_held<Value>())
    {
        if (!slot_.is_asked()) return;
        if (slot_.is_brief() && slot_.reply_by_position(detail::positional::body_of<Value>(value))) return;
        detail::Buffer body;
        detail::Encoder encoder{body};
        detail::encode<Value>(encoder, value);
        slot_.reply(body);
    }
    // Answers with a reply that carries segments: they leave `value` once the reply is on its way.
    void reply(Value&& value)
        requires(detail::carries_held<Value>())
    {
        if (!slot_.is_asked()) return;
        detail::Parcel parcel{detail::fields::full_type_name<Value>(), {}};
        detail::Buffer body;
        detail::Encoder encoder{body, parcel.holdings};
        detail::encode<Value>(encoder, value);
        slot_.reply(body, &parcel);
    }
    void fail(const Error& error) { slot_.fail(error); }

    // Tells that this answer can't be given before `whom` has done something, such as give back what the asker wants.
    // If `whom` waits for the asker in turn, one of their waits ends as `deadlock` with all names, and not at a
    // deadline. An empty Ref takes that back. Of several answers to one asker only the last that was told about counts.
    void waits_for(const AnyRef& whom) { slot_.waits_for(whom.id); }

    [[nodiscard]] std::uint64_t ask_id() const noexcept { return slot_.ask_id(); }  // among those of its asker
    [[nodiscard]] ActorId asker() const noexcept { return slot_.asker(); }

private:
    friend struct detail::Access;
    detail::AnswerSlot slot_;
};

}  // namespace baton
