#pragma once
// Private folder: a folder that only its user can enter, and thus the right to use what is in it.
//
// Sockets and locks of a session are trusted because of where they are. It is not a sandbox: the user's own processes,
// and root, can enter it. Thread rule: no shared state.

#include <baton/result.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace baton::detail {

// Refused if `path` is missing, a symlink, not a folder, owned by another user, or not of mode 0700; the text says
// which command repairs it.
[[nodiscard]] Result<void> check_private_folder(const std::string& path);

// Makes it with mode 0700 unless it exists, and checks it in either case. Its parent must exist.
[[nodiscard]] Result<void> make_private_folder(const std::string& path);

// Removes the regular files and sockets directly in `path`, the one called `last` after all others, and then the
// folder. Anything else in it is not ours: then the folder, that thing and `last` stay, and the error names it.
// Symlinks are neither followed nor removed. A folder or file that vanishes during the call counts as removed.
[[nodiscard]] Result<void> remove_private_folder(const std::string& path, std::string_view last);

}  // namespace baton::detail
