#pragma once
// Where text stops being UTF-8 (no overlong forms, no surrogates). Pure, any thread.

#include <cstddef>
#include <string_view>

namespace column_reader {

// The offset of the first byte that does not belong, or std::string_view::npos.
[[nodiscard]] std::size_t find_not_utf8(std::string_view text);

}  // namespace column_reader
