#pragma once
// Sessions: which sessions of this user there are, which of them live, and what dead ones have left. Needs no session
// of one's own and sends no message: it reads the folders and locks of docs/processes.md.
//
// A session lives exactly as long as its anchor; the kernel says so, by a socket without a file and by locks that
// nobody else can hold. No removed file makes it look dead. What is read is a snapshot: a session may end at any
// moment. Thread rule: no shared state, callable anywhere.

#include <sys/types.h>

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <baton/result.hpp>

namespace baton {

// Names the session to join: the path of its folder, or its id.
inline constexpr const char* session_variable = "BATON_SESSION";

struct SessionInfo {
    std::string id;        // eight letters and digits, such as "k3f9x2ab"
    std::string path;      // of its folder
    bool is_live = false;
    pid_t pid = 0;         // of its anchor, or as the lock file says; 0 if it says nothing
    bool has_folder = true;  // false: another program has removed it, and nobody can join until it is put back
};

// All sessions of this user, including dead ones that have not been swept, and living ones whose folder was removed.
// Sorted by id.
[[nodiscard]] Result<std::vector<SessionInfo>> list_sessions();

// The session to join: the one named by its id or by the path of its folder; otherwise the one in $BATON_SESSION;
// otherwise the only live one of this user. Always a live session in a private folder. `gone` if there is none,
// `refused` if there are several; the text says which, and what to do.
[[nodiscard]] Result<SessionInfo> find_session(const std::optional<std::string>& id_or_path);
// True if find_session() would look for one session, and not for the only live one.
[[nodiscard]] bool is_session_named(const std::optional<std::string>& id_or_path);

// What a sweep has removed.
struct Swept {
    std::size_t sessions = 0;             // that are gone completely
    std::vector<pid_t> processes_killed;
    std::vector<std::string> removed;     // paths of segments and session folders
    std::vector<Error> troubles;          // what remained and why; the next sweep tries again
};

// Removes what sessions have left whose coordinator died: kills their actors, removes their memory and folders. Never
// touches a live session; sweeping twice, even at the same time, has the effect of sweeping once. Takes about two
// seconds at most once it has its turn, and almost no time if nothing has died. `refused` if the base folder is not
// private, `overloaded` if its turn does not come; trouble with single sessions does not stop it.
[[nodiscard]] Result<Swept> sweep_dead_sessions();

// The coordinator's program, in a build folder and where it is installed.
inline constexpr std::string_view coordinator_program = "baton-coordinator";
// Its path: what BATON_COORDINATOR_PROGRAM names; otherwise the first in `folders`, in the folders of BATON_PROGRAMS,
// beside the running program and in PATH. `gone` if there is none.
[[nodiscard]] Result<std::string> find_coordinator(const std::vector<std::string>& folders = {});

}  // namespace baton
