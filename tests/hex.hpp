#pragma once
// Bytes as a person reads them in a test: "93 01 a1 78" and back. Blanks are free.

#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>

namespace baton_test {

inline std::string to_hex(std::string_view bytes) {
    static constexpr char digits[] = "0123456789abcdef";
    std::string text;
    for (const char byte : bytes) {
        text += digits[static_cast<unsigned char>(byte) >> 4];
        text += digits[static_cast<unsigned char>(byte) & 15];
    }
    return text;
}

inline std::string from_hex(std::string_view text) {
    std::string bytes;
    int high = -1;
    for (const char digit : text) {
        if (digit == ' ' || digit == '\n') continue;
        const std::size_t value = std::string_view{"0123456789abcdef"}.find(digit);
        if (value == std::string_view::npos) throw std::invalid_argument("not hex: " + std::string(text));
        if (high < 0) {
            high = static_cast<int>(value);
        } else {
            bytes += static_cast<char>(high * 16 + static_cast<int>(value));
            high = -1;
        }
    }
    if (high >= 0) throw std::invalid_argument("half a byte: " + std::string(text));
    return bytes;
}

// Without blanks, for comparing.
inline std::string hex(std::string_view text) { return to_hex(from_hex(text)); }

}  // namespace baton_test
