#pragma once
// Polling: one ppoll() for at most a Duration. No state.

#include <poll.h>

#include <vector>

#include <baton/time.hpp>

namespace baton::detail {

// As poll(2): how many of them have events, 0 after `at_most`, negative if a signal or an error ended it. A year or
// more is for ever.
[[nodiscard]] inline int poll_for(std::vector<pollfd>& polled, Duration at_most) noexcept {
    if (at_most >= std::chrono::hours{24 * 365}) return ::ppoll(polled.data(), polled.size(), nullptr, nullptr);
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(at_most);
    const timespec limit{seconds.count(), (at_most - seconds).count()};
    return ::ppoll(polled.data(), polled.size(), &limit, nullptr);
}

}  // namespace baton::detail
