#include "runtime/transport/peer_sockets.hpp"

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <charconv>
#include <cstring>
#include <filesystem>
#include <string_view>

namespace baton {
namespace {

bool is_connected_to(int descriptor, pid_t pid) {
    ucred peer{};
    socklen_t size = sizeof peer;
    return ::getsockopt(descriptor, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 && peer.pid == pid;
}

bool any_socket_connected_to(pid_t pid) {
    std::error_code error;
    for (std::filesystem::directory_iterator entry{"/proc/self/fd", error}; !error && entry != std::filesystem::directory_iterator{};
         entry.increment(error)) {
        const std::string name = entry->path().filename().string();
        int descriptor = -1;
        std::from_chars(name.data(), name.data() + name.size(), descriptor);
        if (is_connected_to(descriptor, pid)) return true;
    }
    return false;
}

}  // namespace

bool PeerSockets::has_passed_queue(const std::string& socket_path, pid_t dead) {
    Probe& probe = probes_[dead];
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (probe.has_passed || socket_path.empty() || socket_path.size() >= sizeof address.sun_path) return true;
    if (!probe.connection.is_open()) {
        std::memcpy(address.sun_path, socket_path.c_str(), socket_path.size() + 1);
        UniqueFd fresh{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
        if (!fresh.is_open()) return false;  // no descriptor left: asked again
        if (::connect(fresh.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
            return errno != EAGAIN;  // a full queue takes it later; where nobody listens nothing waits
        probe.connection = std::move(fresh);
    }
    // Whoever accepts a connection of ZeroMQ's greets it at once.
    pollfd polled{probe.connection.get(), POLLIN, 0};
    if (::poll(&polled, 1, 0) == 0) return false;
    probe.connection.reset();
    return probe.has_passed = true;
}

bool PeerSockets::may_deliver(const std::string& socket_path, pid_t dead) {
    if (!has_passed_queue(socket_path, dead) || any_socket_connected_to(dead)) return true;
    probes_.erase(dead);
    return false;
}

}  // namespace baton
