#include "runtime/inbox/reply.hpp"

#include "runtime/holdings/arrivals.hpp"

namespace baton::detail {

std::optional<Error> read_reply(Result<ReplyFrame>& reply, const BodyReader& read, void* out) {
    if (!reply) return std::move(reply.error());
    if (reply->form == ReplyFrame::Form::read) return std::nullopt;
    if (reply->form == ReplyFrame::Form::by_position) {
        if (read.by_position == nullptr) return Error{ErrorKind::corrupt, "the reply has no names, and needs some"};
        Decoding at{"reply", nullptr, reply->session};
        if (!read.by_position(reply->frame, out, at)) return at.take_error();
        return std::nullopt;
    }
    Unpacker unpacker;
    Result<Value> body = unpacker.next(reply->frame, reply->offset);
    if (!body) return std::move(body.error());
    Decoding at{"reply", reply->arrivals.get(), reply->session};
    if (!read.by_name(*body, out, at)) return at.take_error();
    return std::nullopt;
}

}  // namespace baton::detail
