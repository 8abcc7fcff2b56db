#pragma once
// Handle: the name of a segment, lease or slice on the wire. It opens nothing by itself: what it says must be
// what the ledger says at its epoch.
//
// A message lists its handles in the manifest of its envelope, and its body refers to them by their index, as
// msgpack extension 1. Element type and shape travel along, as in NumPy's array interface, so that C++ sees a
// span and Python an array. Plain values, pure functions.

#include <string>
#include <vector>

#include "runtime/wire/codec.hpp"

namespace baton {

// How the elements of a block of memory lie: "<f8" and {480, 640}. Rows first (C order), without gaps.
struct Layout {
    std::string type = "|u1";           // as NumPy writes types: see element_type.hpp
    std::vector<std::uint64_t> shape;   // empty: one element

    bool operator==(const Layout&) const = default;
    // Nothing for a type that is none of ours, or a shape whose bytes do not fit into 64 bits.
    [[nodiscard]] std::optional<std::uint64_t> element_bytes() const noexcept;
    [[nodiscard]] std::optional<std::uint64_t> elements() const noexcept;
    [[nodiscard]] std::optional<std::uint64_t> bytes() const noexcept;
};
// "float64[480, 640]", for people.
[[nodiscard]] std::string to_text(const Layout& layout);

// What changes hands, and how.
enum class HandleKind : std::uint8_t { segment = 1, lease = 2, slice = 3 };
[[nodiscard]] std::string_view name_of(HandleKind kind) noexcept;

// The kind that a description calls so: "segment", ...
[[nodiscard]] std::optional<HandleKind> handle_kind_of(std::string_view name) noexcept;

struct Handle {
    HandleKind kind = HandleKind::segment;
    std::uint32_t slot = 0;
    std::uint64_t epoch = 0;        // of the offer; of the lend
    Layout layout;
    std::uint32_t lease = 0;        // its row; this and what follows only of leases and slices
    std::uint64_t lease_epoch = 0;
    std::uint64_t offset = 0;       // bytes from the start of the segment

    bool operator==(const Handle&) const = default;
};

void encode_manifest(Encoder& encoder, std::span<const Handle> handles);
// `corrupt` where it is no manifest; bounded by limits::manifest_handles_max.
[[nodiscard]] Result<std::vector<Handle>> decode_manifest(Value manifest);

}  // namespace baton
