#pragma once
// Sweep: removes what sessions left whose coordinator died.
//
// It goes by locks, not by pids or ages: a session of which one lock is held is not touched, whatever it looks
// like. It finds sessions by their folders and by their memory: a folder may have been removed, or lie in another
// container's /tmp. Nor is a process touched that is not provably an actor of the dead session (same user, started with its
// BATON_SESSION and with a BATON_ACTOR): a user's scenario and shell live on. An actor that is just being
// started may be overlooked; it ends by itself in die_with_parent(). The sweep knows nothing of ledgers: the
// segments of a dead session are files by name here.
//
// Invariants:
//   - A live session is never touched, nor one that is just being made.
//   - A session's folder goes last, so a sweep that is interrupted is taken up by the next (I7).
//   - To sweep twice, or twice at once, is to sweep once.
//
// Thread rule: no shared state in this process; between processes the sweep-lock makes them take turns.

#include <baton/result.hpp>

#include <sys/types.h>

#include <cstddef>
#include <string>
#include <vector>

namespace baton::detail {

struct Swept {
    std::size_t sessions = 0;             // of which nothing is left
    std::vector<pid_t> processes_killed;
    std::vector<std::string> removed;     // paths of segments and session folders
    std::vector<Error> troubles;          // what stayed and why; the caller logs it, the next sweep tries again
};

// Takes about two seconds at the longest once it has its turn, and next to nothing where nobody has died.
// Refused if the base folder is not private, overloaded if its turn does not come; troubles with single
// sessions do not stop it.
[[nodiscard]] Result<Swept> sweep_dead_sessions();

}  // namespace baton::detail
