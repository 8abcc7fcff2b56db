#pragma once
// Process facts: what the kernel knows of any process, whether or not it is our child.
//
// A pid alone does not identify a process, because pids are reused. A pidfd refers to one process for ever, and a pid
// together with its start ticks identifies one within a boot. Facts are a snapshot: the process may have changed or
// exited by the time they are read. Nothing here starts or reaps a process (child.hpp does).
//
// Thread rule: no shared state, callable anywhere.

#include <baton/time.hpp>
#include <baton/unique_fd.hpp>
#include <baton/result.hpp>

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace baton::detail {

struct ProcessFacts {
    pid_t pid = 0;
    pid_t ppid = 0;
    char state = '?';                     // as in /proc/PID/stat: R, S, D, T, Z, ...
    Duration cpu{};                       // its threads have used, in user mode and in the kernel
    unsigned long long start_ticks = 0;   // since boot
    std::uint64_t resident_bytes = 0;     // of memory, shared pages included
};

// Nothing if there is no such process.
[[nodiscard]] std::optional<ProcessFacts> facts_of(pid_t pid);

// How long ago it was started.
[[nodiscard]] Duration age_of(const ProcessFacts& facts);

// NAME=VALUE as the process was started with; its own later changes are not visible. Nothing if it has exited or
// belongs to another user; empty for a zombie, and for an instant while a program is being started.
[[nodiscard]] std::optional<std::vector<std::string>> environment_of(pid_t pid);

// Becomes readable when the process exits, no matter which process its parent is. `gone` if there is no such process.
[[nodiscard]] Result<UniqueFd> open_pidfd(pid_t pid);

// `gone` if the process has been reaped; a zombie accepts every signal and does nothing.
[[nodiscard]] Result<void> send_signal_through(int pidfd, int signal);

// Waits for the exit, no longer than until the deadline on the steady clock.
[[nodiscard]] bool has_exited_by(int pidfd, Deadline deadline);

}  // namespace baton::detail
