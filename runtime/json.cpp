#include <baton/json.hpp>

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <ctime>
#include <limits>
#include <nlohmann/json.hpp>

#include "runtime/base/text.hpp"

namespace baton {

using namespace detail;
using dynamic::FindActor;
using Dynamic = dynamic::Value;

namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t shown_bytes_max = 200;  // of what was typed

std::string text_of(const Dynamic& key);

Json json_of(const Dynamic& value) {
    struct Maker {
        Json operator()(std::monostate) const { return nullptr; }
        Json operator()(bool flag) const { return flag; }
        Json operator()(std::int64_t number) const { return number; }
        Json operator()(std::uint64_t number) const { return number; }
        Json operator()(double number) const {
            // JSON has no number for these.
            if (std::isnan(number)) return "NaN";
            if (std::isinf(number)) return number > 0 ? "Infinity" : "-Infinity";
            return number;
        }
        Json operator()(const std::string& text) const { return text; }
        Json operator()(const std::vector<std::byte>& bytes) const {
            std::string text;
            for (const std::byte byte : bytes) text += fmt::format("{:02x}", static_cast<unsigned>(byte));
            return text;
        }
        Json operator()(Timestamp time) const {
            const auto seconds = std::chrono::floor<std::chrono::seconds>(time);
            return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:09}Z",
                               fmt::gmtime(std::chrono::system_clock::to_time_t(seconds)), (time - seconds).count());
        }
        Json operator()(const AnyRef& ref) const { return to_string(ref.id); }
        Json operator()(const Dynamic::Held& held) const {
            return fmt::format("{} {}", name_of(held.kind), held.index);
        }
        Json operator()(const Dynamic::List& list) const {
            Json out = Json::array();
            for (const Dynamic& element : list) out.push_back(json_of(element));
            return out;
        }
        Json operator()(const Dynamic::Map& map) const {
            Json out = Json::object();
            for (const auto& [key, element] : map) out[text_of(key)] = json_of(element);
            return out;
        }
    };
    return std::visit(Maker{}, value.value);
}

std::string text_of(const Dynamic& key) {
    if (const auto* text = std::get_if<std::string>(&key.value)) return *text;
    return json_of(key).dump();
}

Dynamic dynamic_of(const Json& json) {
    switch (json.type()) {
        case Json::value_t::boolean: return {json.get<bool>()};
        case Json::value_t::number_integer: return {json.get<std::int64_t>()};
        case Json::value_t::number_unsigned: {
            const auto number = json.get<std::uint64_t>();
            if (number <= static_cast<std::uint64_t>(INT64_MAX)) return {static_cast<std::int64_t>(number)};
            return {number};
        }
        case Json::value_t::number_float: return {json.get<double>()};
        case Json::value_t::string: return {json.get<std::string>()};
        case Json::value_t::array: {
            Dynamic::List list;
            for (const Json& element : json) list.push_back(dynamic_of(element));
            return {std::move(list)};
        }
        case Json::value_t::object: {
            Dynamic::Map map;
            for (const auto& [key, element] : json.items()) map.emplace_back(Dynamic{key}, dynamic_of(element));
            return {std::move(map)};
        }
        default: return {};
    }
}

Error misfit(const TypeDescription& type, std::string_view text) {
    return Error{ErrorKind::refused,
                 fmt::format("expected {}, got '{}'", to_text(type), readable(text, shown_bytes_max))};
}

// The numbers that JSON has no text for.
std::optional<double> special_number(const TypeDescription& type, std::string_view text) {
    if (!type.kind.starts_with("float")) return std::nullopt;
    if (text == "NaN") return std::numeric_limits<double>::quiet_NaN();
    if (text == "Infinity") return std::numeric_limits<double>::infinity();
    if (text == "-Infinity") return -std::numeric_limits<double>::infinity();
    return std::nullopt;
}

std::optional<std::vector<std::byte>> bytes_of(std::string_view digits) {
    std::vector<std::byte> bytes;
    for (std::size_t index = 0; index < digits.size(); index += 2) {
        unsigned value = 0;
        const std::string_view pair = digits.substr(index, 2);
        const auto [end, problem] = std::from_chars(pair.data(), pair.data() + pair.size(), value, 16);
        if (pair.size() != 2 || problem != std::errc{} || end != pair.data() + 2) return std::nullopt;
        bytes.push_back(static_cast<std::byte>(value));
    }
    return bytes;
}

// "2024-01-02T03:04:05Z", with up to nine digits behind a dot.
std::optional<Timestamp> timestamp_of(const std::string& text) {
    std::tm parts{};
    const char* rest = ::strptime(text.c_str(), "%Y-%m-%dT%H:%M:%S", &parts);
    if (rest == nullptr) return std::nullopt;
    const int day = parts.tm_mday;
    const std::chrono::seconds seconds{::timegm(&parts)};
    const bool is_a_day = parts.tm_mday == day;  // timegm makes 2 March of 30 February
    if (!is_a_day || std::chrono::abs(seconds) > timestamp_max) return std::nullopt;
    std::int64_t nanoseconds = 0;
    if (*rest == '.') {
        const char* const first = ++rest;
        for (std::int64_t unit = 100'000'000; *rest >= '0' && *rest <= '9'; ++rest, unit /= 10)
            nanoseconds += (*rest - '0') * unit;
        if (rest == first || rest - first > 9) return std::nullopt;
    }
    if (text.substr(static_cast<std::size_t>(rest - text.c_str())) != "Z") return std::nullopt;
    return Timestamp{seconds + std::chrono::nanoseconds{nanoseconds}};
}

// What JSON has no kind for stands there as text: the value of such a type, wherever in the JSON it is.
class TypedReader {
public:
    explicit TypedReader(const FindActor& find_actor) : find_actor_(&find_actor) {}

    Result<Dynamic> read_text(const TypeDescription& type, const std::string& text) {
        if (type.kind == "ref") {
            Result<ActorId> id = (*find_actor_)(text);
            if (!id) return id.error();
            return Dynamic{AnyRef{*id}};
        }
        if (type.kind == "bytes") {
            std::optional<std::vector<std::byte>> bytes = bytes_of(text);
            return bytes ? Result<Dynamic>{Dynamic{std::move(*bytes)}} : misfit(type, text);
        }
        if (type.kind == "timestamp") {
            const std::optional<Timestamp> time = timestamp_of(text);
            return time ? Result<Dynamic>{Dynamic{*time}} : misfit(type, text);
        }
        if (const std::optional<double> special = special_number(type, text); special) return Dynamic{*special};
        return Dynamic{text};
    }

    Result<Dynamic> read(const TypeDescription& declared, const Json& json) {
        const TypeDescription* type = &declared;
        if (type->kind == "same") {
            const auto found = std::find_if(outer_.rbegin(), outer_.rend(),
                                            [&](const TypeDescription* one) { return one->name == declared.name; });
            if (found != outer_.rend()) type = *found;
        }
        if (type->kind == "optional" && !json.is_null()) return read(type->parts[0].type, json);
        if (json.is_string()) return read_text(*type, json.get<std::string>());
        const bool is_tuple = type->kind == "tuple" && json.size() == type->parts.size();
        if (json.is_array() && (is_tuple || type->kind == "list" || type->kind == "array" || type->kind == "set")) {
            Dynamic::List list;
            for (const Json& element : json) {
                Result<Dynamic> value = read(type->parts[is_tuple ? list.size() : 0].type, element);
                if (!value) return value;
                list.push_back(std::move(*value));
            }
            return Dynamic{std::move(list)};
        }
        if (json.is_object() && (type->kind == "struct" || type->kind == "map")) return read_object(*type, json);
        return dynamic_of(json);
    }

private:
    Result<Dynamic> read_object(const TypeDescription& type, const Json& json) {
        const bool is_map = type.kind == "map";
        Dynamic::Map map;
        outer_.push_back(&type);
        for (const auto& [name, element] : json.items()) {
            Result<Dynamic> key = is_map ? dynamic::parse_typed(type.parts[0].type, name, *find_actor_) : Dynamic{name};
            if (!key) return key;
            const auto part = std::ranges::find(type.parts, name, &PartDescription::name);
            Result<Dynamic> value = is_map                      ? read(type.parts[1].type, element)
                                    : part == type.parts.end() ? dynamic_of(element)  // encoding refuses it by name
                                                                : read(part->type, element);
            if (!value) return value;
            map.emplace_back(std::move(*key), std::move(*value));
        }
        outer_.pop_back();
        return Dynamic{std::move(map)};
    }

    const FindActor* find_actor_;
    std::vector<const TypeDescription*> outer_;  // for `same`
};

}  // namespace

std::string to_json(const Dynamic& value, JsonLayout layout) {
    return printable_json(
        json_of(value).dump(layout == JsonLayout::indented ? 2 : -1, ' ', false, Json::error_handler_t::replace));
}

Result<Dynamic> dynamic::parse_typed(const TypeDescription& type, std::string_view text, const FindActor& find_actor) {
    static constexpr std::array<std::string_view, 5> plain_kinds{"string", "enum", "bytes", "timestamp", "ref"};
    TypedReader reader{find_actor};
    if (std::ranges::find(plain_kinds, type.kind) != plain_kinds.end())
        return reader.read_text(type, std::string(text));
    if (type.kind == "optional" && text != "null") return parse_typed(type.parts[0].type, text, find_actor);
    if (const std::optional<double> special = special_number(type, text); special) return Dynamic{*special};
    bool is_too_deep = false;
    const auto look_at_depth = [&is_too_deep](int depth, Json::parse_event_t event, Json&) {
        const bool begins = event == Json::parse_event_t::array_start || event == Json::parse_event_t::object_start;
        is_too_deep = is_too_deep || (begins && static_cast<std::size_t>(depth) >= limits::message_depth_max);
        return !is_too_deep;
    };
    const Json json = Json::parse(text, look_at_depth, false);
    if (is_too_deep)
        return Error{ErrorKind::refused,
                     fmt::format("expected {}, got JSON that is nested deeper than {} (limits::message_depth_max)",
                                 to_text(type), limits::message_depth_max)};
    if (!json.is_discarded()) return reader.read(type, json);
    const bool may_be_text = type.kind == "variant" && std::ranges::any_of(type.parts, [](const PartDescription& part) {
                                 return part.type.kind == "string";
                             });
    if (may_be_text) return Dynamic{std::string(text)};
    return misfit(type, text);
}

}  // namespace baton
