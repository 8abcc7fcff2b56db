#include "runtime/lanes/spin.hpp"

#include <fcntl.h>
#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <string_view>

namespace baton::detail {
namespace {

// Even if what came before had come sooner.
constexpr Duration spin_min = std::chrono::microseconds{2};
constexpr Duration load_interval = std::chrono::milliseconds{1};

unsigned cpus_of_this_process() noexcept {
    cpu_set_t set;
    return ::sched_getaffinity(0, sizeof set, &set) == 0 ? static_cast<unsigned>(CPU_COUNT(&set)) : 1;
}

// Of "0.20 0.18 0.12 3/80 11206": 3.
unsigned runnable_in(std::string_view line) noexcept {
    const std::size_t slash = line.find('/');
    if (slash == std::string_view::npos) return 0;
    const std::size_t start = line.rfind(' ', slash) + 1;
    unsigned count = 0;
    std::from_chars(line.data() + start, line.data() + slash, count);
    return count;
}

}  // namespace

Spin::Spin(Duration bound, std::atomic<std::uint64_t>* counted) : bound_(bound), counted_(counted) {
    if (bound_ <= Duration::zero()) return;
    cpus_ = cpus_of_this_process();
    online_ = static_cast<unsigned>(std::max(::sysconf(_SC_NPROCESSORS_ONLN), 1L));
    if (cpus_ > 1) load_ = UniqueFd{::open("/proc/loadavg", O_RDONLY | O_CLOEXEC)};
}

Duration Spin::allowance(Instant now) {
    if (bound_ <= Duration::zero() || cpus_ <= 1 || now - short_wait_ended_ > idle_after) return Duration::zero();
    if (skips_ > 0) {
        --skips_;
        return Duration::zero();
    }
    if (is_machine_busy(now)) return Duration::zero();
    if (usual_hit_ == Duration::zero()) return bound_;
    return std::min(bound_, std::max<Duration>(spin_min, 4 * usual_hit_));
}

void Spin::note_spin(bool was_worth_it, Duration took) noexcept {
    spent_ += took;
    if (counted_ != nullptr) counted_->store(static_cast<std::uint64_t>(spent_.count()), std::memory_order_relaxed);
    if (was_worth_it) {
        usual_hit_ = usual_hit_ == Duration::zero() ? took : (7 * usual_hit_ + took) / 8;
        next_skips_ = 1;
        return;
    }
    usual_hit_ = Duration::zero();
    skips_ = next_skips_;
    next_skips_ = std::min(2 * next_skips_, skips_max);
}

bool Spin::is_machine_busy(Instant now) {
    if (now < next_load_look_) return is_busy_;
    next_load_look_ = now + load_interval;
    char line[128];
    const ssize_t size = load_.is_open() ? ::pread(load_.get(), line, sizeof line, 0) : -1;
    is_busy_ = size > 0 && runnable_in({line, static_cast<std::size_t>(size)}) > online_;
    return is_busy_;
}

void Spin::relax() noexcept {
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    asm volatile("yield");
#endif
}

}  // namespace baton::detail
