// Goal: nothing that somebody types for a field makes the command line crash, hang or take memory without bound.
// Method: the first byte picks a type, the rest is the text, as from a terminal. What is read must be encoded or
// refused with a reason; what was encoded is what a receiver takes, and is JSON again.

#include <string>

#include <baton/json.hpp>
#include "runtime/wire/dynamic.hpp"
#include "tests/fuzz/everything.hpp"

namespace {

const baton::dynamic::FindActor find_actor = [](std::string_view name) -> baton::Result<baton::ActorId> {
    if (name.size() % 2 == 0) return baton::ActorId{3, 1};
    return baton::Error{baton::ErrorKind::gone, "no such actor"};
};

template <class T>
void read_as(std::string_view text) {
    static const baton::detail::TypeDescription type = baton::detail::describe_type<T>();
    const baton::Result<baton::detail::Dynamic> value = baton::dynamic::parse_typed(type, text, find_actor);
    if (!value) {
        if (value.error().text.empty()) __builtin_trap();
        return;
    }
    if (baton::to_json(*value, baton::JsonLayout::compact).empty()) __builtin_trap();
    const baton::Result<baton::detail::Buffer> bytes = baton::detail::encode_dynamic(type, *value, "Fuzzed");
    if (!bytes) {
        if (bytes.error().text.empty()) __builtin_trap();
        return;
    }
    baton::detail::Unpacker unpacker;
    std::size_t offset = 0;
    const baton::Result<baton::detail::Value> read = unpacker.next(*bytes, offset);
    T out{};
    baton::detail::Decoding at{"Fuzzed"};
    // Two keys that are one, and floats that are too large for their type, are for the receiver to refuse.
    if (!read || offset != bytes->size()) __builtin_trap();
    if (!baton::detail::decode(*read, out, at) && at.take_error().text.empty()) __builtin_trap();
    if (const baton::Result<baton::detail::Dynamic> back = baton::detail::decode_dynamic(type, *read); back)
        static_cast<void>(baton::to_json(*back, baton::JsonLayout::indented));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    const std::string text{reinterpret_cast<const char*>(data) + 1, size - 1};
    switch (data[0] % 12) {
        case 0: read_as<everything::Everything>(text); break;
        case 1: read_as<std::uint64_t>(text); break;
        case 2: read_as<std::vector<double>>(text); break;
        case 3: read_as<everything::Tree>(text); break;
        case 4: read_as<everything::Colour>(text); break;
        case 5: read_as<std::map<std::string, std::optional<std::int32_t>>>(text); break;
        case 6: read_as<std::variant<std::int64_t, std::string, std::vector<bool>>>(text); break;
        case 7: read_as<std::vector<std::byte>>(text); break;
        case 8: read_as<baton::Timestamp>(text); break;
        case 9: read_as<baton::Duration>(text); break;
        case 10: read_as<baton::AnyRef>(text); break;
        default: read_as<std::string>(text); break;
    }
    return 0;
}
