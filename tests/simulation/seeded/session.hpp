#pragma once
// Session: the anchor of a simulated session, and what it has its coordinators see. It starts what they ask for, says
// how each process ended, and starts the next coordinator if one is killed. What the anchor does takes time, too: each
// thing is a step of the kernel. One thread.

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>

#include "actors/coordinator/processes.hpp"
#include "runtime/inbox/role.hpp"
#include "runtime/roster/roster.hpp"
#include "tests/simulation/seeded/kernel.hpp"

namespace seeded {

namespace coordinating = baton::detail::coordinator;

class Session {
public:
    // `coordinate` and `live` are what a coordinator and an actor do.
    struct Programs {
        std::function<int(Process&, std::uint64_t generation)> coordinate;
        std::function<int(Process&, ActorId me, const ChildSpec& spec)> live;
    };
    Session(Kernel& kernel, Dice& dice, Story& story, Programs programs);

    void start_coordinator();
    [[nodiscard]] pid_t coordinator() const noexcept { return coordinator_; }
    // The exit code of the last coordinator, once there will be no other one.
    [[nodiscard]] std::optional<int> end() const noexcept { return end_; }
    [[nodiscard]] std::uint64_t generation() const noexcept { return generation_; }
    void note_end(Process& process);

private:
    friend class SimProcesses;
    struct Request {
        std::uint32_t number;
        ActorId life;
        ChildSpec spec;
    };
    void take_requests();
    void reap(pid_t pid);
    void tell(std::uint32_t number);

    Kernel* kernel_;
    Dice* dice_;
    Story* story_;
    Programs programs_;
    std::deque<Request> requests_;
    std::map<std::uint32_t, coordinating::Processes::Process> rows_;
    std::set<std::uint32_t> news_;
    UniqueFd nudge_;
    pid_t coordinator_ = 0;
    std::uint64_t generation_ = 0;
    std::optional<int> end_;
};

// The processes of the session, as one of its coordinators sees them.
class SimProcesses final : public coordinating::Processes {
public:
    SimProcesses(Session& session, std::uint64_t generation) : session_(&session), generation_(generation) {}
    [[nodiscard]] Result<void> spawn(std::uint32_t number, ActorId life, const ChildSpec& spec) override;
    [[nodiscard]] bool is_behind() const noexcept override { return false; }
    void flush() noexcept override {}
    [[nodiscard]] int requests_descriptor() const noexcept override { return -1; }
    [[nodiscard]] int news_descriptor() const noexcept override { return session_->nudge_.get(); }
    [[nodiscard]] std::vector<std::uint32_t> take_news() override;
    [[nodiscard]] Process process(std::uint32_t number) const noexcept override;
    [[nodiscard]] coordinating::ProcessHandle handle_of(std::uint32_t number) const override;
    [[nodiscard]] Result<coordinating::ProcessHandle> open(pid_t pid) const override;
    [[nodiscard]] std::optional<std::uint64_t> start_ticks(pid_t pid) const override;
    [[nodiscard]] Result<void> signal(int end, int number) const override;
    [[nodiscard]] pid_t own_pid() const noexcept override { return session_->coordinator_; }
    [[nodiscard]] std::uint64_t stop_signals() const noexcept override { return 0; }
    [[nodiscard]] std::uint64_t exits() const noexcept override { return 0; }  // nothing here leaves orphans
    [[nodiscard]] pid_t anchor() const noexcept override { return ::getpid(); }
    [[nodiscard]] std::uint64_t generation() const noexcept override { return generation_; }

private:
    Session* session_;
    std::uint64_t generation_;
    mutable std::map<int, pid_t> pids_;  // of those that are held, by their descriptors
};

// The coordinator's role, as a member sees it.
class SimRole final : public Role {
public:
    [[nodiscard]] static Result<std::unique_ptr<SimRole>> open(Kernel& kernel, const std::string& session_id,
                                                               std::string folder);
    [[nodiscard]] State look() override;
    [[nodiscard]] std::string address() const override;
    void add_descriptors(std::vector<int>& descriptors) const override;
    // True if there is another coordinator than the last one, and it lives.
    [[nodiscard]] bool find_holder();

private:
    SimRole(Kernel& kernel, std::string folder, RoleView view)
        : kernel_(&kernel), folder_(std::move(folder)), view_(std::move(view)) {}
    Kernel* kernel_;
    std::string folder_;
    RoleView view_;
    UniqueFd coordinator_;  // not open: there is none
    RoleView::Holder holder_;
};

}  // namespace seeded
