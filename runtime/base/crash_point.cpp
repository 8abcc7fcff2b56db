#include "runtime/base/crash_point.hpp"

#ifdef BATON_CRASH_POINTS

#include <signal.h>
#include <unistd.h>

#include <charconv>
#include <cstdint>
#include <cstdlib>

namespace baton::detail {
namespace {

// What BATON_CRASH_AT asks for: "name", "name:nth" or "name:nth:freeze"; and "@N" behind it for the coordinator that is
// number N of its session.
struct Order {
    std::size_t point = crash_point_count;
    int passings_left = 1;
    int signal = SIGKILL;
    std::uint64_t generation = 1;
};

std::uint64_t generation_ = 0;  // of this coordinator; 0: it is none
CrashHook hook_ = nullptr;

Order read_order() noexcept {
    Order order;
    const char* variable = std::getenv("BATON_CRASH_AT");
    if (variable == nullptr) return order;
    std::string_view text = variable;
    if (const std::size_t at = text.find('@'); at != std::string_view::npos) {
        std::from_chars(text.data() + at + 1, text.data() + text.size(), order.generation);
        text = text.substr(0, at);
    }
    if (generation_ != 0 && generation_ != order.generation) return order;
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

void be_crash_generation(std::uint64_t generation) noexcept { generation_ = generation; }

void hook_crash_points(CrashHook hook) noexcept { hook_ = hook; }

void pass_crash_point(CrashPoint point) noexcept {
    if (hook_ != nullptr) return hook_(point);
    static Order order = read_order();
    if (static_cast<std::size_t>(point) == order.point && --order.passings_left == 0) ::kill(::getpid(), order.signal);
}

}  // namespace baton::detail

#endif
