#pragma once
// Decoded: one value that a coordinator has encoded into shared memory, read again by the next one. Any process of the
// user may have written there since, so it is checked like a message.

#include <optional>
#include <string_view>

#include <baton/detail/convert.hpp>

#include "runtime/inbox/call.hpp"

namespace baton::detail::coordinator {

template <class T>
[[nodiscard]] std::optional<T> decoded(std::string_view bytes, SessionTag session) {
    Unpacker unpacker;
    std::size_t offset = 0;
    const Result<Value> value = unpacker.next(bytes, offset);
    T out;
    Decoding at{"record", nullptr, session};
    if (!value || !decode(*value, out, at)) return std::nullopt;
    return out;
}

}  // namespace baton::detail::coordinator
