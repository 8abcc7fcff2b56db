#pragma once
// What both sides of a hand-over do with its bytes, here and in every contender. Knows nothing of Baton.

#include <time.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <span>
#include <vector>

namespace bench {

inline constexpr std::size_t page_bytes = 4096;
// Of more than this only the first word of each page is touched, so that a round takes no longer than it must.
inline constexpr std::size_t touched_whole_max = std::size_t{64} << 20;

inline std::size_t stride_of(std::span<const std::uint64_t> words) {
    return words.size_bytes() > touched_whole_max ? page_bytes / sizeof(std::uint64_t) : 1;
}
inline void fill(std::span<std::uint64_t> words, std::uint64_t value) {
    const std::size_t stride = stride_of(words);
    if (stride == 1) return static_cast<void>(std::ranges::fill(words, value));
    for (std::size_t index = 0; index < words.size(); index += stride) words[index] = value;
}
inline std::uint64_t sum(std::span<const std::uint64_t> words) {
    const std::size_t stride = stride_of(words);
    std::uint64_t total = 0;
    if (stride == 1) {
        for (const std::uint64_t word : words) total += word;
    } else {
        for (std::size_t index = 0; index < words.size(); index += stride) total += words[index];
    }
    return total;
}
// What sum() makes of what fill() has left.
inline std::uint64_t sum_of_filled(std::span<const std::uint64_t> words, std::uint64_t value) {
    const std::size_t stride = stride_of(words);
    return (words.size() + stride - 1) / stride * value;
}

// CLOCK_MONOTONIC, which all processes of a machine share.
inline std::int64_t nanoseconds_now() {
    timespec now{};
    ::clock_gettime(CLOCK_MONOTONIC, &now);
    return std::int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}
inline double microseconds_since(std::int64_t start) { return static_cast<double>(nanoseconds_now() - start) / 1000; }

inline void print_microseconds(std::vector<double> microseconds) {
    std::ranges::sort(microseconds);
    const std::size_t count = microseconds.size();
    std::printf("{\"median_us\":%.3f,\"p99_us\":%.3f,\"count\":%zu}\n", microseconds[count / 2],
                microseconds[count * 99 / 100], count);
}

}  // namespace bench
