#pragma once
// Json: dynamic values as JSON text, for people and programs outside. json.cpp is the only door to
// nlohmann-json. Pure functions.
//
// Bytes are a string of hexadecimal digits, a timestamp is ISO 8601 in UTC, a ref is "number.incarnation", a
// segment "segment" and its place in the manifest.
// Text that is not UTF-8 is written with replacement characters, NaN and the infinities as "NaN", "Infinity",
// "-Infinity".

#include <functional>

#include "runtime/wire/dynamic.hpp"

namespace baton::detail {

enum class JsonLayout { compact, indented };
[[nodiscard]] std::string to_json(const Dynamic& value, JsonLayout layout);

// Any struct of a protocol as JSON.
template <class T>
[[nodiscard]] std::string to_json(const T& value, JsonLayout layout) {
    Buffer bytes;
    Encoder encoder{bytes, Encoder::unbounded};
    encode(encoder, value);
    Unpacker unpacker;
    std::size_t offset = 0;
    const Result<Dynamic> dynamic = decode_dynamic(describe_type<T>(), unpacker.next(bytes, offset).value());
    return to_json(dynamic.value(), layout);
}

// What a person typed for a field of that type: the text itself for a string, an enum's name, an actor's name
// (which `find_actor` resolves), bytes and times as to_json() writes them, JSON for everything else; the same
// as strings within that JSON. Refused if it is nested deeper than a message may be.
using FindActor = std::function<Result<ActorId>(std::string_view name)>;
[[nodiscard]] Result<Dynamic> parse_typed(const TypeDescription& type, std::string_view text,
                                          const FindActor& find_actor);

}  // namespace baton::detail
