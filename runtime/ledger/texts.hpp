#pragma once
// Texts: text in words of atomics. Any process of the session may write there while another reads. Pure functions.
//
// A reader that sees any of it and then looks at the word of its row sees that word as it was when this was written, or
// later: what a row says is stored `releasing` and loaded `acquiring`.

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace baton::detail {

inline constexpr auto releasing = std::memory_order_release;
inline constexpr auto acquiring = std::memory_order_acquire;

// What does not fit is left out.
template <std::size_t words>
void store_text(std::atomic<std::uint64_t> (&out)[words], std::string_view text) noexcept {
    std::array<std::uint64_t, words> copy{};
    std::memcpy(copy.data(), text.data(), std::min(text.size(), words * sizeof(std::uint64_t)));
    for (std::size_t index = 0; index < words; ++index) out[index].store(copy[index], releasing);
}
template <std::size_t words>
[[nodiscard]] std::string load_text(const std::atomic<std::uint64_t> (&from)[words], std::uint64_t bytes) {
    std::array<std::uint64_t, words> copy{};
    for (std::size_t index = 0; index < words; ++index) copy[index] = from[index].load(acquiring);
    std::string text(reinterpret_cast<const char*>(copy.data()), sizeof copy);
    text.resize(std::min<std::uint64_t>(bytes, sizeof copy));
    return text;
}

}  // namespace baton::detail
