#include "tests/simulation/seeded/kernel.hpp"

#include <poll.h>
#include <sys/eventfd.h>

#include <algorithm>
#include <csignal>
#include <utility>

#include "runtime/base/check.hpp"

namespace seeded {
namespace {

Kernel* hooked_ = nullptr;

bool is_any_readable(const std::vector<int>& descriptors) {
    if (descriptors.empty()) return false;
    std::vector<pollfd> polled;
    for (const int one : descriptors) polled.push_back({one, POLLIN, 0});
    return ::poll(polled.data(), polled.size(), 0) > 0;
}

}  // namespace

Kernel::Kernel(ManualClock& clock, Dice& dice, Story& story) : clock_(&clock), dice_(&dice), story_(&story) {
    hooked_ = this;
    hook_crash_points([](CrashPoint point) noexcept {
        if (hooked_->is_one_running()) hooked_->pass(point);
    });
}

Kernel::~Kernel() {
    hook_crash_points(nullptr);
    hooked_ = nullptr;
}

// ---- processes -------------------------------------------------------------------------------------

Process& Kernel::start(Process::Kind kind, std::string name, ActorId life, Body body) {
    const pid_t pid = ++last_pid_;
    Process& process = processes_[pid];
    process.pid = pid;
    process.kind = kind;
    process.name = std::move(name);
    process.life = life;
    process.fiber = std::make_unique<Fiber>([this, &process, body = std::move(body)] {
        const int code = body(process);
        end(process, {false, code});
    });
    story_->tell(process.name, "starts as process {}", pid - 5'000'000);
    note_change();
    return process;
}

void Kernel::end(Process& process, ExitStatus how) {
    if (process.state == Process::State::ended) return;
    process.state = Process::State::ended;
    process.exit = how;
    story_->tell(process.name, "{} {}", how.by_signal ? "is ended by signal" : "exits with code", how.code_or_signal);
    for (const UniqueFd& one : process.those_who_hold) ::eventfd_write(one.get(), 1);
    process.those_who_hold.clear();
    note_change();
    on_end(process);
    if (&process == running_) Fiber::yield();  // never resumed again
}

void Kernel::signal(pid_t pid, int number) {
    Process* const process = find(pid);
    if (process == nullptr) return;
    if (number == SIGKILL || number == SIGTERM) end(*process, {true, number});
}

Process* Kernel::find(pid_t pid) noexcept {
    const auto found = processes_.find(pid);
    return found == processes_.end() ? nullptr : &found->second;
}

Result<UniqueFd> Kernel::open(pid_t pid) {
    Process* const process = find(pid);
    if (process == nullptr) return Error{ErrorKind::gone, fmt::format("there is no process {}", pid)};
    const bool has_ended = process->state == Process::State::ended;
    UniqueFd held{::eventfd(has_ended ? 1 : 0, EFD_CLOEXEC | EFD_NONBLOCK)};
    check(held.is_open(), "a simulation has a descriptor left");
    if (!has_ended) process->those_who_hold.emplace_back(::dup(held.get()));
    return held;
}

void Kernel::reap(pid_t pid) {
    const auto found = processes_.find(pid);
    if (found == processes_.end()) return;
    processes_.erase(found);
}

// ---- for the process that runs ---------------------------------------------------------------------

void Kernel::wait(Process::Wait wait) {
    Process& self = *running_;
    self.wait = std::move(wait);
    self.state = Process::State::waits;
    self.looked_at = 0;
    Fiber::yield();
    clock_->advance(std::chrono::microseconds{1});
}

void Kernel::pause() {
    Fiber::yield();
    clock_->advance(std::chrono::microseconds{1});
}

void Kernel::pass(CrashPoint point) {
    Process& self = *running_;
    ++count.points;
    note_change();
    story_->tell(self.name, "passes {}", crash_point_names[static_cast<std::size_t>(point)]);
    if (self.points_left > 0 && --self.points_left == 0) {
        ++count.kills_at_points;
        ++count.kills_of[static_cast<std::size_t>(self.kind)];
        return end(self, {true, SIGKILL});
    }
    if (dice_->happens(odds.stall_percent)) self.thaws = Deadline::in(*clock_, dice_->microseconds(50, 8'000));
    if (self.thaws || dice_->happens(odds.turn_percent)) pause();
}

// ---- time ------------------------------------------------------------------------------------------

void Kernel::later(Duration delay, std::function<void()> what) {
    events_.all.push_back({clock_->now() + delay, ++events_.made, std::move(what)});
}

bool Kernel::can_go_on(Process& process) {
    if (process.state == Process::State::ended) return false;
    if (process.thaws) {
        if (!process.thaws->has_passed(*clock_)) return false;
        story_->tell(process.name, "goes on");
        process.thaws.reset();
    }
    if (process.state == Process::State::ready) return true;
    if (process.wait.until.has_passed(*clock_)) return true;
    if (process.wait.has_news && process.wait.has_news()) return true;
    if (std::exchange(process.looked_at, changes_) == changes_) return false;
    if (is_any_readable(process.wait.descriptors)) process.state = Process::State::ready;
    return process.state == Process::State::ready;
}

void Kernel::resume(Process& process) {
    process.state = Process::State::ready;
    running_ = &process;
    process.fiber->resume();
    running_ = nullptr;
    note_change();  // it may have written into a bell
}

// To the next moment at which something happens.
bool Kernel::jump() {
    Deadline next = next_arrival();
    for (const Event& event : events_.all) next = next.or_earlier(Deadline{event.at});
    for (const auto& [pid, process] : processes_) {
        if (process.state == Process::State::ended) continue;
        if (process.thaws) next = next.or_earlier(*process.thaws);
        else if (process.state == Process::State::waits) next = next.or_earlier(process.wait.until);
    }
    if (next.is_never()) return false;
    clock_->advance(next.left(*clock_));
    note_change();
    return true;
}

bool Kernel::step() {
    for (;;) {
        std::vector<Process*> able;
        for (auto& [pid, process] : processes_)
            if (can_go_on(process)) able.push_back(&process);
        std::vector<std::size_t> due;
        for (std::size_t index = 0; index < events_.all.size(); ++index)
            if (events_.all[index].at <= clock_->now()) due.push_back(index);
        if (able.empty() && due.empty()) {
            if (!jump()) return false;
            continue;
        }
        ++count.steps;
        const std::uint64_t chosen = dice_->below(able.size() + due.size());
        if (chosen < able.size()) {
            resume(*able[chosen]);
        } else {
            const std::size_t index = due[chosen - able.size()];
            const std::function<void()> what = std::move(events_.all[index].what);
            events_.all.erase(events_.all.begin() + static_cast<std::ptrdiff_t>(index));
            note_change();
            what();
        }
        return true;
    }
}

}  // namespace seeded
