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

// The reply into `out`, which `read` knows the type of; else why not.
[[nodiscard]] std::optional<Error> read_reply(Result<ReplyFrame>& reply, convert::ReadInto read, void* out);

template <class R>
[[nodiscard]] Result<R> decoded_reply(Result<ReplyFrame> reply) {
    R out{};
    if (std::optional<Error> why = read_reply(reply, convert::read_into<R>, &out); why) return std::move(*why);
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
