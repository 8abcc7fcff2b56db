#pragma once
// Dynamic: values whose type is known only at run time, and the descriptions of protocols that say what the type is.
// For programs that talk to actors without being compiled with their headers: command lines, bindings to other
// languages, gateways. Every actor publishes its protocol; <baton/outsider.hpp> finds it and sends commands by name.
//
//     using baton::dynamic::Value;
//     const Value fields{Value::Map{{Value{"name"}, Value{"Grace"}}}};
//     baton::dynamic::to_bytes(protocol.find("Greet")->fields, fields, "Greet");   // checked against the description
//
// Writing checks everything that the receiver would check (names, types, ranges) and names the field: `Greet.name:
// expected string, got integer 4`. So a wrong command is `refused` here and never sent. Bounds are those of a message:
// limits::message_bytes_max and limits::message_depth_max. Thread rule: plain values and pure functions, except for
// Memory, which belongs to the thread of its session.

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include <baton/bytes.hpp>
#include <baton/detail/description.hpp>
#include <baton/ref.hpp>
#include <baton/result.hpp>
#include <baton/segment.hpp>
#include <baton/time.hpp>

namespace baton {

namespace dynamic {
struct Value;
}

namespace detail {

// An encoded value of that type, which this process has written itself.
[[nodiscard]] dynamic::Value value_from(const TypeDescription& type, std::string_view encoded);
// A value of that type that a library is reading from a message; `corrupt` if it is none.
[[nodiscard]] Result<dynamic::Value> value_from(const TypeDescription& type, Value read);

}  // namespace detail

namespace dynamic {

// ---- descriptions

// A type, as an actor describes it. `kind` is one of: bool, int8 to int64, uint8 to uint64, float32, float64, string,
// bytes, timestamp, duration, enum, list, set, array, tuple, map, optional, variant, struct, ref, segment, lease,
// slice, nothing, same. `name` is that of an enum, a struct or a ref's protocol; `count` is the length of an array.
// `parts` are the fields of a struct, the types of a tuple, the alternatives of a variant, the enumerators of an enum
// (count = value), or the type of the elements: of a map that of keys and that of values. `same` is the enclosing
// struct of that name.
using Type = detail::TypeDescription;
// One of the parts: `name` and `type`.
using Field = detail::PartDescription;
// A command: `name`, `fields` (a struct), and `reply`, which is empty if the command can be sent but not asked.
using Command = detail::CommandDescription;
// What an actor accepts: `name`, the namespace of its commands, and `commands`; find(name) returns one of them, or
// nullptr.
using Protocol = detail::ProtocolDescription;

// The description of what C++ has as a struct, or as a baton::Protocol.
template <class T>
[[nodiscard]] Type type_of() {
    return detail::describe_type<T>();
}
template <class P>
[[nodiscard]] Protocol protocol_of() {
    return detail::describe_protocol<P>();
}

// to_text(type), to_text(command), for people: "list<string>", "HoldThis(number: int64, depth: uint32 = 3) -> string".
using detail::to_text;
// default_text(type, field): " = 3", as JSON; empty for a field without a default.
using detail::default_text;
// may_be_left_out(type, field): true if a struct may come without that field of it.
using detail::may_be_left_out;
// True if each type has the parts that its kind needs: to be asked of a description that was made by hand.
[[nodiscard]] bool is_sound(const Protocol& protocol);

// error_kind_of(name): the kind that name_of() calls so, as peers and other languages write it; empty for other names.
using detail::error_kind_of;

// ---- memory

// Memory of the session, of whichever kind it is.
using Memory = std::variant<Segment, Lease, Slice, Loan>;

using HeldKind = detail::HandleKind;  // segment, lease, slice

[[nodiscard]] bool is_empty(const Memory& memory) noexcept;
[[nodiscard]] const Layout& layout_of(const Memory& memory);  // throws ErrorException (`refused`) if it is empty
[[nodiscard]] std::uint64_t size_bytes_of(const Memory& memory);
// "segment 17.3 (float64[480, 640])", for logs.
[[nodiscard]] std::string to_text(const Memory& memory);
// True for a lease or slice that has come from its lender; false for one that its lender has made and not sent yet.
[[nodiscard]] bool is_borrowed(const Memory& memory) noexcept;

// For a language whose views of memory outlive the object that they were made of. While a View lives, the memory stays
// where it is: the segment can't be given away, lent or reshaped, and if the session ends, the content remains at its
// address as private memory. Move-only. `refused` for memory that is empty or lent by this process, or that is meant
// for a borrower.
class View {
public:
    [[nodiscard]] static Result<View> of(Memory& memory);
    View() = default;
    View(View&& other) noexcept;
    View& operator=(View&&) = delete;
    ~View();

    [[nodiscard]] std::span<std::byte> bytes() const noexcept { return bytes_; }

private:
    std::shared_ptr<detail::Holdings> holdings_;  // nullptr: of nothing
    detail::Holding* holding_ = nullptr;
    std::uint32_t ticket_ = 0;
    std::span<std::byte> bytes_;
};

// ---- values

// How a List or a Map was meant; others may ignore it.
enum class Form : std::uint8_t {
    plain,    // a list or array; a map or struct whose type is not known
    tuple,
    set,
    fields,   // of a struct
    entries,  // of a map
};

// What scripts and command lines hold in place of a struct.
//
// | type                                  | what a value of it holds                                                  |
// | bool, integers, floats, string, bytes | bool; int64 or, above its range, uint64; double; string; bytes            |
// | timestamp, ref                        | Timestamp, AnyRef                                                         |
// | duration                              | double: seconds                                                           |
// | enum                                  | string: the enumerator's name. Its number is accepted, too                |
// | list, array, set, tuple               | List                                                                      |
// | struct, map                           | Map: its fields by name, or its entries                                   |
// | optional                              | nothing, or its value                                                     |
// | variant                               | the value of the alternative; the first that fits is written              |
// | segment, lease, slice                 | Held                                                                      |
struct Value {
    using List = std::vector<Value>;
    struct Entry;
    using Map = std::vector<Entry>;
    // Memory that travels with a command or a reply. Copies of a value share it; it can be sent once. When the message
    // is on its way, the memory is empty; after a refusal it is still there.
    struct Held {
        HeldKind kind = HeldKind::segment;
        std::shared_ptr<Memory> memory = nullptr;  // empty: the value is only described, as in bytes
        std::uint32_t index = 0;                   // its place among what came with the message
        bool operator==(const Held&) const = default;
    };
    std::variant<std::monostate, bool, std::int64_t, std::uint64_t, double, std::string, Bytes, Timestamp, AnyRef, List,
                 Map, Held>
        value;
    Form form = Form::plain;

    // The forms are not compared.
    bool operator==(const Value& other) const;
    [[nodiscard]] bool is_nothing() const noexcept { return value.index() == 0; }
    // The content, if it is a T; nullptr otherwise.
    template <class T>
    [[nodiscard]] const T* as() const noexcept {
        return std::get_if<T>(&value);
    }
    template <class T>
    [[nodiscard]] T* as() noexcept {
        return std::get_if<T>(&value);
    }
    // The field of that name; nullptr if this is no Map or has no such field.
    [[nodiscard]] const Value* field(std::string_view name) const noexcept;
};

// Not a std::pair, which asks whether a Value can be default-made before it is whole itself: clang 14 refuses that.
struct Value::Entry {
    Entry(Value key, Value element) : first(std::move(key)), second(std::move(element)) {}
    bool operator==(const Entry&) const = default;

    Value first;
    Value second;
};

inline bool Value::operator==(const Value& other) const { return value == other.value; }

// What an error calls it: "string", "integer 4", "list of 3".
[[nodiscard]] std::string kind_of(const Value& value);
// The default of a field; nothing if it has none.
[[nodiscard]] std::optional<Value> default_of(const Type& of, const Field& field);

// ---- bytes: values as they stand in messages, and in what passes them on unread (<baton/bytes.hpp>)

// A value of that type; `what` begins the place in errors. A field that has a default or is optional may be missing;
// the receiver has its own. Memory is `refused`: it travels in messages only.
[[nodiscard]] Result<Bytes> to_bytes(const Type& type, const Value& value, std::string_view what);
// The value as it is, for receivers that do not know the type either. `refused` for memory and
// for what is nested too deeply.
[[nodiscard]] Result<Bytes> to_bytes(const Value& value, std::string_view what);
// Reads one value of that type. `corrupt` if the bytes are not one; the error says what was expected. A field that was
// left out has its default. Memory is only described.
[[nodiscard]] Result<Value> from_bytes(const Type& type, std::span<const std::byte> bytes);
// Reads one value without knowing its type: an enum is a number then, a duration nanoseconds, a ref a list.
[[nodiscard]] Result<Value> from_bytes(std::span<const std::byte> bytes);

// Any struct that could be a command or a reply, as a Value. It may be larger than a message.
template <class T>
    requires(!detail::carries_held<T>())
[[nodiscard]] Value value_of(const T& value) {
    detail::Buffer encoded;
    detail::Encoder encoder{encoded, detail::Encoder::unbounded};
    detail::encode(encoder, value);
    return detail::value_from(type_of<T>(), encoded);
}

}  // namespace dynamic
}  // namespace baton
