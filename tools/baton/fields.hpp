#pragma once
// Fields of a command as somebody typed them: field=value, read by the field's type.

#include <string>
#include <vector>

#include <baton/json.hpp>

namespace baton::tool {

using namespace dynamic;

// Errors name Command.field. What is missing or out of range is found by dynamic::EncodedCommand.
[[nodiscard]] Result<Value::Map> parse_fields(const Command& command,
                                                const std::vector<std::string>& typed, const FindActor& find_actor);

}  // namespace baton::tool
