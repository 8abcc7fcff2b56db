#pragma once
// Child: one process that we started, from its start until its exit is known.
//
// It is not an actor: it knows nothing of inboxes, joining or stop notices; the ladder of a stop is built above it. It
// never forks without exec, so none of the parent's memory or locks survives in the child.
//
// Invariants:
//   - The pidfd is opened while the child cannot have been reaped, so it is this child for ever, even after
//     its number has been given to another process.
//   - No process is left over: a Child that is destroyed while its process runs kills and reaps it (I7).
//   - The child starts with no signal blocked and none ignored or handled, except for a SIGHUP that is ignored here:
//     `nohup` applies to everything that is started. It has the descriptors 0, 1 and 2 and, as 3,
//     ChildSpec::inherit_fd, and no others of the parent, whether they are close-on-exec or not.
//
// Thread rule: one thread at a time. With die_with_parent() the starting thread must live as long as the process does,
// because the kernel means the thread when it says parent. Starting reads the environment, so no other thread may
// change it during the call.

#include <baton/time.hpp>
#include <baton/unique_fd.hpp>
#include <baton/result.hpp>

#include <sys/types.h>

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace baton::detail {

struct ChildSpec {
    // A terminal's Ctrl-C goes to a whole process group: `own` lets the parent decide what the child hears.
    enum class Group { own, parents };
    // A process of another group that reads the terminal is stopped by the terminal; with `none` it reads the end at
    // once.
    enum class Input { parents, none };

    std::string program = {};                 // a path, see find_program.hpp
    std::vector<std::string> arguments = {};  // without argv[0]
    // Added to the parent's environment; replaces variables of the same name.
    std::vector<std::pair<std::string, std::string>> environment = {};
    Group group = Group::own;
    Input input = Input::parents;
    std::optional<int> inherit_fd = {};  // is `inherited_fd` in the child
};

// The number that ChildSpec::inherit_fd has in the child.
inline constexpr int inherited_fd = 3;

struct ExitStatus {
    bool by_signal = false;
    int code_or_signal = 0;  // -1: other code has reaped the child and taken the status

    bool operator==(const ExitStatus&) const = default;
};

class Child {
public:
    // Refused if the file is missing, a folder, not executable or of a wrong format, if a string cannot be
    // handed to a program, or if this process ignores SIGCHLD (the kernel would then throw exits away).
    [[nodiscard]] static Result<Child> start(const ChildSpec& spec);

    Child(Child&& other) noexcept;
    Child& operator=(Child&& other) noexcept;
    // Kills the process with SIGKILL if it still runs, and reaps it. Takes as long as the kernel needs to end a killed
    // process.
    ~Child();

    [[nodiscard]] pid_t pid() const noexcept { return pid_; }
    // Readable from the exit on, even after the child has been reaped; remains ours.
    [[nodiscard]] int pidfd() const noexcept { return pidfd_.get(); }

    // Never reaches another process. `gone` after the child has been reaped.
    [[nodiscard]] Result<void> send_signal(int signal);

    // Never waits. Nothing while it runs; always the same status once it has exited.
    [[nodiscard]] std::optional<ExitStatus> reap();
    // Waits for the exit. Nothing if the child still runs when the time is up.
    [[nodiscard]] std::optional<ExitStatus> reap_within(Duration duration);

private:
    Child(pid_t pid, UniqueFd pidfd) noexcept : pid_(pid), pidfd_(std::move(pidfd)) {}
    void end() noexcept;
    std::optional<ExitStatus> wait(int options) noexcept;

    pid_t pid_ = 0;
    UniqueFd pidfd_;
    std::optional<ExitStatus> status_;
};

// Why a program could not be started, from the errno of the attempt and what is found on the disk.
[[nodiscard]] Error start_error(int code, const std::string& program);

// For the first lines of a child's main(): from then on the kernel kills this process when the thread that started it
// ends. `gone` if that has happened already, which only the comparison with the pid that the parent handed down can
// tell; the caller then exits.
[[nodiscard]] Result<void> die_with_parent(pid_t expected_parent);

}  // namespace baton::detail
