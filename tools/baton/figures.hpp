#pragma once
// Figures as people read them. Pure functions.

#include <cstdint>
#include <string>

#include <baton/time.hpp>

namespace baton::tool {

// 1,234,567: people compare these by their length.
[[nodiscard]] std::string grouped(std::uint64_t number);
// "0.3 s", "12 min", "1.5 h".
[[nodiscard]] std::string age_text(Duration age);
// "512 B", "14.2 MiB".
[[nodiscard]] std::string bytes_text(std::uint64_t bytes);

}  // namespace baton::tool
