#pragma once
// Size class: how much memory is behind a segment of a given number of bytes, so that freed memory fits the next one.
//
// Four classes per power of two, in whole pages, so at most a quarter is unused. Pure function.

#include <bit>
#include <cstdint>

namespace baton::detail {

inline constexpr std::uint64_t page_bytes = 4096;

[[nodiscard]] constexpr std::uint64_t size_class_of(std::uint64_t bytes) noexcept {
    if (bytes <= page_bytes) return page_bytes;
    const std::uint64_t step = std::bit_floor(bytes - 1) / 4;
    const std::uint64_t rounded = (bytes + step - 1) / step * step;
    return (rounded + page_bytes - 1) / page_bytes * page_bytes;
}

}  // namespace baton::detail
