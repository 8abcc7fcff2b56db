#include <baton/detail/positional.hpp>

#include <baton/text.hpp>

namespace baton::detail::positional {
namespace {

std::string text_of(bool is_negative, std::uint64_t number) {
    return is_negative ? std::to_string(static_cast<std::int64_t>(number)) : std::to_string(number);
}

}  // namespace

bool fail_short(Decoding& at) { return at.fail(": the bytes end in the middle of it"); }

bool fail_deep(Decoding& at) {
    return at.fail(": it is nested deeper than " + std::to_string(limits::message_depth_max));
}

bool fail_flag(Decoding& at, unsigned got) { return at.fail(": expected 0 or 1, got " + std::to_string(got)); }

bool fail_number(Decoding& at, std::string_view expected, bool is_negative, std::uint64_t got) {
    return at.fail(": expected " + std::string(expected) + ", got " + text_of(is_negative, got));
}

bool fail_enumerator(Decoding& at, std::span<const std::string_view> names, bool is_negative, std::uint64_t got) {
    return fail_number(at, one_of(names), is_negative, got);
}

bool fail_left(Decoding& at, std::size_t bytes) {
    return at.fail(": " + std::to_string(bytes) + " bytes follow that belong to no field");
}

bool read_flag(Reader& from, bool& out, Decoding& at) {
    std::uint8_t flag = 0;
    if (!from.number(flag)) return fail_short(at);
    out = flag == 1;
    return flag <= 1 || fail_flag(at, flag);
}

bool read_nothing(Reader& from, Decoding& at) {
    std::uint8_t nothing = 0;
    if (!from.number(nothing)) return fail_short(at);
    return nothing == 0 || fail_flag(at, nothing);
}

bool read_text(Reader& from, std::string& out, Decoding& at) {
    std::uint32_t count = 0;
    if (!from.count(count)) return fail_short(at);
    out.assign(from.take(count), count);
    return is_utf8(out) || at.fail(": expected UTF-8, got a string of other bytes");
}

bool read_ref(Reader& from, ActorId& id, SessionTag& session, Decoding& at) {
    std::uint64_t letters = 0;
    if (!from.number(id.number) || !from.number(id.incarnation) || !from.number(letters)) return fail_short(at);
    session = at.session();
    if (letters == 0) return true;
    const SessionTag said{letters};
    const std::string text = to_string(said);
    if (text.find('\0') != std::string::npos || !is_utf8(text)) return at.fail(": expected the id of a session");
    session = said;
    return true;
}

}  // namespace baton::detail::positional
