#pragma once
// Peer sockets: whether anything of another process can still reach an inbox of this one over a Unix socket.
//
// The kernel knows who is at the other end of each socket (SO_PEERCRED), and keeps what a dead process wrote
// until its reader has read it and the end. So nothing more can come when no connection of that process waits
// in the inbox's queue to be accepted, and no socket of ours is connected to it any more. The queue is in order:
// once a connection of our own, made later, has been accepted, all earlier ones have been.
// Linux. One thread; no code of ours runs on another.

#include <sys/types.h>

#include <map>
#include <string>

#include "runtime/base/unique_fd.hpp"

namespace baton {

class PeerSockets {
public:
    // `socket_path`: of the inbox; empty: there is none, then only open sockets are looked at. Never waits; asked again
    // until it says no.
    [[nodiscard]] bool may_deliver(const std::string& socket_path, pid_t dead);

private:
    [[nodiscard]] bool has_passed_queue(const std::string& socket_path, pid_t dead);
    struct Probe {
        UniqueFd connection;  // of our own, that waits to be accepted
        bool has_passed = false;
    };
    std::map<pid_t, Probe> probes_;
};

}  // namespace baton
