#pragma once
// Reply: from the answer to an ask, as it came, to the value that it stands for.

#include <optional>

#include "runtime/inbox/asks.hpp"
#include <baton/detail/positional.hpp>

namespace baton::detail {

// The reply into `out`, which `read` knows the type of; else why not.
[[nodiscard]] std::optional<Error> read_reply(Result<ReplyFrame>& reply, const BodyReader& read, void* out);

template <class R>
[[nodiscard]] Result<R> decoded_reply(Result<ReplyFrame> reply) {
    R out{};
    if (std::optional<Error> why = read_reply(reply, body_reader<R>(), &out); why) return std::move(*why);
    return out;
}

}  // namespace baton::detail
