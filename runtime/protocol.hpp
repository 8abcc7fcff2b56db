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
// A command is a plain struct (see wire/fields.hpp for what it may be, wire/convert.hpp for the types of
// its fields). A command that holds a Ref to its own protocol is declared before the list and defined
// after it. Nothing is registered; the list is the type. Compile time only.

#include <string_view>
#include <tuple>
#include <type_traits>

#include "runtime/wire/fields.hpp"

namespace baton {

template <class... Commands>
struct Protocol {};

template <class Command>
concept HasReply = requires { typename Command::Reply; };

// The name of a command on the wire and in scripts: its struct's name without namespaces.
template <class Command>
inline constexpr std::string_view command_name = fields::type_name<Command>();

template <class ProtocolType, class Command>
struct Accepts : std::false_type {};
template <class... Commands, class Command>
struct Accepts<Protocol<Commands...>, Command>
    : std::bool_constant<(std::is_same_v<Commands, Command> || ...)> {};

template <class ProtocolType, class Command>
concept AcceptedBy = Accepts<ProtocolType, std::remove_cvref_t<Command>>::value;

}  // namespace baton
