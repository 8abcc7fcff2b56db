#pragma once
// StopSignals: turns SIGINT, SIGTERM and SIGHUP into something that can be polled.
//
// While it lives they are caught, even if a shell had them ignored; its end restores what was there before. An ignored
// SIGHUP stays ignored: that is what `nohup` asks for. It stops nothing by itself, apart from the one case below; the
// code that polls it decides. process/birth.hpp decides what other signals do.
//
// The handler touches lock-free atomics and write(2) only. Invariant: a process has at most one at a time.
//
// Thread rule: made, asked and ended by one thread; the signals may arrive on any thread, so other threads
// must have ended or blocked them before it ends.

#include <baton/unique_fd.hpp>
#include <baton/result.hpp>

#include <array>
#include <csignal>

namespace baton::detail {

class StopSignals {
public:
    // What the second SIGINT does. `exits_now` is for people who press Ctrl-C again because the stop takes
    // them too long: the handler leaves with _exit(130), nothing is cleaned up and the next start sweeps.
    enum class Second { exits_now, is_counted };

    // `overloaded` if there are no descriptors left. check()s that there is no other one.
    [[nodiscard]] static Result<StopSignals> install(Second second);

    StopSignals(StopSignals&&) noexcept = default;
    StopSignals& operator=(StopSignals&&) = delete;
    ~StopSignals();

    // Readable from a signal until take().
    [[nodiscard]] int fd() const noexcept { return read_end_.get(); }
    // How many signals have arrived since install(), of all kinds.
    [[nodiscard]] int count() const noexcept;
    // Makes fd() unreadable and returns the number of the latest signal since the last take(), 0 for none.
    [[nodiscard]] int take() noexcept;

private:
    StopSignals(UniqueFd read_end, UniqueFd write_end) noexcept
        : read_end_(std::move(read_end)), write_end_(std::move(write_end)) {}

    UniqueFd read_end_;
    UniqueFd write_end_;
    std::array<struct sigaction, 3> before_{};
};

}  // namespace baton::detail
