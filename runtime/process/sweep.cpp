// Sweep: removes what sessions left behind whose coordinator died.
//
// It relies on locks, not on pids or ages: a session with one held lock is not touched, whatever it looks like. It
// finds sessions by their folders and by their memory, because a folder may have been removed, or be in another
// container's /tmp. It does not touch a process unless that is provably an actor of the dead session (same user,
// started with its BATON_SESSION and with a BATON_ACTOR): a user's scenario and shell continue. An actor that is just
// being started may be overlooked; it ends by itself in die_with_parent(). The sweep knows nothing of ledgers: to it,
// the segments of a dead session are files with names.
//
// Invariants:
//   - A live session, or one that is just being made, is never touched.
//   - A session's folder is removed last, so the next sweep continues one that was interrupted (I7).
//   - Sweeping twice, even at the same time, has the effect of sweeping once.
//
// Thread rule: no shared state in this process; between processes the sweep-lock makes them take turns.
#include <baton/sessions.hpp>

#include <baton/time.hpp>
#include <baton/log.hpp>
#include "runtime/process/private_folder.hpp"
#include "runtime/process/process_facts.hpp"
#include "runtime/process/session_base.hpp"
#include "runtime/process/system_error.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <filesystem>
#include <set>
#include <system_error>

namespace baton::detail {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

constexpr Duration exits_wait_max = 2s;
// Actors that are just being started by dying ones show up in a later pass.
constexpr int kill_passes_max = 8;

struct DeadSession {
    std::string id;
    std::string folder;  // empty if only memory is left
    SessionLocks locks;  // held while we clean up, so that nobody takes the session for alive or sweeps it too
    bool has_processes = false;
};

std::vector<DeadSession> dead_sessions_in(const std::string& base, std::vector<Error>& troubles) {
    std::vector<DeadSession> dead;
    for (std::string& id : session_ids_in(base)) {
        std::string folder = fmt::format("{}/{}", base, id);
        std::optional<SessionLocks> locks = locks_of_dead_session(folder, BaseUse::changes);
        if (!locks) continue;
        if (Result<void> is_private = check_private_folder(folder); !is_private) {
            std::error_code error;
            if (fs::exists(fs::symlink_status(folder, error))) troubles.push_back(std::move(is_private.error()));
            continue;
        }
        dead.push_back({std::move(id), std::move(folder), *std::move(locks)});
    }
    return dead;
}

// Names in shared memory. Those of other users are not ours to judge.
template <class Function>
void for_each_memory(const Function& function) {
    std::error_code error;
    for (fs::directory_iterator entry{shared_memory_place, error}; !error && entry != fs::directory_iterator{};
         entry.increment(error)) {
        std::optional<std::string> id = session_id_of_memory(entry->path().filename().string());
        if (!id) continue;
        struct stat facts {};
        if (::lstat(entry->path().c_str(), &facts) == 0 && facts.st_uid == ::geteuid())
            function(*std::move(id), entry->path().string());
    }
}

// Sessions of which there is memory and no folder: it was removed, or something outlived the session and made memory
// after the sweep, or the folder lies where we cannot see it. Only the first two may be dead.
void add_dead_memory(const std::string& base, std::vector<DeadSession>& dead) {
    std::set<std::string> ids;
    for_each_memory([&](std::string id, const std::string&) { ids.insert(std::move(id)); });
    std::error_code error;
    for (const std::string& id : ids) {
        if (fs::exists(fs::symlink_status(fmt::format("{}/{}", base, id), error))) continue;
        if (std::optional<SessionLocks> locks = locks_of_dead_memory(id)) dead.push_back({id, {}, *std::move(locks)});
    }
}

std::vector<pid_t> processes_of_this_user() {
    std::vector<pid_t> pids;
    std::error_code error;
    for (fs::directory_iterator entry{"/proc", error}; !error && entry != fs::directory_iterator{};
         entry.increment(error)) {
        const std::string name = entry->path().filename().string();
        pid_t pid = 0;
        const auto [end, problem] = std::from_chars(name.data(), name.data() + name.size(), pid);
        if (problem != std::errc{} || end != name.data() + name.size() || pid == ::getpid()) continue;
        struct stat facts {};
        if (::stat(entry->path().c_str(), &facts) == 0 && facts.st_uid == ::geteuid()) pids.push_back(pid);
    }
    return pids;
}

DeadSession* session_of_actor(pid_t pid, std::vector<DeadSession>& dead) {
    const auto environment = environment_of(pid);
    if (!environment) return nullptr;
    const bool is_actor = std::any_of(environment->begin(), environment->end(),
                                      [](const std::string& variable) { return variable.starts_with("BATON_ACTOR="); });
    if (!is_actor) return nullptr;
    const auto belongs_to = [&](const DeadSession& session) {
        return std::any_of(environment->begin(), environment->end(), [&](const std::string& variable) {
            if (!variable.starts_with("BATON_SESSION=")) return false;
            // If the folder is gone its path is not known any more; the id is its last part and nobody else's.
            return session.folder.empty() ? variable.ends_with("/" + session.id)
                                          : variable == "BATON_SESSION=" + session.folder;
        });
    };
    const auto found = std::find_if(dead.begin(), dead.end(), belongs_to);
    return found == dead.end() ? nullptr : &*found;
}

struct KilledActor {
    pid_t pid;
    UniqueFd pidfd;
    DeadSession* session;
};

std::optional<KilledActor> kill_if_left_over(pid_t pid, std::vector<DeadSession>& dead, std::vector<Error>& troubles) {
    // Most processes of a user are none of ours, and a pidfd for each would be a waste.
    DeadSession* const suspected = session_of_actor(pid, dead);
    if (suspected == nullptr) return std::nullopt;
    Result<UniqueFd> pidfd = open_pidfd(pid);
    if (!pidfd) {
        if (pidfd.error().kind == ErrorKind::gone) return std::nullopt;
        suspected->has_processes = true;
        troubles.push_back(std::move(pidfd.error()));
        return std::nullopt;
    }
    // The pid may have been used again before the pidfd was there. What is read now is of the pidfd's process
    // if that one has not exited by the time it has been read.
    DeadSession* const session = session_of_actor(pid, dead);
    const bool has_exited = has_exited_by(pidfd->get(), Deadline{Instant::min()});
    if (session == nullptr || has_exited) return std::nullopt;
    if (Result<void> killed = send_signal_through(pidfd->get(), SIGKILL); !killed) {
        if (killed.error().kind != ErrorKind::gone) {
            session->has_processes = true;
            killed.error().text += fmt::format(" (to process {}, left over from session {})", pid, session->id);
            troubles.push_back(std::move(killed.error()));
        }
        return std::nullopt;
    }
    return KilledActor{pid, *std::move(pidfd), session};
}

void kill_actors_of(std::vector<DeadSession>& dead, Swept& swept) {
    const Deadline deadline = Deadline::in(SystemClock{}, exits_wait_max);
    for (int pass = 0; pass < kill_passes_max; ++pass) {
        const bool is_last = pass + 1 == kill_passes_max;
        std::vector<KilledActor> killed;
        for (const pid_t pid : processes_of_this_user())
            if (auto actor = kill_if_left_over(pid, dead, swept.troubles)) killed.push_back(*std::move(actor));
        if (killed.empty()) return;

        bool have_all_exited = true;
        for (const KilledActor& actor : killed) {
            swept.processes_killed.push_back(actor.pid);
            const bool has_exited = has_exited_by(actor.pidfd.get(), deadline);
            // One that was there in the last pass may have started another one.
            if (!has_exited || is_last) actor.session->has_processes = true;
            if (has_exited) continue;
            have_all_exited = false;
            swept.troubles.push_back({ErrorKind::timed_out,
                                      fmt::format("process {}, left over from session {}, was killed and has not ended "
                                                  "within {} s; see its state in /proc/{}/status",
                                                  actor.pid, actor.session->id, exits_wait_max / 1s, actor.pid)});
        }
        if (!have_all_exited) return;
    }
}

bool remove_segments_of(const DeadSession& session, Swept& swept) {
    const std::string lock = memory_lock_path(session.id);
    bool is_clean = true;
    const auto remove = [&](const std::string& path) {
        const int code = ::unlink(path.c_str()) == 0 ? 0 : errno;
        if (code == 0) {
            swept.removed.push_back(path);
        } else if (code != ENOENT) {
            is_clean = false;
            const std::string tried = fmt::format("cannot remove '{}' of dead session {}", path, session.id);
            swept.troubles.push_back(system_error(code, tried));
        }
    };
    for_each_memory([&](const std::string& id, const std::string& path) {
        if (id == session.id && path != lock) remove(path);
    });
    if (is_clean && session.locks.memory.is_open()) ::unlink(lock.c_str());  // last, like the folder
    return is_clean;
}

}  // namespace
}  // namespace baton::detail

namespace baton {

using namespace detail;

Result<Swept> sweep_dead_sessions() {
    Swept swept;
    const std::string base = session_base_path();
    std::error_code error;
    std::vector<DeadSession> dead;
    UniqueFd base_lock;
    if (fs::exists(fs::symlink_status(base, error))) {
        if (Result<void> is_private = check_private_folder(base); !is_private) return std::move(is_private.error());
        Result<UniqueFd> locked = lock_session_base(base, BaseUse::changes);
        if (!locked) return locked.error();
        base_lock = *std::move(locked);
        dead = dead_sessions_in(base, swept.troubles);
    }
    add_dead_memory(base, dead);
    if (dead.empty()) return swept;
    kill_actors_of(dead, swept);
    for (const DeadSession& session : dead) {
        // A process that still runs may still write; all of it stays for the next sweep.
        if (session.has_processes) continue;
        if (!remove_segments_of(session, swept)) continue;
        if (!session.folder.empty()) {
            if (Result<void> removed = remove_private_folder(session.folder, session_lock_name); !removed) {
                swept.troubles.push_back(std::move(removed.error()));
                continue;
            }
            swept.removed.push_back(session.folder);
        }
        ++swept.sessions;
    }
    return swept;
}

}  // namespace baton
