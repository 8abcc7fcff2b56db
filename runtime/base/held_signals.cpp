#include "runtime/base/held_signals.hpp"

#include <cerrno>
#include <ctime>

namespace baton::detail {

HeldSignals::HeldSignals() noexcept {
    ::sigpending(&pending_before_);
    sigset_t held;
    sigemptyset(&held);
    for (const int signal : signals) sigaddset(&held, signal);
    ::pthread_sigmask(SIG_BLOCK, &held, &mask_before_);
}

HeldSignals::~HeldSignals() {
    const int errno_before = errno;
    for (const int signal : signals) {
        // One that was pending before is not ours to take.
        if (sigismember(&pending_before_, signal) == 1) continue;
        sigset_t one;
        sigemptyset(&one);
        sigaddset(&one, signal);
        constexpr timespec at_once{};
        while (::sigtimedwait(&one, nullptr, &at_once) < 0 && errno == EINTR) {
        }
    }
    ::pthread_sigmask(SIG_SETMASK, &mask_before_, nullptr);
    errno = errno_before;
}

}  // namespace baton::detail
