#pragma once
// HeldSignals: while it lives, a write or a truncation of this thread that fails is an errno and not a signal.
//
// A write to a pipe without a reader raises SIGPIPE, and growing a file beyond RLIMIT_FSIZE raises SIGXFSZ; both end a
// process that has not said otherwise. Programs of ours say otherwise (process/birth.hpp); a library must not, so it
// holds the two back around the calls that can raise them, and takes away those that came.
//
// Thread rule: made and ended by one thread; it concerns no other.

#include <array>
#include <csignal>

namespace baton::detail {

class HeldSignals {
public:
    HeldSignals() noexcept;
    HeldSignals(const HeldSignals&) = delete;
    HeldSignals& operator=(const HeldSignals&) = delete;
    ~HeldSignals();

private:
    static constexpr std::array signals{SIGPIPE, SIGXFSZ};
    sigset_t mask_before_{};
    sigset_t pending_before_{};
};

}  // namespace baton::detail
