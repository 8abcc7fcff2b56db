#pragma once
// A command with a field of every kind that the table in runtime/wire/convert.hpp names.

#include "runtime/wire/convert.hpp"

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
    bool operator==(const Everything&) const = default;
};

}  // namespace everything
