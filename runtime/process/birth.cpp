#include "runtime/process/birth.hpp"

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>

#include <baton/limits.hpp>

namespace baton::detail {
namespace {

constexpr const char* nowhere = "/dev/null";

bool is_closed(int fd) { return ::fcntl(fd, F_GETFD) < 0; }
bool is_only_read(int fd) { return (::fcntl(fd, F_GETFL) & O_ACCMODE) == O_RDONLY; }

// The lowest free number is taken by open(), so that they are filled in their order.
void open_streams(Birth birth) {
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; ++fd) {
        if (!is_closed(fd)) continue;
        // To a descriptor that is only read nothing can be written, which is what closing it means.
        const bool fails = fd == STDOUT_FILENO && birth == Birth::program;
        [[maybe_unused]] const int opened = ::open(nowhere, fd == STDIN_FILENO || fails ? O_RDONLY : O_WRONLY);
    }
    // Such a stdout of a parent is not a stdout for an actor.
    if (birth != Birth::actor || !is_only_read(STDOUT_FILENO)) return;
    if (const int fd = ::open(nowhere, O_WRONLY | O_CLOEXEC); fd >= 0) {
        ::dup2(fd, STDOUT_FILENO);
        ::close(fd);
    }
}

extern "C" void ignore_here(int) {}

// A handler does not pass on to other programs, as an ignored signal would: what we start has the usual meaning.
void catch_and_do_nothing(int number) {
    struct sigaction action {};
    action.sa_handler = ignore_here;
    action.sa_flags = SA_RESTART;
    ::sigaction(number, &action, nullptr);
}

void settle_signals() {
    for (int number = 1; number < NSIG; ++number) {
        const bool stays = number == SIGHUP || number == SIGTSTP || number == SIGTTIN || number == SIGTTOU;
        struct sigaction now {};
        if (stays || ::sigaction(number, nullptr, &now) != 0 || now.sa_handler != SIG_IGN) continue;
        std::signal(number, SIG_DFL);
    }
    for (const int number : {SIGPIPE, SIGXFSZ}) catch_and_do_nothing(number);
    sigset_t none;
    sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
}

void raise_descriptor_limit() {
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
    const rlim_t wanted = std::min<rlim_t>(limit.rlim_max, limits::descriptors_wanted);
    if (limit.rlim_cur >= wanted) return;
    limit.rlim_cur = wanted;
    ::setrlimit(RLIMIT_NOFILE, &limit);
}

}  // namespace

void take_over_birth(Birth birth) noexcept {
    open_streams(birth);
    settle_signals();
    raise_descriptor_limit();
}

void take_over_for_library() noexcept {
    open_streams(Birth::program);
    raise_descriptor_limit();
}

}  // namespace baton::detail
