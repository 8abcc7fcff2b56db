#include "tools/baton/fields.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "tools/baton/outcome.hpp"

namespace baton::tool {

using namespace dynamic;
namespace {

std::string fields_of(const Command& command) {
    std::string text;
    for (const Field& part : command.fields.parts)
        text += fmt::format("{}{} ({}{})", text.empty() ? "" : ", ", part.name, to_text(part.type),
                            default_text(command.fields, part));
    return text.empty() ? "it has no fields" : "its fields are " + text;
}

}  // namespace

Result<Value::Map> parse_fields(const Command& command, const std::vector<std::string>& typed,
                                  const FindActor& find_actor) {
    const auto refuse = [&](std::string text) { return Error{ErrorKind::refused, std::move(text)}; };
    Value::Map fields;
    for (const std::string& one : typed) {
        const std::size_t equals = one.find('=');
        if (equals == std::string::npos)
            return refuse(fmt::format("{}: '{}' is not field=value; {}", command.name, one, fields_of(command)));
        const std::string name = one.substr(0, equals);
        const auto part = std::ranges::find(command.fields.parts, name, &Field::name);
        if (part == command.fields.parts.end())
            return refuse(fmt::format("{}.{}: there is no such field; {}", command.name, name, fields_of(command)));
        const std::string where = fmt::format("{}.{}", command.name, name);
        const bool is_there = std::ranges::any_of(
            fields, [&](const auto& field) { return field.first == Value{name}; });
        if (is_there) return refuse(where + ": it is given twice");
        Result<Value> value = parse_typed(part->type, std::string_view(one).substr(equals + 1), find_actor);
        if (!value) return explained(where, value.error());
        fields.emplace_back(Value{name}, std::move(*value));
    }
    return fields;
}

}  // namespace baton::tool
