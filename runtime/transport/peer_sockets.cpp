#include "runtime/transport/peer_sockets.hpp"

#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <charconv>
#include <cstddef>
#include <cstring>
#include <filesystem>
#include <string_view>

namespace baton::detail {
namespace {

// The path of one end of a Unix socket; empty if it has none.
template <class Ask>
std::string path_of(int descriptor, Ask ask) {
    sockaddr_un address{};
    socklen_t size = sizeof address;
    if (ask(descriptor, reinterpret_cast<sockaddr*>(&address), &size) != 0 || address.sun_family != AF_UNIX) return {};
    const std::size_t start = offsetof(sockaddr_un, sun_path);
    if (size <= start) return {};
    return {address.sun_path, ::strnlen(address.sun_path, std::min<std::size_t>(size, sizeof address) - start)};
}

bool listens(int descriptor) {
    int is_listening = 0;
    socklen_t size = sizeof is_listening;
    return ::getsockopt(descriptor, SOL_SOCKET, SO_ACCEPTCONN, &is_listening, &size) == 0 && is_listening != 0;
}

pid_t peer_of(int descriptor) {
    ucred peer{};
    socklen_t size = sizeof peer;
    return ::getsockopt(descriptor, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 ? peer.pid : 0;
}

}  // namespace

std::optional<PeerSockets::Socket> PeerSockets::at(int descriptor) noexcept {
    struct stat status {};
    if (descriptor < 0 || ::fstat(descriptor, &status) != 0 || !S_ISSOCK(status.st_mode)) return std::nullopt;
    return Socket{descriptor, status.st_ino};
}

bool PeerSockets::Socket::is_open() const noexcept { return at(descriptor) == *this; }

bool PeerSockets::has_passed_queue(const std::string& socket_path, Watch& watch) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (watch.has_passed || socket_path.empty() || socket_path.size() >= sizeof address.sun_path) return true;
    if (!watch.probe.is_open()) {
        std::memcpy(address.sun_path, socket_path.c_str(), socket_path.size() + 1);
        UniqueFd fresh{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
        if (!fresh.is_open()) return false;  // no descriptor left: asked again
        if (::connect(fresh.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
            return errno != EAGAIN;  // a full queue takes it later; if nobody listens nothing waits
        watch.probe = std::move(fresh);
    }
    // ZeroMQ greets every connection at once when it accepts it.
    pollfd polled{watch.probe.get(), POLLIN, 0};
    if (::poll(&polled, 1, 0) == 0) return false;
    watch.probe.reset();
    return watch.has_passed = true;
}

// False if the list could not be read to its end: asked again.
bool PeerSockets::list(const std::string& socket_path, const Dead& dead, Watch& watch) {
    watch.accepted.clear();
    watch.opened.clear();
    std::error_code error;
    std::filesystem::directory_iterator entry{"/proc/self/fd", error};
    for (; !error && entry != std::filesystem::directory_iterator{}; entry.increment(error)) {
        const std::string name = entry->path().filename().string();
        int descriptor = -1;
        std::from_chars(name.data(), name.data() + name.size(), descriptor);
        const std::optional<Socket> socket = at(descriptor);
        // A socket that listens says of itself that its peer is this process.
        if (!socket || listens(descriptor)) continue;
        if (!socket_path.empty() && path_of(descriptor, ::getsockname) == socket_path) {
            if (dead.pid == 0 || peer_of(descriptor) == dead.pid) watch.accepted.push_back(*socket);
        } else if (!dead.inbox_path.empty() && path_of(descriptor, ::getpeername) == dead.inbox_path) {
            watch.opened.push_back(*socket);
        }
    }
    return !error;
}

bool PeerSockets::may_deliver(const std::string& socket_path, const Dead& dead, const Speakers& who_speaks_over) {
    Watch& watch = watches_[dead.id];
    if (!has_passed_queue(socket_path, watch)) return true;
    if (!watch.has_listed) watch.has_listed = list(socket_path, dead, watch);
    if (!watch.has_listed) return true;
    std::erase_if(watch.opened, [](const Socket& socket) { return !socket.is_open(); });
    std::erase_if(watch.accepted, [&](const Socket& socket) {
        return !socket.is_open() || who_speaks_over(socket) == Transport::Speaker::another;
    });
    if (!watch.opened.empty() || !watch.accepted.empty()) return true;
    watches_.erase(dead.id);
    return false;
}

}  // namespace baton::detail
