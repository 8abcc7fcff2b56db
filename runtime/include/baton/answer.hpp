#pragma once
// Answer: the promise to answer one ask later. What an on() keeps that can't answer at once: a barrier, a
// lock, an actor that must first ask others.
//
//     void on(const Wait&, baton::Answer<Turn> answer) { waiting_.push_back(std::move(answer)); }
//
// Move-only, answered once, by the actor's thread. Dropped without an answer it answers `failed`, so that
// nobody waits for ever; `stopping` where the actor that keeps it ends. For a command that was sent and not asked, the answer goes nowhere.

#include <baton/detail/answer_slot.hpp>
#include <baton/detail/convert.hpp>

namespace baton {

namespace detail {
struct Access;  // the runtime's way to what is private here
}

template <class R>
class Answer {
    using Value = detail::ReplyValue<R>;

public:
    Answer() = default;
    explicit Answer(detail::AnswerSlot slot) : slot_(std::move(slot)) {}

    // To a command whose Reply is void.
    void reply()
        requires std::is_void_v<R>
    {
        reply(std::monostate{});
    }
    void reply(const Value& value)
        requires(!detail::carries_held<Value>())
    {
        if (!slot_.is_asked()) return;
        detail::Buffer body;
        detail::Encoder encoder{body};
        detail::encode<Value>(encoder, value);
        slot_.reply(body);
    }
    // A reply that carries segments: they leave `value` when the reply is on its way.
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

    [[nodiscard]] ActorId asker() const noexcept { return slot_.asker(); }

private:
    friend struct detail::Access;
    detail::AnswerSlot slot_;
};

}  // namespace baton
