// baton describe: the commands that an actor accepts.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "tools/baton/json_object.hpp"
#include "tools/baton/subcommands.hpp"
#include "tools/baton/table.hpp"

namespace baton::tool {

using namespace dynamic;
namespace {

// Types by name if they have one: a struct or an enum is written out once, below the commands.
class TypeNames {
public:
    std::string name(const Type& type) {
        if (type.kind == "struct" || type.kind == "enum") {
            const auto known = std::ranges::find(named_, type.name, &Type::name);
            if (known == named_.end()) {
                named_.push_back(type);
                for (const Field& part : type.parts) static_cast<void>(name(part.type));
                return type.name;
            }
            return *known == type ? type.name : to_text(type);  // two of one name, from two namespaces
        }
        if (type.kind == "list" || type.kind == "set" || type.kind == "map" || type.kind == "optional" ||
            type.kind == "variant" || type.kind == "tuple" || type.kind == "array") {
            std::string inner;
            for (const Field& part : type.parts) inner += (inner.empty() ? "" : ", ") + name(part.type);
            if (type.kind == "array") inner += fmt::format(", {}", type.count);
            return fmt::format("{}<{}>", type.kind, inner);
        }
        return to_text(type);
    }

    std::string fields(const Type& type) {
        std::string text;
        for (const Field& part : type.parts)
            text += fmt::format("{}{}: {}{}", text.empty() ? "" : ", ", part.name, name(part.type),
                                default_text(type, part));
        return text;
    }

    // NAME and what it is, in the order in which they were met.
    void add_definitions(Table& table) {
        for (std::size_t index = 0; index < named_.size(); ++index) {
            const Type type = named_[index];
            std::string names;
            for (const Field& part : type.parts) names += (names.empty() ? "" : ", ") + part.name;
            table.add({{type.name, Paint::faint}, type.kind == "enum" ? "one of " + names : "{" + fields(type) + "}"});
        }
    }

private:
    std::vector<Type> named_;
};

std::string signature(const Command& command, TypeNames& names, Colours colours) {
    std::string text = fmt::format("{}({})", painted(command.name, Paint::bold, colours), names.fields(command.fields));
    if (!command.reply) return text;
    return text + " -> " + (command.reply->kind == "nothing" ? "nothing" : names.name(*command.reply));
}

std::string example_of(const std::string& actor, const Command& command) {
    std::string text = fmt::format("baton {} {} {}", command.reply ? "ask" : "send", actor, command.name);
    for (const Field& field : command.fields.parts)
        if (!may_be_left_out(command.fields, field)) text += fmt::format(" {}=...", field.name);
    return text;
}

// What one would try first: asked rather than sent, and with one field rather than many or none.
const Command& easiest_of(const std::vector<Command>& commands) {
    const auto effort = [](const Command& command) {
        const std::size_t fields = command.fields.parts.size();
        return std::pair(!command.reply, fields == 0 ? 2 : fields);
    };
    return *std::ranges::min_element(commands, {}, effort);
}

Value json_of(const Actor& actor) {
    Value::List commands;
    for (const Command& command : actor.protocol->commands) {
        Value::List fields;
        for (const Field& field : command.fields.parts) {
            Value row = object({{"name", {field.name}}, {"type", {to_text(field.type)}}});
            if (std::optional<Value> value = default_of(command.fields, field))
                row.as<Value::Map>()->emplace_back(Value{"default"}, std::move(*value));
            fields.push_back(std::move(row));
        }
        commands.push_back(object({{"name", {command.name}},
                                   {"fields", Value{std::move(fields)}},
                                   {"reply", command.reply ? Value{to_text(*command.reply)} : Value{}}}));
    }
    return object({{"name", {actor.name}},
                   {"actor", Value{actor.ref}},
                   {"pid", {static_cast<std::int64_t>(actor.pid)}},
                   {"protocol", {actor.protocol->name}},
                   {"commands", Value{std::move(commands)}}});
}

}  // namespace

Result<Outcome> describe_actor(Visit& visit, const std::string& name, const Wishes& wishes) {
    const Result<Actor> actor = visit.find(name);
    if (!actor) return explained("cannot describe " + name, actor.error());
    if (wishes.wants_json) return Outcome{json_line(json_of(*actor))};
    const std::vector<Command>& commands = actor->protocol->commands;
    if (commands.empty())
        return Outcome{fmt::format("{} (pid {}) has published no commands: it is an outsider, such as a scenario\n",
                                   actor->name, actor->pid)};
    const Colours colours = colours_for(stdout);
    TypeNames names;
    Outcome outcome;
    outcome.text = fmt::format("{} (pid {}) accepts the commands of protocol {}:\n\n",
                               painted(actor->name, Paint::bold, colours), actor->pid, actor->protocol->name);
    for (const Command& command : commands)
        outcome.text += fmt::format("  {}\n", signature(command, names, colours));
    Table definitions{{{""}, {""}}};
    names.add_definitions(definitions);
    if (!definitions.is_empty()) outcome.text += "\nwhere\n" + definitions.text(colours, "  ");
    outcome.text += fmt::format("\ntry: {}\n", example_of(actor->name, easiest_of(commands)));
    return outcome;
}

}  // namespace baton::tool
