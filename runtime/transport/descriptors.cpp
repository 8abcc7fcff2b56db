#include "runtime/transport/descriptors.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <pthread.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <limits>
#include <mutex>
#include <vector>

#include "runtime/base/limit_behind.hpp"
#include <baton/unique_fd.hpp>
#include <baton/limits.hpp>
#include "runtime/transport/library_call.hpp"

namespace baton::detail {
namespace {

rlim_t soft_limit(__rlimit_resource what) {
    rlimit limit{};
    return ::getrlimit(what, &limit) == 0 ? limit.rlim_cur : RLIM_INFINITY;
}

int any_descriptor() { return ::open("/dev/null", O_RDONLY | O_CLOEXEC); }

// Only to be closed, when there is no other, for the time that it takes to accept a connection and to close it.
std::atomic<int> spare_{-1};
std::mutex spare_mutex_;

// How many of the numbers from `start` on this process may still open; it stops counting at `enough`.
std::size_t count_free_from(int start, std::size_t enough) {
    constexpr rlim_t looked_at_once = 256;
    const rlim_t end = std::min<rlim_t>(soft_limit(RLIMIT_NOFILE), std::numeric_limits<int>::max());
    std::array<pollfd, looked_at_once> looked{};
    std::size_t count = 0;
    for (auto next = static_cast<rlim_t>(start); count < enough && next < end;) {
        const rlim_t several = std::min({looked_at_once, end - next, static_cast<rlim_t>(enough - count) + 8});
        for (rlim_t index = 0; index < several; ++index)
            looked[index] = {static_cast<int>(next + index), 0, 0};
        if (::poll(looked.data(), several, 0) < 0) {
            if (errno == EINTR) continue;
            return count;
        }
        count += static_cast<std::size_t>(std::count_if(looked.begin(), looked.begin() + static_cast<int>(several),
                                                        [](const pollfd& one) { return one.revents == POLLNVAL; }));
        next += several;
    }
    return count;
}

constexpr timespec pause_without_descriptors{.tv_sec = 0, .tv_nsec = 2'000'000};

void turn_one_away(int listener) {
    const std::lock_guard lock{spare_mutex_};
    if (const int spare = spare_.exchange(-1); spare >= 0) ::close(spare);
    if (const int connection = ::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC); connection >= 0) {
        ::close(connection);
    } else {
        ::nanosleep(&pause_without_descriptors, nullptr);  // ZeroMQ asks again at once
    }
    spare_ = any_descriptor();
}

}  // namespace

// Defined where ZeroMQ is in this program itself and was linked to call the function below (zeromq_parts.cpp).
extern "C" const char baton_zeromq_is_inside __attribute__((weak));

// What libzmq calls for accept4(). ECONNABORTED is an answer that it knows: there is nothing to accept after all.
extern "C" int baton_accept4(int listener, sockaddr* address, socklen_t* size, int flags) {
    const int connection = ::accept4(listener, address, size, flags);
    if (connection < 0) {
        if (errno != EMFILE) return -1;
        turn_one_away(listener);
        errno = ECONNABORTED;
        return -1;
    }
    // Numbers are given from below, so one near the limit says that nearly all below are taken.
    const rlim_t limit = soft_limit(RLIMIT_NOFILE);
    const bool is_near_the_end = static_cast<rlim_t>(connection) + limits::descriptors_reserve >= limit;
    if (!is_near_the_end) return connection;
    ::close(connection);
    errno = ECONNABORTED;
    return -1;
}

Result<void> require_descriptors(int wanted, std::string_view tried) {
    // Numbers are given from below: from the first free one on, as many are counted that are not open. To open them all
    // would say the same for two system calls each.
    const auto missing = static_cast<std::size_t>(wanted + limits::descriptors_reserve);
    const UniqueFd first{any_descriptor()};
    const int error = first.is_open() ? EMFILE : errno;
    if (first.is_open() && count_free_from(first.get() + 1, missing - 1) + 1 >= missing) return {};
    return Error{ErrorKind::overloaded, fmt::format("{}: too few file descriptors are left, as {} are kept free{}",
                                                    tried, limits::descriptors_reserve, limit_behind(error))};
}

Result<void> require_threads(std::string_view tried) {
    // All of them at once, as ZeroMQ's are; they end when they get the lock.
    std::mutex gate;
    gate.lock();
    std::vector<pthread_t> threads;
    int code = 0;
    for (int index = 0; index < 2 && code == 0; ++index) {
        pthread_t thread{};
        code = ::pthread_create(
            &thread, nullptr,
            [](void* passed) -> void* {
                const std::lock_guard waits{*static_cast<std::mutex*>(passed)};
                return nullptr;
            },
            &gate);
        if (code == 0) threads.push_back(thread);
    }
    gate.unlock();
    for (const pthread_t thread : threads) ::pthread_join(thread, nullptr);
    if (code == 0) return {};
    return Error{ErrorKind::overloaded,
                 fmt::format("{}: no thread can be started: {}{}", tried, std::strerror(code), limit_behind(code))};
}

void hold_back_connections() {
    static std::once_flag once;
    std::call_once(once, [] {
        const bool is_redirected = &baton_zeromq_is_inside != nullptr ||
                                   replace_call("libzmq.so", "accept4", reinterpret_cast<void*>(&baton_accept4));
        if (is_redirected) spare_ = any_descriptor();
    });
}

}  // namespace baton::detail
