#pragma once
// SessionFolder: the folder with the sockets of one session, and the proof that the session lives.
//
// A session is alive exactly as long as its anchor gives its life sign (life_sign.hpp) and holds the locks on the
// folder, on <folder>/lock and on /dev/shm/baton-<id>-lock (session_base.hpp says why three). The kernel ends all of
// them when their holder dies, however it dies. A pid file could not promise that, because pids are reused. The lock
// files also name pid and start ticks, for people to read. The folder is not a place for data: it has only sockets and
// small files, and anything else in it prevents its removal. What others remove of it can be put back.
//
// Invariants:
//   - The folder and the base that it lies in belong to this user and have mode 0700; others are refused.
//   - Every socket path fits into sockaddr_un.
//   - Its end removes the folder (I7); if that fails, or the coordinator dies, sweep.cpp does it.
//
// Thread rule: one thread at a time. A process that forks without exec hands the lock to its copy, and the
// session then looks alive until both have ended; Baton never does.

#include <baton/unique_fd.hpp>
#include <baton/result.hpp>
#include <baton/sessions.hpp>

#include <sys/types.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace baton::detail {

inline constexpr std::size_t socket_path_size_bytes_max = 107;  // sun_path of sockaddr_un, without its zero
inline constexpr std::size_t socket_name_size_bytes_max = 24;   // two 32-bit numbers with a dot between, and some

class SessionFolder {
public:
    // Makes the base if it is missing. Refused if base or path violate the invariants; `overloaded` if another process
    // keeps the list of sessions locked.
    [[nodiscard]] static Result<SessionFolder> create();

    // One that another process has made and holds: its end does nothing.
    [[nodiscard]] static SessionFolder visit(std::string path);

    SessionFolder(SessionFolder&&) noexcept = default;
    SessionFolder& operator=(SessionFolder&& other) noexcept;
    ~SessionFolder();

    // Eight letters and digits, such as "k3f9x2ab": short, as it also prefixes the names of segments.
    [[nodiscard]] const std::string& id() const noexcept { return id_; }
    [[nodiscard]] const std::string& path() const noexcept { return path_; }
    // "<folder>/<name>.sock". check()s that the name is neither empty, nor too long, nor a path.
    [[nodiscard]] std::string socket_path(std::string_view name) const;

    // Puts back what another program has removed of base, folder and locks, and holds the locks that nobody holds; for
    // a coordinator, which visits the folder of `anchor`. Says which paths were missing. `gone` if the folder that the
    // base lies in is missing, so that nothing can be put back.
    [[nodiscard]] Result<std::vector<std::string>> put_back(pid_t anchor);

    // Makes the session's files look new to programs that remove old ones from /tmp. Call it now and then.
    void touch() const noexcept;

    // Removes the files and sockets in the folder, the folder, and frees the locks; a second call does nothing.
    // On an error the locks are still held, and the text names what is in the way.
    [[nodiscard]] Result<void> remove();

private:
    // Open until the folder has been removed or this is moved from.
    struct Locks {
        UniqueFd folder;
        UniqueFd file;
        UniqueFd memory;
        UniqueFd life_sign;
    };
    SessionFolder(std::string id, std::string path, Locks locks)
        : id_(std::move(id)), path_(std::move(path)), locks_(std::move(locks)) {}

    std::string id_;
    std::string path_;
    Locks locks_;
    Locks put_back_;  // of one that visits: those that nobody else held
};

}  // namespace baton::detail
