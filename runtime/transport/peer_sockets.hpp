#pragma once
// Peer sockets: tells whether anything of a dead peer can still reach this process over a Unix socket.
//
// The kernel keeps what a dead process wrote until its reader has read it and the end, and knows the process at the
// other end of each socket (SO_PEERCRED). So nothing more can arrive when no connection of the dead peer waits in the
// inbox's queue to be accepted, and none of its connections is open here any more. The queue is in order: when the
// connection of our own that we make then has been accepted, all earlier ones have been. Then the open sockets are
// listed once. Later only those that were found are checked, so a process that is given the same pid later does not
// count.
//
// A process may be several peers. A connection that has spoken for another, living peer does not count, whatever its
// process; one that has not spoken yet does. Linux. One thread; no code of ours runs on another.

#include <sys/types.h>

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <baton/unique_fd.hpp>
#include "runtime/transport/transport.hpp"

namespace baton::detail {

class PeerSockets {
public:
    // One socket of this process, as long as it exists: its descriptor may be reused, its inode is not.
    struct Socket {
        int descriptor = -1;
        ino_t inode = 0;
        auto operator<=>(const Socket&) const = default;
        [[nodiscard]] bool is_open() const noexcept;
    };
    // Nothing if the descriptor does not (or no longer) belong to a socket.
    [[nodiscard]] static std::optional<Socket> at(int descriptor) noexcept;

    struct Dead {
        ActorId id;
        pid_t pid = 0;            // 0: unknown, then every connection counts that has not spoken for another
        std::string inbox_path;  // of its own inbox, if a link to that is open here; otherwise empty
    };
    using Speakers = std::function<Transport::Speaker(const Socket&)>;

    // `socket_path` is that of the inbox; empty if there is none. Never waits; callers ask again until it is false.
    [[nodiscard]] bool may_deliver(const std::string& socket_path, const Dead& dead, const Speakers& who_speaks_over);

private:
    struct Watch {
        UniqueFd probe;  // a connection of our own, that waits to be accepted
        bool has_passed = false;
        bool has_listed = false;
        std::vector<Socket> accepted;  // that may be of the dead
        std::vector<Socket> opened;    // to its inbox
    };
    [[nodiscard]] static bool has_passed_queue(const std::string& socket_path, Watch& watch);
    [[nodiscard]] static bool list(const std::string& socket_path, const Dead& dead, Watch& watch);
    std::map<ActorId, Watch> watches_;
};

}  // namespace baton::detail
