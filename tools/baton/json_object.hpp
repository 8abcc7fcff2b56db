#pragma once
// JSON objects with a layout of our own, from dynamic values. Structs of a protocol have to_json() already. Pure
// functions.

#include <initializer_list>
#include <string>
#include <utility>

#include <baton/json.hpp>

namespace baton::tool {

using namespace dynamic;

[[nodiscard]] inline Value object(std::initializer_list<std::pair<const char*, Value>> fields) {
    Value::Map map;
    for (const auto& [name, value] : fields) map.emplace_back(Value{std::string(name)}, value);
    return Value{std::move(map)};
}

[[nodiscard]] inline Value strings(const std::vector<std::string>& texts) {
    Value::List list;
    for (const std::string& text : texts) list.push_back(Value{text});
    return Value{std::move(list)};
}

// With its newline, as it is printed.
[[nodiscard]] inline std::string json_line(const Value& value) { return to_json(value, JsonLayout::indented) + "\n"; }

}  // namespace baton::tool
