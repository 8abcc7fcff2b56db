#include "runtime/wire/dynamic.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "runtime/base/text.hpp"

namespace baton::detail {
namespace {

class DynamicEncoder {
public:
    DynamicEncoder(Buffer& out, std::string_view what, const Departing* departing)
        : encoder_(departing == nullptr ? Encoder{out} : Encoder{out, *departing->holdings}),
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
        Holding* const holding = departing_ == nullptr ? nullptr : departing_->holding_of(*held);
        if (holding == nullptr)
            return fail(fmt::format("{}: a {} can't be given from here", path_, name_of(kind)), true);
        return encoder_.depart(*holding), true;
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
        const std::size_t departing = departing_ == nullptr ? 0 : departing_->holdings->size();
        for (std::size_t index = 0; index < type.parts.size(); ++index) {
            encoder_.unsigned_integer(index);
            if (inside("", [&] { return put(type.parts[index].type, given); })) return true;
            out_->resize(start);
            if (departing_ != nullptr) departing_->holdings->resize(departing);
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
    const Departing* departing_;
    std::string path_;
    std::string error_;
    Structs outer_;
    std::size_t depth_ = 0;
};

// Without a type: as msgpack says it.
class UntypedEncoder {
public:
    UntypedEncoder(Buffer& out, const Departing* departing)
        : encoder_(departing == nullptr ? Encoder{out} : Encoder{out, *departing->holdings}), departing_(departing) {}

    // False if it carries memory that can't be given.
    bool put(const Dynamic& given) {
        return std::visit([this](const auto& value) { return put_one(value); }, given.value);
    }

private:
    bool put_one(std::monostate) { return encoder_.nil(), true; }
    bool put_one(bool value) { return encoder_.boolean(value), true; }
    bool put_one(std::int64_t value) { return encoder_.integer(value), true; }
    bool put_one(std::uint64_t value) { return encoder_.unsigned_integer(value), true; }
    bool put_one(double value) { return encoder_.real64(value), true; }
    bool put_one(const std::string& value) { return encoder_.text(value), true; }
    bool put_one(const std::vector<std::byte>& value) { return encoder_.bytes(value), true; }
    bool put_one(Timestamp value) { return encoder_.timestamp(value), true; }
    bool put_one(const AnyRef& value) { return encode(encoder_, value), true; }
    bool put_one(const Dynamic::Held& held) {
        Holding* const holding = departing_ == nullptr ? nullptr : departing_->holding_of(held);
        return holding != nullptr && (encoder_.depart(*holding), true);
    }
    bool put_one(const Dynamic::List& list) {
        const Encoder::Deeper deeper{encoder_};
        encoder_.array(list.size());
        return std::ranges::all_of(list, [this](const Dynamic& one) { return encoder_.is_full() || put(one); });
    }
    bool put_one(const Dynamic::Map& map) {
        const Encoder::Deeper deeper{encoder_};
        encoder_.map(map.size());
        return std::ranges::all_of(map, [this](const Dynamic::Entry& one) {
            return encoder_.is_full() || (put(one.first) && put(one.second));
        });
    }

    Encoder encoder_;
    const Departing* departing_;
};

}  // namespace

Result<Buffer> encode_dynamic(const TypeDescription& type, const Dynamic& value, std::string_view what,
                              const Departing* departing) {
    Buffer out;
    DynamicEncoder encoder{out, what, departing};
    if (!encoder.put(type, value)) return encoder.take_error();
    return out;
}

Result<Buffer> encode_command(const ProtocolDescription& protocol, std::string_view command, const Dynamic::Map& fields,
                              const Departing* departing) {
    const CommandDescription* known = protocol.find(command);
    if (known != nullptr) return encode_dynamic(known->fields, Dynamic{fields}, command, departing);
    std::vector<std::string_view> names;
    for (const CommandDescription& one : protocol.commands) names.push_back(one.name);
    return Error{ErrorKind::unsupported,
                 fmt::format("the protocol '{}' has no command '{}'; it has {}", protocol.name, command,
                             names.empty() ? "none" : fmt::format("{}", fmt::join(names, ", ")))};
}

Result<Buffer> encode_untyped(const Dynamic& value, std::string_view what, const Departing* departing) {
    Buffer out;
    UntypedEncoder encoder{out, departing};
    if (!encoder.put(value))
        return Error{ErrorKind::refused, fmt::format("{}: a segment, lease or slice can't be given from here", what)};
    if (out == nested_too_deep)
        return Error{ErrorKind::refused, fmt::format("{} is nested deeper than {} (limits::message_depth_max)", what,
                                                     limits::message_depth_max)};
    return out;
}

}  // namespace baton::detail
