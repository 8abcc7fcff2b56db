#include "runtime/session/role_watch.hpp"

#include <fmt/format.h>

#include <ctime>
#include <filesystem>

#include "runtime/process/process_facts.hpp"
#include "runtime/session/environment.hpp"

namespace baton::detail {
namespace {

constexpr timespec pause_between_looks{.tv_sec = 0, .tv_nsec = 1'000'000};

// Of the process that had this pid and was started then; not open if that has ended.
UniqueFd pidfd_of(std::uint64_t pid, std::uint64_t start_ticks) {
    Result<UniqueFd> pidfd = open_pidfd(static_cast<pid_t>(pid));
    const std::optional<ProcessFacts> facts = facts_of(static_cast<pid_t>(pid));
    const bool is_it = pidfd && facts && facts->start_ticks == start_ticks;
    return is_it && !has_exited_by(pidfd->get(), Deadline{Instant::min()}) ? std::move(*pidfd) : UniqueFd{};
}

}  // namespace

Result<std::unique_ptr<RoleWatch>> RoleWatch::open(const std::string& folder, Anchor anchor, Deadline deadline) {
    const std::string session_id = std::filesystem::path(folder).filename().string();
    Result<RoleView> view = RoleView::open(session_id);
    if (!view) return view.error();
    const auto gone = [&session_id] {
        return Error{ErrorKind::gone, fmt::format("session {} has ended", session_id)};
    };
    UniqueFd watched;
    if (anchor == Anchor::is_watched) {
        const RoleView::Process process = view->anchor();
        watched = pidfd_of(process.pid, process.start_ticks);
        if (!watched.is_open()) return gone();
    }
    std::unique_ptr<RoleWatch> role{new RoleWatch(folder, std::move(*view), std::move(watched))};
    const SystemClock clock;
    while (!role->find_holder()) {
        if (role->has_session_ended(Deadline{Instant::min()})) return gone();
        if (deadline.has_passed(clock))
            return Error{ErrorKind::timed_out, fmt::format("session {} has no coordinator yet", session_id)};
        ::nanosleep(&pause_between_looks, nullptr);
    }
    return role;
}

// True if there is another coordinator than the last one, and it lives.
bool RoleWatch::find_holder() {
    const RoleView::Holder holder = view_.holder();
    if (holder.generation == 0 || holder.generation == holder_.generation) return false;
    UniqueFd pidfd = pidfd_of(holder.pid, holder.start_ticks);
    if (!pidfd.is_open()) return false;
    holder_ = holder;
    coordinator_ = std::move(pidfd);
    return true;
}

Role::State RoleWatch::look() {
    if (view_.is_over() || has_session_ended(Deadline{Instant::min()})) return State::over;
    if (coordinator_.is_open()) {
        if (!has_exited_by(coordinator_.get(), Deadline{Instant::min()})) return State::held;
        coordinator_.reset();
    }
    return find_holder() ? State::passed_on : State::vacant;
}

std::string RoleWatch::address() const { return coordinator_address(folder_, holder_.generation); }

void RoleWatch::add_descriptors(std::vector<int>& descriptors) const {
    if (anchor_.is_open()) descriptors.push_back(anchor_.get());
    if (coordinator_.is_open()) descriptors.push_back(coordinator_.get());
}

bool RoleWatch::has_session_ended(Deadline deadline) const {
    return anchor_.is_open() && has_exited_by(anchor_.get(), deadline);
}

}  // namespace baton::detail
