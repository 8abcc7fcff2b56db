#pragma once
// Description: a protocol as data, so that scripts, the command line and other languages can build its
// commands, and its fingerprint.
//
// An actor publishes the description of its protocol when it joins. Types are described by shape: two
// protocols with the same commands, field names and field types have the same fingerprint wherever their
// structs are declared. Thread rule: pure functions.

#include <string>
#include <vector>

#include "runtime/protocol.hpp"
#include "runtime/wire/convert.hpp"

namespace baton {

struct PartDescription;

// `kind` is one of: bool int8..int64 uint8..uint64 float32 float64 string bytes timestamp duration enum list
// array map optional variant struct ref same nothing. `name` is that of an enum, a struct or a ref's
// protocol; `count` the length of an array; `parts` the fields of a struct, the elements' type of a list,
// array, map (key, value) or optional, the alternatives of a variant, the names of an enum (count = value).
// `same` stands for the enclosing struct of that name.
struct TypeDescription {
    std::string kind;
    std::string name;
    std::int64_t count = 0;
    std::vector<PartDescription> parts;

    bool operator==(const TypeDescription&) const;
};

struct PartDescription {
    std::string name;
    TypeDescription type;

    bool operator==(const PartDescription&) const = default;
};

inline bool TypeDescription::operator==(const TypeDescription& other) const {
    return kind == other.kind && name == other.name && count == other.count && parts == other.parts;
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

// Whether each kind has the parts that it needs. A description that came from outside is asked this before a value is
// read or written by it.
[[nodiscard]] bool is_sound(const TypeDescription& type);

// FNV-1a over the canonical text of the shape; never 0, which means "any protocol".
[[nodiscard]] std::uint64_t fingerprint_of(const ProtocolDescription& protocol);

// For people: "int64", "list<string>", "{mean: float32, peak: float32}", "HoldThis(number: int64) -> string".
[[nodiscard]] std::string to_text(const TypeDescription& type);
[[nodiscard]] std::string to_text(const CommandDescription& command);

namespace describing {

template <class E>
void describe_enumerators(TypeDescription& out) {
    constexpr std::int64_t first = std::is_signed_v<std::underlying_type_t<E>> ? -4 : 0;
    [&]<std::size_t... I>(std::index_sequence<I...>) {
        const auto one = [&]<std::int64_t value>(std::integral_constant<std::int64_t, value>) {
            constexpr std::string_view name = fields::enumerator_name<static_cast<E>(value)>();
            if (!name.empty())
                out.parts.push_back({std::string(name), {"nothing", "", value, {}}});
        };
        (one(std::integral_constant<std::int64_t, first + static_cast<std::int64_t>(I)>{}), ...);
    }(std::make_index_sequence<40>{});
}

// `outer`: the structs that enclose this one, so that a recursive struct ends.
template <class T>
TypeDescription describe(std::vector<std::string_view>& outer) {
    using namespace convert;
    const auto of = [&outer]<class... Part>(std::string kind, std::int64_t count, std::type_identity<Part>...) {
        return TypeDescription{std::move(kind), "", count, {PartDescription{"", describe<Part>(outer)}...}};
    };
    if constexpr (std::is_same_v<T, bool>) {
        return {"bool", "", 0, {}};
    } else if constexpr (std::is_enum_v<T>) {
        TypeDescription out{"enum", std::string(fields::type_name<T>()), 0, {}};
        describe_enumerators<T>(out);
        return out;
    } else if constexpr (std::integral<T>) {
        return {(std::is_signed_v<T> ? "int" : "uint") + std::to_string(sizeof(T) * 8), "", 0, {}};
    } else if constexpr (std::floating_point<T>) {
        return {"float" + std::to_string(sizeof(T) * 8), "", 0, {}};
    } else if constexpr (std::is_same_v<T, std::string>) {
        return {"string", "", 0, {}};
    } else if constexpr (std::is_same_v<T, Bytes>) {
        return {"bytes", "", 0, {}};
    } else if constexpr (IsVector<T>::value) {
        return of("list", 0, std::type_identity<typename T::value_type>{});
    } else if constexpr (IsArray<T>::value) {
        return of("array", static_cast<std::int64_t>(std::tuple_size_v<T>), std::type_identity<typename T::value_type>{});
    } else if constexpr (IsMap<T>::value) {
        return of("map", 0, std::type_identity<typename T::key_type>{}, std::type_identity<typename T::mapped_type>{});
    } else if constexpr (IsOptional<T>::value) {
        return of("optional", 0, std::type_identity<typename T::value_type>{});
    } else if constexpr (IsVariant<T>::value) {
        return [&]<class... Alternative>(std::type_identity<std::variant<Alternative...>>) {
            return of("variant", 0, std::type_identity<Alternative>{}...);
        }(std::type_identity<T>{});
    } else if constexpr (std::is_same_v<T, Timestamp>) {
        return {"timestamp", "", 0, {}};
    } else if constexpr (IsDuration<T>::value) {
        return {"duration", "", 0, {}};
    } else if constexpr (std::is_same_v<T, AnyRef> || std::is_same_v<T, ActorId>) {
        return {"ref", "", 0, {}};
    } else if constexpr (IsRef<T>::value) {
        return []<class... Commands>(std::type_identity<Ref<Protocol<Commands...>>>) -> TypeDescription {
            using First = std::tuple_element_t<0, std::tuple<Commands...>>;
            return {"ref", std::string(fields::namespace_name<First>()), 0, {}};
        }(std::type_identity<T>{});
    } else if constexpr (std::is_same_v<T, std::monostate> || std::is_void_v<T>) {
        return {"nothing", "", 0, {}};
    } else if constexpr (Held<T>) {
        return {std::string(name_of(T::held_kind)), "", 0, {}};
    } else {
        static_assert(fields::Struct<T>,
                      "a field of this type can't travel in a command: see the table in wire/convert.hpp");
        constexpr std::string_view full = fields::full_type_name<T>();
        for (const std::string_view name : outer)
            if (name == full) return {"same", std::string(fields::type_name<T>()), 0, {}};
        outer.push_back(full);
        TypeDescription out{"struct", std::string(fields::type_name<T>()), 0, {}};
        [&]<class... Member>(std::type_identity<std::tuple<Member&...>>) {
            [[maybe_unused]] std::size_t index = 0;
            (out.parts.push_back({std::string(fields::names_of<T>[index++]),
                                  describe<std::remove_cv_t<Member>>(outer)}),
             ...);
        }(std::type_identity<decltype(fields::tie_fields(std::declval<T&>()))>{});
        outer.pop_back();
        return out;
    }
}

template <class Command>
CommandDescription describe_command() {
    std::vector<std::string_view> outer;
    CommandDescription out{std::string(command_name<Command>), describe<Command>(outer), std::nullopt};
    if constexpr (HasReply<Command>) out.reply = describe<typename Command::Reply>(outer);
    return out;
}

}  // namespace describing

template <class T>
TypeDescription describe_type() {
    std::vector<std::string_view> outer;
    return describing::describe<T>(outer);
}

template <class ProtocolType>
ProtocolDescription describe_protocol() {
    return []<class... Commands>(std::type_identity<Protocol<Commands...>>) -> ProtocolDescription {
        if constexpr (sizeof...(Commands) == 0) {
            return {};
        } else {
            using First = std::tuple_element_t<0, std::tuple<Commands...>>;
            return {std::string(fields::namespace_name<First>()), {describing::describe_command<Commands>()...}};
        }
    }(std::type_identity<ProtocolType>{});
}

}  // namespace baton
