#include "actors/coordinator/strays.hpp"

#include <fmt/format.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <optional>

#include "runtime/process/process_facts.hpp"
#include "runtime/process/system_error.hpp"
#include "runtime/session/environment.hpp"

namespace baton::detail::coordinator {
namespace {

// A kernel without that list has it in pieces.
std::vector<pid_t> children_by_their_parents() {
    std::vector<pid_t> children;
    std::error_code error;
    for (std::filesystem::directory_iterator entry{"/proc", error};
         !error && entry != std::filesystem::directory_iterator{}; entry.increment(error)) {
        const std::string name = entry->path().filename().string();
        pid_t pid = 0;
        const auto [end, problem] = std::from_chars(name.data(), name.data() + name.size(), pid);
        if (problem != std::errc{} || end != name.data() + name.size()) continue;
        if (const std::optional<ProcessFacts> facts = facts_of(pid); facts && facts->ppid == ::getpid())
            children.push_back(pid);
    }
    return children;
}

std::vector<pid_t> children_of_this_process() {
    // Of its main thread, which starts all of them and to which orphans fall.
    std::ifstream list{fmt::format("/proc/self/task/{}/children", ::getpid())};
    if (!list) return children_by_their_parents();
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

Result<Strays> Strays::create(std::string session_folder) {
    if (::prctl(PR_SET_CHILD_SUBREAPER, 1) != 0)
        return system_error(errno, "cannot become the one that orphans of actors fall to");
    sigset_t exits;
    sigemptyset(&exits);
    sigaddset(&exits, SIGCHLD);
    ::pthread_sigmask(SIG_BLOCK, &exits, nullptr);
    UniqueFd signals{::signalfd(-1, &exits, SFD_CLOEXEC | SFD_NONBLOCK)};
    if (!signals.is_open()) return system_error(errno, "cannot watch the exits of children");
    return Strays{std::move(session_folder), std::move(signals)};
}

void Strays::kill_group_of(pid_t actor) noexcept {
    // As long as the actor has not been reaped its number can be no other group's.
    if (actor > 1) ::kill(-actor, SIGKILL);
}

void Strays::note_exits() noexcept {
    signalfd_siginfo taken{};
    while (::read(signals_.get(), &taken, sizeof taken) > 0) {
    }
}

std::size_t Strays::reap_and_kill(const IsOwn& is_own, const std::function<bool(ActorId)>& is_alive) {
    note_exits();
    std::size_t killed = 0;
    for (const pid_t child : children_of_this_process()) {
        if (is_own(child)) continue;
        if (::waitpid(child, nullptr, WNOHANG) != 0) continue;  // reaped
        const std::optional<ActorId> actor = actor_of(child, folder_);
        if (!actor || is_alive(*actor)) continue;
        // A child that has not been reaped keeps its number.
        if (::kill(child, SIGKILL) == 0) ++killed;
    }
    return killed;
}

void Strays::look(const IsOwn& is_own, const std::function<bool(ActorId)>& is_alive) {
    static_cast<void>(reap_and_kill(is_own, is_alive));
}

bool Strays::end_all(const IsOwn& is_own, Deadline deadline) {
    const SystemClock clock;
    // What has been killed leaves its own children to us, so that another look is needed after each exit.
    while (reap_and_kill(is_own, [](ActorId) { return false; }) > 0) {
        if (deadline.has_passed(clock)) return false;
        pollfd exit{signals_.get(), POLLIN, 0};
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline.left(clock));
        static_cast<void>(::poll(&exit, 1, static_cast<int>(left.count())));
    }
    return true;
}

}  // namespace baton::detail::coordinator
