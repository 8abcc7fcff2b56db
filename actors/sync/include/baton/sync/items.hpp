#pragma once
// Items: from values to what queues and channels carry, and back. An item is one value as in a command (wire/convert.hpp),
// without segments: a keeper holds none. Data, never code: a program that makes sense of an item decides what it does.

#include <baton/sync.hpp>
#include <baton/detail/convert.hpp>

namespace baton::sync {

using namespace detail;

template <class T>
concept Item = !carries_held<T>();

template <Item T>
[[nodiscard]] Bytes item_of(const T& value) {
    Buffer buffer;
    Encoder encoder{buffer};
    encode<T>(encoder, value);
    const auto* bytes = reinterpret_cast<const std::byte*>(buffer.data());
    return {bytes, bytes + buffer.size()};
}

// `refused` for one of another type, with the place.
template <Item T>
[[nodiscard]] Result<T> value_of(const Bytes& item, std::string_view what) {
    Unpacker unpacker;
    std::size_t offset = 0;
    const Result<baton::detail::Value> body = unpacker.next({reinterpret_cast<const char*>(item.data()), item.size()}, offset);
    if (!body) return body.error();
    T value{};
    Decoding at{what};
    if (!decode(*body, value, at)) return at.take_error();
    return value;
}

}  // namespace baton::sync
