#include "tools/baton/figures.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>

namespace baton::tool {

std::string grouped(std::uint64_t number) {
    std::string digits = std::to_string(number);
    for (std::size_t at = digits.size(); at > 3;) digits.insert(at -= 3, ",");
    return digits;
}

std::string age_text(Duration age) {
    const double seconds = std::chrono::duration<double>(age).count();
    if (seconds < 60) return fmt::format("{:.1f} s", std::max(seconds, 0.0));
    if (seconds < 3600) return fmt::format("{:.0f} min", seconds / 60);
    return fmt::format("{:.1f} h", seconds / 3600);
}

std::string bytes_text(std::uint64_t bytes) {
    constexpr std::array<std::string_view, 5> units{"B", "KiB", "MiB", "GiB", "TiB"};
    double number = static_cast<double>(bytes);
    std::size_t unit = 0;
    for (; number >= 1000 && unit + 1 < units.size(); ++unit) number /= 1024;
    return unit == 0 ? fmt::format("{} B", bytes) : fmt::format("{:.1f} {}", number, units[unit]);
}

}  // namespace baton::tool
