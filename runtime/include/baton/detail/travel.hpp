#pragma once
// Travel: which C++ types may be fields of a command or replies, and which of them can carry segments; asked at compile
// time. The table in baton/detail/convert.hpp lists them with what they are on the wire.

#include <array>
#include <chrono>
#include <concepts>
#include <cstddef>
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

#include <baton/detail/fields.hpp>
#include <baton/ref.hpp>
#include <baton/time.hpp>

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
