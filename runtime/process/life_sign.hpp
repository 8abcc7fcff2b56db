#pragma once
// Life sign: by what the kernel alone says that a session lives, whatever becomes of its files.
//
// The anchor of a session holds a socket in the abstract namespace of Unix sockets, which has no file: no cleaner, no
// end of a login and no `rm` can remove it, and the kernel gives it up when the process ends, however it ends. Its name
// has the anchor's pid and the session's folder. Anybody may bind such a name, so a sign counts only if that process
// belongs to this user and holds that very socket. It is seen in the same network and process namespace; elsewhere the
// locks of session_base.hpp say whether a session lives. Thread rule: no shared state.

#include <sys/types.h>

#include <string>
#include <string_view>
#include <vector>

#include <baton/result.hpp>
#include <baton/unique_fd.hpp>

namespace baton::detail {

struct LifeSign {
    pid_t anchor = 0;
    std::string folder;  // of its session, which may have been removed
    [[nodiscard]] std::string id() const { return folder.substr(folder.rfind('/') + 1); }
};

// For the anchor, as long as its session lives.
[[nodiscard]] Result<UniqueFd> give_life_sign(const std::string& folder);
// Of all sessions of this user that can be seen from here.
[[nodiscard]] std::vector<LifeSign> life_signs();
[[nodiscard]] bool has_life_sign(std::string_view session_id);

}  // namespace baton::detail
