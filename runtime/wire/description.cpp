#include <baton/detail/description.hpp>

#include <algorithm>

#include "runtime/wire/dynamic.hpp"
#include <baton/json.hpp>

namespace baton::detail {
namespace {

void append_shape(std::string& out, const TypeDescription& type) {
    out += type.kind;
    if (type.kind == "same" || type.kind == "ref") out += ":" + type.name;
    if (type.kind == "array") out += std::to_string(type.count);
    if (type.kind == "enum" || type.parts.empty()) return;  // an enum travels as its number
    out += '{';
    for (const PartDescription& part : type.parts) {
        out += part.name + ":";
        append_shape(out, part.type);
        out += ',';
    }
    out += '}';
}

std::string joined(const TypeDescription& type) {
    std::string text;
    for (const PartDescription& part : type.parts) {
        if (!text.empty()) text += ", ";
        if (!part.name.empty()) text += part.name + ": ";
        text += to_text(part.type) + default_text(type, part);
    }
    return text;
}

}  // namespace

namespace describing {

TypeDescription plain(std::string_view kind, std::string_view name) {
    return {std::string(kind), std::string(name), 0, {}};
}

TypeDescription sized(std::string_view kind, std::size_t bytes) {
    return {std::string(kind) + std::to_string(bytes * 8), "", 0, {}};
}

TypeDescription of_parts(std::string_view kind, std::int64_t count, std::span<const Describe> parts, Outer& outer) {
    TypeDescription out{std::string(kind), "", count, {}};
    for (const Describe part : parts) out.parts.push_back({"", part(outer)});
    return out;
}

TypeDescription of_fields(std::string_view full_name, std::string_view name, std::span<const Field> fields,
                          Defaults defaults, Outer& outer) {
    if (std::ranges::find(outer, full_name) != outer.end()) return plain("same", name);
    outer.push_back(full_name);
    TypeDescription out = plain("struct", name);
    for (const Field& field : fields) out.parts.push_back({std::string(field.name), field.describe(outer)});
    out.defaults = defaults();
    outer.pop_back();
    return out;
}

void add_enumerators(TypeDescription& out, std::int64_t first, std::span<const std::string_view> names) {
    for (std::size_t index = 0; index < names.size(); ++index)
        if (!names[index].empty())
            out.parts.push_back(
                {std::string(names[index]), {"nothing", "", first + static_cast<std::int64_t>(index), {}}});
}

CommandDescription of_command(const Command& command) {
    Outer outer;
    CommandDescription out{std::string(command.name), command.fields(outer), std::nullopt};
    if (command.reply != nullptr) out.reply = command.reply(outer);
    return out;
}

ProtocolDescription of_commands(std::string_view name, std::span<const Command> commands) {
    ProtocolDescription out{std::string(name), {}};
    for (const Command& command : commands) out.commands.push_back(of_command(command));
    return out;
}

}  // namespace describing

const CommandDescription* ProtocolDescription::find(std::string_view command) const noexcept {
    const auto found = std::ranges::find(commands, command, &CommandDescription::name);
    return found == commands.end() ? nullptr : &*found;
}

bool is_sound(const TypeDescription& type) {
    const bool has_one =
        type.kind == "optional" || type.kind == "list" || type.kind == "set" || type.kind == "array";
    const bool may_have_any =
        type.kind == "struct" || type.kind == "variant" || type.kind == "tuple" || type.kind == "enum";
    const std::size_t wanted = has_one ? 1 : type.kind == "map" ? 2 : 0;
    if (!may_have_any && type.parts.size() != wanted) return false;
    return std::ranges::all_of(type.parts, [](const PartDescription& part) { return is_sound(part.type); });
}

std::uint64_t fingerprint_of(const ProtocolDescription& protocol) {
    std::vector<std::string> shapes;
    for (const CommandDescription& command : protocol.commands) {
        std::string shape = command.name + "=";
        append_shape(shape, command.fields);
        if (command.reply) append_shape(shape += "->", *command.reply);
        shapes.push_back(std::move(shape));
    }
    std::ranges::sort(shapes);  // the order of the commands means nothing
    std::uint64_t hash = 0xcbf29ce484222325ULL;
    for (const std::string& shape : shapes)
        for (const char byte : shape + "\n") hash = (hash ^ static_cast<unsigned char>(byte)) * 0x100000001b3ULL;
    return hash == 0 ? 1 : hash;
}

std::string_view default_bytes(const TypeDescription& of, const PartDescription& field) noexcept {
    const auto index = static_cast<std::size_t>(&field - of.parts.data());
    if (!of.defaults || index >= of.defaults->size()) return {};
    const std::vector<std::byte>& bytes = (*of.defaults)[index];
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

bool may_be_left_out(const TypeDescription& of, const PartDescription& field) noexcept {
    return field.type.kind == "optional" || !default_bytes(of, field).empty();
}

std::string default_text(const TypeDescription& of, const PartDescription& field) {
    const std::optional<Dynamic> value = default_of(of, field);
    return value ? " = " + to_json(*value, JsonLayout::compact) : "";
}

std::string to_text(const TypeDescription& type) {
    if (type.kind == "list" || type.kind == "set" || type.kind == "map" || type.kind == "optional" ||
        type.kind == "variant" || type.kind == "tuple")
        return type.kind + "<" + joined(type) + ">";
    if (type.kind == "array") return "array<" + joined(type) + ", " + std::to_string(type.count) + ">";
    if (type.kind == "struct") return "{" + joined(type) + "}";
    if (type.kind == "same") return type.name;
    if (type.kind == "ref") return type.name.empty() ? "ref" : "ref<" + type.name + ">";
    if (type.kind == "enum") {
        std::string text = type.name + "{";
        for (const PartDescription& part : type.parts)
            text += (text.back() == '{' ? "" : ", ") + part.name + "=" + std::to_string(part.type.count);
        return text + "}";
    }
    return type.kind;
}

std::string to_text(const CommandDescription& command) {
    std::string text = command.name + "(" + joined(command.fields) + ")";
    if (command.reply) text += " -> " + to_text(*command.reply);
    return text;
}

}  // namespace baton::detail
