#include "runtime/wire/json.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <nlohmann/json.hpp>

namespace baton {
namespace {

using Json = nlohmann::ordered_json;

std::string text_of(const Dynamic& key);

Json json_of(const Dynamic& value) {
    struct Maker {
        Json operator()(std::monostate) const { return nullptr; }
        Json operator()(bool flag) const { return flag; }
        Json operator()(std::int64_t number) const { return number; }
        Json operator()(std::uint64_t number) const { return number; }
        Json operator()(double number) const { return number; }
        Json operator()(const std::string& text) const { return text; }
        Json operator()(const std::vector<std::byte>& bytes) const {
            std::string text;
            for (const std::byte byte : bytes) text += fmt::format("{:02x}", static_cast<unsigned>(byte));
            return text;
        }
        Json operator()(Timestamp time) const {
            const auto seconds = std::chrono::floor<std::chrono::seconds>(time);
            return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:09}Z", fmt::gmtime(std::chrono::system_clock::to_time_t(seconds)),
                               (time - seconds).count());
        }
        Json operator()(ActorId id) const { return to_string(id); }
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

}  // namespace

std::string to_json(const Dynamic& value, JsonLayout layout) {
    return json_of(value).dump(layout == JsonLayout::indented ? 2 : -1, ' ', false, Json::error_handler_t::replace);
}

Result<Dynamic> parse_typed(const TypeDescription& type, std::string_view text, const FindActor& find_actor) {
    if (type.kind == "string" || type.kind == "enum") return Dynamic{std::string(text)};
    if (type.kind == "optional" && text != "null") return parse_typed(type.parts[0].type, text, find_actor);
    if (type.kind == "bytes") {
        const auto* bytes = reinterpret_cast<const std::byte*>(text.data());
        return Dynamic{std::vector<std::byte>(bytes, bytes + text.size())};
    }
    if (type.kind == "ref") {
        Result<ActorId> id = find_actor(text);
        if (!id) return id.error();
        return Dynamic{*id};
    }
    const Json json = Json::parse(text, nullptr, false);
    if (json.is_discarded())
        return Error{ErrorKind::refused, fmt::format("expected {}, got '{}'", to_text(type), text)};
    return dynamic_of(json);
}

}  // namespace baton
