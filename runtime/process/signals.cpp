#include "runtime/process/signals.hpp"

#include "runtime/base/check.hpp"
#include "runtime/process/system_error.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>

namespace baton::detail {
namespace {

constexpr std::array stop_signals{SIGINT, SIGTERM, SIGHUP};
constexpr int exit_code_of_interrupt = 128 + SIGINT;

// A handler has no other way to find anything; hence one StopSignals at a time.
std::atomic<bool> is_installed_{false};
std::atomic<bool> second_exits_now_{false};
std::atomic<int> doorbell_{-1};
std::atomic<int> count_{0};
std::atomic<int> interrupts_{0};
static_assert(std::atomic<int>::is_always_lock_free && std::atomic<bool>::is_always_lock_free);

extern "C" void on_stop_signal(int signal) {
    if (signal == SIGINT && interrupts_.fetch_add(1) >= 1 && second_exits_now_) ::_exit(exit_code_of_interrupt);
    const int errno_before = errno;
    count_.fetch_add(1);
    // A full pipe is readable already, so a lost byte loses nothing but its number.
    const auto byte = static_cast<unsigned char>(signal);
    [[maybe_unused]] const auto written = ::write(doorbell_, &byte, 1);
    errno = errno_before;
}

}  // namespace

Result<StopSignals> StopSignals::install(Second second) {
    check(!is_installed_.exchange(true), "one StopSignals lives at a time");
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC | O_NONBLOCK) != 0) {
        const int code = errno;
        is_installed_ = false;
        return system_error(code, "cannot make a pipe to catch SIGINT, SIGTERM and SIGHUP");
    }
    StopSignals signals{UniqueFd{ends[0]}, UniqueFd{ends[1]}};

    count_ = 0;
    interrupts_ = 0;
    second_exits_now_ = second == Second::exits_now;
    doorbell_ = signals.write_end_.get();
    struct sigaction action {};
    action.sa_handler = on_stop_signal;
    action.sa_flags = SA_RESTART;
    for (const int signal : stop_signals) sigaddset(&action.sa_mask, signal);
    for (std::size_t index = 0; index < stop_signals.size(); ++index) {
        struct sigaction& before = signals.before_[index];
        check(::sigaction(stop_signals[index], nullptr, &before) == 0, "a stop signal can be looked at");
        if (stop_signals[index] == SIGHUP && before.sa_handler == SIG_IGN) continue;
        check(::sigaction(stop_signals[index], &action, nullptr) == 0, "a stop signal can be caught");
    }
    return signals;
}

StopSignals::~StopSignals() {
    if (!read_end_.is_open()) return;  // moved from
    for (std::size_t index = 0; index < stop_signals.size(); ++index)
        ::sigaction(stop_signals[index], &before_[index], nullptr);
    doorbell_ = -1;
    is_installed_ = false;
}

int StopSignals::count() const noexcept { return count_; }

int StopSignals::take() noexcept {
    int latest = 0;
    std::array<unsigned char, 64> bytes{};
    for (;;) {
        const ssize_t size = ::read(read_end_.get(), bytes.data(), bytes.size());
        if (size < 0 && errno == EINTR) continue;
        if (size <= 0) return latest;
        latest = bytes[static_cast<std::size_t>(size) - 1];
    }
}

}  // namespace baton::detail
