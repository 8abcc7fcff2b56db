#pragma once
// JSON objects with a layout of our own, from dynamic values. Structs of a protocol have to_json() already.

#include <initializer_list>
#include <string>
#include <utility>

#include "runtime/inbox/call.hpp"
#include "runtime/wire/json.hpp"

namespace baton::tool {

using namespace detail;

[[nodiscard]] inline Dynamic object(std::initializer_list<std::pair<const char*, Dynamic>> fields) {
    Dynamic::Map map;
    for (const auto& [name, value] : fields) map.emplace_back(Dynamic{std::string(name)}, value);
    return Dynamic{std::move(map)};
}

[[nodiscard]] inline Dynamic strings(const std::vector<std::string>& texts) {
    Dynamic::List list;
    for (const std::string& text : texts) list.push_back(Dynamic{text});
    return Dynamic{std::move(list)};
}

// Any struct of a protocol, to stand within an object.
template <class T>
[[nodiscard]] Dynamic dynamic_of(const T& value) {
    Buffer bytes;  // many rows may be more than a message
    Encoder encoder{bytes, Encoder::unbounded};
    encode(encoder, value);
    Unpacker unpacker;
    std::size_t offset = 0;
    return decode_dynamic(describe_type<T>(), unpacker.next(bytes, offset).value()).value();
}

// With its newline, as it is printed.
[[nodiscard]] inline std::string json_line(const Dynamic& value) { return to_json(value, JsonLayout::indented) + "\n"; }

}  // namespace baton::tool
