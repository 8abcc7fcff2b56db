#include "actors/column_reader/utf8.hpp"

#include <utf8.h>

#include <algorithm>

#include "actors/column_reader/byte_masks.hpp"

namespace column_reader {

std::size_t find_not_utf8(std::string_view text) {
    const auto is_ascii = [](char byte) { return static_cast<unsigned char>(byte) < 0x80; };
    const char* const end = text.data() + text.size();
    const char* at = text.data();
    while (at != end) {
        while (end - at >= static_cast<std::ptrdiff_t>(mask_bytes) && ByteMasks{at}.not_ascii() == 0) at += mask_bytes;
        at = std::find_if_not(at, end, is_ascii);
        // Bytes that are not ASCII stand together in whole characters.
        const char* const ascii = std::find_if(at, end, is_ascii);
        if (const char* const wrong = utf8::find_invalid(at, ascii); wrong != ascii)
            return static_cast<std::size_t>(wrong - text.data());
        at = ascii;
    }
    return std::string_view::npos;
}

}  // namespace column_reader
