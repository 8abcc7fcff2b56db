#include "runtime/inbox/reply.hpp"

#include "runtime/holdings/arrivals.hpp"

namespace baton::detail {

std::optional<Error> read_reply(Result<ReplyFrame>& reply, convert::ReadInto read, void* out) {
    if (!reply) return std::move(reply.error());
    Unpacker unpacker;
    Result<Value> body = unpacker.next(reply->frame, reply->offset);
    if (!body) return std::move(body.error());
    Decoding at{"reply", reply->arrivals.get(), reply->session};
    if (!read(*body, out, at)) return at.take_error();
    return std::nullopt;
}

}  // namespace baton::detail
