#pragma once
// Kernel: the processes of a simulated world, in one thread. Each is a fiber that runs until it waits or ends, or until
// it passes a crash point where the dice give another one a turn, or where it is killed.
//
// A step is one turn of one process that can go on, or something that the kernel itself has to do. If nobody can go on,
// the time jumps to the next moment at which somebody can. A process that is killed does nothing any more: its stack is
// never resumed. What holds a descriptor of it (open()) learns of its end as from a pidfd.

#include <sys/types.h>

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <baton/ref.hpp>
#include <baton/result.hpp>
#include <baton/time.hpp>
#include <baton/unique_fd.hpp>
#include "runtime/base/crash_point.hpp"
#include "runtime/process/child.hpp"
#include "tests/simulation/seeded/dice.hpp"
#include "tests/simulation/seeded/fiber.hpp"
#include "tests/simulation/seeded/story.hpp"

namespace seeded {

using namespace baton;
using namespace baton::detail;

struct Process {
    enum class Kind { coordinator, actor, scenario };
    enum class State { ready, waits, ended };
    // What it waits for: any of these.
    struct Wait {
        Deadline until;
        std::vector<int> descriptors;
        std::function<bool()> has_news;
    };

    pid_t pid = 0;
    Kind kind = Kind::actor;
    std::string name;
    ActorId life;  // of an actor
    std::unique_ptr<Fiber> fiber;
    State state = State::ready;
    Wait wait;
    std::optional<Deadline> thaws;         // it is frozen until then
    std::uint64_t looked_at = 0;           // the changes that there had been when its descriptors were looked at
    std::uint64_t points_left = 0;         // it is killed at that crash point from now on; 0: at none
    std::optional<ExitStatus> exit;
    std::vector<UniqueFd> those_who_hold;  // become readable at its end
};

class Kernel {
public:
    Kernel(ManualClock& clock, Dice& dice, Story& story);
    ~Kernel();
    Kernel(const Kernel&) = delete;
    Kernel& operator=(const Kernel&) = delete;

    // ---- processes
    using Body = std::function<int(Process&)>;  // returns the exit code
    Process& start(Process::Kind kind, std::string name, ActorId life, Body body);
    void end(Process& process, ExitStatus how);
    // As kill(2): SIGKILL and SIGTERM end it.
    void signal(pid_t pid, int number);
    [[nodiscard]] Process* find(pid_t pid) noexcept;
    // `gone` if it has been reaped, or never was.
    [[nodiscard]] Result<UniqueFd> open(pid_t pid);
    void reap(pid_t pid);
    [[nodiscard]] std::map<pid_t, Process>& all() noexcept { return processes_; }
    std::function<void(Process&)> on_end = [](Process&) {};

    // ---- for the process that runs
    [[nodiscard]] Process& running() noexcept { return *running_; }
    [[nodiscard]] bool is_one_running() const noexcept { return running_ != nullptr; }
    void wait(Process::Wait wait);
    // Gives others a turn.
    void pause();
    void pass(CrashPoint point);

    // ---- time
    void later(Duration delay, std::function<void()> what);
    // Somebody else than the clock has changed something: those who wait look again.
    void note_change() noexcept { ++changes_; }
    // One step. False if nothing can ever happen any more.
    [[nodiscard]] bool step();
    // When something that no process waits for arrives.
    std::function<Deadline()> next_arrival = [] { return Deadline::never(); };

    struct Count {
        std::uint64_t steps = 0;
        std::uint64_t points = 0;
        std::uint64_t kills_of[3] = {};   // by Process::Kind
        std::uint64_t kills_at_points = 0;
        std::uint64_t freezes = 0;
    };
    Count count;
    struct Odds {
        unsigned turn_percent = 20;  // that others have a turn at a crash point
        unsigned stall_percent = 0;  // that they have many
    };
    Odds odds;

private:
    struct Event {
        Instant at;
        std::uint64_t number;
        std::function<void()> what;
    };
    [[nodiscard]] bool can_go_on(Process& process);
    void resume(Process& process);
    [[nodiscard]] bool jump();

    ManualClock* clock_;
    Dice* dice_;
    Story* story_;
    std::map<pid_t, Process> processes_;
    Process* running_ = nullptr;
    struct Events {
        std::vector<Event> all;
        std::uint64_t made = 0;
    };
    Events events_;
    std::uint64_t changes_ = 1;
    pid_t last_pid_ = 5'000'000;                // more than a kernel gives
};

}  // namespace seeded
