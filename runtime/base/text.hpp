#pragma once
// What the runtime adds to <baton/text.hpp>. Pure functions.

#include <baton/text.hpp>

namespace baton::detail {

// Like printable(), for JSON, whose strings spell out control characters below U+0020 already. The meaning of the JSON
// does not change.
[[nodiscard]] std::string printable_json(std::string_view json);

}  // namespace baton::detail
