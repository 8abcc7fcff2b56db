#include "runtime/wire/handle.hpp"

#include <fmt/format.h>

#include <limits>

#include <baton/limits.hpp>

namespace baton::detail {
namespace {

constexpr std::size_t segment_elements = 5;
constexpr std::size_t lease_elements = 8;

Error corrupt(std::string_view why) {
    return Error{ErrorKind::corrupt, fmt::format("a handle in the manifest {}", why)};
}

bool read_number(Value value, std::uint64_t& out, std::uint64_t max) {
    return value.kind() == ValueKind::integer && value.to_unsigned(out) && out <= max;
}

}  // namespace

void encode_manifest(Encoder& encoder, std::span<const Handle> handles) {
    encoder.array(handles.size());
    for (const Handle& handle : handles) {
        const bool is_segment = handle.kind == HandleKind::segment;
        encoder.array(is_segment ? segment_elements : lease_elements);
        encoder.unsigned_integer(static_cast<std::uint64_t>(handle.kind));
        encoder.unsigned_integer(handle.slot);
        encoder.unsigned_integer(handle.epoch);
        encoder.text(handle.layout.type);
        encoder.array(handle.layout.shape.size());
        for (const std::uint64_t length : handle.layout.shape) encoder.unsigned_integer(length);
        if (is_segment) continue;
        encoder.unsigned_integer(handle.lease);
        encoder.unsigned_integer(handle.lease_epoch);
        encoder.unsigned_integer(handle.offset);
    }
}

Result<std::vector<Handle>> decode_manifest(Value manifest) {
    if (manifest.kind() != ValueKind::array) return Error{ErrorKind::corrupt, "the manifest of a record is a list"};
    if (manifest.size() > limits::manifest_handles_max)
        return Error{ErrorKind::corrupt,
                     fmt::format("a manifest lists at most {} handles (limits::manifest_handles_max)",
                                 limits::manifest_handles_max)};
    constexpr std::uint64_t any = std::numeric_limits<std::uint64_t>::max();
    std::vector<Handle> handles;
    for (std::size_t index = 0; index < manifest.size(); ++index) {
        const Value from = manifest.at(index);
        std::uint64_t kind = 0;
        if (from.kind() != ValueKind::array || from.size() == 0 || !read_number(from.at(0), kind, 3) || kind == 0)
            return corrupt("is a list that begins with its kind, 1 to 3");
        Handle handle;
        handle.kind = static_cast<HandleKind>(kind);
        const bool is_segment = handle.kind == HandleKind::segment;
        if (from.size() != (is_segment ? segment_elements : lease_elements))
            return corrupt("is a list of 5, of a lease of 8");
        std::uint64_t slot = 0;
        if (!read_number(from.at(1), slot, limits::segments_max - 1) || !read_number(from.at(2), handle.epoch, any))
            return corrupt("names a row and its epoch");
        handle.slot = static_cast<std::uint32_t>(slot);
        const Value type = from.at(3);
        const Value shape = from.at(4);
        if (type.kind() != ValueKind::text || type.text().size() > limits::element_type_bytes_max)
            return corrupt("has an element type as NumPy writes it (limits::element_type_bytes_max)");
        handle.layout.type = type.text();
        if (shape.kind() != ValueKind::array || shape.size() > limits::shape_dimensions_max)
            return corrupt("has a shape of at most 8 dimensions (limits::shape_dimensions_max)");
        for (std::size_t dimension = 0; dimension < shape.size(); ++dimension)
            if (!read_number(shape.at(dimension), handle.layout.shape.emplace_back(), any))
                return corrupt("has a shape of integers from 0");
        const std::optional<std::uint64_t> bytes = handle.layout.bytes();
        if (!bytes || *bytes > limits::segment_bytes_max)
            return corrupt("has an element type and a shape that make sense");
        if (!is_segment) {
            std::uint64_t lease = 0;
            if (!read_number(from.at(5), lease, limits::leases_max - 1) ||
                !read_number(from.at(6), handle.lease_epoch, any) ||
                !read_number(from.at(7), handle.offset, limits::segment_bytes_max))
                return corrupt("of a lease names its row, its epoch and an offset");
            handle.lease = static_cast<std::uint32_t>(lease);
        }
        handles.push_back(std::move(handle));
    }
    return handles;
}

}  // namespace baton::detail
