#pragma once
// Fields: the names and members of a plain struct, found at compile time without a macro; and which C++ types may be
// fields of a command or replies (at the end of this file).
//
// A command is an aggregate: no constructors, no bases, no C arrays, at most command_fields_max members. How
// many members it has is found by trying to initialise it with one more each time; their names stand in
// __PRETTY_FUNCTION__ of a template whose argument is the member's address (the way of Boost.PFR and
// reflect-cpp, written anew; works with g++ 12 and clang 14). Nothing here runs at run time but the tuple
// of references that tie_fields() makes.

#include <array>
#include <chrono>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <variant>
#include <vector>

#include <baton/limits.hpp>
#include <baton/ref.hpp>
#include <baton/time.hpp>

namespace baton::detail::fields {

// Converts to whatever a member wants to be initialised with. Only named in requires, never called; the body is for
// clang, which wants one for a type of an unnamed namespace.
struct Anything {
    template <class T>
    operator T() const noexcept {  // NOLINT: implicit is the point
        __builtin_unreachable();
    }
};

template <class T, std::size_t... I>
consteval bool takes(std::index_sequence<I...>) {
    return requires { T{(static_cast<void>(I), Anything{})...}; };
}

template <class T, std::size_t N = limits::command_fields_max + 1>
consteval std::size_t count() {
    if constexpr (N == 0 || takes<T>(std::make_index_sequence<N>{})) {
        return N;
    } else {
        return count<T, N - 1>();
    }
}

template <class T>
concept Struct = std::is_aggregate_v<std::remove_cvref_t<T>> && std::is_class_v<std::remove_cvref_t<T>>;

template <Struct T>
inline constexpr std::size_t count_of = count<std::remove_cvref_t<T>>();

// The members of `object`, in order, as a tuple of references.
template <Struct T>
constexpr auto tie_fields(T& object) {
    constexpr std::size_t size = count_of<T>;
    static_assert(size <= limits::command_fields_max,
                  "a command holds at most limits::command_fields_max fields: group some in a nested struct");
    // A structured binding names each member, so there is one for each number of them.
    // clang-format off
#define BATON_TIE(number, ...)           \
    else if constexpr (size == number) { \
        auto& [__VA_ARGS__] = object;    \
        return std::tie(__VA_ARGS__);    \
    }
    if constexpr (size == 0) return std::tuple<>{};
    BATON_TIE(1, a)
    BATON_TIE(2, a, b)
    BATON_TIE(3, a, b, c)
    BATON_TIE(4, a, b, c, d)
    BATON_TIE(5, a, b, c, d, e)
    BATON_TIE(6, a, b, c, d, e, f)
    BATON_TIE(7, a, b, c, d, e, f, g)
    BATON_TIE(8, a, b, c, d, e, f, g, h)
    BATON_TIE(9, a, b, c, d, e, f, g, h, i)
    BATON_TIE(10, a, b, c, d, e, f, g, h, i, j)
    BATON_TIE(11, a, b, c, d, e, f, g, h, i, j, k)
    BATON_TIE(12, a, b, c, d, e, f, g, h, i, j, k, l)
    BATON_TIE(13, a, b, c, d, e, f, g, h, i, j, k, l, m)
    BATON_TIE(14, a, b, c, d, e, f, g, h, i, j, k, l, m, n)
    BATON_TIE(15, a, b, c, d, e, f, g, h, i, j, k, l, m, n, o)
    BATON_TIE(16, a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p)
    BATON_TIE(17, a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q)
    BATON_TIE(18, a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r)
    BATON_TIE(19, a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s)
    BATON_TIE(20, a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t)
    BATON_TIE(21, a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t, u)
    BATON_TIE(22, a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t, u, v)
    BATON_TIE(23, a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t, u, v, w)
    BATON_TIE(24, a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t, u, v, w, x)
#undef BATON_TIE
    // clang-format on
}

#ifdef __clang__  // it would like to see the specimen defined
#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wundefined-var-template"
#pragma clang diagnostic ignored "-Wundefined-internal"
#endif
template <class T>
struct Specimen {
    T value;
    static const Specimen<T> specimen;  // never defined: only addresses of its members are named
};

template <class T>
struct Address {
    const T* pointer;
};
template <class T>
Address(const T*) -> Address<T>;

template <auto Pointer>
consteval std::string_view text_of_pointer() {
    return __PRETTY_FUNCTION__;
}

// g++:   "... Ptr<const int>{(& Specimen<S>::specimen.Specimen<S>::value.S::number)}; std::string_view = ..."
// clang: "... [Pointer = {&specimen.value.number}]"
consteval std::string_view name_before_last_brace(std::string_view text) {
    // The last one: the name of an unnamed namespace holds a brace too.
    const std::size_t gcc_end = text.rfind(")}");
    const std::size_t end = gcc_end != std::string_view::npos ? gcc_end : text.rfind('}');
    std::string_view head = text.substr(0, end);
    while (!head.empty() && (head.back() == ')' || head.back() == '}')) head.remove_suffix(1);
    return head.substr(head.find_last_of(":.") + 1);
}

template <Struct T, std::size_t I>
consteval std::string_view name() {
    constexpr auto address =
        Address{&std::get<I>(tie_fields(Specimen<std::remove_cvref_t<T>>::specimen.value))};
    return name_before_last_brace(text_of_pointer<address>());
}
#ifdef __clang__
#pragma clang diagnostic pop
#endif

template <Struct T>
consteval auto names() {
    return []<std::size_t... I>(std::index_sequence<I...>) {
        return std::array<std::string_view, sizeof...(I)>{name<T, I>()...};
    }(std::make_index_sequence<count_of<T>>{});
}

template <Struct T>
inline constexpr auto names_of = names<T>();

// ---- a field that can't travel: the compiler's first error names it ----------------------------------

// "number" as a template argument, which g++ writes out when it refuses something. clang writes letters as numbers,
// and names a member by its address.
template <std::size_t N>
struct Text {
    char letters[N]{};
    consteval explicit Text(std::string_view text) {
        for (std::size_t index = 0; index < text.size(); ++index) letters[index] = text[index];
    }
};
template <class Command, auto Field, class Type>
consteval bool a_field_of_this_type_cannot_travel_in_a_command() = delete;
template <class Command, auto Field, class Type>
inline constexpr bool can_travel = false;
template <class Command, auto Field, class Type>
consteval bool refuse_field() {
    static_assert(can_travel<Command, Field, Type>,
                  "a field of this type can't travel in a command: see the table in baton/detail/convert.hpp");
    return false;
}
template <Struct T, std::size_t I, class Type>
consteval bool refuse_field_at() {
#ifdef __clang__
#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wundefined-var-template"
#pragma clang diagnostic ignored "-Wundefined-internal"
    return refuse_field<T, Address{&std::get<I>(tie_fields(Specimen<T>::specimen.value))}, Type>();
#pragma clang diagnostic pop
#else
    constexpr std::string_view field = names_of<T>[I];
    return a_field_of_this_type_cannot_travel_in_a_command<T, Text<field.size() + 1>{field}, Type>();
#endif
}

// A C array can't be told from as many members by counting them, and then none can be named. Of `members` initialisers
// the one at `at` stands for an array if it can't be empty braces, which would end the array there, but two in braces.
template <class T, std::size_t... Before, std::size_t... After>
consteval bool takes_array(std::index_sequence<Before...>, std::index_sequence<After...>) {
    constexpr bool takes_empty =
        requires { T{(static_cast<void>(Before), Anything{})..., {}, (static_cast<void>(After), Anything{})...}; };
    // Nothing else is asked then: a list of what can't be copied would not compile.
    if constexpr (takes_empty) return false;
    else return requires { T{(static_cast<void>(Before), Anything{})..., {Anything{}, Anything{}}}; };
}
// The first field that is one, from 1 on; 0: none.
template <class T>
consteval std::size_t array_number() {
    constexpr std::size_t members = count<T>();
    return []<std::size_t... At>(std::index_sequence<At...>) {
        std::size_t number = 0;
        static_cast<void>(((takes_array<T>(std::make_index_sequence<At>{}, std::make_index_sequence<members - At - 1>{})
                            && (number = At + 1) != 0) || ...));
        return number;
    }(std::make_index_sequence<members>{});
}
template <class Command, std::size_t FieldNumber>
consteval bool a_field_of_a_command_cannot_be_a_C_array_but_a_std_array() = delete;
template <class Command, std::size_t FieldNumber>
inline constexpr bool is_no_c_array = FieldNumber == 0;
template <class T, std::size_t FieldNumber>
consteval bool refuse_array() {
#ifdef __clang__
    static_assert(is_no_c_array<T, FieldNumber>, "the field of that number is a C array: a std::array can travel");
    return false;
#else
    return a_field_of_a_command_cannot_be_a_C_array_but_a_std_array<T, FieldNumber>();
#endif
}

// "student::HoldThis" of a type, and "HoldThis" of it.
template <class T>
consteval std::string_view full_type_name() {
    constexpr std::string_view text = __PRETTY_FUNCTION__;
    constexpr std::size_t start = text.find("T = ") + 4;
    constexpr std::size_t semicolon = text.find(';', start);
    constexpr std::size_t end = semicolon != std::string_view::npos ? semicolon : text.rfind(']');
    return text.substr(start, end - start);
}

template <class T>
consteval std::string_view type_name() {
    constexpr std::string_view full = full_type_name<T>();
    constexpr std::size_t colon = full.substr(0, full.find('<')).rfind(':');
    return colon == std::string_view::npos ? full : full.substr(colon + 1);
}

// "student" of student::HoldThis; empty for a type in the global namespace.
template <class T>
consteval std::string_view namespace_name() {
    constexpr std::string_view full = full_type_name<T>();
    constexpr std::size_t colon = full.substr(0, full.find('<')).rfind(':');
    if constexpr (colon == std::string_view::npos) {
        return {};
    } else {
        constexpr std::string_view outer = full.substr(0, colon - 1);
        constexpr std::size_t inner = outer.rfind(':');
        return inner == std::string_view::npos ? outer : outer.substr(inner + 1);
    }
}

// "red" of Color::red; empty if the value has no name.
template <auto Value>
consteval std::string_view enumerator_name() {
    constexpr std::string_view text = __PRETTY_FUNCTION__;
    constexpr std::size_t start = text.find("Value = ") + 8;
    constexpr std::size_t end = text.find_first_of(";]", start);
    constexpr std::string_view value = text.substr(start, end - start);
    constexpr std::string_view last = value.substr(value.find_last_of(":)") + 1);
    return last.find_first_of("-0123456789") == 0 ? std::string_view{} : last;  // "(Color)7"
}

// Of an enum: where its enumerators are looked for, from -16 or 0 to 127, and what is found there.
template <class E>
inline constexpr std::int64_t first_enumerator = std::is_signed_v<std::underlying_type_t<E>> ? -16 : 0;

template <class E>
consteval auto names_of_enumerators() {
    constexpr std::int64_t first = first_enumerator<E>;
    constexpr std::size_t count =
        std::is_same_v<std::underlying_type_t<E>, bool> ? 2 : static_cast<std::size_t>(128 - first);
    return []<std::size_t... I>(std::index_sequence<I...>) {
        return std::array<std::string_view, sizeof...(I)>{
            enumerator_name<static_cast<E>(first + static_cast<std::int64_t>(I))>()...};
    }(std::make_index_sequence<count>{});
}
template <class E>
inline constexpr auto enumerator_names = names_of_enumerators<E>();

// True if the value has a name, or if no value of that enum has one (`enum class Id : int {}`).
template <class E>
[[nodiscard]] constexpr bool is_enumerator(E value) noexcept {
    constexpr auto& names = enumerator_names<E>;
    constexpr bool has_any = [] {
        for (const std::string_view name : names)
            if (!name.empty()) return true;
        return false;
    }();
    if constexpr (!has_any) return true;
    using Wide = std::conditional_t<std::is_signed_v<std::underlying_type_t<E>>, std::int64_t, std::uint64_t>;
    // Below the first one it becomes very large.
    const std::uint64_t index =
        static_cast<std::uint64_t>(static_cast<Wide>(value)) - static_cast<std::uint64_t>(first_enumerator<E>);
    return index < names.size() && !names[static_cast<std::size_t>(index)].empty();
}

}  // namespace baton::detail::fields

// ---- which types can travel --------------------------------------------------------------------------------
//
// The table in baton/detail/convert.hpp lists them with what they are on the wire.

namespace baton::detail {

namespace convert {

template <class T>
struct Always : std::false_type {};

template <class T>
struct IsList : std::false_type {};
template <class T>
struct IsList<std::vector<T>> : std::true_type {};
template <class T>
struct IsList<std::deque<T>> : std::true_type {};
template <class T>
struct IsSet : std::false_type {};
template <class T>
struct IsSet<std::set<T>> : std::true_type {};
template <class T>
struct IsSet<std::unordered_set<T>> : std::true_type {};
template <class T>
struct IsTuple : std::false_type {};
template <class T, class U>
struct IsTuple<std::pair<T, U>> : std::true_type {};
template <class... T>
struct IsTuple<std::tuple<T...>> : std::true_type {};
template <class T>
struct IsArray : std::false_type {};
template <class T, std::size_t N>
struct IsArray<std::array<T, N>> : std::true_type {};
template <class T>
struct IsMap : std::false_type {};
template <class K, class T>
struct IsMap<std::map<K, T>> : std::true_type {};
template <class K, class T>
struct IsMap<std::unordered_map<K, T>> : std::true_type {};
template <class T>
struct IsOptional : std::false_type {};
template <class T>
struct IsOptional<std::optional<T>> : std::true_type {};
template <class T>
struct IsVariant : std::false_type {};
template <class... T>
struct IsVariant<std::variant<T...>> : std::true_type {};
template <class T>
struct IsRef : std::false_type {};
template <class P>
struct IsRef<Ref<P>> : std::true_type {};
template <>
struct IsRef<AnyRef> : std::true_type {};
template <class T>
struct IsDuration : std::false_type {};
template <class R, class P>
struct IsDuration<std::chrono::duration<R, P>> : std::true_type {};

using Bytes = std::vector<std::byte>;

// The types of the parts of a pair, tuple or variant, as arguments of a function object.
template <class T, class Function>
consteval bool any_part(Function function) {
    return [function]<template <class...> class Of, class... Part>(std::type_identity<Of<Part...>>) {
        return (function(std::type_identity<Part>{}) || ...);
    }(std::type_identity<T>{});
}

}  // namespace convert

// A Segment, Lease or Slice (<baton/segment.hpp>): a handle in the manifest stands for it.
template <class T>
concept Held = requires { T::held_kind; };

// True if a value of this type can carry segments. Then it is moved into a message, never copied. `Outer`: the
// structs around it, so that a recursive one ends.
template <class T, class... Outer>
consteval bool carries_held() {
    using namespace convert;
    if constexpr (Held<T>) {
        return true;
    } else if constexpr (IsList<T>::value || IsArray<T>::value || IsOptional<T>::value) {
        return carries_held<typename T::value_type, Outer...>();
    } else if constexpr (IsMap<T>::value) {
        return carries_held<typename T::mapped_type, Outer...>();
    } else if constexpr (IsVariant<T>::value || IsTuple<T>::value) {
        return any_part<T>([]<class Part>(std::type_identity<Part>) { return carries_held<Part, Outer...>(); });
    } else if constexpr ((std::is_same_v<T, Outer> || ...)) {
        return false;
    } else if constexpr (fields::Struct<T> && !std::is_same_v<T, std::string> && !IsRef<T>::value) {
        return []<class... M>(std::type_identity<std::tuple<M&...>>) {
            return (carries_held<std::remove_cv_t<M>, T, Outer...>() || ...);
        }(std::type_identity<decltype(fields::tie_fields(std::declval<T&>()))>{});
    } else {
        return false;
    }
}

namespace convert {

// True if values of this type can travel. A struct can as far as this goes: its own fields are asked when it is
// encoded, decoded or described, so that the error names the field that can't.
template <class T>
consteval bool can_travel() {
    if constexpr (std::is_same_v<T, Bytes> || Held<T> || IsRef<T>::value || IsDuration<T>::value) {
        return true;
    } else if constexpr (IsList<T>::value || IsSet<T>::value || IsArray<T>::value || IsOptional<T>::value) {
        return can_travel<typename T::value_type>();
    } else if constexpr (IsMap<T>::value) {
        return can_travel<typename T::key_type>() && can_travel<typename T::mapped_type>();
    } else if constexpr (IsVariant<T>::value || IsTuple<T>::value) {
        return !any_part<T>([]<class Part>(std::type_identity<Part>) { return !can_travel<Part>(); });
    } else {
        return std::integral<T> || std::is_enum_v<T> || std::is_same_v<T, float> || std::is_same_v<T, double> ||
               std::is_same_v<T, std::string> || std::is_same_v<T, std::string_view> || std::is_same_v<T, Timestamp> ||
               std::is_same_v<T, ActorId> || std::is_same_v<T, std::monostate> || fields::Struct<T>;
    }
}

// Is true, or does not compile; then the first error has the name of the field, or its number if it is a C array.
template <fields::Struct T>
consteval bool fields_can_travel() {
    if constexpr (constexpr std::size_t array = fields::array_number<T>(); array != 0) {
        return fields::refuse_array<T, array>();
    } else {
        return []<std::size_t... I, class... M>(std::index_sequence<I...>, std::type_identity<std::tuple<M&...>>) {
            [[maybe_unused]] const auto one = []<std::size_t Index, class Member>(
                                                  std::integral_constant<std::size_t, Index>,
                                                  std::type_identity<Member>) {
                if constexpr (can_travel<std::remove_cv_t<Member>>())
                    return true;
                else
                    return fields::refuse_field_at<T, Index, Member>();
            };
            return (one(std::integral_constant<std::size_t, I>{}, std::type_identity<M>{}) && ...);
        }(std::make_index_sequence<fields::count_of<T>>{},
          std::type_identity<decltype(fields::tie_fields(std::declval<T&>()))>{});
    }
}

}  // namespace convert

}  // namespace baton::detail
