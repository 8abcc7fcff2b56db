#include "runtime/process/process_facts.hpp"

#include "runtime/base/check.hpp"
#include <baton/log.hpp>
#include "runtime/process/system_error.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <ctime>
#include <sstream>

namespace baton::detail {
namespace {

std::optional<std::string> whole_file(const std::string& path) {
    const UniqueFd file{::open(path.c_str(), O_RDONLY | O_CLOEXEC)};
    if (!file.is_open()) return std::nullopt;
    std::string text;
    std::array<char, 4096> part{};
    for (;;) {
        const ssize_t size = ::read(file.get(), part.data(), part.size());
        if (size < 0 && errno == EINTR) continue;
        if (size < 0) return std::nullopt;
        if (size == 0) return text;
        text.append(part.data(), static_cast<std::size_t>(size));
    }
}

Duration duration_of_ticks(std::int64_t ticks) {
    return std::chrono::nanoseconds{ticks * (1'000'000'000 / ::sysconf(_SC_CLK_TCK))};
}

}  // namespace

std::optional<ProcessFacts> facts_of(pid_t pid) {
    const auto text = whole_file(fmt::format("/proc/{}/stat", pid));
    if (!text) return std::nullopt;
    // The second field is the program's name in parentheses and may itself hold spaces and parentheses;
    // no later field does, so the last one closes it.
    const std::size_t name_end = text->rfind(')');
    if (name_end == std::string::npos) return std::nullopt;

    constexpr int fields_between_ppid_and_cpu = 9;
    constexpr int fields_between_cpu_and_start = 6;
    std::istringstream fields{text->substr(name_end + 1)};
    ProcessFacts facts{.pid = pid};
    fields >> facts.state >> facts.ppid;
    std::string skipped;
    const auto skip = [&](int count) {
        for (int field = 0; field < count; ++field) fields >> skipped;
    };
    skip(fields_between_ppid_and_cpu);
    std::int64_t user_ticks = 0;
    std::int64_t system_ticks = 0;
    fields >> user_ticks >> system_ticks;
    skip(fields_between_cpu_and_start);
    fields >> facts.start_ticks >> skipped;
    std::uint64_t resident_pages = 0;
    fields >> resident_pages;
    if (!fields) return std::nullopt;
    facts.cpu = duration_of_ticks(user_ticks + system_ticks);
    facts.resident_bytes = resident_pages * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
    return facts;
}

Duration age_of(const ProcessFacts& facts) {
    timespec now{};  // of the clock that counts from the boot, as start_ticks do
    ::clock_gettime(CLOCK_BOOTTIME, &now);
    const Duration since_boot = std::chrono::seconds{now.tv_sec} + std::chrono::nanoseconds{now.tv_nsec};
    return std::max(Duration::zero(), since_boot - duration_of_ticks(static_cast<std::int64_t>(facts.start_ticks)));
}

std::optional<std::vector<std::string>> environment_of(pid_t pid) {
    const auto text = whole_file(fmt::format("/proc/{}/environ", pid));
    if (!text) return std::nullopt;
    std::vector<std::string> variables;
    std::istringstream rest{*text};
    for (std::string variable; std::getline(rest, variable, '\0');) variables.push_back(std::move(variable));
    return variables;
}

// The two calls below go past glibc's <sys/pidfd.h>, which in 2.36 cannot be linked from C++.
Result<UniqueFd> open_pidfd(pid_t pid) {
    UniqueFd pidfd{static_cast<int>(::syscall(SYS_pidfd_open, pid, 0U))};
    if (!pidfd.is_open())
        return system_error(errno, fmt::format("cannot watch process {}", pid),
                            errno == ENOSYS ? "Baton needs Linux 5.4 or newer" : "");
    return pidfd;
}

Result<void> send_signal_through(int pidfd, int signal) {
    if (::syscall(SYS_pidfd_send_signal, pidfd, signal, nullptr, 0U) != 0)
        return system_error(errno, fmt::format("cannot send signal {}", signal));
    return {};
}

bool has_exited_by(int pidfd, Deadline deadline) {
    const SystemClock clock;
    for (;;) {
        const Duration left = deadline.left(clock);
        const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(left);
        const timespec wait{.tv_sec = seconds.count(), .tv_nsec = (left - seconds).count()};
        pollfd watched{.fd = pidfd, .events = POLLIN, .revents = 0};
        const int ready = ::ppoll(&watched, 1, deadline.is_never() ? nullptr : &wait, nullptr);
        check(ready >= 0 || errno == EINTR, "a pidfd can be polled");
        if (ready > 0) {
            check((watched.revents & POLLNVAL) == 0, "a pidfd that is waited for is open");
            return true;
        }
        if (ready == 0 && deadline.has_passed(clock)) return false;
    }
}

}  // namespace baton::detail
