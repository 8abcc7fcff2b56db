#pragma once
// Session base: the folder that contains all session folders of one user, and the locks that say what may be done there
// and with the sessions' memory. Only session_folder.cpp and sweep.cpp need it.
//
//   <base>/.sweep-lock         held to change the list of sessions, shared to read it: a half-made session is never
//                              seen, and never swept.
//   <base>/<id>                the folder itself,
//   <base>/<id>/lock           a file in it that names the coordinator, and
//   /dev/shm/baton-<id>-lock   the memory's: all three are held by the session's coordinator for as long as it lives.
//
// A session is dead when none of the three is held and it gives no sign of life (life_sign.hpp). Files in /tmp and
// /run/user are removed by others (systemd-tmpfiles, the end of a login, a person), and another container may see the
// memory of a session but not its folder: so a missing lock proves nothing, and one held lock, or the sign, is enough.
//
// All are flock(2) locks: the kernel frees them when their holder dies, however it dies, and no reuse of a pid can make
// a dead session look alive. Thread rule: reads the environment; otherwise no shared state.

#include <baton/unique_fd.hpp>
#include <baton/result.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace baton::detail {

inline constexpr std::string_view session_lock_name = "lock";
inline constexpr const char* shared_memory_place = "/dev/shm";
inline constexpr std::size_t session_id_size_bytes = 8;

// $XDG_RUNTIME_DIR/baton if that variable names a folder of this user (with symlinks resolved), otherwise
// /dev/shm/.baton-<uid>: in memory, where a socket is made in less time than on a disk. TMPDIR is not used, because the
// path of a socket must be short. Makes nothing.
[[nodiscard]] std::string session_base_path();

[[nodiscard]] std::string new_session_id();
[[nodiscard]] bool is_session_id(std::string_view name) noexcept;
// The entries that look like a session, sorted; nothing else in the base is ever touched.
[[nodiscard]] std::vector<std::string> session_ids_in(const std::string& base);

enum class BaseUse { reads, changes };
// The lock lasts as long as the descriptor. `overloaded` if others hold it for longer than
// `session_base_lock_wait_max`.
[[nodiscard]] Result<UniqueFd> lock_session_base(const std::string& base, BaseUse use);

// Each is unopened if there is no such thing.
struct SessionLocks {
    UniqueFd folder = {};
    UniqueFd file = {};
    UniqueFd memory = {};
};

// Nothing if the session lives, or if that cannot be determined: such a session must not be touched. Otherwise its
// locks, shared or exclusive.
[[nodiscard]] std::optional<SessionLocks> locks_of_dead_session(const std::string& folder, BaseUse use);

// Does this for memory whose session has no folder in this base. If its lock names an existing folder in another base,
// the memory is left to the sweeps of that base. If the memory has no lock, it is dead only if no process that we can
// see has any of it open or mapped.
[[nodiscard]] std::optional<SessionLocks> locks_of_dead_memory(std::string_view id);

// The lock of a new session's memory appears locked, so that no process ever sees it free. It contains `text` and the
// folder of the session.
[[nodiscard]] Result<UniqueFd> make_memory_lock(std::string_view id, std::string_view folder, std::string_view text);
[[nodiscard]] std::string memory_lock_path(std::string_view id);

// The session id in the name of an object in shared memory, "baton-<id>-..."; nothing for other names.
[[nodiscard]] std::optional<std::string> session_id_of_memory(std::string_view name);

}  // namespace baton::detail
