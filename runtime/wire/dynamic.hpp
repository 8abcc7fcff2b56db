#pragma once
// Dynamic: a value whose type is known only at run time (<baton/dynamic.hpp>), to and from the wire by a protocol's
// description. Thread rule: plain values, pure functions.

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <baton/dynamic.hpp>
#include <baton/detail/convert.hpp>
#include <baton/detail/description.hpp>
#include "runtime/wire/handle.hpp"

namespace baton::detail {

using Dynamic = dynamic::Value;
using dynamic::default_of;
using dynamic::kind_of;

// The structs that enclose what is looked at, for `same`.
using Structs = std::vector<const TypeDescription*>;
// The struct that `same` stands for; every other type as it is.
[[nodiscard]] const TypeDescription& resolve(const TypeDescription& type, const Structs& outer);

struct IntegerRange {
    std::int64_t min;
    std::uint64_t max;
};
// Of a kind that is an integer.
[[nodiscard]] std::optional<IntegerRange> range_of(std::string_view kind);

// True if a value of a kind without parts (bool, integers, floats, string, bytes, timestamp, enum, nothing) is one of
// that type, its range included. True for kinds that have parts or are unknown here.
[[nodiscard]] bool is_one_of(const TypeDescription& type, Value value);

// True if a map has each field of that struct once; a field that may be left out may be missing.
[[nodiscard]] bool has_all_fields(const TypeDescription& type, Value fields);

// What tells a value of that type from others of it, for sets and the keys of maps; the value is of that type. No wire
// format: two values that are equal in C++ have the same, whatever widths and whatever order stand on the wire.
[[nodiscard]] std::string identity_of(const TypeDescription& type, Value value);
// True if a set has an element twice, or a map a key.
[[nodiscard]] bool has_twice(const TypeDescription& set_or_map, Value value);

// What departs with a message, and how the holding behind a value is found: nullptr if that is empty or can't travel.
struct Departing {
    std::vector<Holding*>* holdings;
    Holding* (*holding_of)(const Dynamic::Held& held);
};

// One encoded value of that type. What it carries is added to `departing`; without that a segment is refused.
[[nodiscard]] Result<Buffer> encode_dynamic(const TypeDescription& type, const Dynamic& value, std::string_view what,
                                            const Departing* departing = nullptr);
// The value as it is.
[[nodiscard]] Result<Buffer> encode_untyped(const Dynamic& value, std::string_view what,
                                            const Departing* departing = nullptr);

// The body of a command from its fields; `unsupported` for a command that the protocol does not have.
[[nodiscard]] Result<Buffer> encode_command(const ProtocolDescription& protocol, std::string_view command,
                                            const Dynamic::Map& fields, const Departing* departing = nullptr);

// Checks a value on the wire against that type: `refused`, as a receiver in C++ refuses it, with the place that does
// not fit.
[[nodiscard]] Result<void> check_value(const TypeDescription& type, Value value, std::string_view what);

// The value on the wire, read as that type (an enum becomes its name, a duration seconds, a float a float even if an
// integer stands for it); `corrupt` if it is not of that type. A field that was left out has its default.
// `session`: of a ref that does not say its own.
[[nodiscard]] Result<Dynamic> decode_dynamic(const TypeDescription& type, Value value, SessionTag session = {});
// The value on the wire, read without knowing its type: as msgpack says it.
[[nodiscard]] Dynamic decode_untyped(Value value);

}  // namespace baton::detail
