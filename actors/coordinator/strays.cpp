#include "actors/coordinator/strays.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <optional>
#include <vector>

#include "runtime/process/process_facts.hpp"
#include "runtime/session/environment.hpp"

namespace baton::detail::coordinator {
namespace {

// A kernel without that list has it in pieces.
std::vector<pid_t> children_by_their_parents(pid_t parent) {
    std::vector<pid_t> children;
    std::error_code error;
    for (std::filesystem::directory_iterator entry{"/proc", error};
         !error && entry != std::filesystem::directory_iterator{}; entry.increment(error)) {
        const std::string name = entry->path().filename().string();
        pid_t pid = 0;
        const auto [end, problem] = std::from_chars(name.data(), name.data() + name.size(), pid);
        if (problem != std::errc{} || end != name.data() + name.size()) continue;
        if (const std::optional<ProcessFacts> facts = facts_of(pid); facts && facts->ppid == parent)
            children.push_back(pid);
    }
    return children;
}

std::vector<pid_t> children_of(pid_t parent) {
    // Of its only thread, which starts all of them and to which orphans fall.
    std::ifstream list{fmt::format("/proc/{0}/task/{0}/children", parent)};
    if (!list) return children_by_their_parents(parent);
    std::vector<pid_t> children;
    for (pid_t pid = 0; list >> pid;) children.push_back(pid);
    return children;
}

// The actor that it belongs to, according to the environment that it was started with; nothing if that is not an actor
// of this session.
std::optional<ActorId> actor_of(pid_t pid, const std::string& folder) {
    const auto environment = environment_of(pid);
    if (!environment) return std::nullopt;
    const std::string session = fmt::format("{}={}", session_variable, folder);
    const std::string actor = fmt::format("{}=", actor_variable);
    if (std::ranges::find(*environment, session) == environment->end()) return std::nullopt;
    const auto found =
        std::ranges::find_if(*environment, [&](const std::string& one) { return one.starts_with(actor); });
    return found == environment->end() ? std::nullopt : actor_id_of(std::string_view(*found).substr(actor.size()));
}

}  // namespace

std::size_t Strays::kill_those_without(const IsOwn& is_own, const std::function<bool(ActorId)>& is_alive) {
    std::size_t killed = 0;
    for (const pid_t child : children_of(anchor_)) {
        if (is_own(child)) continue;
        const auto is_stray = [&] {
            const std::optional<ActorId> actor = actor_of(child, folder_);
            return actor && *actor != coordinator_id && !is_alive(*actor);
        };
        if (!is_stray()) continue;
        // The anchor may have reaped it in the meantime, and the pid may be another's: what is read behind the pidfd is
        // of its process, if that has not exited by then.
        const Result<UniqueFd> pidfd = open_pidfd(child);
        if (!pidfd || !is_stray() || has_exited_by(pidfd->get(), Deadline{Instant::min()})) continue;
        if (send_signal_through(pidfd->get(), SIGKILL)) ++killed;
    }
    return killed;
}

void Strays::look(const IsOwn& is_own, const std::function<bool(ActorId)>& is_alive) {
    static_cast<void>(kill_those_without(is_own, is_alive));
}

bool Strays::end_all(const IsOwn& is_own, Deadline deadline, const std::function<void(Deadline)>& wait_for_exit) {
    const SystemClock clock;
    // What has been killed leaves its own children to the anchor, so that another look is needed after each exit.
    while (kill_those_without(is_own, [](ActorId) { return false; }) > 0) {
        if (deadline.has_passed(clock)) return false;
        wait_for_exit(deadline);
    }
    return true;
}

}  // namespace baton::detail::coordinator
