#pragma once
// Layout: the type and shape of the elements of shared memory, as NumPy writes them. Plain values.

#include <baton/limits.hpp>

#include <fmt/format.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace baton {

// How the elements of a block of memory lie: "<f8" and {480, 640}. Rows first (C order), without gaps.
struct Layout {
    std::string type = "|u1";           // as NumPy writes types: "<f8", "|u1", ...
    std::vector<std::uint64_t> shape;   // empty: one element

    bool operator==(const Layout&) const = default;
    // Nothing for a type that is none of ours, or a shape whose bytes do not fit into 64 bits.
    [[nodiscard]] std::optional<std::uint64_t> element_bytes() const noexcept;
    [[nodiscard]] std::optional<std::uint64_t> elements() const noexcept;
    [[nodiscard]] std::optional<std::uint64_t> bytes() const noexcept;
};
// "float64[480, 640]", for people.
[[nodiscard]] std::string to_text(const Layout& layout);

namespace detail {

// What changes hands, and how.
enum class HandleKind : std::uint8_t { segment = 1, lease = 2, slice = 3 };
[[nodiscard]] std::string_view name_of(HandleKind kind) noexcept;

// The kind that a description calls so: "segment", ...
[[nodiscard]] std::optional<HandleKind> handle_kind_of(std::string_view name) noexcept;

}  // namespace detail

}  // namespace baton

// As to_text() says it.
template <>
struct fmt::formatter<baton::Layout> : fmt::formatter<std::string> {
    template <class FormatContext>
    auto format(const baton::Layout& value, FormatContext& context) const {
        return fmt::formatter<std::string>::format(baton::to_text(value), context);
    }
};
