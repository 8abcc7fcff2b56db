#pragma once
// Description: a protocol as data, so that scripts, the command line and other languages can build its
// commands, and its fingerprint.
//
// An actor publishes the description of its protocol when it joins. Types are described by shape: two
// protocols with the same commands, field names and field types have the same fingerprint wherever their
// structs are declared. Thread rule: pure functions.

#include <array>
#include <span>
#include <string>
#include <vector>

#include <baton/protocol.hpp>
#include <baton/detail/convert.hpp>

namespace baton::detail {

struct PartDescription;

// `kind` is one of: bool int8..int64 uint8..uint64 float32 float64 string bytes timestamp duration enum list
// set array tuple map optional variant struct ref same nothing, or that of a handle. `name` is that of an enum, a
// struct or a ref's protocol; `count` the length of an array; `parts` the fields of a struct, the elements' type of a
// list, set, array, map (key, value) or optional, the types of a tuple, the alternatives of a variant, the names of an
// enum (count = value). `defaults`, of a struct that has some: for each part the encoded default of that field, or no
// bytes; beside the parts, as a description of descriptions must not be nested deeper than a message may be.
// `same` stands for the enclosing struct of that name.
struct TypeDescription {
    std::string kind;
    std::string name;
    std::int64_t count = 0;
    std::vector<PartDescription> parts;
    std::optional<std::vector<std::vector<std::byte>>> defaults = std::nullopt;

    bool operator==(const TypeDescription&) const;
};

struct PartDescription {
    std::string name;
    TypeDescription type;

    bool operator==(const PartDescription&) const = default;
};

inline bool TypeDescription::operator==(const TypeDescription& other) const {
    return kind == other.kind && name == other.name && count == other.count && parts == other.parts &&
           defaults == other.defaults;
}

struct CommandDescription {
    std::string name;
    TypeDescription fields;                // kind `struct`
    std::optional<TypeDescription> reply;  // none: can be sent, not asked

    bool operator==(const CommandDescription&) const = default;
};

struct ProtocolDescription {
    std::string name;  // the namespace of its commands
    std::vector<CommandDescription> commands;

    bool operator==(const ProtocolDescription&) const = default;
    [[nodiscard]] const CommandDescription* find(std::string_view command) const noexcept;
};

// True if each kind has the parts that it needs. A description that came from outside is checked with this before it is
// used to read or write a value.
[[nodiscard]] bool is_sound(const TypeDescription& type);

// FNV-1a over the canonical text of the shape; never 0, which means "any protocol".
[[nodiscard]] std::uint64_t fingerprint_of(const ProtocolDescription& protocol);

// The encoded default of `field`, which is one of the parts of `of`; empty: it has none.
[[nodiscard]] std::string_view default_bytes(const TypeDescription& of, const PartDescription& field) noexcept;
// True if a struct may come without that field of it.
[[nodiscard]] bool may_be_left_out(const TypeDescription& of, const PartDescription& field) noexcept;

// For people: "int64", "list<string>", "{mean: float32, peak: float32}", "HoldThis(number: int64, depth: uint32 = 3) ->
// string".
[[nodiscard]] std::string to_text(const TypeDescription& type);
[[nodiscard]] std::string to_text(const CommandDescription& command);
// " = 3", as JSON; nothing for a field without a default.
[[nodiscard]] std::string default_text(const TypeDescription& of, const PartDescription& field);

namespace describing {

// `outer`: the structs that enclose this one, so that a recursive struct ends. What is the same for all types is
// compiled once, as there are many.
using Outer = std::vector<std::string_view>;
using Describe = TypeDescription (*)(Outer& outer);
struct Field {
    std::string_view name;
    Describe describe;
};
// The defaults of a struct's fields, encoded, in their order.
using Defaults = std::optional<std::vector<convert::Bytes>> (*)();
[[nodiscard]] TypeDescription plain(std::string_view kind, std::string_view name = {});
[[nodiscard]] TypeDescription sized(std::string_view kind, std::size_t bytes);
[[nodiscard]] TypeDescription of_parts(std::string_view kind, std::int64_t count, std::span<const Describe> parts,
                                       Outer& outer);
[[nodiscard]] TypeDescription of_fields(std::string_view full_name, std::string_view name,
                                        std::span<const Field> fields, Defaults defaults, Outer& outer);
// Those of `names` that are not empty; the first has the value `first`.
void add_enumerators(TypeDescription& out, std::int64_t first, std::span<const std::string_view> names);
struct Command {
    std::string_view name;
    Describe fields;
    Describe reply;  // nullptr: none
};
[[nodiscard]] CommandDescription of_command(const Command& command);
[[nodiscard]] ProtocolDescription of_commands(std::string_view name, std::span<const Command> commands);

template <fields::Struct T>
std::optional<std::vector<convert::Bytes>> defaults_of() {
    std::vector<convert::Bytes> defaults(fields::count_of<T>);
    bool has_any = false;
    if constexpr (!convert::has_no_defaults<T>) {
        std::size_t index = 0;
        const auto add = [&]<class Member>(const Member& made) {
            convert::Bytes& value = defaults[index++];
            if constexpr (!carries_held<Member>()) {
                if (!convert::is_default(made)) return;
                Buffer bytes;
                Encoder encoder{bytes, limits::protocol_bytes_max};
                encode(encoder, made);
                const auto* first = reinterpret_cast<const std::byte*>(bytes.data());
                value.assign(first, first + bytes.size());
                has_any = true;
            }
        };
        const T made{};
        std::apply([&add](const auto&... member) { (add(member), ...); }, fields::tie_fields(made));
    }
    if (!has_any) return std::nullopt;
    return defaults;
}

template <class T>
TypeDescription describe([[maybe_unused]] Outer& outer) {
    using namespace convert;
    [[maybe_unused]] const auto of = [&outer]<class... Part>(std::string_view kind, std::int64_t count,
                                                             std::type_identity<Part>...) {
        static constexpr std::array<Describe, sizeof...(Part)> parts{&describe<Part>...};
        return of_parts(kind, count, parts, outer);
    };
    if constexpr (std::is_same_v<T, bool>) {
        return plain("bool");
    } else if constexpr (std::is_enum_v<T>) {
        TypeDescription out = plain("enum", fields::type_name<T>());
        add_enumerators(out, fields::first_enumerator<T>, fields::enumerator_names<T>);
        return out;
    } else if constexpr (std::integral<T>) {
        return sized(std::is_signed_v<T> ? "int" : "uint", sizeof(T));
    } else if constexpr (std::floating_point<T>) {
        return sized("float", sizeof(T));
    } else if constexpr (std::is_same_v<T, std::string>) {
        return plain("string");
    } else if constexpr (std::is_same_v<T, Bytes>) {
        return plain("bytes");
    } else if constexpr (IsList<T>::value) {
        return of("list", 0, std::type_identity<typename T::value_type>{});
    } else if constexpr (IsSet<T>::value) {
        return of("set", 0, std::type_identity<typename T::value_type>{});
    } else if constexpr (IsArray<T>::value) {
        return of("array", static_cast<std::int64_t>(std::tuple_size_v<T>),
                  std::type_identity<typename T::value_type>{});
    } else if constexpr (IsMap<T>::value) {
        return of("map", 0, std::type_identity<typename T::key_type>{}, std::type_identity<typename T::mapped_type>{});
    } else if constexpr (IsOptional<T>::value) {
        return of("optional", 0, std::type_identity<typename T::value_type>{});
    } else if constexpr (IsVariant<T>::value || IsTuple<T>::value) {
        return [&]<template <class...> class Of, class... Part>(std::type_identity<Of<Part...>>) {
            return of(IsTuple<T>::value ? "tuple" : "variant", 0, std::type_identity<Part>{}...);
        }(std::type_identity<T>{});
    } else if constexpr (std::is_same_v<T, Timestamp>) {
        return plain("timestamp");
    } else if constexpr (IsDuration<T>::value) {
        return plain("duration");
    } else if constexpr (std::is_same_v<T, AnyRef> || std::is_same_v<T, ActorId>) {
        return plain("ref");
    } else if constexpr (IsRef<T>::value) {
        return []<class... Commands>(std::type_identity<Ref<Protocol<Commands...>>>) {
            using First = std::tuple_element_t<0, std::tuple<Commands...>>;
            return plain("ref", fields::namespace_name<First>());
        }(std::type_identity<T>{});
    } else if constexpr (std::is_same_v<T, std::monostate> || std::is_void_v<T>) {
        return plain("nothing");
    } else if constexpr (Held<T>) {
        return plain(name_of(T::held_kind));
    } else {
        static_assert(fields::Struct<T>,
                      "a value of this type can't travel: see the table in baton/detail/convert.hpp");
        static_assert(fields_can_travel<T>());
        using Members = decltype(fields::tie_fields(std::declval<T&>()));
        static constexpr auto members = []<std::size_t... I>(std::index_sequence<I...>) {
            return std::array<Field, sizeof...(I)>{
                Field{fields::names_of<T>[I], &describe<std::remove_cvref_t<std::tuple_element_t<I, Members>>>}...};
        }(std::make_index_sequence<std::tuple_size_v<Members>>{});
        return of_fields(fields::full_type_name<T>(), fields::type_name<T>(), members, &defaults_of<T>, outer);
    }
}

template <class C>
consteval Command command() {
    if constexpr (HasReply<C>) return {command_name<C>, &describe<C>, &describe<typename C::Reply>};
    else return {command_name<C>, &describe<C>, nullptr};
}

}  // namespace describing

template <class T>
TypeDescription describe_type() {
    describing::Outer outer;
    return describing::describe<T>(outer);
}

template <class ProtocolType>
ProtocolDescription describe_protocol() {
    return []<class... Commands>(std::type_identity<Protocol<Commands...>>) -> ProtocolDescription {
        static_assert(CheckedProtocol<Commands...>::value);
        if constexpr (sizeof...(Commands) == 0) {
            return {};
        } else {
            using First = std::tuple_element_t<0, std::tuple<Commands...>>;
            static constexpr std::array<describing::Command, sizeof...(Commands)> commands{
                describing::command<Commands>()...};
            return describing::of_commands(fields::namespace_name<First>(), commands);
        }
    }(std::type_identity<ProtocolType>{});
}

}  // namespace baton::detail
