#include "runtime/base/crash_point.hpp"

#ifdef BATON_CRASH_POINTS

#include <signal.h>
#include <unistd.h>

#include <charconv>
#include <cstdlib>

namespace baton::detail {
namespace {

// What BATON_CRASH_AT asks for: "name", "name:nth" or "name:nth:freeze".
struct Order {
    std::size_t point = crash_point_count;
    int passings_left = 1;
    int signal = SIGKILL;
};

Order read_order() noexcept {
    Order order;
    const char* variable = std::getenv("BATON_CRASH_AT");
    if (variable == nullptr) return order;
    std::string_view text = variable;
    const std::string_view name = text.substr(0, text.find(':'));
    for (std::size_t index = 0; index < crash_point_count; ++index)
        if (crash_point_names[index] == name) order.point = index;
    if (name.size() == text.size()) return order;
    text.remove_prefix(name.size() + 1);
    std::from_chars(text.data(), text.data() + text.size(), order.passings_left);
    if (text.ends_with(":freeze")) order.signal = SIGSTOP;
    return order;
}

}  // namespace

void pass_crash_point(CrashPoint point) noexcept {
    static Order order = read_order();
    if (static_cast<std::size_t>(point) == order.point && --order.passings_left == 0) ::kill(::getpid(), order.signal);
}

}  // namespace baton::detail

#endif
