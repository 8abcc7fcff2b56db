#pragma once
// Call: one ask of the coordinator with a struct of notices.hpp, for the runtime's own use.

#include "runtime/inbox/loop.hpp"
#include "runtime/wire/convert.hpp"

namespace baton {

template <class C>
[[nodiscard]] Buffer encoded_body(const C& command) {
    Buffer body;
    Encoder encoder{body};
    encode(encoder, command);
    return body;
}

template <class R>
[[nodiscard]] Result<R> decoded_reply(Result<ReplyFrame> reply) {
    if (!reply) return reply.error();
    Unpacker unpacker;
    Result<Value> body = unpacker.next(reply->frame, reply->offset);
    if (!body) return body.error();
    R out{};
    Decoding at{"reply", reply->arrivals.get()};
    if (!decode(*body, out, at)) return at.take_error();
    return out;
}

template <class C>
[[nodiscard]] Result<typename C::Reply> call(Loop& loop, const C& command, Duration deadline) {
    return decoded_reply<typename C::Reply>(
        loop.ask(coordinator_id, command_name<C>, encoded_body(command), deadline));
}

template <class C>
[[nodiscard]] Result<void> tell(Loop& loop, const C& command) {
    return loop.send(coordinator_id, command_name<C>, encoded_body(command), limits::coordinator_deadline,
                     Loop::Urgency::now);
}

}  // namespace baton
