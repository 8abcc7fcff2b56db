#include <baton/dynamic.hpp>

#include <fmt/format.h>

#include <algorithm>

#include "runtime/base/check.hpp"
#include "runtime/wire/dynamic.hpp"

namespace baton::dynamic {
namespace {

std::string_view text_of(std::span<const std::byte> bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

Result<Bytes> bytes_of(const Result<detail::Buffer>& encoded) {
    if (!encoded) return encoded.error();
    const auto* const first = reinterpret_cast<const std::byte*>(encoded->data());
    return Bytes(first, first + encoded->size());
}

}  // namespace

bool is_sound(const Protocol& protocol) {
    return std::ranges::all_of(protocol.commands, [](const Command& one) {
        return detail::is_sound(one.fields) && (!one.reply || detail::is_sound(*one.reply));
    });
}

const Value* Value::field(std::string_view name) const noexcept {
    const auto* const map = as<Map>();
    if (map == nullptr) return nullptr;
    const auto found = std::ranges::find_if(*map, [name](const Entry& one) {
        const auto* const key = one.first.as<std::string>();
        return key != nullptr && *key == name;
    });
    return found == map->end() ? nullptr : &found->second;
}

std::string kind_of(const Value& value) {
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
        std::string operator()(const Value::Held& held) const { return std::string(detail::name_of(held.kind)); }
        std::string operator()(const Value::List& list) const { return fmt::format("list of {}", list.size()); }
        std::string operator()(const Value::Map& map) const { return fmt::format("map of {}", map.size()); }
    };
    return std::visit(Namer{}, value.value);
}

std::optional<Value> default_of(const Type& of, const Field& field) {
    const std::string_view bytes = detail::default_bytes(of, field);
    if (bytes.empty()) return std::nullopt;
    Result<Value> read = from_bytes(field.type, std::as_bytes(std::span(bytes)));
    if (!read) return std::nullopt;
    return std::move(*read);
}

Result<Bytes> to_bytes(const Type& type, const Value& value, std::string_view what) {
    return bytes_of(detail::encode_dynamic(type, value, what));
}

Result<Bytes> to_bytes(const Value& value, std::string_view what) {
    return bytes_of(detail::encode_untyped(value, what));
}

Result<Value> from_bytes(const Type& type, std::span<const std::byte> bytes) {
    detail::Unpacker unpacker;
    std::size_t offset = 0;
    const Result<detail::Value> value = unpacker.next(text_of(bytes), offset);
    if (!value) return value.error();
    if (offset != bytes.size()) return Error{ErrorKind::corrupt, "there is more than one value"};
    return detail::decode_dynamic(type, *value);
}

Result<Value> from_bytes(std::span<const std::byte> bytes) {
    detail::Unpacker unpacker;
    std::size_t offset = 0;
    const Result<detail::Value> value = unpacker.next(text_of(bytes), offset);
    if (!value) return value.error();
    return detail::decode_untyped(*value);
}

}  // namespace baton::dynamic

namespace baton::detail {

dynamic::Value value_from(const TypeDescription& type, std::string_view encoded) {
    Unpacker unpacker;
    std::size_t offset = 0;
    const Result<Value> value = unpacker.next(encoded, offset);
    check(value.ok(), "what was encoded here can be read");
    return decode_dynamic(type, *value).value();
}

Result<dynamic::Value> value_from(const TypeDescription& type, Value read) { return decode_dynamic(type, read); }

}  // namespace baton::detail
