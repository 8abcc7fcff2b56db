#pragma once
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

#include <baton/result.hpp>

#include <sys/types.h>

#include <cstddef>
#include <string>
#include <vector>

namespace baton::detail {

struct Swept {
    std::size_t sessions = 0;             // that are gone completely
    std::vector<pid_t> processes_killed;
    std::vector<std::string> removed;     // paths of segments and session folders
    std::vector<Error> troubles;          // what remained and why; the caller logs it, the next sweep tries again
};

// Takes about two seconds at most once it has its turn, and almost no time if nothing has died. Refused if the base
// folder is not private, `overloaded` if its turn does not come; trouble with single sessions does not stop it.
[[nodiscard]] Result<Swept> sweep_dead_sessions();

}  // namespace baton::detail
