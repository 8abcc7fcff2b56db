#include "runtime/process/output.hpp"

#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <iostream>

#include "runtime/base/held_signals.hpp"
#include "runtime/base/say.hpp"

namespace baton::detail {
namespace {

std::atomic<int> failed_with_{0};  // the errno of the first text of ours that was not taken

bool reader_has_gone() {
    pollfd polled{STDOUT_FILENO, POLLOUT, 0};
    return ::poll(&polled, 1, 0) == 1 && (polled.revents & (POLLERR | POLLHUP)) != 0;
}

}  // namespace

std::optional<LostOutput> finish_output() noexcept {
    const HeldSignals held;
    errno = 0;
    bool is_lost = std::ferror(stdout) != 0;
    int code = 0;
    // Before std::cout, which flushes it too and does not say why it could not.
    if (std::fflush(stdout) != 0) {
        code = errno;
        is_lost = true;
    }
    is_lost = !std::cout.flush() || is_lost;
    // Some file systems tell only at the end that they have not kept what they took.
    if (const int copy = ::dup(STDOUT_FILENO); copy >= 0 && ::close(copy) != 0 && errno != EINTR) {
        code = errno;
        is_lost = true;
    }
    if (!is_lost) return std::nullopt;
    if (code == 0) code = failed_with_;
    if (code == EPIPE || (code == 0 && reader_has_gone())) return LostOutput{exit_reader_gone, {}};
    return LostOutput{exit_output_lost, fmt::format("cannot write all of the output: {}",
                                                    code == 0 ? "an earlier write failed" : std::strerror(code))};
}

int code_with_output(std::string_view program, int code) noexcept {
    const std::optional<LostOutput> lost = finish_output();
    if (!lost) return code;
    if (!lost->why.empty()) say(fmt::format("{}: {}\n", program, lost->why));
    return lost->exit_code;
}

void print_output(std::string_view text) noexcept {
    const HeldSignals held;
    errno = 0;
    const bool is_taken = std::fwrite(text.data(), 1, text.size(), stdout) == text.size() && std::fflush(stdout) == 0;
    if (!is_taken && failed_with_ == 0) failed_with_ = errno;
}

}  // namespace baton::detail
