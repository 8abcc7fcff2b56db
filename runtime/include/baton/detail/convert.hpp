#pragma once
// Convert: C++ values to and from the wire.
//
// | C++                                              | msgpack                                         |
// | bool; integers; float, double                    | bool; int; float (an int is taken for a float)  |
// | an enum                                          | int: one of its enumerators, from -16 to 127    |
// | std::string; std::vector<std::byte>              | str; bin                                        |
// | std::vector<T>, std::deque<T>, std::array<T, N>  | array                                           |
// | std::set<T>, std::unordered_set<T>               | array, no element twice                         |
// | std::pair<T, U>, std::tuple<T...>                | array of as many                                |
// | std::map<K, T>, std::unordered_map<K, T>         | map                                             |
// | std::optional<T>                                 | nil or T; in a struct it may also be left out   |
// | std::variant<T...>                               | [index, value]                                  |
// | Timestamp; std::chrono::duration                 | timestamp extension (-1); int, nanoseconds      |
// | Ref<P>, AnyRef                                   | [number, incarnation], and then the session's id |
// | ActorId                                          | [number, incarnation]                           |
// | Segment, Lease, Slice                            | extension 1: the index in the manifest          |
// | a struct                                         | map from field name to value                    |
//
// decode() refuses what does not fit and says where: `HoldThis.number: expected integer, got string`.
// A struct's map must hold each field once and no other; one that is optional or that has a default may be left out. A
// default is a member's value in a default-constructed struct if it differs from that of the type alone (`depth = 3`,
// not `depth = 0`; docs/decisions/0017-defaults.md). An enum without enumerators is a number; a combination of flags is
// not an enumerator: send its number. Thread rule: pure functions.

#include <array>
#include <chrono>
#include <cmath>
#include <concepts>
#include <limits>
#include <span>
#include <string>
#include <tuple>
#include <variant>

#include <baton/detail/codec.hpp>
#include <baton/detail/fields.hpp>

namespace baton::detail {

namespace convert {

void encode_ref(Encoder& encoder, ActorId id, SessionTag session);
[[nodiscard]] bool decode_ref(Value from, ActorId& id, SessionTag& session, Decoding& at);
[[nodiscard]] bool decode_text(Value from, std::string& out, Decoding& at);
// "one of red, green, blue".
[[nodiscard]] std::string one_of(std::span<const std::string_view> names);
// "expected one of red, green, blue, got 99".
bool expected_enumerator(Decoding& at, std::span<const std::string_view> names, Value got);
// Of any length in nanoseconds, as far as 64 bits reach.
template <class R, class P>
[[nodiscard]] std::int64_t nanoseconds_of(std::chrono::duration<R, P> length) noexcept {
    using Wide = std::chrono::duration<long double, std::nano>;
    const long double wide = std::chrono::duration_cast<Wide>(length).count();
    if (!(wide > -9.2e18L)) return std::numeric_limits<std::int64_t>::min();
    if (wide > 9.2e18L) return std::numeric_limits<std::int64_t>::max();
    return std::chrono::duration_cast<std::chrono::nanoseconds>(length).count();
}
// How many of the `claimed` elements to reserve room for at once, so that a false claim costs little.
template <class T>
[[nodiscard]] constexpr std::size_t room_for(std::size_t claimed) noexcept {
    return std::min(claimed, (std::size_t{64} << 10) / sizeof(T) + 1);
}

}  // namespace convert

template <class T>
void encode(Encoder& encoder, const T& value);

namespace convert {

template <class T>
void encode_elements(Encoder& encoder, const T& value) {
    const Encoder::Deeper deeper{encoder};
    encoder.array(value.size());
    for (const auto& element : value) {
        if (encoder.is_full()) return;
        encode<typename T::value_type>(encoder, element);
    }
}
template <class T>
void encode_pairs(Encoder& encoder, const T& value) {
    const Encoder::Deeper deeper{encoder};
    encoder.map(value.size());
    for (const auto& [key, element] : value) {
        if (encoder.is_full()) return;
        encode(encoder, key);
        encode(encoder, element);
    }
}
template <fields::Struct T>
void encode_struct(Encoder& encoder, const T& value) {
    static_assert(fields_can_travel<T>());
    const Encoder::Deeper deeper{encoder};
    if (encoder.is_full()) return;
    encoder.map(fields::names_of<T>.size());
    std::apply(
        [&encoder]([[maybe_unused]] const auto&... member) {
            [[maybe_unused]] std::size_t index = 0;
            ((encoder.text(fields::names_of<T>[index++]), encode(encoder, member)), ...);
        },
        fields::tie_fields(value));
}

}  // namespace convert

template <class T>
void encode(Encoder& encoder, const T& value) {
    using namespace convert;
    if constexpr (std::is_same_v<T, bool>) {
        encoder.boolean(value);
    } else if constexpr (std::is_enum_v<T>) {
        encode(encoder, static_cast<std::underlying_type_t<T>>(value));
    } else if constexpr (std::signed_integral<T>) {
        encoder.integer(value);
    } else if constexpr (std::unsigned_integral<T>) {
        encoder.unsigned_integer(value);
    } else if constexpr (std::is_same_v<T, float>) {
        encoder.real32(value);
    } else if constexpr (std::is_same_v<T, double>) {
        encoder.real64(value);
    } else if constexpr (std::is_same_v<T, std::string> || std::is_same_v<T, std::string_view>) {
        encoder.text(value);
    } else if constexpr (std::is_same_v<T, Bytes>) {
        encoder.bytes(value);
    } else if constexpr (IsList<T>::value || IsArray<T>::value || IsSet<T>::value) {
        encode_elements(encoder, value);
    } else if constexpr (IsMap<T>::value) {
        encode_pairs(encoder, value);
    } else if constexpr (IsTuple<T>::value) {
        const Encoder::Deeper deeper{encoder};
        encoder.array(std::tuple_size_v<T>);
        std::apply([&encoder](const auto&... part) { (encode(encoder, part), ...); }, value);
    } else if constexpr (IsOptional<T>::value) {
        if (value.has_value()) {
            encode(encoder, *value);
        } else {
            encoder.nil();
        }
    } else if constexpr (IsVariant<T>::value) {
        const Encoder::Deeper deeper{encoder};
        encoder.array(2);
        encoder.unsigned_integer(value.index());
        std::visit([&encoder](const auto& alternative) { encode(encoder, alternative); }, value);
    } else if constexpr (std::is_same_v<T, Timestamp>) {
        encoder.timestamp(value);
    } else if constexpr (IsDuration<T>::value) {
        encoder.integer(nanoseconds_of(value));
    } else if constexpr (IsRef<T>::value) {
        encode_ref(encoder, value.id, value.session);
    } else if constexpr (std::is_same_v<T, ActorId>) {
        encode_ref(encoder, value, {});
    } else if constexpr (std::is_same_v<T, std::monostate>) {
        encoder.nil();
    } else if constexpr (Held<T>) {
        value.encode_into(encoder);
    } else if constexpr (fields::Struct<T>) {
        encode_struct(encoder, value);
    } else {
        static_assert(convert::Always<T>::value,
                      "a value of this type can't travel: see the table in baton/detail/convert.hpp");
    }
}

template <class T>
[[nodiscard]] bool decode(Value from, T& out, Decoding& at);

namespace convert {

template <std::integral T>
bool decode_integer(Value from, T& out, Decoding& at) {
    if (from.kind() != ValueKind::integer) return at.expected("integer", from);
    if constexpr (std::is_signed_v<T>) {
        std::int64_t wide = 0;
        if (!from.to_integer(wide) || wide < std::numeric_limits<T>::min() || wide > std::numeric_limits<T>::max())
            return at.expected("an integer in range", from);
        out = static_cast<T>(wide);
    } else {
        std::uint64_t wide = 0;
        if (!from.to_unsigned(wide) || wide > std::numeric_limits<T>::max())
            return at.expected("an integer in range", from);
        out = static_cast<T>(wide);
    }
    return true;
}

template <class... T>
bool decode_variant(Value from, std::variant<T...>& out, Decoding& at) {
    std::uint64_t index = 0;
    if (from.kind() != ValueKind::array || from.size() != 2 || from.at(0).kind() != ValueKind::integer ||
        !from.at(0).to_unsigned(index) || index >= sizeof...(T))
        return at.expected("[index, value] of a variant", from);
    bool fine = false;
    // By index, because two alternatives may have one type.
    const auto try_one = [&]<std::size_t I>(std::integral_constant<std::size_t, I>) {
        if (I != index) return;
        std::variant_alternative_t<I, std::variant<T...>> value{};
        fine = decode(from.at(1), value, at);
        if (fine) out.template emplace<I>(std::move(value));
    };
    [&]<std::size_t... I>(std::index_sequence<I...>) {
        (try_one(std::integral_constant<std::size_t, I>{}), ...);
    }(std::index_sequence_for<T...>{});
    return fine;
}

template <class T>
bool decode_list(Value from, T& out, Decoding& at) {
    if (from.kind() != ValueKind::array) return at.expected("list", from);
    out.clear();
    if constexpr (requires { out.reserve(0); }) out.reserve(room_for<typename T::value_type>(from.size()));
    for (std::size_t index = 0; index < from.size(); ++index) {
        const Decoding::Inside here{at, {}, index};
        typename T::value_type element{};
        if (!decode(from.at(index), element, at)) return false;
        out.push_back(std::move(element));
    }
    return true;
}
template <class T>
bool decode_array(Value from, T& out, Decoding& at) {
    if (from.kind() != ValueKind::array || from.size() != out.size())
        return at.expected("a list of " + std::to_string(out.size()), from);
    for (std::size_t index = 0; index < out.size(); ++index) {
        const Decoding::Inside here{at, {}, index};
        if (!decode(from.at(index), out[index], at)) return false;
    }
    return true;
}
template <class T>
bool decode_set(Value from, T& out, Decoding& at) {
    if (from.kind() != ValueKind::array) return at.expected("a set, as a list", from);
    out.clear();
    for (std::size_t index = 0; index < from.size(); ++index) {
        const Decoding::Inside here{at, {}, index};
        typename T::value_type element{};
        if (!decode(from.at(index), element, at)) return false;
        if (!out.insert(std::move(element)).second) return at.fail("is in the set twice");
    }
    return true;
}
template <class T>
bool decode_tuple(Value from, T& out, Decoding& at) {
    constexpr std::size_t parts = std::tuple_size_v<T>;
    if (from.kind() != ValueKind::array || from.size() != parts)
        return at.expected("a tuple of " + std::to_string(parts), from);
    const auto read_part = [&](std::size_t index, auto& part) {
        const Decoding::Inside here{at, {}, index};
        return decode(from.at(index), part, at);
    };
    return [&]<std::size_t... I>(std::index_sequence<I...>) {
        return (read_part(I, std::get<I>(out)) && ...);
    }(std::make_index_sequence<parts>{});
}
template <class T>
bool decode_map(Value from, T& out, Decoding& at) {
    if (from.kind() != ValueKind::map) return at.expected("map", from);
    out.clear();
    for (std::size_t index = 0; index < from.size(); ++index) {
        typename T::key_type key{};
        typename T::mapped_type element{};
        {
            const Decoding::Inside here{at, {}, index};
            if (!decode(from.key_at(index), key, at) || !decode(from.value_at(index), element, at)) return false;
        }
        if (!out.emplace(std::move(key), std::move(element)).second) return at.fail("has a key twice");
    }
    return true;
}
// False if it is out of range. In the units of T: a count of eight or 32 bits holds less than the wire.
template <class T>
[[nodiscard]] bool duration_of(std::int64_t nanoseconds, T& out) noexcept {
    const auto units = std::chrono::duration_cast<std::chrono::duration<long double, typename T::period>>(
                           std::chrono::nanoseconds{nanoseconds}).count();
    if (std::abs(units) > static_cast<long double>(std::numeric_limits<typename T::rep>::max())) return false;
    out = std::chrono::duration_cast<T>(std::chrono::nanoseconds{nanoseconds});
    return true;
}
template <class T>
bool decode_duration(Value from, T& out, Decoding& at) {
    std::int64_t nanoseconds = 0;
    if (!decode_integer(from, nanoseconds, at)) return false;
    return duration_of(nanoseconds, out) || at.expected("a duration in range", from);
}

// decode() of a type that only the caller knows. What is the same for all types is compiled once, as there are many.
using ReadInto = bool (*)(Value from, void* out, Decoding& at);
template <class T>
bool read_into(Value from, void* out, Decoding& at) {
    return decode(from, *static_cast<T*>(out), at);
}

// One field of a struct, whose `out` is the struct.
struct FieldReader {
    std::string_view name;
    ReadInto read;
};
// Sets the field of that index to its default; false if it has none.
using SetDefault = bool (*)(void* out, std::size_t index);
[[nodiscard]] bool decode_fields(Value from, std::span<const FieldReader> fields, SetDefault set_default, void* out,
                                 Decoding& at);

// True if a member's value in a default-constructed struct is a default: its type alone has another. What carries
// segments has none.
template <class Member>
[[nodiscard]] bool is_default(const Member& made) {
    if constexpr (carries_held<Member>()) {
        return false;
    } else if constexpr (std::is_arithmetic_v<Member> || std::is_enum_v<Member> ||
                         std::is_same_v<Member, std::string>) {
        return made != Member{};
    } else {
        Buffer said;
        Buffer empty;
        Encoder said_by{said};
        Encoder empty_by{empty};
        encode(said_by, made);
        encode(empty_by, Member{});
        return said != empty;
    }
}
// None of its fields can have a default, nor be optional.
template <class T>
inline constexpr bool has_no_defaults = std::is_trivially_default_constructible_v<T> || fields::count_of<T> == 0;

template <fields::Struct T>
bool set_default(void* out, std::size_t index) {
    if constexpr (has_no_defaults<T>) {
        return false;
    } else {
        T made{};
        auto from = fields::tie_fields(made);
        auto to = fields::tie_fields(*static_cast<T*>(out));
        const auto set = []<class Member>(Member& source, Member& target) {
            if constexpr (!IsOptional<Member>::value)
                if (!is_default(source)) return false;
            target = std::move(source);
            return true;
        };
        return [&]<std::size_t... I>(std::index_sequence<I...>) {
            return ((I == index && set(std::get<I>(from), std::get<I>(to))) || ...);
        }(std::make_index_sequence<fields::count_of<T>>{});
    }
}

template <class T, std::size_t I>
bool read_field(Value from, void* out, Decoding& at) {
    return decode(from, std::get<I>(fields::tie_fields(*static_cast<T*>(out))), at);
}
template <fields::Struct T>
bool decode_struct(Value from, T& out, Decoding& at) {
    static_assert(fields_can_travel<T>());
    using Members = decltype(fields::tie_fields(out));
    static constexpr auto readers = []<std::size_t... I>(std::index_sequence<I...>) {
        return std::array<FieldReader, sizeof...(I)>{FieldReader{fields::names_of<T>[I], &read_field<T, I>}...};
    }(std::make_index_sequence<std::tuple_size_v<Members>>{});
    return decode_fields(from, readers, &set_default<T>, &out, at);
}

}  // namespace convert

// Fills `out` from the wire; false and an error in `at` if it does not fit. `out` is default-constructed.
template <class T>
bool decode(Value from, T& out, Decoding& at) {
    using namespace convert;
    if constexpr (std::is_same_v<T, bool>) {
        if (from.kind() != ValueKind::boolean) return at.expected("bool", from);
        out = from.boolean();
        return true;
    } else if constexpr (std::is_enum_v<T>) {
        std::underlying_type_t<T> number{};
        if (!decode(from, number, at)) return false;
        out = static_cast<T>(number);
        return fields::is_enumerator(out) || expected_enumerator(at, fields::enumerator_names<T>, from);
    } else if constexpr (std::integral<T>) {
        return decode_integer(from, out, at);
    } else if constexpr (std::floating_point<T>) {
        if (from.kind() != ValueKind::real && from.kind() != ValueKind::integer) return at.expected("float", from);
        const double number = from.real();
        out = static_cast<T>(number);
        return std::isfinite(out) || !std::isfinite(number) || at.expected("a number in range of a float32", from);
    } else if constexpr (std::is_same_v<T, std::string>) {
        return decode_text(from, out, at);
    } else if constexpr (std::is_same_v<T, Bytes>) {
        if (from.kind() != ValueKind::bytes) return at.expected("bytes", from);
        out.assign(from.bytes().begin(), from.bytes().end());
        return true;
    } else if constexpr (IsList<T>::value) {
        return decode_list(from, out, at);
    } else if constexpr (IsArray<T>::value) {
        return decode_array(from, out, at);
    } else if constexpr (IsSet<T>::value) {
        return decode_set(from, out, at);
    } else if constexpr (IsTuple<T>::value) {
        return decode_tuple(from, out, at);
    } else if constexpr (IsMap<T>::value) {
        return decode_map(from, out, at);
    } else if constexpr (IsOptional<T>::value) {
        out.reset();
        if (from.kind() == ValueKind::nil) return true;
        return decode(from, out.emplace(), at);
    } else if constexpr (IsVariant<T>::value) {
        return decode_variant(from, out, at);
    } else if constexpr (std::is_same_v<T, Timestamp>) {
        if (from.kind() != ValueKind::timestamp) return at.expected("timestamp", from);
        out = from.timestamp();
        return true;
    } else if constexpr (IsDuration<T>::value) {
        return decode_duration(from, out, at);
    } else if constexpr (IsRef<T>::value) {
        return decode_ref(from, out.id, out.session, at);
    } else if constexpr (std::is_same_v<T, ActorId>) {
        SessionTag session;
        return decode_ref(from, out, session, at);
    } else if constexpr (std::is_same_v<T, std::monostate>) {
        return from.kind() == ValueKind::nil || at.expected("nothing", from);
    } else if constexpr (Held<T>) {
        return out.decode_from(from, at);
    } else {
        return decode_struct(from, out, at);
    }
}

}  // namespace baton::detail
