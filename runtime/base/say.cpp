#include "runtime/base/say.hpp"

#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstdio>

#include "runtime/base/held_signals.hpp"
#include <baton/unique_fd.hpp>
#include <baton/limits.hpp>

namespace baton::detail {
namespace {

// Of the process, as stderr is: the next text that is written tells of those before it.
std::atomic<std::uint64_t> unsaid_{0};
std::atomic<bool> is_full_{false};        // the last text found no room: the next does not wait for it again
std::atomic<bool> line_is_open_{false};   // a text was cut in its middle
std::atomic<bool> is_silent_{false};

// stderr for one text. Pipes and terminals block who writes to them when nobody reads, and O_NONBLOCK would be set for
// everybody who shares the open file; so it is opened once more, which gives an open file with flags of its own.
class Stderr {
public:
    Stderr() noexcept {
        struct stat facts {};
        if (::fstat(STDERR_FILENO, &facts) != 0) return;
        is_open_ = true;
        is_socket_ = S_ISSOCK(facts.st_mode);
        is_pipe_ = S_ISFIFO(facts.st_mode);
        may_block_ = is_pipe_ || (S_ISCHR(facts.st_mode) && ::isatty(STDERR_FILENO) == 1);
        if (!may_block_) return;
        own_ = UniqueFd{::open("/proc/self/fd/2", O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC)};
        // A pipe without a reader can't be opened. Anything else (no descriptor left, another user's terminal) leaves
        // the shared one, which is asked before each write.
        if (!own_.is_open() && errno == ENXIO) is_open_ = false;
    }

    // False if not all of it could be written by then.
    bool write(std::string_view text, std::chrono::steady_clock::time_point until) const noexcept {
        if (!is_open_) return false;
        while (!text.empty()) {
            if (may_block_ && !own_.is_open() && !has_room(until)) return false;
            const ssize_t size = write_some(is_pipe_ ? text.substr(0, PIPE_BUF) : text);
            if (size > 0) {
                text.remove_prefix(static_cast<std::size_t>(size));
                line_is_open_ = !text.empty();
            } else if (size == 0 || (errno != EINTR && (errno != EAGAIN || !has_room(until)))) {
                return false;
            }
        }
        return true;
    }

private:
    ssize_t write_some(std::string_view text) const noexcept {
        if (is_socket_) return ::send(STDERR_FILENO, text.data(), text.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
        return ::write(own_.is_open() ? own_.get() : STDERR_FILENO, text.data(), text.size());
    }
    bool has_room(std::chrono::steady_clock::time_point until) const noexcept {
        for (;;) {
            const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - std::chrono::steady_clock::now());
            pollfd polled{own_.is_open() ? own_.get() : STDERR_FILENO, POLLOUT, 0};
            const int ready = ::poll(&polled, 1, static_cast<int>(std::max<std::int64_t>(left.count(), 0)));
            if (ready > 0) return true;  // with an error, perhaps, which the write tells
            if (ready == 0 || errno != EINTR) return false;
        }
    }

    UniqueFd own_;
    bool is_open_ = false;
    bool is_socket_ = false;
    bool is_pipe_ = false;
    bool may_block_ = false;
};

}  // namespace

void say(std::string_view text) noexcept {
    if (is_silent_ || text.empty()) return;
    const int errno_before = errno;
    {
        const HeldSignals held;
        const Stderr out;
        const auto until =
            std::chrono::steady_clock::now() + (is_full_ ? std::chrono::milliseconds{0} : limits::say_wait);
        bool is_written = true;
        if (const std::uint64_t count = unsaid_; count > 0) {
            char note[96];
            const int length = std::snprintf(note, sizeof note, "%s(%llu earlier text%s could not be written here)\n",
                                             line_is_open_ ? "\n" : "", static_cast<unsigned long long>(count),
                                             count == 1 ? "" : "s");
            is_written = out.write({note, static_cast<std::size_t>(length)}, until);
            if (is_written) unsaid_ -= count;
        }
        is_written = is_written && out.write(text, until);
        is_full_ = !is_written;
        if (!is_written) ++unsaid_;
    }
    errno = errno_before;
}

void say_nothing() noexcept { is_silent_ = true; }

std::uint64_t unsaid() noexcept { return unsaid_; }

}  // namespace baton::detail
