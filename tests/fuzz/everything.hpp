#pragma once
// A command with a field of every kind that the table in baton/detail/convert.hpp names.

#include <baton/detail/convert.hpp>
#include "runtime/wire/handle.hpp"

namespace everything {

enum class Colour : std::uint8_t { red, green, blue };
enum class Signed : std::int16_t { below = -1, zero = 0 };

struct Tree {
    std::string label;
    std::vector<Tree> children;
    bool operator==(const Tree&) const = default;
};

struct Inner {
    double real = 0;
    std::optional<std::string> note;
    bool operator==(const Inner&) const = default;
};

// What stands for a Segment, Lease or Slice where there is no ledger: the index in the manifest.
template <baton::detail::HandleKind Kind>
struct Token {
    static constexpr baton::detail::HandleKind held_kind = Kind;
    std::uint32_t index = 0;
    bool operator==(const Token&) const = default;

    void encode_into(baton::detail::Encoder& encoder) const { encoder.handle(index); }
    bool decode_from(baton::detail::Value from, baton::detail::Decoding& at) {
        if (from.kind() != baton::detail::ValueKind::handle) return at.expected(name_of(Kind), from);
        index = from.handle();
        return true;
    }
};

struct Shapes {
    std::pair<std::string, std::int32_t> pair;
    std::tuple<double, bool, std::vector<std::uint8_t>> triple;
    std::set<std::string> words;
    std::unordered_set<std::uint16_t> numbers;
    std::deque<std::pair<std::int64_t, std::string>> queue;
    std::set<std::set<std::int8_t>> sets;
    std::map<std::string, std::pair<float, float>> places;
    std::uint32_t depth = 3;  // this one has a default
    bool operator==(const Shapes&) const = default;
};

struct Everything {
    bool flag = false;
    std::int8_t tiny = 0;
    std::uint64_t huge = 0;
    std::int64_t wide = 0;
    Colour colour = Colour::red;
    Signed sign = Signed::zero;
    float single = 0;
    double real = 0;
    std::string text;
    std::vector<std::byte> bytes;
    std::vector<std::int32_t> list;
    std::array<std::uint16_t, 3> triple{};
    std::map<std::string, std::int64_t> sorted;
    std::unordered_map<std::int64_t, std::string> hashed;
    std::optional<std::int64_t> maybe;
    std::variant<std::monostate, std::int64_t, std::string> either;
    baton::Timestamp when;
    baton::Duration howlong{};
    baton::AnyRef who;
    baton::ActorId id;
    Inner inner;
    std::vector<Inner> inners;
    Tree tree;
    Shapes shapes;
    bool operator==(const Everything&) const = default;
};

// A command that carries what changes hands.
struct Carrying {
    Token<baton::detail::HandleKind::segment> segment;
    std::optional<Token<baton::detail::HandleKind::lease>> lease;
    std::vector<Token<baton::detail::HandleKind::slice>> slices;
    bool operator==(const Carrying&) const = default;
};

}  // namespace everything
