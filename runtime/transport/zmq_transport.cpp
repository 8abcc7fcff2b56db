#include "runtime/transport/zmq_transport.hpp"

#include <fmt/format.h>
#include <poll.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <unordered_map>
#include <utility>
#include <vector>
#include <unistd.h>

#include <zmq.hpp>

#include "runtime/base/check.hpp"
#include "runtime/transport/accepted_links.hpp"
#include "runtime/transport/descriptors.hpp"
#include "runtime/transport/peer_sockets.hpp"
#include "runtime/transport/polling.hpp"

namespace baton::detail {
namespace {

// Links opened here are even, links that came to the inbox are odd, so that one number says which.
constexpr std::uint32_t first_opened = 2;
bool is_opened(Link link) { return link.index % 2 == 0; }

// A link needs one for its socket and one for ZeroMQ's signals; the first socket takes those of two threads along.
constexpr int descriptors_per_link = 2;
constexpr int descriptors_at_start = 8;

// Links that have been forgotten and whose sockets are still remembered.
constexpr std::size_t forgotten_max = 64;

Error to_error(const zmq::error_t& error, std::string tried) {
    const bool is_limit = error.num() == EMFILE || error.num() == ENOMEM;
    return Error{is_limit ? ErrorKind::overloaded : ErrorKind::refused, fmt::format("{}: {}", tried, error.what())};
}

// Of the Unix socket; empty if it is none.
std::string path_of(std::string_view address) {
    constexpr std::string_view scheme = "ipc://";
    return address.starts_with(scheme) ? std::string(address.substr(scheme.size())) : std::string();
}

// ZeroMQ gives up any call, even one that does not wait, when a signal arrives in it.
template <class Function>
auto uninterrupted(Function&& call) {
    for (;;) {
        try {
            return call();
        } catch (const zmq::error_t& error) {
            if (error.num() != EINTR) throw;
        }
    }
}

// A socket, and whether a look at it is worth a system call. ZeroMQ's descriptor wakes us for whatever
// happens after the socket was last found empty, unless we sent something since: a send may swallow that.
struct Socket {
    zmq::socket_t socket;
    bool may_hold_frames = true;

    bool receive(zmq::message_t& part) {
        if (may_hold_frames)
            may_hold_frames = uninterrupted([&] { return socket.recv(part, zmq::recv_flags::dontwait).has_value(); });
        return may_hold_frames;
    }
    bool send(Transport::Outgoing bytes, zmq::send_flags flags = zmq::send_flags::none) {
        may_hold_frames = true;
        zmq::message_t message{bytes.size()};
        const auto behind_head = std::ranges::copy(bytes.head, message.data<char>()).out;
        std::ranges::copy(bytes.body, behind_head);
        const auto try_to = [&] {
            return uninterrupted([&] { return socket.send(message, flags | zmq::send_flags::dontwait).has_value(); });
        };
        // A send hears of what the other side has read at most once a millisecond, a look at the events always: a queue
        // that was emptied within that time is not full.
        return try_to() || (has_event(ZMQ_POLLOUT) && try_to());
    }
    bool has_event(int event) {
        const int events = uninterrupted([&] { return socket.get(zmq::sockopt::events); });
        // Whichever event was asked for: the descriptor will not tell again of frames seen here.
        may_hold_frames = may_hold_frames || (events & ZMQ_POLLIN) != 0;
        return (events & event) != 0;
    }
    bool is_readable() {
        if (may_hold_frames) may_hold_frames = has_event(ZMQ_POLLIN);
        return may_hold_frames;
    }
};

// Of the connection that a frame came over; -1 if ZeroMQ does not say.
int descriptor_of(zmq::message_t& frame) {
    const char* const text = ::zmq_msg_gets(frame.handle(), "__fd");
    int descriptor = -1;
    if (text != nullptr) std::from_chars(text, text + std::strlen(text), descriptor);
    return descriptor;
}

}  // namespace

struct ZmqTransport::Sockets {
    // Declared first: outlives the sockets.
    zmq::context_t context{1};
    Socket inbox;
    std::unordered_map<std::uint32_t, Socket> opened;
    std::unordered_map<std::uint32_t, std::string> opened_paths;
    std::uint32_t next_opened = first_opened;

    AcceptedLinks accepted;
    // Over which sockets the accepted links came, as their first frames say.
    std::unordered_map<std::uint32_t, PeerSockets::Socket> came_over;
    std::unordered_multimap<ino_t, std::uint32_t> links_at;

    bool has_started = false;  // ZeroMQ's threads, which the first socket needs
    std::string inbox_path;         // empty: it has none
    std::uint32_t bound_again = 0;  // times
    PeerSockets peers;

    zmq::message_t route;
    zmq::message_t message;
    std::vector<pollfd> polled;
    std::vector<Socket*> polled_sockets;  // in the same order; descriptors follow

    explicit Sockets(std::size_t accepted_max) : accepted(accepted_max) {}

    // Overloaded if ZeroMQ would find no room for one more socket, which it does not always survive.
    Result<void> require_room(const std::string& tried) {
        if (Result<void> room = require_descriptors(has_started ? descriptors_per_link : descriptors_at_start, tried);
            !room)
            return room;
        if (std::exchange(has_started, true)) return {};
        Result<void> room = require_threads(tried);
        has_started = room.ok();
        return room;
    }

    void forget_socket(std::uint32_t index) {
        const auto socket = came_over.find(index);
        if (socket == came_over.end()) return;
        const auto [first, last] = links_at.equal_range(socket->second.inode);
        links_at.erase(std::find_if(first, last, [index](const auto& entry) { return entry.second == index; }));
        came_over.erase(socket);
    }

    // Of links that have been forgotten since, nothing is kept for long.
    void note_socket(std::uint32_t index, int descriptor) {
        const std::optional<PeerSockets::Socket> socket = PeerSockets::at(descriptor);
        if (!socket) return;  // it has ended, or is none
        came_over.insert_or_assign(index, *socket);
        links_at.emplace(socket->inode, index);
        if (came_over.size() <= 2 * accepted.size() + forgotten_max) return;
        std::vector<std::uint32_t> forgotten;
        for (const auto& [link, came] : came_over)
            if (!accepted.knows(Link{link})) forgotten.push_back(link);
        for (const std::uint32_t link : forgotten) forget_socket(link);
    }

    [[nodiscard]] Speaker speaker_over(const PeerSockets::Socket& socket,
                                       const std::function<Speaker(Link)>& who) const {
        Speaker speaker = Speaker::unknown;
        const auto [first, last] = links_at.equal_range(socket.inode);
        for (auto entry = first; entry != last; ++entry) {
            if (came_over.at(entry->second) != socket) continue;
            // Of several the one that lives is right: its connection has not ended, so the descriptor is still its own.
            const Speaker one = who(Link{entry->second});
            if (one == Speaker::another) return one;
            if (one == Speaker::the_dead) speaker = one;
        }
        return speaker;
    }
};

ZmqTransport::ZmqTransport(std::size_t accepted_max) : sockets_(std::make_unique<Sockets>(accepted_max)) {
    hold_back_connections();
    sockets_->context.set(zmq::ctxopt::max_sockets, 4096);
}

ZmqTransport::~ZmqTransport() = default;

Result<void> ZmqTransport::bind(const std::string& address) {
    const std::string tried = fmt::format("cannot bind an inbox at {}", address);
    if (Result<void> room = sockets_->require_room(tried); !room) return room;
    try {
        zmq::socket_t socket{sockets_->context, zmq::socket_type::router};
        socket.set(zmq::sockopt::router_mandatory, true);
        socket.set(zmq::sockopt::linger, static_cast<int>(limits::linger.count()));
        socket.set(zmq::sockopt::rcvhwm, limits::inbox_frames_per_peer_max);
        socket.set(zmq::sockopt::sndhwm, limits::answer_frames_per_peer_max);
        socket.set(zmq::sockopt::maxmsgsize, static_cast<std::int64_t>(frame_bytes_max));
        socket.set(zmq::sockopt::handshake_ivl, static_cast<int>(limits::handshake_timeout.count()));
        uninterrupted([&] { socket.bind(address); });
        sockets_->inbox = Socket{std::move(socket)};
        sockets_->inbox_path = path_of(address);
        return {};
    } catch (const zmq::error_t& error) {
        return to_error(error, tried);
    }
}

// What listened at the file that was removed goes on doing so, where nobody can find it: to end it would remove the new
// file, some time later.
Result<void> ZmqTransport::bind_again() {
    const std::string& path = sockets_->inbox_path;
    if (path.empty() || ::access(path.c_str(), F_OK) == 0) return {};
    const std::string tried = fmt::format("cannot bind an inbox again at ipc://{}", path);
    if (sockets_->bound_again == limits::bound_again_max)
        return Error{ErrorKind::overloaded, fmt::format("{}: it was removed and bound again {} times already "
                                                        "(limits::bound_again_max); find out what removes it",
                                                        tried, limits::bound_again_max)};
    if (Result<void> room = sockets_->require_room(tried); !room) return room;
    try {
        uninterrupted([&] { sockets_->inbox.socket.bind("ipc://" + path); });
        ++sockets_->bound_again;
        return {};
    } catch (const zmq::error_t& error) {
        return to_error(error, tried);
    }
}

Result<Link> ZmqTransport::open(const std::string& address) {
    const std::string tried = fmt::format("cannot open a link to {}", address);
    if (Result<void> room = sockets_->require_room(tried); !room) return room.error();
    try {
        zmq::socket_t socket{sockets_->context, zmq::socket_type::dealer};
        socket.set(zmq::sockopt::linger, static_cast<int>(limits::linger.count()));
        socket.set(zmq::sockopt::rcvhwm, static_cast<int>(limits::asks_in_flight_max));
        socket.set(zmq::sockopt::sndhwm, static_cast<int>(limits::window_commands_max));
        socket.set(zmq::sockopt::maxmsgsize, static_cast<std::int64_t>(frame_bytes_max));
        socket.set(zmq::sockopt::reconnect_ivl, 20);  // milliseconds; an inbox that is just being bound
        uninterrupted([&] { socket.connect(address); });
        const Link link{std::exchange(sockets_->next_opened, sockets_->next_opened + 2)};
        sockets_->opened.emplace(link.index, Socket{std::move(socket)});
        sockets_->opened_paths.emplace(link.index, path_of(address));
        return link;
    } catch (const zmq::error_t& error) {
        return to_error(error, tried);
    }
}

void ZmqTransport::close(Link link, Pending pending) {
    if (!is_opened(link)) {
        sockets_->forget_socket(link.index);
        return sockets_->accepted.forget(link);
    }
    const auto found = sockets_->opened.find(link.index);
    if (found == sockets_->opened.end()) return;
    if (pending == Pending::discarded) found->second.socket.set(zmq::sockopt::linger, 0);
    sockets_->opened.erase(found);
    sockets_->opened_paths.erase(link.index);
}

void ZmqTransport::keep(Link link) { sockets_->accepted.keep(link); }
void ZmqTransport::hold(Link link) { sockets_->accepted.hold(link); }
void ZmqTransport::release(Link link) { sockets_->accepted.release(link); }

Transport::Sent ZmqTransport::send(Link link, Outgoing frame) {
    if (frame.size() > frame_bytes_max) return Sent::too_large;
    try {
        if (is_opened(link)) {
            const auto found = sockets_->opened.find(link.index);
            if (found == sockets_->opened.end()) return Sent::gone;
            return found->second.send(frame) ? Sent::yes : Sent::full;
        }
        const std::string* const route = sockets_->accepted.route_of(link);
        if (route == nullptr) return Sent::gone;
        // A ROUTER with mandatory routing refuses the first part when the peer is full (EAGAIN) or gone.
        if (!sockets_->inbox.send(*route, zmq::send_flags::sndmore)) return Sent::full;
        return sockets_->inbox.send(frame) ? Sent::yes : Sent::full;
    } catch (const zmq::error_t&) {  // EHOSTUNREACH
        return Sent::gone;
    }
}

bool ZmqTransport::receive(Link& from, std::string& frame) {
    Sockets& sockets = *sockets_;
    if (!sockets.inbox.socket) return false;  // nothing has been bound
    for (;;) {
        if (!sockets.inbox.receive(sockets.route)) return false;
        int descriptor = -1;  // of a link that has not spoken before
        from = sockets.accepted.link_of(sockets.route.to_string_view(),
                                        [&] { return descriptor = descriptor_of(sockets.route); });
        if (descriptor >= 0) sockets.note_socket(from.index, descriptor);
        bool has_more = sockets.route.more();
        std::size_t parts = 0;
        while (has_more) {
            if (!sockets.inbox.receive(sockets.message)) break;
            has_more = sockets.message.more();
            if (++parts == 1) frame.assign(sockets.message.to_string_view());
        }
        if (parts == 1) return true;
        // Not one frame, so nobody of ours: an empty frame does not parse, which drops the peer.
        frame.clear();
        if (parts != 0) return true;
    }
}

bool ZmqTransport::receive_from(Link link, std::string& frame) {
    const auto found = sockets_->opened.find(link.index);
    if (found == sockets_->opened.end()) return false;
    if (!found->second.receive(sockets_->message)) return false;
    frame.assign(sockets_->message.to_string_view());
    return true;
}

bool ZmqTransport::may_deliver(const DeadPeer& dead, const std::function<Speaker(Link)>& who_speaks_over) {
    const auto path = sockets_->opened_paths.find(dead.opened.index);
    return sockets_->peers.may_deliver(
        sockets_->inbox_path, {dead.id, dead.pid, path == sockets_->opened_paths.end() ? std::string() : path->second},
        [&](const PeerSockets::Socket& socket) { return sockets_->speaker_over(socket, who_speaks_over); });
}

// Fills `polled` with what the interest is in; true if some of it is to be had already.
bool ZmqTransport::look_at(const Interest& interest) {
    Sockets& sockets = *sockets_;
    sockets.polled.clear();
    sockets.polled_sockets.clear();
    bool is_ready = false;
    const auto add = [&](Socket& socket) {
        sockets.polled.push_back({socket.socket.get(zmq::sockopt::fd), POLLIN, 0});
        sockets.polled_sockets.push_back(&socket);
    };
    if (interest.inbox && sockets.inbox.socket) {
        is_ready = sockets.inbox.is_readable();
        add(sockets.inbox);
    }
    for (const Link link : interest.links)
        if (const auto found = sockets.opened.find(link.index); found != sockets.opened.end()) {
            is_ready = found->second.is_readable() || is_ready;
            add(found->second);
        }
    if (interest.writable.is_some()) {
        const auto found = sockets.opened.find(interest.writable.index);
        if (found == sockets.opened.end()) return true;
        is_ready = found->second.has_event(ZMQ_POLLOUT) || is_ready;
        add(found->second);
    }
    for (const int descriptor : interest.descriptors) sockets.polled.push_back({descriptor, POLLIN, 0});
    return is_ready;
}

bool ZmqTransport::would_wait_for(const Interest& interest, std::vector<int>& watched) {
    const bool is_ready = look_at(interest);
    for (const pollfd& polled : sockets_->polled) watched.push_back(polled.fd);
    return is_ready;
}

bool ZmqTransport::wait(const Interest& interest, Duration at_most) {
    Sockets& sockets = *sockets_;
    if (look_at(interest)) at_most = Duration::zero();
    const int ready = poll_for(sockets.polled, at_most);
    // An interrupting signal is one of the early returns that the contract allows. Whatever made it fail, it may have
    // looked at nothing, so the next receive() does.
    if (ready < 0)
        for (Socket* socket : sockets.polled_sockets) socket->may_hold_frames = true;
    if (ready <= 0) return false;
    for (std::size_t index = 0; index < sockets.polled_sockets.size(); ++index)
        if (sockets.polled[index].revents != 0) sockets.polled_sockets[index]->may_hold_frames = true;
    return std::any_of(sockets.polled.begin() + static_cast<std::ptrdiff_t>(sockets.polled_sockets.size()),
                       sockets.polled.end(), [](const pollfd& polled) { return polled.revents != 0; });
}

}  // namespace baton::detail
