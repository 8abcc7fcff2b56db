#pragma once
// Session base: the folder in which all session folders of one user lie, and the two locks that say what
// may be done there. Used by session_folder.cpp and sweep.cpp; nobody else needs it.
//
//   <base>/.sweep-lock    held to change the list of sessions, shared to read it: a half-made session is
//                         never seen, and never swept.
//   <base>/<id>/lock      held by the session's coordinator for as long as it lives.
//
// Both are flock(2) locks: the kernel frees them when their holder dies, however it dies, and no reuse of a
// pid can make a dead session look alive. Thread rule: reads the environment, else no shared state.

#include "runtime/base/unique_fd.hpp"
#include "runtime/result.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace baton {

inline constexpr std::string_view session_lock_name = "lock";
inline constexpr std::size_t session_id_size_bytes = 8;

// $XDG_RUNTIME_DIR/baton where that variable names a folder of this user (symlinks in it resolved), else
// /tmp/baton-<uid>. TMPDIR is not asked: the path of a socket must be short. Makes nothing.
[[nodiscard]] std::string session_base_path();

[[nodiscard]] std::string new_session_id();
[[nodiscard]] bool is_session_id(std::string_view name) noexcept;
// What looks like a session, sorted; nothing else in the base is ever touched.
[[nodiscard]] std::vector<std::string> session_ids_in(const std::string& base);

enum class BaseUse { reads, changes };
// The lock lasts as long as the descriptor. Overloaded if others hold it for longer than
// `session_base_lock_wait_max`.
[[nodiscard]] Result<UniqueFd> lock_session_base(const std::string& base, BaseUse use);

// Nothing if the session lives, or if that cannot be known: such a one must not be touched. Else its lock,
// shared or for us alone; an unopened descriptor where its maker died before there was a lock.
[[nodiscard]] std::optional<UniqueFd> lock_of_dead_session(const std::string& folder, BaseUse use);

}  // namespace baton
