#include <baton/detail/convert.hpp>

#include <algorithm>

#include "runtime/base/text.hpp"

namespace baton::detail {

std::string Decoding::path() const {
    std::string text;
    for (const Step* step = here_; step != nullptr; step = step->outer) {
        std::string piece = step->name.empty() ? "[" + std::to_string(step->index) + "]" : std::string(step->name);
        const bool needs_dot = !text.empty() && text.front() != '[';
        text = piece + (needs_dot ? "." : "") + text;
    }
    return text;
}

bool Decoding::expected(std::string_view what, Value got) {
    std::string found{name_of(got.kind())};
    std::int64_t number = 0;
    if (got.kind() == ValueKind::integer)
        found = got.to_integer(number) ? std::to_string(number) : "an integer above 2^63";
    if (got.kind() == ValueKind::array || got.kind() == ValueKind::map)
        found = std::string(name_of(got.kind())) + " of " + std::to_string(got.size());
    return fail(": expected " + std::string(what) + ", got " + found);
}

bool Decoding::fail(std::string_view what) {
    text_ = path();
    if (!what.starts_with(':')) text_ += ' ';
    text_ += what;
    return false;
}

namespace convert {

bool decode_text(Value from, std::string& out, Decoding& at) {
    if (from.kind() != ValueKind::text) return at.expected("string", from);
    if (!is_utf8(from.text())) return at.fail(": expected UTF-8, got a string of other bytes");
    out = from.text();
    return true;
}

void encode_ref(Encoder& encoder, ActorId id, SessionTag session) {
    encoder.array(session.is_some() ? 3 : 2);
    encoder.unsigned_integer(id.number);
    encoder.unsigned_integer(id.incarnation);
    if (session.is_some()) encoder.text(to_string(session));
}

bool decode_ref(Value from, ActorId& id, SessionTag& session, Decoding& at) {
    if (from.kind() != ValueKind::array || (from.size() != 2 && from.size() != 3))
        return at.expected("the address of an actor", from);
    for (std::size_t index = 0; index < 2; ++index) {
        const Decoding::Inside here{at, {}, index};
        if (!decode_integer(from.at(index), index == 0 ? id.number : id.incarnation, at)) return false;
    }
    session = at.session();
    if (from.size() == 2) return true;
    const Decoding::Inside here{at, {}, 2};
    const Value said = from.at(2);
    const bool is_id = said.kind() == ValueKind::text && !said.text().empty() && said.text().size() <= 8 &&
                       is_utf8(said.text()) && said.text().find('\0') == std::string_view::npos;
    if (!is_id) return at.expected("the id of a session", said);
    session = SessionTag::of(said.text());
    return true;
}

std::string one_of(std::span<const std::string_view> names) {
    std::string text;
    for (const std::string_view name : names)
        if (!name.empty()) text += (text.empty() ? "one of " : ", ") + std::string(name);
    return text;
}

bool expected_enumerator(Decoding& at, std::span<const std::string_view> names, Value got) {
    return at.expected(one_of(names), got);
}

bool decode_fields(Value from, std::span<const FieldReader> fields, SetDefault set_default, void* out, Decoding& at) {
    if (from.kind() != ValueKind::map) return at.expected("a map of fields", from);
    std::array<bool, limits::command_fields_max> seen{};
    for (std::size_t position = 0; position < from.size(); ++position) {
        const Value key = from.key_at(position);
        if (key.kind() != ValueKind::text) return at.expected("a field name", key);
        const std::string_view name = key.text();
        // Fields mostly come in the order of the struct.
        std::size_t index = position;
        if (index >= fields.size() || fields[index].name != name) {
            index = 0;
            while (index < fields.size() && fields[index].name != name) ++index;
        }
        if (index == fields.size()) return at.fail(std::string("has no field '").append(name).append("'"));
        if (seen[index]) return at.fail(std::string("field '").append(name).append("' is there twice"));
        seen[index] = true;
        const Decoding::Inside here{at, fields[index].name, 0};
        if (!fields[index].read(from.value_at(position), out, at)) return false;
    }
    for (std::size_t index = 0; index < fields.size(); ++index) {
        if (seen[index] || set_default(out, index)) continue;
        const Decoding::Inside here{at, fields[index].name, 0};
        return at.fail("is missing");
    }
    return true;
}

}  // namespace convert

}  // namespace baton::detail
