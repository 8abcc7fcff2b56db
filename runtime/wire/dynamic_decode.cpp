#include "runtime/wire/dynamic.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace baton::detail {
namespace {

// A field that was left out has its default, or is nothing.
void add_defaults(const TypeDescription& type, Dynamic::Map& fields) {
    for (const PartDescription& part : type.parts) {
        const Dynamic name{part.name};
        if (std::ranges::find(fields, name, &Dynamic::Entry::first) != fields.end()) continue;
        fields.emplace_back(name, default_of(type, part).value_or(Dynamic{}));
    }
}

// Reads values on the wire by their type.
class DynamicDecoder {
public:
    explicit DynamicDecoder(SessionTag session) : session_(session) {}

    Result<Dynamic> read(const TypeDescription& declared, Value value) {
        const TypeDescription& type = resolve(declared, outer_);
        const ValueKind kind = value.kind();
        if (type.kind == "optional") return kind == ValueKind::nil ? Dynamic{} : read(type.parts[0].type, value);
        if (!is_one_of(type, value)) return misfit(type, value);
        if (type.kind == "list" || type.kind == "array" || type.kind == "set" || type.kind == "tuple")
            return read_list(type, value);
        if (type.kind == "map" || type.kind == "struct") return read_map(type, value);
        if (type.kind == "variant") return read_variant(type, value);
        if (type.kind == "ref") return read_ref(type, value);
        if (type.kind == "enum") return read_enum(type, value);
        if (type.kind == "duration") return read_duration(type, value);
        if (const auto held = handle_kind_of(type.kind)) {
            if (kind != ValueKind::handle) return misfit(type, value);
            return Dynamic{Dynamic::Held{*held, nullptr, value.handle()}};
        }
        if (kind == ValueKind::integer && type.kind.starts_with("float")) return Dynamic{value.real()};
        return decode_untyped(value);
    }

private:
    static Error misfit(const TypeDescription& type, Value value) {
        std::int64_t number = 0;
        const bool is_number = value.kind() == ValueKind::integer && value.to_integer(number);
        return Error{ErrorKind::corrupt,
                     fmt::format("expected {}, got {}", to_text(type),
                                 is_number ? std::to_string(number) : std::string(name_of(value.kind())))};
    }

    Result<Dynamic> read_list(const TypeDescription& type, Value value) {
        const bool is_tuple = type.kind == "tuple";
        if (value.kind() != ValueKind::array || (is_tuple && value.size() != type.parts.size()) ||
            (type.kind == "array" && static_cast<std::int64_t>(value.size()) != type.count))
            return misfit(type, value);
        if (type.kind == "set" && has_twice(type, value)) return misfit(type, value);
        Dynamic::List list;
        list.reserve(value.size());  // which the bytes that are there bound
        for (std::size_t index = 0; index < value.size(); ++index) {
            Result<Dynamic> element = read(type.parts[is_tuple ? index : 0].type, value.at(index));
            if (!element) return element;
            list.push_back(std::move(*element));
        }
        const dynamic::Form form = is_tuple              ? dynamic::Form::tuple
                                   : type.kind == "set" ? dynamic::Form::set
                                                         : dynamic::Form::plain;
        return Dynamic{std::move(list), form};
    }

    Result<Dynamic> read_map(const TypeDescription& type, Value value) {
        const bool is_map = type.kind == "map";
        if (value.kind() != ValueKind::map) return misfit(type, value);
        Dynamic::Map map;
        outer_.push_back(&type);
        for (std::size_t index = 0; index < value.size(); ++index) {
            Result<Dynamic> key = is_map ? read(type.parts[0].type, value.key_at(index))
                                         : Result<Dynamic>{decode_untyped(value.key_at(index))};
            if (!key) return key;
            const TypeDescription* const of_value = is_map ? &type.parts[1].type : type_of_field(type, *key);
            if (of_value == nullptr) return misfit(type, value);
            Result<Dynamic> element = read(*of_value, value.value_at(index));
            if (!element) return element;
            map.emplace_back(std::move(*key), std::move(*element));
        }
        outer_.pop_back();
        if (is_map ? has_twice(type, value) : !has_all_fields(type, value)) return misfit(type, value);
        if (!is_map) add_defaults(type, map);
        return Dynamic{std::move(map), is_map ? dynamic::Form::entries : dynamic::Form::fields};
    }

    static const TypeDescription* type_of_field(const TypeDescription& type, const Dynamic& key) {
        const auto* const name = key.as<std::string>();
        if (name == nullptr) return nullptr;
        const auto part = std::ranges::find(type.parts, *name, &PartDescription::name);
        return part == type.parts.end() ? nullptr : &part->type;
    }

    Result<Dynamic> read_variant(const TypeDescription& type, Value value) {
        std::uint64_t index = 0;
        if (value.kind() != ValueKind::array || value.size() != 2 || value.at(0).kind() != ValueKind::integer ||
            !value.at(0).to_unsigned(index) || index >= type.parts.size())
            return misfit(type, value);
        return read(type.parts[index].type, value.at(1));
    }

    Result<Dynamic> read_ref(const TypeDescription& type, Value value) const {
        AnyRef ref;
        Decoding at{"ref", nullptr, session_};
        if (!decode(value, ref, at)) return misfit(type, value);
        return Dynamic{ref};
    }

    static Result<Dynamic> read_enum(const TypeDescription& type, Value value) {
        std::int64_t number = 0;
        if (value.to_integer(number))
            for (const PartDescription& part : type.parts)
                if (part.type.count == number) return Dynamic{part.name};
        return decode_untyped(value);
    }

    static Result<Dynamic> read_duration(const TypeDescription& type, Value value) {
        std::int64_t nanoseconds = 0;
        if (!value.to_integer(nanoseconds)) return misfit(type, value);
        return Dynamic{static_cast<double>(nanoseconds) / 1e9};
    }

    SessionTag session_;
    Structs outer_;
};

}  // namespace

Result<Dynamic> decode_dynamic(const TypeDescription& type, Value value, SessionTag session) {
    return DynamicDecoder{session}.read(type, value);
}

Dynamic decode_untyped(Value value) {
    switch (value.kind()) {
        case ValueKind::nil:
        case ValueKind::other: return {};
        case ValueKind::handle: return {Dynamic::Held{HandleKind::segment, nullptr, value.handle()}};
        case ValueKind::boolean: return {value.boolean()};
        case ValueKind::integer: {
            std::int64_t number = 0;
            if (value.to_integer(number)) return {number};
            std::uint64_t natural = 0;
            static_cast<void>(value.to_unsigned(natural));
            return {natural};
        }
        case ValueKind::real: return {value.real()};
        case ValueKind::text: return {std::string(value.text())};
        case ValueKind::bytes: return {std::vector<std::byte>(value.bytes().begin(), value.bytes().end())};
        case ValueKind::timestamp: return {value.timestamp()};
        case ValueKind::array: {
            Dynamic::List list;
            list.reserve(value.size());
            for (std::size_t index = 0; index < value.size(); ++index) list.push_back(decode_untyped(value.at(index)));
            return {std::move(list)};
        }
        case ValueKind::map: {
            Dynamic::Map map;
            for (std::size_t index = 0; index < value.size(); ++index)
                map.emplace_back(decode_untyped(value.key_at(index)), decode_untyped(value.value_at(index)));
            return {std::move(map)};
        }
    }
    return {};
}

}  // namespace baton::detail
