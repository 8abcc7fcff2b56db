#include "runtime/transport/zmq_transport.hpp"

#include <fmt/format.h>
#include <poll.h>

#include <algorithm>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>
#include <zmq.hpp>

#include "runtime/base/check.hpp"
#include "runtime/transport/peer_sockets.hpp"

namespace baton {
namespace {

// Links opened here are even, links that came to the inbox are odd, so that one number says which.
constexpr std::uint32_t first_opened = 2;
constexpr std::uint32_t first_accepted = 1;
bool is_opened(Link link) { return link.index % 2 == 0; }

// The routes of connections that came to the inbox are remembered for replies. ZeroMQ does not say when one
// ends, so the oldest are forgotten beyond this many.
constexpr std::size_t accepted_links_max = 16'384;

Error to_error(const zmq::error_t& error, std::string tried) {
    const bool is_limit = error.num() == EMFILE || error.num() == ENOMEM;
    return Error{is_limit ? ErrorKind::overloaded : ErrorKind::refused, fmt::format("{}: {}", tried, error.what())};
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
    bool send(std::string_view bytes, zmq::send_flags flags = zmq::send_flags::none) {
        may_hold_frames = true;
        return uninterrupted([&] { return socket.send(zmq::buffer(bytes), flags | zmq::send_flags::dontwait).has_value(); });
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

}  // namespace

struct ZmqTransport::Sockets {
    // Declared first: outlives the sockets.
    zmq::context_t context{1};
    Socket inbox;
    std::unordered_map<std::uint32_t, Socket> opened;
    std::uint32_t next_opened = first_opened;

    std::unordered_map<std::string, std::uint32_t> accepted;
    std::unordered_map<std::uint32_t, std::string> routes;
    std::uint32_t next_accepted = first_accepted;
    std::uint32_t oldest_accepted = first_accepted;
    std::unordered_set<std::uint32_t> kept;
    std::string last_route;
    std::uint32_t last_accepted = 0;

    std::string inbox_path;
    PeerSockets peers;

    zmq::message_t route;
    zmq::message_t message;
    std::vector<pollfd> polled;
    std::vector<Socket*> polled_sockets;  // in the same order; descriptors follow

    Link link_of(std::string_view incoming_route) {
        if (incoming_route == last_route && last_accepted != 0) return Link{last_accepted};
        last_route = incoming_route;
        const auto [place, is_new] = accepted.try_emplace(last_route, next_accepted);
        last_accepted = place->second;
        if (is_new) {
            routes.emplace(next_accepted, last_route);
            next_accepted += 2;
            while (routes.size() > accepted_links_max + kept.size()) {
                if (!kept.contains(oldest_accepted)) forget(oldest_accepted);
                oldest_accepted += 2;
            }
        }
        return Link{last_accepted};
    }

    void forget(std::uint32_t index) {
        const auto found = routes.find(index);
        if (found == routes.end()) return;
        kept.erase(index);
        accepted.erase(found->second);
        routes.erase(found);
        if (last_accepted == index) last_accepted = 0;
    }
};

ZmqTransport::ZmqTransport() : sockets_(std::make_unique<Sockets>()) {
    sockets_->context.set(zmq::ctxopt::max_sockets, 4096);
}

ZmqTransport::~ZmqTransport() = default;

Result<void> ZmqTransport::bind(const std::string& address) {
    try {
        zmq::socket_t socket{sockets_->context, zmq::socket_type::router};
        socket.set(zmq::sockopt::router_mandatory, true);
        socket.set(zmq::sockopt::linger, static_cast<int>(limits::linger.count()));
        socket.set(zmq::sockopt::rcvhwm, limits::inbox_frames_per_peer_max);
        socket.set(zmq::sockopt::sndhwm, static_cast<int>(limits::asks_in_flight_max));
        socket.set(zmq::sockopt::maxmsgsize, static_cast<std::int64_t>(frame_bytes_max));
        uninterrupted([&] { socket.bind(address); });
        sockets_->inbox = Socket{std::move(socket)};
        constexpr std::string_view scheme = "ipc://";
        if (address.starts_with(scheme)) sockets_->inbox_path = address.substr(scheme.size());
        return {};
    } catch (const zmq::error_t& error) {
        return to_error(error, fmt::format("cannot bind an inbox at {}", address));
    }
}

Result<Link> ZmqTransport::open(const std::string& address) {
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
        return link;
    } catch (const zmq::error_t& error) {
        return to_error(error, fmt::format("cannot open a link to {}", address));
    }
}

void ZmqTransport::close(Link link, Pending pending) {
    if (!is_opened(link)) return sockets_->forget(link.index);
    const auto found = sockets_->opened.find(link.index);
    if (found == sockets_->opened.end()) return;
    if (pending == Pending::discarded) found->second.socket.set(zmq::sockopt::linger, 0);
    sockets_->opened.erase(found);
}

void ZmqTransport::keep(Link link) {
    if (sockets_->routes.contains(link.index)) sockets_->kept.insert(link.index);
}

Transport::Sent ZmqTransport::send(Link link, std::string_view frame) {
    if (frame.size() > frame_bytes_max) return Sent::too_large;
    try {
        if (is_opened(link)) {
            const auto found = sockets_->opened.find(link.index);
            if (found == sockets_->opened.end()) return Sent::gone;
            return found->second.send(frame) ? Sent::yes : Sent::full;
        }
        const auto route = sockets_->routes.find(link.index);
        if (route == sockets_->routes.end()) return Sent::gone;
        // A ROUTER with mandatory routing refuses the first part when the peer is full (EAGAIN) or gone.
        if (!sockets_->inbox.send(route->second, zmq::send_flags::sndmore)) return Sent::full;
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
        from = sockets.link_of(sockets.route.to_string_view());
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

bool ZmqTransport::may_deliver(pid_t dead) { return sockets_->peers.may_deliver(sockets_->inbox_path, dead); }

bool ZmqTransport::wait(const Interest& interest, Duration at_most) {
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
        if (found == sockets.opened.end()) return false;
        is_ready = found->second.has_event(ZMQ_POLLOUT) || is_ready;
        add(found->second);
    }
    for (const int descriptor : interest.descriptors) sockets.polled.push_back({descriptor, POLLIN, 0});

    if (is_ready) at_most = Duration::zero();
    timespec limit{};
    const bool is_bounded = at_most < std::chrono::hours{24 * 365};
    if (is_bounded) {
        const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(at_most);
        limit.tv_sec = seconds.count();
        limit.tv_nsec = (at_most - seconds).count();
    }
    // An interrupting signal is one of the early returns that the contract allows.
    if (::ppoll(sockets.polled.data(), sockets.polled.size(), is_bounded ? &limit : nullptr, nullptr) <= 0) return false;
    for (std::size_t index = 0; index < sockets.polled_sockets.size(); ++index)
        if (sockets.polled[index].revents != 0) sockets.polled_sockets[index]->may_hold_frames = true;
    return std::any_of(sockets.polled.begin() + static_cast<std::ptrdiff_t>(sockets.polled_sockets.size()),
                       sockets.polled.end(), [](const pollfd& polled) { return polled.revents != 0; });
}

}  // namespace baton
