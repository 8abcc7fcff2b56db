#include <baton/time.hpp>

#include <time.h>

namespace baton::detail {

// The same clock as steady_clock, as of the kernel's last tick.
Instant SystemClock::rough_now() const {
    timespec at{};
    if (::clock_gettime(CLOCK_MONOTONIC_COARSE, &at) != 0) return now();
    return Instant{std::chrono::seconds{at.tv_sec} + std::chrono::nanoseconds{at.tv_nsec}};
}

}  // namespace baton::detail
