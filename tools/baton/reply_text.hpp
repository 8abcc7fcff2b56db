#pragma once
// A reply as people read it: a string bare, a struct as aligned lines of field and value, a list with one item per
// line, a list of structs as a table. Pure functions.

#include <functional>
#include <string>

#include <baton/dynamic.hpp>
#include "tools/baton/table.hpp"

namespace baton::tool {

using namespace dynamic;

// The name of an actor, or its number if it has none any more.
using NameOf = std::function<std::string(const AnyRef&)>;

[[nodiscard]] bool holds_refs(const Type& type);
// Ends with a newline, unless it is empty.
[[nodiscard]] std::string reply_text(const Type& type, Value reply, const NameOf& name_of,
                                     Colours colours);

// Floats of 32 bits as the shortest number that is the same float: 0.1, not 0.10000000149011612.
void shorten_floats(const Type& type, Value& value);

}  // namespace baton::tool
