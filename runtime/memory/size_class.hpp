#pragma once
// Size class: how much memory is behind a segment of a given number of bytes, so that freed memory fits the next one.
//
// A power of two below a page, and from there on four classes per power of two, in whole pages, so that at most a
// quarter is unused. Pure functions.

#include <bit>
#include <cstdint>

#include <baton/limits.hpp>

namespace baton::detail {

inline constexpr std::uint64_t page_bytes = 4096;

[[nodiscard]] constexpr std::uint64_t in_pages(std::uint64_t bytes) noexcept {
    return (bytes + page_bytes - 1) / page_bytes * page_bytes;
}

[[nodiscard]] constexpr std::uint64_t size_class_of(std::uint64_t bytes) noexcept {
    if (bytes <= limits::place_bytes_min) return limits::place_bytes_min;
    if (bytes <= page_bytes) return std::bit_ceil(bytes);
    const std::uint64_t step = std::bit_floor(bytes - 1) / 4;
    return in_pages((bytes + step - 1) / step * step);
}

// Shelf: an object of shared memory with a place for each row of one block (decision 0026). Where a place lies follows
// from its row and from the size of the places, so that no offset needs to be believed.
namespace shelf {

inline constexpr std::uint32_t places = limits::rows_per_block;
static_assert(places == 64, "sets of places are bits of one number");

// True if a shelf can have places of this size. Everything else that a row says is not believed.
[[nodiscard]] constexpr bool is_place(std::uint64_t bytes) noexcept {
    return bytes >= limits::place_bytes_min && bytes <= limits::place_bytes_max && size_class_of(bytes) == bytes;
}
[[nodiscard]] constexpr std::uint32_t first_of(std::uint32_t slot) noexcept { return slot / places * places; }
[[nodiscard]] constexpr std::uint64_t offset_of(std::uint32_t slot, std::uint64_t place_bytes) noexcept {
    return slot % places * place_bytes;
}
[[nodiscard]] constexpr std::uint64_t bytes_of(std::uint64_t place_bytes) noexcept { return places * place_bytes; }
// How many places are committed, and given back, together: those of one page, or one.
[[nodiscard]] constexpr std::uint32_t step_of(std::uint64_t place_bytes) noexcept {
    return place_bytes < page_bytes ? static_cast<std::uint32_t>(page_bytes / place_bytes) : 1;
}
static_assert(step_of(limits::place_bytes_min) <= places, "a shelf has a page or more");

// Places as bits, the first in the lowest.
[[nodiscard]] constexpr std::uint64_t bits(std::uint32_t first, std::uint32_t count) noexcept {
    return (count >= places ? ~std::uint64_t{0} : (std::uint64_t{1} << count) - 1) << first;
}
struct Run {
    std::uint32_t first = 0;
    std::uint32_t count = 0;
};
// The first run of whole steps, at most so many, all of whose places are in `set`, from `from` on; none: count 0.
[[nodiscard]] constexpr Run run_in(std::uint64_t set, std::uint64_t place_bytes, std::uint32_t from = 0,
                                   std::uint32_t steps_max = places) noexcept {
    const std::uint32_t step = step_of(place_bytes);
    Run run;
    for (std::uint32_t at = from; at < places && run.count < steps_max * step; at += step) {
        const bool is_whole = (set & bits(at, step)) == bits(at, step);
        if (!is_whole && run.count > 0) break;
        if (!is_whole) continue;
        if (run.count == 0) run.first = at;
        run.count += step;
    }
    return run;
}

}  // namespace shelf

}  // namespace baton::detail
