#pragma once
// JSON: values as text for people and for programs outside.
//
//     fmt::print("{}\n", baton::to_json(summary, baton::JsonLayout::indented));   // any struct of a protocol
//
// Bytes are a string of hexadecimal digits, a timestamp is ISO 8601 in UTC, a ref is "number.incarnation", memory its
// kind and its place in the message. Text that is not UTF-8 is written with replacement characters, and NaN and the
// infinities as "NaN", "Infinity", "-Infinity". Thread rule: pure functions.

#include <functional>
#include <string>
#include <string_view>

#include <baton/dynamic.hpp>

namespace baton {

enum class JsonLayout { compact, indented };
[[nodiscard]] std::string to_json(const dynamic::Value& value, JsonLayout layout);

// Any struct that could be a command or a reply; it may be larger than a message.
template <class T>
[[nodiscard]] std::string to_json(const T& value, JsonLayout layout) {
    return to_json(dynamic::value_of(value), layout);
}

namespace dynamic {

// Reads what a person typed for a field of that type: the text itself for a string, an enumerator's name, an actor's
// name, which `find_actor` resolves, bytes and times as to_json() writes them, and JSON for everything else; the same
// as strings within that JSON. `refused` if the text is nothing of the kind, or nested deeper than a message may be.
// What is missing or out of range is found when the value is written.
using FindActor = std::function<Result<ActorId>(std::string_view name)>;
[[nodiscard]] Result<Value> parse_typed(const Type& type, std::string_view text, const FindActor& find_actor);

}  // namespace dynamic
}  // namespace baton
