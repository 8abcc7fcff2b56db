#pragma once
// Bytes: one value as it travels in a command, for whatever passes values on without reading them, such as a queue. Any
// type that may be a field of a command can be written, except one that carries a segment, lease or slice: those exist
// only in messages. Bytes are data and never code; they are checked against T when they are read.
//
// Thread rule: plain functions, no shared state.

#include <cstddef>
#include <span>
#include <string_view>
#include <vector>

#include <baton/detail/convert.hpp>
#include <baton/result.hpp>

namespace baton {

using Bytes = std::vector<std::byte>;

template <class T>
    requires(!detail::carries_held<T>())
[[nodiscard]] Bytes to_bytes(const T& value) {
    detail::Buffer buffer;
    detail::Encoder encoder{buffer};
    detail::encode<T>(encoder, value);
    const auto* bytes = reinterpret_cast<const std::byte*>(buffer.data());
    return {bytes, bytes + buffer.size()};
}

// `refused` if the value is of another type, `corrupt` if there is no value at all. The error names the place, which
// begins with `what`.
template <class T>
    requires(!detail::carries_held<T>())
[[nodiscard]] Result<T> from_bytes(std::span<const std::byte> bytes, std::string_view what = "value") {
    detail::Unpacker unpacker;
    std::size_t offset = 0;
    const Result<detail::Value> body =
        unpacker.next({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, offset);
    if (!body) return body.error();
    T value{};
    detail::Decoding at{what};
    if (!detail::decode(*body, value, at)) return at.take_error();
    return value;
}

}  // namespace baton
