#include "tools/baton/reply_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include <baton/text.hpp>
#include <baton/json.hpp>

namespace baton::tool {

using namespace dynamic;
namespace {

using Outer = std::vector<const Type*>;

// Runs `visit` on every value and its type, the innermost first.
void walk(const Type& declared, Value& value, Outer& outer,
          const std::function<void(const Type&, Value&)>& visit) {
    const Type* type = &declared;
    if (type->kind == "same") {
        const auto found = std::find_if(outer.rbegin(), outer.rend(),
                                        [&](const Type* one) { return one->name == declared.name; });
        if (found == outer.rend()) return;
        type = *found;
    }
    if (type->kind == "optional") {
        if (!value.is_nothing()) walk(type->parts[0].type, value, outer, visit);
        return;
    }
    if (auto* list = std::get_if<Value::List>(&value.value); list != nullptr && !type->parts.empty()) {
        const bool is_tuple = type->kind == "tuple" && list->size() == type->parts.size();
        for (std::size_t index = 0; index < list->size(); ++index)
            walk(type->parts[is_tuple ? index : 0].type, (*list)[index], outer, visit);
    } else if (auto* map = std::get_if<Value::Map>(&value.value); map != nullptr) {
        outer.push_back(type);
        for (auto& [key, element] : *map) {
            if (type->kind == "map") {
                walk(type->parts[0].type, key, outer, visit);
                walk(type->parts[1].type, element, outer, visit);
                continue;
            }
            const auto part = std::ranges::find_if(
                type->parts, [&, &field = key](const Field& one) { return field == Value{one.name}; });
            if (part != type->parts.end()) walk(part->type, element, outer, visit);
        }
        outer.pop_back();
    }
    visit(*type, value);
}

// Within a line: a string bare, everything else as JSON; what is empty leaves a blank.
std::string in_line(const Value& value) {
    if (value.is_nothing()) return "";
    if (const auto* text = std::get_if<std::string>(&value.value)) return *text;
    std::string json = to_json(value, JsonLayout::compact);
    if (json == "[]" || json == "{}") return "";
    const bool is_quoted = json.size() >= 2 && json.front() == '"';  // a time or bytes
    return is_quoted ? json.substr(1, json.size() - 2) : json;
}

bool is_number(const Value& value) {
    return std::holds_alternative<std::int64_t>(value.value) || std::holds_alternative<std::uint64_t>(value.value) ||
           std::holds_alternative<double>(value.value);
}

// A list of structs of one type; empty if the list is something else.
std::string table_of(const Value::List& list, Colours colours) {
    std::vector<Table::Column> columns;
    for (const Value& element : list) {
        const auto* map = std::get_if<Value::Map>(&element.value);
        if (map == nullptr || (!columns.empty() && map->size() != columns.size())) return "";
        if (!columns.empty()) continue;
        for (const auto& [key, value] : *map)
            columns.push_back({in_line(key), is_number(value) ? Table::Align::right : Table::Align::left});
    }
    if (columns.empty()) return "";
    std::ranges::for_each(columns, [](Table::Column& column) {
        std::ranges::transform(column.title, column.title.begin(), [](char c) {
            return c == '_' ? ' ' : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
        });
    });
    Table table{std::move(columns)};
    for (const Value& element : list) {
        std::vector<Table::Cell> row;
        for (const auto& [key, value] : std::get<Value::Map>(element.value)) row.emplace_back(in_line(value));
        table.add(std::move(row));
    }
    return table.text(colours);
}

}  // namespace

bool holds_refs(const Type& type) {
    return type.kind == "ref" ||
           std::ranges::any_of(type.parts, [](const Field& part) { return holds_refs(part.type); });
}

void shorten_floats(const Type& type, Value& value) {
    Outer outer;
    walk(type, value, outer, [](const Type& of, Value& one) {
        auto* number = std::get_if<double>(&one.value);
        if (number == nullptr || of.kind != "float32") return;
        const std::string shortest = fmt::format("{}", static_cast<float>(*number));
        std::from_chars(shortest.data(), shortest.data() + shortest.size(), *number);
    });
}

std::string reply_text(const Type& type, Value reply, const NameOf& name_of, Colours colours) {
    Outer outer;
    walk(type, reply, outer, [&](const Type&, Value& one) {
        if (const auto* ref = std::get_if<AnyRef>(&one.value)) one = Value{name_of(*ref)};
    });
    if (const auto* list = std::get_if<Value::List>(&reply.value)) {
        if (std::string table = table_of(*list, colours); !table.empty()) return table;
        std::string lines;
        for (const Value& element : *list) lines += printable(in_line(element)) + "\n";
        return lines;
    }
    if (const auto* map = std::get_if<Value::Map>(&reply.value)) {
        Table table{{{""}, {""}}};
        for (const auto& [key, value] : *map) table.add({{in_line(key), Paint::faint}, in_line(value)});
        return table.text(colours);
    }
    if (reply.is_nothing()) return type.kind == "optional" ? "nothing\n" : "done\n";
    return printable(in_line(reply), Lines::many) + "\n";
}

}  // namespace baton::tool
