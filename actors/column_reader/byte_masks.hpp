#pragma once
// ByteMasks: which of 64 bytes of text are a given byte, as the bits of a word; bit 0 is the first byte.
//
// With SSE2, which every x86-64 has, four compares answer for 64 bytes; elsewhere PortableByteMasks does the same
// eight bytes at a time. Plain values, any thread.

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

namespace column_reader {

inline constexpr std::size_t mask_bytes = 64;  // what one object looks at

// The lowest `count` bits, less than 64.
[[nodiscard]] constexpr std::uint64_t first_bits(std::size_t count) noexcept { return (std::uint64_t{1} << count) - 1; }

class PortableByteMasks {
public:
    // Reads mask_bytes from `text`.
    explicit PortableByteMasks(const char* text) noexcept {
        std::memcpy(words_.data(), text, mask_bytes);
        if constexpr (std::endian::native == std::endian::big)
            for (std::uint64_t& word : words_) word = __builtin_bswap64(word);
    }

    [[nodiscard]] std::uint64_t equal(char wanted) const noexcept {
        constexpr std::uint64_t low_bits = 0x7f7f7f7f7f7f7f7f;
        const std::uint64_t pattern = std::uint64_t{0x0101010101010101} * static_cast<unsigned char>(wanted);
        return gathered([&](std::uint64_t word) {
            const std::uint64_t difference = word ^ pattern;
            return ~(((difference & low_bits) + low_bits) | difference | low_bits);
        });
    }
    [[nodiscard]] std::uint64_t not_ascii() const noexcept {
        return gathered([](std::uint64_t word) { return word & 0x8080808080808080; });
    }

private:
    // `high_bits` makes of eight bytes a word with the answer in the high bit of each.
    template <class HighBits>
    [[nodiscard]] std::uint64_t gathered(HighBits high_bits) const noexcept {
        std::uint64_t mask = 0;
        for (std::size_t i = 0; i < words_.size(); ++i)
            mask |= ((high_bits(words_[i]) >> 7) * 0x0102040810204080 >> 56) << (8 * i);
        return mask;
    }
    std::array<std::uint64_t, 8> words_;
};

#ifdef __SSE2__
class Sse2ByteMasks {
public:
    // Reads mask_bytes from `text`.
    explicit Sse2ByteMasks(const char* text) noexcept {
        for (std::size_t i = 0; i < quarters_.size(); ++i)
            quarters_[i].bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(text + 16 * i));
    }

    [[nodiscard]] std::uint64_t equal(char wanted) const noexcept {
        const __m128i pattern = _mm_set1_epi8(wanted);
        return gathered([&](__m128i bytes) { return _mm_cmpeq_epi8(bytes, pattern); });
    }
    [[nodiscard]] std::uint64_t not_ascii() const noexcept {
        return gathered([](__m128i bytes) { return bytes; });
    }

private:
    template <class HighBits>
    [[nodiscard]] std::uint64_t gathered(HighBits high_bits) const noexcept {
        std::uint64_t mask = 0;
        for (std::size_t i = 0; i < quarters_.size(); ++i)
            mask |= std::uint64_t{static_cast<unsigned>(_mm_movemask_epi8(high_bits(quarters_[i].bytes)))} << (16 * i);
        return mask;
    }
    struct Quarter {  // std::array<__m128i> would lose the attributes of the type
        __m128i bytes;
    };
    std::array<Quarter, 4> quarters_;
};
using ByteMasks = Sse2ByteMasks;
#else
using ByteMasks = PortableByteMasks;
#endif

}  // namespace column_reader
