#include <baton/sync/array.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

namespace baton::detail {

namespace {

// Eight bytes at a time where they are aligned, since a text may be long. Relaxed, as std::atomic_ref would be, but
// without a call for each in builds that are not optimised.
constexpr std::size_t word_bytes = sizeof(std::uint64_t);

std::uint64_t load_word(const char* place) {
    return __atomic_load_n(reinterpret_cast<const std::uint64_t*>(place), __ATOMIC_RELAXED);
}
void store_word(char* place, std::uint64_t word) {
    __atomic_store_n(reinterpret_cast<std::uint64_t*>(place), word, __ATOMIC_RELAXED);
}
char load_byte(const char* place) { return __atomic_load_n(place, __ATOMIC_RELAXED); }
void store_byte(char* place, char byte) { __atomic_store_n(place, byte, __ATOMIC_RELAXED); }

// How many of `bytes` bytes are before the first word.
std::size_t head_of(const char* place, std::size_t bytes) {
    return std::min(bytes, (word_bytes - reinterpret_cast<std::uintptr_t>(place) % word_bytes) % word_bytes);
}

constexpr bool has_zero(std::uint64_t word) {
    return ((word - 0x0101010101010101U) & ~word & 0x8080808080808080U) != 0;
}

// All of them, or up to the word that has the first zero.
enum class Until { zero, end };
std::string read(std::span<const char> bytes, Until until) {
    std::string all(bytes.size(), '\0');
    const char* from = bytes.data();
    char* to = all.data();
    const char* const end = from + bytes.size();
    const char* const words = from + head_of(from, bytes.size());
    for (; from < words; ++from, ++to) *to = load_byte(from);
    for (; from + word_bytes <= end; from += word_bytes, to += word_bytes) {
        const std::uint64_t word = load_word(from);
        std::memcpy(to, &word, word_bytes);
        if (until == Until::zero && has_zero(word)) return all;
    }
    for (; from < end; ++from, ++to) *to = load_byte(from);
    return all;
}

}  // namespace

std::string read_text(std::span<const char> bytes) {
    std::string all = read(bytes, Until::zero);
    if (const std::size_t end = all.find('\0'); end != std::string::npos) all.resize(end);
    return all;
}

std::string read_bytes(std::span<const char> bytes) { return read(bytes, Until::end); }

Result<void> write_text(std::span<char> bytes, std::string_view text, const std::string& array) {
    if (text.size() > bytes.size())
        return Error{ErrorKind::refused, fmt::format("a text of {} bytes is too long for array '{}', which holds {}",
                                                     text.size(), array, bytes.size())};
    const char* from = text.data();
    char* to = bytes.data();
    const char* const end = from + text.size();
    for (const char* const words = from + head_of(to, text.size()); from < words; ++from, ++to) store_byte(to, *from);
    for (; from + word_bytes <= end; from += word_bytes, to += word_bytes) {
        std::uint64_t word = 0;
        std::memcpy(&word, from, word_bytes);
        store_word(to, word);
    }
    for (; from < end; ++from, ++to) store_byte(to, *from);
    if (text.size() < bytes.size()) store_byte(&bytes[text.size()], '\0');
    return {};
}

void throw_no_element(const std::string& array, std::size_t size, std::uint64_t index) {
    throw ErrorException(
        Error{ErrorKind::refused, fmt::format("array '{}' has {} elements and no [{}]", array, size, index)});
}

void throw_without_lock(const std::string& array) {
    throw ErrorException(
        Error{ErrorKind::refused, fmt::format("array '{}' is used as a whole without its lock", array)});
}

}  // namespace baton::detail
