#pragma once
// Private folder: a folder that only its user can enter, and so the right to use what lies in it.
//
// Sockets and locks of a session are trusted because of where they lie. It is not a sandbox: the user's own
// processes, and root, come in as they like. Thread rule: no shared state.

#include <baton/result.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace baton::detail {

// Refused if `path` is missing, a symlink, no folder, another user's, or not of mode 0700; the text says
// which command puts it right.
[[nodiscard]] Result<void> check_private_folder(const std::string& path);

// Makes it with mode 0700 unless it is there, and checks it either way. Its parent must be there.
[[nodiscard]] Result<void> make_private_folder(const std::string& path);

// Removes the regular files and sockets directly in `path`, the one called `last` after all others, and then the
// folder. Anything else in it is not ours: then the folder, that thing and `last` stay, and the error names it.
// Symlinks are neither followed nor removed. A folder or file that vanishes during the call counts as removed.
[[nodiscard]] Result<void> remove_private_folder(const std::string& path, std::string_view last);

}  // namespace baton::detail
