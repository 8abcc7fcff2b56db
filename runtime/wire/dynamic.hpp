#pragma once
// Dynamic: a value whose type is known only at run time, to and from the wire by a protocol's description.
//
// What scripts and the command line hold in place of a struct. Encoding checks everything that the receiver
// would check (names, types, ranges) and names the field: `HoldThis.number: expected int64, got string`, so
// that a wrong message is never sent. Thread rule: plain values, pure functions.

#include <utility>
#include <variant>
#include <vector>

#include <baton/ref.hpp>
#include <baton/detail/convert.hpp>
#include <baton/detail/description.hpp>
#include "runtime/wire/handle.hpp"

namespace baton::detail {

struct Dynamic {
    using List = std::vector<Dynamic>;
    struct Entry;
    using Map = std::vector<Entry>;  // a struct's fields by name, or a map
    // A segment, lease or slice: what is to depart, or what a decoded message says by its place in the manifest.
    struct Held {
        HandleKind kind = HandleKind::segment;
        Holding* holding = nullptr;
        std::uint32_t index = 0;
        bool operator==(const Held&) const = default;
    };
    std::variant<std::monostate, bool, std::int64_t, std::uint64_t, double, std::string, std::vector<std::byte>,
                 Timestamp, AnyRef, List, Map, Held>
        value;

    bool operator==(const Dynamic& other) const;
    [[nodiscard]] bool is_nothing() const noexcept { return value.index() == 0; }
};

// Not a std::pair, which asks whether a Dynamic can be default-made before it is whole itself: clang 14 refuses that.
struct Dynamic::Entry {
    Entry(Dynamic key, Dynamic element) : first(std::move(key)), second(std::move(element)) {}
    bool operator==(const Entry&) const = default;

    Dynamic first;
    Dynamic second;
};

inline bool Dynamic::operator==(const Dynamic& other) const { return value == other.value; }

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

// Of a field that has one. Empty, too, if the bytes are not of the field's type.
[[nodiscard]] std::optional<Dynamic> default_of(const TypeDescription& of, const PartDescription& field);

// What an error calls it: "string", "list of 3", ...
[[nodiscard]] std::string kind_of(const Dynamic& value);

// One encoded value of that type. An enum is given by name or number, an optional by nothing or its value, a
// variant by whatever fits one of its alternatives (the first that does), a duration in seconds. A field that has a
// default may be missing: then it is left out, and the receiver has its own. What it carries is added to `departing`;
// without that a segment is refused.
[[nodiscard]] Result<Buffer> encode_dynamic(const TypeDescription& type, const Dynamic& value, std::string_view what,
                                            std::vector<Holding*>* departing = nullptr);

// The body of a command from its fields; `unsupported` for a command that the protocol does not have.
[[nodiscard]] Result<Buffer> encode_command(const ProtocolDescription& protocol, std::string_view command,
                                            const Dynamic::Map& fields, std::vector<Holding*>* departing = nullptr);

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
