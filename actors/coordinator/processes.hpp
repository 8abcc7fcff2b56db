#pragma once
// Processes: what the coordinator asks of the processes of its session. They are started for it, by number; it learns
// what became of each, holds on to them, and sends them signals. AnchorLink is what a session has; a simulation has
// processes of its own (tests/simulation/seeded).
//
// What has happened is state that outlives every coordinator: one that comes later finds all of it. News only nudge.
// One thread.

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include <baton/ref.hpp>
#include <baton/result.hpp>
#include <baton/unique_fd.hpp>
#include "actors/coordinator/anchor_table.hpp"
#include "runtime/process/child.hpp"

namespace baton::detail::coordinator {

// Number and life of the scenario, which is not an actor.
inline constexpr std::uint32_t scenario_number = 0;

class Processes;

// One process, even if its pid is used again. Its descriptor becomes readable when that has ended.
class ProcessHandle {
public:
    ProcessHandle() = default;
    // Refers to `of`, which outlives it.
    ProcessHandle(const Processes& of, UniqueFd end) : of_(&of), end_(std::move(end)) {}

    [[nodiscard]] bool is_open() const noexcept { return end_.is_open(); }
    [[nodiscard]] int get() const noexcept { return end_.get(); }
    [[nodiscard]] bool has_ended() const;
    // `gone` if it has been reaped.
    [[nodiscard]] Result<void> signal(int number) const;

private:
    const Processes* of_ = nullptr;
    UniqueFd end_;
};

class Processes {
public:
    Processes() = default;
    Processes(const Processes&) = delete;
    Processes& operator=(const Processes&) = delete;
    virtual ~Processes() = default;

    // ---- those that are started for the coordinator
    // Later: news() says whether it could be. `refused` if it cannot be asked for, `overloaded` if too much of what was
    // asked before still waits.
    [[nodiscard]] virtual Result<void> spawn(std::uint32_t number, ActorId life, const ChildSpec& spec) = 0;
    // True if requests wait for room: then flush() when requests_descriptor() can be written.
    [[nodiscard]] virtual bool is_behind() const noexcept = 0;
    virtual void flush() noexcept = 0;
    [[nodiscard]] virtual int requests_descriptor() const noexcept = 0;
    // Readable when there is news, until take_news().
    [[nodiscard]] virtual int news_descriptor() const noexcept = 0;
    // The numbers of those whose state has changed.
    [[nodiscard]] virtual std::vector<std::uint32_t> take_news() = 0;

    // What became of the process that was asked for last with that number.
    struct Process {
        AnchorRow::State state = AnchorRow::none;
        ActorId life;
        pid_t pid = 0;
        int code = 0;  // `failed`: the errno
        ExitStatus exit;
    };
    [[nodiscard]] virtual Process process(std::uint32_t number) const noexcept = 0;
    // As long as it runs; not open if it does not, or if no descriptor is left.
    [[nodiscard]] virtual ProcessHandle handle_of(std::uint32_t number) const = 0;

    // ---- any process
    // `gone` if there is none of that pid.
    [[nodiscard]] virtual Result<ProcessHandle> open(pid_t pid) const = 0;
    // When that process was started, since the machine was; nothing if there is none.
    [[nodiscard]] virtual std::optional<std::uint64_t> start_ticks(pid_t pid) const = 0;
    // As ProcessHandle::signal() has it.
    [[nodiscard]] virtual Result<void> signal(int end, int number) const = 0;
    [[nodiscard]] virtual pid_t own_pid() const noexcept = 0;

    // ---- the session
    // SIGINT, SIGTERM and SIGHUP that the anchor has got.
    [[nodiscard]] virtual std::uint64_t stop_signals() const noexcept = 0;
    // Exits of the anchor's children, orphans of actors among them.
    [[nodiscard]] virtual std::uint64_t exits() const noexcept = 0;
    [[nodiscard]] virtual pid_t anchor() const noexcept = 0;
    // How many coordinators the session has had, this one included: no two have the same number.
    [[nodiscard]] virtual std::uint64_t generation() const noexcept = 0;
};

inline Result<void> ProcessHandle::signal(int number) const { return of_->signal(end_.get(), number); }

}  // namespace baton::detail::coordinator
