#pragma once
// Protocol: the list of commands that one kind of actor accepts.
//
//     namespace student {
//     struct HoldThis        { std::int64_t number; using Reply = std::string; };
//     struct WhatsYourNumber { using Reply = std::optional<std::int64_t>; };
//     struct GoHome          {};                                // no Reply: can be sent, not asked
//     using Protocol = baton::Protocol<HoldThis, WhatsYourNumber, GoHome>;
//     }
//
// A command is a plain struct (baton/detail/fields.hpp says what it may be, baton/detail/convert.hpp has the types of
// its fields, and which of them scripts may leave out because they have a default: `depth = 3`). A command that holds a
// Ref to its own protocol is declared before the list and defined after it. Nothing is registered; the list is the
// type. Compile time only.

#include <array>
#include <cstddef>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>

#include <baton/detail/fields.hpp>
#include <baton/result.hpp>

namespace baton {

template <class... Commands>
struct Protocol {};

namespace detail {

template <class Command>
concept HasReply = requires { typename Command::Reply; };

// The name of a command on the wire and in scripts: its struct's name without namespaces.
template <class Command>
inline constexpr std::string_view command_name = fields::type_name<Command>();

template <class Command>
struct ReplyOf {
    static_assert(HasReply<Command>, "this command has no Reply: it can be sent, not asked");
    using type = typename Command::Reply;
};
template <class Command>
using reply_of = typename ReplyOf<std::remove_cvref_t<Command>>::type;

// What a reply of type R is read into: a reply of `void` travels as nothing.
template <class R>
using ReplyValue = std::conditional_t<std::is_void_v<R>, std::monostate, R>;
// A Result<R> of what `read` writes into a ReplyValue<R>.
template <class R, class ReadReply>
[[nodiscard]] Result<R> read_reply_value(ReadReply read) {
    ReplyValue<R> value{};
    if (Result<void> done = read(&value); !done) return std::move(done).error();
    if constexpr (std::is_void_v<R>) return {};
    else return value;
}

// A command is found by its name alone: of two that share one the second would never be handled.
template <class... Commands>
consteval bool have_names_of_their_own() {
    constexpr std::array<std::string_view, sizeof...(Commands)> names{command_name<Commands>...};
    for (std::size_t one = 0; one < names.size(); ++one)
        for (std::size_t other = one + 1; other < names.size(); ++other)
            if (names[one] == names[other]) return false;
    return true;
}
// Stands wherever a protocol is used, and fails if its commands can't be told apart.
template <class... Commands>
struct CheckedProtocol : std::true_type {
    static_assert(
        have_names_of_their_own<Commands...>(),
        "two commands of this protocol have the same name, which is their struct's without namespaces: rename one");
};

template <class ProtocolType, class Command>
struct Accepts : std::false_type {};
template <class... Commands, class Command>
struct Accepts<Protocol<Commands...>, Command>
    : std::bool_constant<CheckedProtocol<Commands...>::value && (std::is_same_v<Commands, Command> || ...)> {};

// True if actors of this protocol accept that command.
template <class ProtocolType, class Command>
concept AcceptedBy = Accepts<ProtocolType, std::remove_cvref_t<Command>>::value;

}  // namespace detail
}  // namespace baton
