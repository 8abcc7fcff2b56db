// check_value(): what a receiver that knows the type only as data asks of a value before it looks at it. The texts are
// those of a receiver in C++ (runtime/wire/convert.cpp).
#include <algorithm>
#include <set>

#include "runtime/wire/dynamic.hpp"

namespace baton::detail {
namespace {

using Structs = std::vector<const TypeDescription*>;  // that enclose what is looked at, for `same`

class Checker {
public:
    explicit Checker(std::string_view what) : at_{what} {}
    [[nodiscard]] Error take_error() { return at_.take_error(); }

    bool fits(const TypeDescription& declared, Value value) {
        const TypeDescription& type = resolve(declared);
        const ValueKind kind = value.kind();
        if (type.kind == "optional") return kind == ValueKind::nil || fits(type.parts[0].type, value);
        if (!is_one_of(type, value)) return at_.expected(to_text(type), value);
        if (type.kind == "ref") {
            AnyRef ref;
            return decode(value, ref, at_);
        }
        if (handle_kind_of(type.kind)) return kind == ValueKind::handle || at_.expected(type.kind, value);
        if (type.kind == "variant") return fits_variant(type, value);
        if (type.kind == "list" || type.kind == "array") return fits_list(type, value);
        if (type.kind == "set") return fits_set(type, value);
        if (type.kind == "tuple") return fits_tuple(type, value);
        if (type.kind == "map") return fits_map(type, value);
        if (type.kind == "struct") return fits_struct(type, value);
        return true;
    }

private:
    const TypeDescription& resolve(const TypeDescription& type) const {
        if (type.kind != "same") return type;
        const auto found = std::find_if(outer_.rbegin(), outer_.rend(),
                                        [&](const TypeDescription* candidate) { return candidate->name == type.name; });
        return found == outer_.rend() ? type : **found;
    }

    bool fits_variant(const TypeDescription& type, Value value) {
        std::uint64_t index = 0;
        const bool is_pair = value.kind() == ValueKind::array && value.size() == 2;
        if (!is_pair || value.at(0).kind() != ValueKind::integer || !value.at(0).to_unsigned(index) ||
            index >= type.parts.size())
            return at_.expected(to_text(type), value);
        return fits(type.parts[index].type, value.at(1));
    }

    bool fits_list(const TypeDescription& type, Value value) {
        const bool has_length = type.kind == "array";
        if (value.kind() != ValueKind::array || (has_length && static_cast<std::int64_t>(value.size()) != type.count))
            return at_.expected(has_length ? "list of " + std::to_string(type.count) : "list", value);
        for (std::size_t index = 0; index < value.size(); ++index) {
            const Decoding::Inside here{at_, {}, index};
            if (!fits(type.parts[0].type, value.at(index))) return false;
        }
        return true;
    }

    bool fits_set(const TypeDescription& type, Value value) {
        if (value.kind() != ValueKind::array) return at_.expected("a set, as a list", value);
        std::set<std::string> seen;
        for (std::size_t index = 0; index < value.size(); ++index) {
            const Decoding::Inside here{at_, {}, index};
            if (!fits(type.parts[0].type, value.at(index))) return false;
            if (!seen.insert(identity_of(resolve(type.parts[0].type), value.at(index))).second)
                return at_.fail("is in the set twice");
        }
        return true;
    }

    bool fits_tuple(const TypeDescription& type, Value value) {
        if (value.kind() != ValueKind::array || value.size() != type.parts.size())
            return at_.expected("a tuple of " + std::to_string(type.parts.size()), value);
        for (std::size_t index = 0; index < value.size(); ++index) {
            const Decoding::Inside here{at_, {}, index};
            if (!fits(type.parts[index].type, value.at(index))) return false;
        }
        return true;
    }

    bool fits_map(const TypeDescription& type, Value value) {
        if (value.kind() != ValueKind::map) return at_.expected("map", value);
        std::set<std::string> keys;
        for (std::size_t index = 0; index < value.size(); ++index) {
            {
                const Decoding::Inside here{at_, {}, index};
                if (!fits(type.parts[0].type, value.key_at(index)) || !fits(type.parts[1].type, value.value_at(index)))
                    return false;
            }
            if (!keys.insert(identity_of(resolve(type.parts[0].type), value.key_at(index))).second)
                return at_.fail("has a key twice");
        }
        return true;
    }

    bool fits_struct(const TypeDescription& type, Value value) {
        if (value.kind() != ValueKind::map) return at_.expected("map", value);
        outer_.push_back(&type);
        for (std::size_t index = 0; index < value.size(); ++index) {
            const Value key = value.key_at(index);
            if (key.kind() != ValueKind::text) return at_.expected("a field's name", key);
            const auto part = std::ranges::find(type.parts, key.text(), &PartDescription::name);
            if (part == type.parts.end()) return at_.fail("has no field '" + std::string(key.text()) + "'");
            const Decoding::Inside here{at_, part->name, 0};
            if (!fits(part->type, value.value_at(index))) return false;
        }
        outer_.pop_back();
        for (const PartDescription& part : type.parts) {
            std::size_t times = 0;
            for (std::size_t index = 0; index < value.size(); ++index)
                times += value.key_at(index).text() == part.name ? 1 : 0;
            const Decoding::Inside here{at_, part.name, 0};
            if (times > 1) return at_.fail("stands there twice");
            if (times == 0 && !may_be_left_out(type, part)) return at_.fail("is missing");
        }
        return true;
    }

    Decoding at_;
    Structs outer_;
};

// Parts side by side, each with its length before it.
std::string joined(std::span<const std::string> parts) {
    std::string text = "[";
    for (const std::string& part : parts) text += std::to_string(part.size()) + ":" + part;
    return text;
}

std::string identity_of_number(const TypeDescription& type, Value value) {
    if (value.kind() == ValueKind::real || type.kind.starts_with("float")) {
        const double real = type.kind == "float32" ? static_cast<float>(value.real()) : value.real();
        const double zero = real == 0 ? 0.0 : real;  // without its sign
        return {reinterpret_cast<const char*>(&zero), sizeof(zero)};
    }
    std::int64_t number = 0;
    std::uint64_t natural = 0;
    if (value.to_integer(number)) return std::to_string(number);
    static_cast<void>(value.to_unsigned(natural));
    return std::to_string(natural);
}

std::string identity_of_array(const TypeDescription& type, Value value) {
    std::uint64_t chosen = 0;
    if (type.kind == "variant" && value.size() == 2) static_cast<void>(value.at(0).to_unsigned(chosen));
    std::vector<std::string> parts;
    for (std::size_t index = 0; index < value.size(); ++index) {
        std::size_t part = type.kind == "tuple" ? index : 0;
        if (type.kind == "variant") part = index == 1 ? static_cast<std::size_t>(chosen) : type.parts.size();
        static const TypeDescription unknown;
        parts.push_back(
            identity_of(part < type.parts.size() ? type.parts[part].type : unknown, value.at(index)));
    }
    if (type.kind == "set") std::ranges::sort(parts);
    return joined(parts);
}

// A struct that leaves a field out is the same as one that says its default.
std::string identity_of_struct(const TypeDescription& type, Value value) {
    std::vector<std::string> parts;
    for (const PartDescription& part : type.parts) {
        std::string identity = "nothing";
        if (const std::string_view bytes = default_bytes(type, part); !bytes.empty()) {
            Unpacker unpacker;
            std::size_t offset = 0;
            const Result<Value> unpacked = unpacker.next(bytes, offset);
            if (unpacked) identity = identity_of(part.type, *unpacked);
        }
        for (std::size_t index = 0; index < value.size(); ++index)
            if (value.key_at(index).kind() == ValueKind::text && value.key_at(index).text() == part.name)
                identity = identity_of(part.type, value.value_at(index));
        parts.push_back(std::move(identity));
    }
    return joined(parts);
}

std::string identity_of_map(const TypeDescription& type, Value value) {
    static const TypeDescription unknown;
    const bool is_known = type.kind == "map";
    std::vector<std::string> parts;
    for (std::size_t index = 0; index < value.size(); ++index) {
        const std::array<std::string, 2> pair{
            identity_of(is_known ? type.parts[0].type : unknown, value.key_at(index)),
            identity_of(is_known ? type.parts[1].type : unknown, value.value_at(index))};
        parts.push_back(joined(pair));
    }
    std::ranges::sort(parts);  // in any order on the wire
    return joined(parts);
}

}  // namespace

std::string identity_of(const TypeDescription& type, Value value) {
    if (type.kind == "optional" && value.kind() != ValueKind::nil) return identity_of(type.parts[0].type, value);
    switch (value.kind()) {
        case ValueKind::boolean: return value.boolean() ? "true" : "false";
        case ValueKind::text: return "'" + std::string(value.text());
        case ValueKind::bytes: return {reinterpret_cast<const char*>(value.bytes().data()), value.bytes().size()};
        case ValueKind::timestamp: return std::to_string(value.timestamp().time_since_epoch().count());
        case ValueKind::handle: return std::to_string(value.handle());
        case ValueKind::integer:
        case ValueKind::real: return identity_of_number(type, value);
        case ValueKind::array: return identity_of_array(type, value);
        case ValueKind::map:
            return type.kind == "struct" ? identity_of_struct(type, value) : identity_of_map(type, value);
        case ValueKind::nil:
        case ValueKind::other: break;
    }
    return "nothing";
}

bool has_twice(const TypeDescription& set_or_map, Value value) {
    const bool is_map = set_or_map.kind == "map";
    std::set<std::string> seen;
    for (std::size_t index = 0; index < value.size(); ++index)
        if (!seen.insert(identity_of(set_or_map.parts[0].type, is_map ? value.key_at(index) : value.at(index))).second)
            return true;
    return false;
}

Result<void> check_value(const TypeDescription& type, Value value, std::string_view what) {
    Checker checker{what};
    if (checker.fits(type, value)) return {};
    return checker.take_error();
}

}  // namespace baton::detail
