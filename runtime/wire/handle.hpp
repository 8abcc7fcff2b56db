#pragma once
// Handle: the name of a segment, lease or slice on the wire. It opens nothing by itself: what it says must be
// what the ledger says at its epoch.
//
// A message lists its handles in the manifest of its envelope, and its body refers to them by their index, as
// msgpack extension 1. Element type and shape travel along, as in NumPy's array interface, so that C++ sees a
// span and Python an array. Plain values, pure functions.

#include <string>
#include <vector>

#include <baton/detail/codec.hpp>
#include <baton/layout.hpp>

namespace baton::detail {

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
// `corrupt` if it is not a manifest; bounded by limits::manifest_handles_max.
[[nodiscard]] Result<std::vector<Handle>> decode_manifest(Value manifest);

}  // namespace baton::detail
