#pragma once
// Fields of a command as somebody typed them: field=value, read by the field's type.

#include <string>
#include <vector>

#include "runtime/wire/json.hpp"

namespace baton::tool {

using namespace detail;

// Errors name Command.field. What is missing or out of range is found by encode_command().
[[nodiscard]] Result<Dynamic::Map> parse_fields(const CommandDescription& command,
                                                const std::vector<std::string>& typed, const FindActor& find_actor);

}  // namespace baton::tool
