#include "runtime/process/child.hpp"

#include "runtime/base/check.hpp"
#include "runtime/base/limit_behind.hpp"
#include <baton/log.hpp>
#include "runtime/process/process_facts.hpp"
#include "runtime/process/system_error.hpp"

#include <fcntl.h>
#include <spawn.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <filesystem>
#include <string_view>
#include <system_error>

namespace baton::detail {
namespace {

bool ends_early(std::string_view text) { return text.find('\0') != std::string_view::npos; }

// What posix_spawn would cut short or the child would misread, instead of saying no.
std::optional<std::string> unfit_string_in(const ChildSpec& spec) {
    if (ends_early(spec.program)) return "its path holds a zero byte";
    for (const std::string& argument : spec.arguments)
        if (ends_early(argument)) return fmt::format("the argument '{}' holds a zero byte", argument.c_str());
    for (const auto& [name, value] : spec.environment) {
        if (name.empty() || ends_early(name) || name.find('=') != std::string::npos)
            return fmt::format("'{}' is not a name for an environment variable", name.c_str());
        if (ends_early(value)) return fmt::format("the environment variable {} holds a zero byte", name);
    }
    return std::nullopt;
}

bool exits_are_thrown_away() {
    struct sigaction now {};
    check(::sigaction(SIGCHLD, nullptr, &now) == 0, "the disposition of SIGCHLD can be read");
    return now.sa_handler == SIG_IGN || (now.sa_flags & SA_NOCLDWAIT) != 0;
}

std::vector<std::string> merged_environment(const ChildSpec& spec) {
    std::vector<std::string> variables;
    for (char** variable = ::environ; variable != nullptr && *variable != nullptr; ++variable) {
        const std::string_view text{*variable};
        const std::string_view name = text.substr(0, text.find('='));
        const bool is_replaced = std::any_of(spec.environment.begin(), spec.environment.end(),
                                             [&](const auto& added) { return added.first == name; });
        if (!is_replaced) variables.emplace_back(text);
    }
    for (const auto& [name, value] : spec.environment) variables.push_back(name + "=" + value);
    return variables;
}

std::vector<char*> pointers_to(std::vector<std::string>& strings) {
    std::vector<char*> pointers;
    for (std::string& text : strings) pointers.push_back(text.data());
    pointers.push_back(nullptr);
    return pointers;
}

// The attributes and file actions of one posix_spawn. None of the calls on them can fail but for want of
// memory, and then nothing else goes on either.
class SpawnPlan {
public:
    explicit SpawnPlan(const ChildSpec& spec) {
        must(::posix_spawnattr_init(&attributes_));
        must(::posix_spawn_file_actions_init(&actions_));
        short flags = POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK;
        sigset_t every;
        sigset_t none;
        sigfillset(&every);
        sigdelset(&every, SIGHUP);  // what is caught here has its usual meaning in another program anyway
        sigemptyset(&none);
        must(::posix_spawnattr_setsigdefault(&attributes_, &every));
        must(::posix_spawnattr_setsigmask(&attributes_, &none));
        if (spec.group == ChildSpec::Group::own) {
            flags = static_cast<short>(flags | POSIX_SPAWN_SETPGROUP);
            must(::posix_spawnattr_setpgroup(&attributes_, 0));
        }
        must(::posix_spawnattr_setflags(&attributes_, flags));
        if (spec.input == ChildSpec::Input::none)
            must(::posix_spawn_file_actions_addopen(&actions_, STDIN_FILENO, "/dev/null", O_RDONLY, 0));
        // A dup2 onto itself takes the close-on-exec flag off, in the child only.
        if (spec.inherit_fd) must(::posix_spawn_file_actions_adddup2(&actions_, *spec.inherit_fd, inherited_fd));
        must(::posix_spawn_file_actions_addclosefrom_np(&actions_, spec.inherit_fd ? inherited_fd + 1 : inherited_fd));
    }
    SpawnPlan(const SpawnPlan&) = delete;
    SpawnPlan& operator=(const SpawnPlan&) = delete;
    ~SpawnPlan() {
        ::posix_spawn_file_actions_destroy(&actions_);
        ::posix_spawnattr_destroy(&attributes_);
    }

    [[nodiscard]] const posix_spawnattr_t* attributes() const { return &attributes_; }
    [[nodiscard]] const posix_spawn_file_actions_t* actions() const { return &actions_; }

private:
    static void must(int code) { check(code == 0, "a spawn can be described"); }

    posix_spawnattr_t attributes_{};
    posix_spawn_file_actions_t actions_{};
};

}  // namespace

Result<Child> Child::start(const ChildSpec& spec) {
    if (const auto unfit = unfit_string_in(spec))
        return Error{ErrorKind::refused, fmt::format("cannot start '{}': {}", spec.program.c_str(), *unfit)};
    if (exits_are_thrown_away())
        return Error{ErrorKind::refused,
                     fmt::format("cannot start '{}': this process ignores SIGCHLD, so its exit could not be learned; "
                                 "call signal(SIGCHLD, SIG_DFL) first",
                                 spec.program)};
    check(!spec.inherit_fd || ::fcntl(*spec.inherit_fd, F_GETFD) >= 0, "a descriptor to inherit is open");

    std::vector<std::string> arguments = spec.arguments;
    arguments.insert(arguments.begin(), spec.program);
    std::vector<std::string> environment = merged_environment(spec);
    const std::vector<char*> argument_pointers = pointers_to(arguments);
    const std::vector<char*> environment_pointers = pointers_to(environment);
    const SpawnPlan plan{spec};

    pid_t pid = 0;
    const int code = ::posix_spawn(&pid, spec.program.c_str(), plan.actions(), plan.attributes(),
                                   argument_pointers.data(), environment_pointers.data());
    if (code != 0) return start_error(code, spec.program);

    Result<UniqueFd> pidfd = open_pidfd(pid);
    if (!pidfd) {
        // Not reaped yet, so the number is still this child's.
        ::kill(pid, SIGKILL);
        while (::waitpid(pid, nullptr, 0) < 0 && errno == EINTR) {
        }
        return std::move(pidfd.error());
    }
    return Child{pid, *std::move(pidfd)};
}

Child::Child(Child&& other) noexcept
    : pid_(std::exchange(other.pid_, 0)), pidfd_(std::move(other.pidfd_)), status_(other.status_) {}

Child& Child::operator=(Child&& other) noexcept {
    if (this != &other) {
        end();
        pid_ = std::exchange(other.pid_, 0);
        pidfd_ = std::move(other.pidfd_);
        status_ = other.status_;
    }
    return *this;
}

Child::~Child() { end(); }

void Child::end() noexcept {
    if (!pidfd_.is_open() || reap()) return;
    // It can only fail because the process has exited since, and then there is nothing to kill.
    [[maybe_unused]] const auto killed = send_signal_through(pidfd_.get(), SIGKILL);
    wait(0);
}

Result<void> Child::send_signal(int signal) {
    check(pidfd_.is_open(), "a moved-from Child is not signalled");
    Result<void> sent = send_signal_through(pidfd_.get(), signal);
    if (!sent) sent.error().text += fmt::format(" (to child {})", pid_);
    return sent;
}

std::optional<ExitStatus> Child::reap() { return wait(WNOHANG); }

std::optional<ExitStatus> Child::reap_within(Duration duration) {
    check(pidfd_.is_open(), "a moved-from Child is not reaped");
    if (!has_exited_by(pidfd_.get(), Deadline::in(SystemClock{}, duration))) return std::nullopt;
    return reap();
}

std::optional<ExitStatus> Child::wait(int options) noexcept {
    if (status_) return status_;
    check(pidfd_.is_open(), "a moved-from Child is not reaped");
    siginfo_t info{};
    int result = 0;
    do {
        result = ::waitid(static_cast<idtype_t>(P_PIDFD), static_cast<id_t>(pidfd_.get()), &info, WEXITED | options);
    } while (result != 0 && errno == EINTR);
    if (result != 0) {
        check(errno == ECHILD, "a child can be waited for");
        // A library in this process has waited for every child there is. That it has exited is still sure.
        status_ = ExitStatus{.by_signal = false, .code_or_signal = -1};
    } else if (info.si_pid != 0) {
        status_ = ExitStatus{.by_signal = info.si_code != CLD_EXITED, .code_or_signal = info.si_status};
    }
    return status_;
}

Error start_error(int code, const std::string& program) {
    namespace fs = std::filesystem;
    const std::string tried = fmt::format("cannot start '{}'", program);
    std::error_code unknown;
    const fs::file_status status = fs::status(program, unknown);
    std::string reason;
    if (status.type() == fs::file_type::not_found)
        reason = "there is no such file; build it or correct the path";
    else if (fs::is_directory(status))
        reason = "it is a folder, not a program; name the program inside it";
    else if (code == EACCES && fs::is_regular_file(status) && ::access(program.c_str(), X_OK) != 0)
        reason = fmt::format("it is not executable; chmod +x '{}'", program);
    else if (code == EACCES)
        reason = "permission denied; see the rights of the folders on its path, and whether its file system is "
                 "mounted noexec";
    else if (code == ENOEXEC)
        reason = "it is neither a program for this machine nor a script with a first line like #!/bin/sh";
    else if (code == ENOENT)
        reason = "the file is there, but the interpreter of its #! line (or its loader) is not";
    else if (code == EAGAIN)
        return {ErrorKind::overloaded,
                fmt::format("{}: {}{}", tried, std::generic_category().message(code), limit_behind(code))};
    else
        return system_error(code, tried);
    return {ErrorKind::refused, fmt::format("{}: {}", tried, reason)};
}

Result<void> die_with_parent(pid_t expected_parent) {
    check(::prctl(PR_SET_PDEATHSIG, SIGKILL) == 0, "the parent-death signal can be set");
    // The parent may have died before the line above, and then no signal comes; the order matters.
    if (const pid_t parent = ::getppid(); parent != expected_parent)
        return Error{ErrorKind::gone,
                     fmt::format("the parent of this process should be {} and is {}: the one that started it has "
                                 "exited; nothing is left to do but to exit too",
                                 expected_parent, parent)};
    return {};
}

}  // namespace baton::detail
