#pragma once
// Spin: whether a look at the lanes, again and again for some microseconds, is worth it before a member sleeps.
//
// To wake a sleeper costs tens of microseconds, so it pays where answers come at once, and only there. It is tried if
// the last wait was short and is not long ago, as otherwise the others sleep, too; for no longer than four times what
// those in time took. After each spin in vain it is tried less often, down to once in 64 waits. Never by who was idle,
// may use one CPU only, or shares the machine with more threads that want to run than there are CPUs: there it would
// take the time from the one that is waited for. One thread.

#include <atomic>
#include <cstdint>

#include <baton/time.hpp>
#include <baton/unique_fd.hpp>

namespace baton::detail {

class Spin {
public:
    using Clock = std::chrono::steady_clock;
    static constexpr Duration usual_bound = std::chrono::microseconds{20};

    // Never longer than `bound` at a time; zero: never. In `counted`, which outlives it, all of it is added up in
    // nanoseconds.
    explicit Spin(Duration bound = usual_bound, std::atomic<std::uint64_t>* counted = nullptr);

    // In a wait that began at `start`, a moment ago: looks until `has_news` or its time is over; true if there is news.
    template <class HasNews>
    [[nodiscard]] bool look(Instant start, const HasNews& has_news) {
        const Duration most = allowance(start);
        if (most <= Duration::zero()) return false;
        bool is_there = false;
        Instant now = start;
        while (!is_there && now - start < most) {
            relax();
            is_there = has_news();
            now = Clock::now();
        }
        note_spin(is_there, now - start);
        return is_there;
    }
    // How long a wait for news took, with the spin before it.
    void note_wait(Instant start, Instant end) noexcept {
        short_wait_ended_ = end - start <= idle_after ? end : Instant{};
    }
    // All time that was spent on looking, ever.
    [[nodiscard]] Duration spent() const noexcept { return spent_; }

private:
    [[nodiscard]] Duration allowance(Instant now);
    void note_spin(bool was_worth_it, Duration took) noexcept;
    [[nodiscard]] bool is_machine_busy(Instant now);
    static void relax() noexcept;

    // Who waited longer was idle; whose last wait is longer ago finds the others asleep.
    static constexpr Duration idle_after = std::chrono::microseconds{300};
    static constexpr unsigned skips_max = 64;

    Duration bound_;
    std::atomic<std::uint64_t>* counted_;
    unsigned cpus_ = 1;                // that this process may use
    unsigned online_ = 1;              // of the machine
    UniqueFd load_;                    // /proc/loadavg
    Instant next_load_look_{};
    bool is_busy_ = false;
    Instant short_wait_ended_{};             // the last wait, if it was one
    Duration usual_hit_ = Duration::zero();  // what spins that were worth it took, smoothed
    unsigned skips_ = 0;               // waits in which it is not tried
    unsigned next_skips_ = 1;          // after the next one in vain
    Duration spent_ = Duration::zero();
};

}  // namespace baton::detail
