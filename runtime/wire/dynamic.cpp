#include "runtime/wire/dynamic.hpp"

#include "runtime/base/text.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <set>

namespace baton::detail {
namespace {

using Structs = std::vector<const TypeDescription*>;  // that enclose what is looked at, for `same`

const TypeDescription& resolve(const TypeDescription& type, const Structs& outer) {
    if (type.kind != "same") return type;
    const auto found = std::find_if(outer.rbegin(), outer.rend(),
                                    [&](const TypeDescription* candidate) { return candidate->name == type.name; });
    return found == outer.rend() ? type : **found;
}

struct IntegerRange {
    std::int64_t min;
    std::uint64_t max;
};

std::optional<IntegerRange> range_of(std::string_view kind) {
    if (kind == "int8") return IntegerRange{INT8_MIN, INT8_MAX};
    if (kind == "int16") return IntegerRange{INT16_MIN, INT16_MAX};
    if (kind == "int32") return IntegerRange{INT32_MIN, INT32_MAX};
    if (kind == "int64") return IntegerRange{INT64_MIN, INT64_MAX};
    if (kind == "uint8") return IntegerRange{0, UINT8_MAX};
    if (kind == "uint16") return IntegerRange{0, UINT16_MAX};
    if (kind == "uint32") return IntegerRange{0, UINT32_MAX};
    if (kind == "uint64") return IntegerRange{0, UINT64_MAX};
    return std::nullopt;
}

class DynamicEncoder {
public:
    DynamicEncoder(Buffer& out, std::string_view what, std::vector<Holding*>* departing)
        : encoder_(departing == nullptr ? Encoder{out} : Encoder{out, *departing}),
          out_(&out),
          departing_(departing),
          path_(what) {}

    bool put(const TypeDescription& declared, const Dynamic& given) {
        if (encoder_.is_full())
            return fail(fmt::format(
                "is more than a message holds, {} bytes (limits::message_bytes_max): send it in pieces, or as a "
                "segment",
                limits::message_bytes_max));
        const TypeDescription& type = resolve(declared, outer_);
        const std::string& kind = type.kind;
        if (const auto range = range_of(kind)) return put_integer(*range, kind, given);
        if (kind == "bool") {
            const bool* value = std::get_if<bool>(&given.value);
            return value == nullptr ? expected(kind, given) : (encoder_.boolean(*value), true);
        }
        if (kind == "float32" || kind == "float64") return put_real(kind, given);
        if (kind == "string") {
            const auto* text = std::get_if<std::string>(&given.value);
            if (text == nullptr) return expected(kind, given);
            if (!is_utf8(*text)) return fail(path_ + ": expected UTF-8, got a string of other bytes", true);
            return encoder_.text(*text), true;
        }
        if (kind == "bytes") {
            const auto* bytes = std::get_if<std::vector<std::byte>>(&given.value);
            return bytes == nullptr ? expected(kind, given) : (encoder_.bytes(*bytes), true);
        }
        if (kind == "timestamp") {
            const auto* time = std::get_if<Timestamp>(&given.value);
            return time == nullptr ? expected(kind, given) : (encoder_.timestamp(*time), true);
        }
        if (kind == "duration") return put_duration(given);
        if (kind == "ref") {
            const auto* ref = std::get_if<AnyRef>(&given.value);
            return ref == nullptr ? expected(to_text(type), given) : (encode(encoder_, *ref), true);
        }
        if (const auto held = handle_kind_of(kind)) return put_held(*held, given);
        if (kind == "nothing") return given.is_nothing() ? (encoder_.nil(), true) : expected(kind, given);
        if (kind == "enum") return put_enum(type, given);
        if (kind == "optional") {
            if (given.is_nothing()) return encoder_.nil(), true;
            return put(type.parts[0].type, given);
        }
        if (kind == "variant") return put_variant(type, given);
        if (kind == "list" || kind == "array") return put_list(type, given);
        if (kind == "set") return put_set(type, given);
        if (kind == "tuple") return put_tuple(type, given);
        if (kind == "map") return put_map(type, given);
        if (kind == "struct") return put_struct(type, given);
        return fail(fmt::format("a field of kind '{}' is unknown here: the actor is newer than this program", kind));
    }

    [[nodiscard]] Error take_error() { return Error{ErrorKind::refused, std::move(error_)}; }

private:
    bool expected(std::string_view what, const Dynamic& given) {
        return fail(fmt::format("{}: expected {}, got {}", path_, what, kind_of(given)), true);
    }
    bool fail(std::string text, bool has_path = false) {
        error_ = has_path ? std::move(text) : path_ + " " + text;
        return false;
    }
    template <class Function>
    bool inside(std::string_view step, Function&& put_inner) {
        const std::size_t size = path_.size();
        path_ += step;
        ++depth_;
        const bool fine = put_inner();
        --depth_;
        path_.resize(size);
        return fine;
    }

    bool put_integer(IntegerRange range, std::string_view kind, const Dynamic& given) {
        if (const auto* number = std::get_if<std::int64_t>(&given.value)) {
            if (*number < range.min || (*number > 0 && static_cast<std::uint64_t>(*number) > range.max))
                return fail(fmt::format("{}: {} is out of range of {}", path_, *number, kind), true);
            return encoder_.integer(*number), true;
        }
        if (const auto* number = std::get_if<std::uint64_t>(&given.value)) {
            if (*number > range.max)
                return fail(fmt::format("{}: {} is out of range of {}", path_, *number, kind), true);
            return encoder_.unsigned_integer(*number), true;
        }
        return expected(kind, given);
    }

    bool put_real(std::string_view kind, const Dynamic& given) {
        double number = 0;
        if (const auto* real = std::get_if<double>(&given.value)) {
            number = *real;
        } else if (const auto* integer = std::get_if<std::int64_t>(&given.value)) {
            number = static_cast<double>(*integer);
        } else if (const auto* natural = std::get_if<std::uint64_t>(&given.value)) {
            number = static_cast<double>(*natural);
        } else {
            return expected(kind, given);
        }
        if (kind == "float64") return encoder_.real64(number), true;
        const auto narrow = static_cast<float>(number);
        if (std::isfinite(number) && !std::isfinite(narrow))
            return fail(fmt::format("{}: {} is out of range of float32", path_, number), true);
        return encoder_.real32(narrow), true;
    }

    bool put_duration(const Dynamic& given) {
        double seconds = 0;
        if (const auto* real = std::get_if<double>(&given.value)) {
            seconds = *real;
        } else if (const auto* integer = std::get_if<std::int64_t>(&given.value)) {
            seconds = static_cast<double>(*integer);
        } else {
            return expected("duration in seconds", given);
        }
        if (!(std::abs(seconds) < 9e9)) return fail(fmt::format("{}: {} s is out of range", path_, seconds), true);
        return encoder_.integer(std::llround(seconds * 1e9)), true;
    }

    bool put_held(HandleKind kind, const Dynamic& given) {
        const auto* held = std::get_if<Dynamic::Held>(&given.value);
        if (held == nullptr || held->kind != kind) return expected(name_of(kind), given);
        if (held->holding == nullptr || departing_ == nullptr)
            return fail(fmt::format("{}: a {} can't be given from here", path_, name_of(kind)), true);
        return encoder_.depart(*held->holding), true;
    }

    bool put_enum(const TypeDescription& type, const Dynamic& given) {
        if (const auto* name = std::get_if<std::string>(&given.value)) {
            for (const PartDescription& part : type.parts)
                if (part.name == *name) return encoder_.integer(part.type.count), true;
            return fail(fmt::format("{}: '{}' is none of {}", path_, *name, to_text(type)), true);
        }
        const auto* number = std::get_if<std::int64_t>(&given.value);
        if (number == nullptr) return expected(to_text(type), given);
        const auto has_it = [number](const PartDescription& part) { return part.type.count == *number; };
        if (!type.parts.empty() && std::ranges::none_of(type.parts, has_it))
            return fail(fmt::format("{}: {} is none of {}", path_, *number, to_text(type)), true);
        return encoder_.integer(*number), true;
    }

    // True if a list, map, struct or variant may begin here, and is not nested too deeply.
    bool may_begin() {
        return depth_ < limits::message_depth_max ||
               fail(fmt::format("is nested deeper than {} (limits::message_depth_max)", limits::message_depth_max));
    }

    bool put_variant(const TypeDescription& type, const Dynamic& given) {
        if (!may_begin()) return false;
        encoder_.array(2);
        const std::size_t start = out_->size();
        const std::size_t departing = departing_ == nullptr ? 0 : departing_->size();
        for (std::size_t index = 0; index < type.parts.size(); ++index) {
            encoder_.unsigned_integer(index);
            if (inside("", [&] { return put(type.parts[index].type, given); })) return true;
            out_->resize(start);
            if (departing_ != nullptr) departing_->resize(departing);
        }
        return expected(to_text(type), given);
    }

    bool put_list(const TypeDescription& type, const Dynamic& given) {
        const auto* list = std::get_if<Dynamic::List>(&given.value);
        const bool has_length = type.kind == "array";
        if (list == nullptr || (has_length && static_cast<std::int64_t>(list->size()) != type.count))
            return expected(has_length ? fmt::format("list of {}", type.count) : "list", given);
        if (!may_begin()) return false;
        encoder_.array(list->size());
        for (std::size_t index = 0; index < list->size(); ++index)
            if (!inside(fmt::format("[{}]", index), [&] { return put(type.parts[0].type, (*list)[index]); }))
                return false;
        return true;
    }

    // In the order of their bytes, so that two sets of the same elements are the same bytes: a set may hold sets.
    bool put_set(const TypeDescription& type, const Dynamic& given) {
        const auto* list = std::get_if<Dynamic::List>(&given.value);
        if (list == nullptr) return expected("set, as a list", given);
        if (!may_begin()) return false;
        encoder_.array(list->size());
        const std::size_t start = out_->size();
        std::set<std::string> elements;
        for (std::size_t index = 0; index < list->size(); ++index) {
            const std::size_t begin = out_->size();
            const bool fine = inside(fmt::format("[{}]", index), [&] {
                return put(type.parts[0].type, (*list)[index]) &&
                       (elements.insert(out_->substr(begin)).second || fail("is in the set twice"));
            });
            if (!fine) return false;
        }
        out_->resize(start);
        for (const std::string& element : elements) *out_ += element;
        return true;
    }

    bool put_tuple(const TypeDescription& type, const Dynamic& given) {
        const auto* list = std::get_if<Dynamic::List>(&given.value);
        if (list == nullptr || list->size() != type.parts.size())
            return expected(fmt::format("tuple of {}", type.parts.size()), given);
        if (!may_begin()) return false;
        encoder_.array(list->size());
        for (std::size_t index = 0; index < list->size(); ++index)
            if (!inside(fmt::format("[{}]", index), [&] { return put(type.parts[index].type, (*list)[index]); }))
                return false;
        return true;
    }

    bool put_map(const TypeDescription& type, const Dynamic& given) {
        const auto* map = std::get_if<Dynamic::Map>(&given.value);
        if (map == nullptr) return expected("map", given);
        if (!may_begin()) return false;
        encoder_.map(map->size());
        for (std::size_t index = 0; index < map->size(); ++index)
            if (!inside(fmt::format("[{}]", index), [&] {
                    return put(type.parts[0].type, (*map)[index].first) &&
                           put(type.parts[1].type, (*map)[index].second);
                }))
                return false;
        return true;
    }

    bool put_struct(const TypeDescription& type, const Dynamic& given) {
        const auto* map = std::get_if<Dynamic::Map>(&given.value);
        if (map == nullptr) return expected(fmt::format("the fields of {}", type.name), given);
        if (!may_begin()) return false;
        const auto value_of = [map](const std::string& field) -> const Dynamic* {
            for (const auto& [key, value] : *map)
                if (const auto* name = std::get_if<std::string>(&key.value); name != nullptr && *name == field)
                    return &value;
            return nullptr;
        };
        for (const auto& [key, value] : *map) {
            const auto* name = std::get_if<std::string>(&key.value);
            const bool is_known =
                name != nullptr &&
                std::ranges::any_of(type.parts, [name](const PartDescription& part) { return part.name == *name; });
            if (is_known) continue;
            std::vector<std::string_view> known;
            for (const PartDescription& part : type.parts) known.push_back(part.name);
            return fail(fmt::format("has no field '{}'; it has {}", name == nullptr ? kind_of(key) : *name,
                                    known.empty() ? "none" : fmt::format("{}", fmt::join(known, ", "))));
        }
        outer_.push_back(&type);
        const auto is_left_out = [&value_of, &type](const PartDescription& part) {
            return may_be_left_out(type, part) && value_of(part.name) == nullptr;
        };
        encoder_.map(type.parts.size() -
                     static_cast<std::size_t>(std::ranges::count_if(type.parts, is_left_out)));
        for (const PartDescription& part : type.parts) {
            if (is_left_out(part)) continue;
            const Dynamic* value = value_of(part.name);
            encoder_.text(part.name);
            const bool fine = inside("." + part.name, [&] {
                if (value == nullptr)
                    return fail(fmt::format("{} is missing: it is a {}", path_, to_text(part.type)), true);
                return put(part.type, *value);
            });
            if (!fine) return false;
        }
        outer_.pop_back();
        return true;
    }

    Encoder encoder_;
    Buffer* out_;
    std::vector<Holding*>* departing_;
    std::string path_;
    std::string error_;
    Structs outer_;
    std::size_t depth_ = 0;
};

void add_defaults(const TypeDescription& type, Dynamic::Map& fields) {
    for (const PartDescription& part : type.parts) {
        const Dynamic name{part.name};
        if (std::ranges::find(fields, name, &Dynamic::Entry::first) != fields.end()) continue;
        if (std::optional<Dynamic> value = default_of(type, part)) fields.emplace_back(name, std::move(*value));
    }
}

Result<Dynamic> decode_within(const TypeDescription& declared, Value value, Structs& outer, SessionTag session) {
    const TypeDescription& type = resolve(declared, outer);
    const auto misfit = [&] {
        return Error{ErrorKind::corrupt, fmt::format("expected {}, got {}", to_text(type), name_of(value.kind()))};
    };
    const auto each = [&](std::size_t count, auto&& child) -> Result<Dynamic> {
        Dynamic::List list;
        for (std::size_t index = 0; index < count; ++index) {
            Result<Dynamic> element = child(index);
            if (!element) return element;
            list.push_back(std::move(*element));
        }
        return Dynamic{std::move(list)};
    };
    const ValueKind kind = value.kind();
    if (type.kind == "optional") {
        if (kind == ValueKind::nil) return Dynamic{};
        return decode_within(type.parts[0].type, value, outer, session);
    }
    if (!is_one_of(type, value)) return misfit();
    if (type.kind == "enum" && kind == ValueKind::integer) {
        std::int64_t number = 0;
        if (value.to_integer(number))
            for (const PartDescription& part : type.parts)
                if (part.type.count == number) return Dynamic{part.name};
        return decode_untyped(value);
    }
    if (type.kind == "duration" && kind == ValueKind::integer) {
        std::int64_t nanoseconds = 0;
        if (!value.to_integer(nanoseconds)) return misfit();
        return Dynamic{static_cast<double>(nanoseconds) / 1e9};
    }
    if (type.kind == "ref") {
        AnyRef ref;
        Decoding at{"ref", nullptr, session};
        if (!decode(value, ref, at)) return misfit();
        return Dynamic{ref};
    }
    if (const auto held = handle_kind_of(type.kind)) {
        if (kind != ValueKind::handle) return misfit();
        return Dynamic{Dynamic::Held{*held, nullptr, value.handle()}};
    }
    if (type.kind == "variant") {
        std::uint64_t index = 0;
        if (kind != ValueKind::array || value.size() != 2 || value.at(0).kind() != ValueKind::integer ||
            !value.at(0).to_unsigned(index) || index >= type.parts.size())
            return misfit();
        return decode_within(type.parts[index].type, value.at(1), outer, session);
    }
    if (type.kind == "list" || type.kind == "array") {
        if (kind != ValueKind::array || (type.kind == "array" && static_cast<std::int64_t>(value.size()) != type.count))
            return misfit();
        return each(value.size(), [&](std::size_t index) {
            return decode_within(type.parts[0].type, value.at(index), outer, session);
        });
    }
    if (type.kind == "set") {
        if (kind != ValueKind::array || has_twice(type, value)) return misfit();
        return each(value.size(), [&](std::size_t index) {
            return decode_within(type.parts[0].type, value.at(index), outer, session);
        });
    }
    if (type.kind == "tuple") {
        if (kind != ValueKind::array || value.size() != type.parts.size()) return misfit();
        return each(value.size(), [&](std::size_t index) {
            return decode_within(type.parts[index].type, value.at(index), outer, session);
        });
    }
    if (type.kind == "map" || type.kind == "struct") {
        if (kind != ValueKind::map) return misfit();
        Dynamic::Map map;
        outer.push_back(&type);
        for (std::size_t index = 0; index < value.size(); ++index) {
            const TypeDescription* of_value = nullptr;
            Result<Dynamic> key = decode_untyped(value.key_at(index));
            if (type.kind == "map") {
                key = decode_within(type.parts[0].type, value.key_at(index), outer, session);
                of_value = &type.parts[1].type;
            } else if (const auto* name = std::get_if<std::string>(&key->value)) {
                for (const PartDescription& part : type.parts)
                    if (part.name == *name) of_value = &part.type;
            }
            if (!key) return key;
            if (of_value == nullptr) return misfit();
            Result<Dynamic> element = decode_within(*of_value, value.value_at(index), outer, session);
            if (!element) return element;
            map.emplace_back(std::move(*key), std::move(*element));
        }
        outer.pop_back();
        if (type.kind == "map" && has_twice(type, value)) return misfit();
        if (type.kind == "struct" && !has_all_fields(type, value)) return misfit();
        if (type.kind == "struct") add_defaults(type, map);
        return Dynamic{std::move(map)};
    }
    if (kind == ValueKind::integer && type.kind.starts_with("float")) return Dynamic{value.real()};
    return decode_untyped(value);
}

}  // namespace

bool has_all_fields(const TypeDescription& type, Value fields) {
    for (const PartDescription& part : type.parts) {
        std::size_t times = 0;
        for (std::size_t index = 0; index < fields.size(); ++index) {
            const Value key = fields.key_at(index);
            if (key.kind() == ValueKind::text && key.text() == part.name) ++times;
        }
        if (times > 1 || (times == 0 && !may_be_left_out(type, part))) return false;
    }
    return true;
}

std::optional<Dynamic> default_of(const TypeDescription& of, const PartDescription& field) {
    const std::string_view bytes = default_bytes(of, field);
    if (bytes.empty()) return std::nullopt;
    Unpacker unpacker;
    std::size_t offset = 0;
    const Result<Value> value = unpacker.next(bytes, offset);
    if (!value || offset != bytes.size()) return std::nullopt;
    Result<Dynamic> read = decode_dynamic(field.type, *value);
    if (!read) return std::nullopt;
    return std::move(*read);
}

bool is_one_of(const TypeDescription& type, Value value) {
    const ValueKind kind = value.kind();
    const std::string& wanted = type.kind;
    if (const auto range = range_of(wanted)) {
        if (kind != ValueKind::integer) return false;
        std::int64_t number = 0;
        if (value.to_integer(number))
            return number >= range->min && (number < 0 || static_cast<std::uint64_t>(number) <= range->max);
        return range->max == UINT64_MAX;
    }
    if (wanted == "bool") return kind == ValueKind::boolean;
    if (wanted == "float32" || wanted == "float64") return kind == ValueKind::real || kind == ValueKind::integer;
    if (wanted == "string") return kind == ValueKind::text;
    if (wanted == "bytes") return kind == ValueKind::bytes;
    if (wanted == "timestamp") return kind == ValueKind::timestamp;
    if (wanted == "duration") return kind == ValueKind::integer;
    if (wanted == "nothing") return kind == ValueKind::nil;
    if (wanted != "enum") return true;
    std::int64_t number = 0;
    if (kind != ValueKind::integer) return false;
    if (type.parts.empty()) return true;
    return value.to_integer(number) && std::ranges::any_of(type.parts, [number](const PartDescription& part) {
               return part.type.count == number;
           });
}

std::string kind_of(const Dynamic& value) {
    struct Namer {
        std::string operator()(std::monostate) const { return "nothing"; }
        std::string operator()(bool) const { return "bool"; }
        std::string operator()(std::int64_t number) const { return fmt::format("integer {}", number); }
        std::string operator()(std::uint64_t number) const { return fmt::format("integer {}", number); }
        std::string operator()(double number) const { return fmt::format("float {}", number); }
        std::string operator()(const std::string&) const { return "string"; }
        std::string operator()(const std::vector<std::byte>&) const { return "bytes"; }
        std::string operator()(Timestamp) const { return "timestamp"; }
        std::string operator()(const AnyRef&) const { return "ref"; }
        std::string operator()(const Dynamic::Held& held) const { return std::string(name_of(held.kind)); }
        std::string operator()(const Dynamic::List& list) const { return fmt::format("list of {}", list.size()); }
        std::string operator()(const Dynamic::Map& map) const { return fmt::format("map of {}", map.size()); }
    };
    return std::visit(Namer{}, value.value);
}

Result<Buffer> encode_dynamic(const TypeDescription& type, const Dynamic& value, std::string_view what,
                              std::vector<Holding*>* departing) {
    Buffer out;
    DynamicEncoder encoder{out, what, departing};
    if (!encoder.put(type, value)) return encoder.take_error();
    return out;
}

Result<Buffer> encode_command(const ProtocolDescription& protocol, std::string_view command, const Dynamic::Map& fields,
                              std::vector<Holding*>* departing) {
    const CommandDescription* known = protocol.find(command);
    if (known != nullptr) return encode_dynamic(known->fields, Dynamic{fields}, command, departing);
    std::vector<std::string_view> names;
    for (const CommandDescription& one : protocol.commands) names.push_back(one.name);
    return Error{ErrorKind::unsupported,
                 fmt::format("the protocol '{}' has no command '{}'; it has {}", protocol.name, command,
                             names.empty() ? "none" : fmt::format("{}", fmt::join(names, ", ")))};
}

Result<Dynamic> decode_dynamic(const TypeDescription& type, Value value, SessionTag session) {
    Structs outer;
    return decode_within(type, value, outer, session);
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
