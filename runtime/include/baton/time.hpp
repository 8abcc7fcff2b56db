#pragma once
// Time: Duration says how long, Deadline says when a wait ends; every wait in Baton takes one of them (Within).
//
// A Duration is a length of time, a Deadline is a point in time; every wait in Baton takes one of the two. A Timestamp
// is wall-clock time and may be a field of a command. Thread rule: SystemClock may be shared, ManualClock belongs to
// one thread.

#include <baton/limits.hpp>

#include <chrono>
#include <cstdint>
#include <limits>
#include <optional>
#include <type_traits>

namespace baton {

using Duration = std::chrono::nanoseconds;
using Instant = std::chrono::time_point<std::chrono::steady_clock, Duration>;
using Timestamp = std::chrono::time_point<std::chrono::system_clock, std::chrono::nanoseconds>;

namespace detail {

// How far from 1970 a Timestamp may be, on either side: as far as nanoseconds in 64 bits reach, about 292 years.
inline constexpr std::chrono::seconds timestamp_max{std::numeric_limits<std::int64_t>::max() / 1'000'000'000 - 1};

// The only way the runtime learns the time, so that a test can hold it still. SystemClock may be shared by threads,
// ManualClock belongs to one.
class Clock {
public:
    virtual ~Clock() = default;
    [[nodiscard]] virtual Instant now() const = 0;
    // A few milliseconds ago at most, and much cheaper.
    [[nodiscard]] virtual Instant rough_now() const { return now(); }
};

class SystemClock final : public Clock {
public:
    [[nodiscard]] Instant now() const override { return std::chrono::steady_clock::now(); }
    [[nodiscard]] Instant rough_now() const override;
};

class ManualClock final : public Clock {
public:
    [[nodiscard]] Instant now() const override { return now_; }
    void advance(Duration by) { now_ += by; }

private:
    Instant now_{std::chrono::hours{1}};
};

}  // namespace detail

// A point in time at which a wait ends.
class Deadline {
public:
    Deadline() = default;  // never
    explicit Deadline(Instant at) : at_(at) {}
    [[nodiscard]] static Deadline never() { return Deadline{}; }
    // Saturates: a duration beyond the clock's range means never.
    [[nodiscard]] static Deadline in(Instant now, Duration duration) {
        if (duration >= Instant::max() - now) return never();
        return Deadline{now + duration};
    }
    [[nodiscard]] static Deadline in(const detail::Clock& clock, Duration duration) {
        return in(clock.now(), duration);
    }

    [[nodiscard]] bool is_never() const { return at_ == Instant::max(); }
    [[nodiscard]] bool has_passed(Instant now) const { return !is_never() && now >= at_; }
    [[nodiscard]] bool has_passed(const detail::Clock& clock) const { return !is_never() && has_passed(clock.now()); }
    [[nodiscard]] Instant at() const { return at_; }
    // The time that is left: zero if the deadline has passed, Duration::max() if it is never.
    [[nodiscard]] Duration left(Instant now) const {
        if (is_never()) return Duration::max();
        return now >= at_ ? Duration::zero() : at_ - now;
    }
    [[nodiscard]] Duration left(const detail::Clock& clock) const {
        return is_never() ? Duration::max() : left(clock.now());
    }
    [[nodiscard]] Deadline or_earlier(Deadline other) const { return other.at_ < at_ ? other : *this; }

private:
    Instant at_ = Instant::max();
};

// How long a wait may last: a timeout, which is a length of time from now on, or a deadline.
class Within {
public:
    template <class Rep, class Period>
    Within(std::chrono::duration<Rep, Period> timeout) : timeout_(saturated(timeout)) {}  // NOLINT: implicit by design
    Within(Deadline deadline) : deadline_(deadline) {}                                    // NOLINT

    [[nodiscard]] Deadline deadline(const detail::Clock& clock) const {
        return timeout_ ? Deadline::in(clock, *timeout_) : deadline_;
    }
    // As it was given; of a deadline, what is left until it.
    [[nodiscard]] Duration timeout(const detail::Clock& clock) const {
        return timeout_ ? *timeout_ : deadline_.left(clock);
    }

private:
    template <class Rep, class Period>
    [[nodiscard]] static Duration saturated(std::chrono::duration<Rep, Period> length) {
        if constexpr (std::is_same_v<std::chrono::duration<Rep, Period>, Duration>) return length;
        const auto wide = std::chrono::duration_cast<std::chrono::duration<long double, std::nano>>(length);
        if (wide.count() >= 9.2e18L) return Duration::max();
        if (!(wide.count() > 0)) return Duration::zero();
        return std::chrono::duration_cast<Duration>(length);
    }
    std::optional<Duration> timeout_;
    Deadline deadline_;
};

}  // namespace baton
