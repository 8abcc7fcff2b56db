#include "runtime/transport/zmq_transport.hpp"

#include <fmt/format.h>
#include <poll.h>

#include <limits>
#include <unordered_map>
#include <utility>
#include <vector>
#include <zmq.hpp>

#include "runtime/base/check.hpp"

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

bool has_event(const zmq::socket_t& socket, int event) {
    return uninterrupted([&] { return (socket.get(zmq::sockopt::events) & event) != 0; });
}

bool send_part(zmq::socket_t& socket, std::string_view bytes, zmq::send_flags flags) {
    return uninterrupted([&] { return socket.send(zmq::buffer(bytes), flags | zmq::send_flags::dontwait).has_value(); });
}

bool receive_part(zmq::socket_t& socket, zmq::message_t& part) {
    return uninterrupted([&] { return socket.recv(part, zmq::recv_flags::dontwait).has_value(); });
}

}  // namespace

struct ZmqTransport::Sockets {
    // Declared first: outlives the sockets.
    zmq::context_t context{1};
    zmq::socket_t inbox;
    std::unordered_map<std::uint32_t, zmq::socket_t> opened;
    std::uint32_t next_opened = first_opened;

    std::unordered_map<std::string, std::uint32_t> accepted;
    std::unordered_map<std::uint32_t, std::string> routes;
    std::uint32_t next_accepted = first_accepted;
    std::uint32_t oldest_accepted = first_accepted;
    std::string last_route;
    std::uint32_t last_accepted = 0;

    zmq::message_t route;
    zmq::message_t message;
    std::vector<pollfd> polled;

    Link link_of(std::string_view incoming_route) {
        if (incoming_route == last_route && last_accepted != 0) return Link{last_accepted};
        last_route = incoming_route;
        const auto [place, is_new] = accepted.try_emplace(last_route, next_accepted);
        last_accepted = place->second;
        if (is_new) {
            routes.emplace(next_accepted, last_route);
            next_accepted += 2;
            while (routes.size() > accepted_links_max) {
                forget(oldest_accepted);
                oldest_accepted += 2;
            }
        }
        return Link{last_accepted};
    }

    void forget(std::uint32_t index) {
        const auto found = routes.find(index);
        if (found == routes.end()) return;
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
        sockets_->inbox = std::move(socket);
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
        sockets_->opened.emplace(link.index, std::move(socket));
        return link;
    } catch (const zmq::error_t& error) {
        return to_error(error, fmt::format("cannot open a link to {}", address));
    }
}

void ZmqTransport::close(Link link, Pending pending) {
    if (!is_opened(link)) return sockets_->forget(link.index);
    const auto found = sockets_->opened.find(link.index);
    if (found == sockets_->opened.end()) return;
    if (pending == Pending::discarded) found->second.set(zmq::sockopt::linger, 0);
    sockets_->opened.erase(found);
}

Transport::Sent ZmqTransport::send(Link link, std::string_view frame) {
    check(frame.size() <= frame_bytes_max, "a frame's size is checked before it is sent");
    try {
        if (is_opened(link)) {
            const auto found = sockets_->opened.find(link.index);
            if (found == sockets_->opened.end()) return Sent::gone;
            return send_part(found->second, frame, zmq::send_flags::none) ? Sent::yes : Sent::full;
        }
        const auto route = sockets_->routes.find(link.index);
        if (route == sockets_->routes.end()) return Sent::gone;
        // A ROUTER with mandatory routing refuses the first part when the peer is full (EAGAIN) or gone.
        if (!send_part(sockets_->inbox, route->second, zmq::send_flags::sndmore)) return Sent::full;
        return send_part(sockets_->inbox, frame, zmq::send_flags::none) ? Sent::yes : Sent::full;
    } catch (const zmq::error_t&) {  // EHOSTUNREACH
        return Sent::gone;
    }
}

bool ZmqTransport::receive(Link& from, std::string& frame) {
    Sockets& sockets = *sockets_;
    if (!sockets.inbox) return false;  // nothing has been bound
    for (;;) {
        if (!receive_part(sockets.inbox, sockets.route)) return false;
        from = sockets.link_of(sockets.route.to_string_view());
        bool has_more = sockets.route.more();
        std::size_t parts = 0;
        while (has_more) {
            if (!receive_part(sockets.inbox, sockets.message)) break;
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
    if (!receive_part(found->second, sockets_->message)) return false;
    frame.assign(sockets_->message.to_string_view());
    return true;
}

void ZmqTransport::wait(const Interest& interest, Duration at_most) {
    // ZeroMQ's descriptors tell only that something happened since the state was last asked for, so ask
    // first and sleep only when there is nothing.
    Sockets& sockets = *sockets_;
    sockets.polled.clear();
    bool is_ready = false;
    const auto add = [&](const zmq::socket_t& socket, int event) {
        is_ready = is_ready || has_event(socket, event);
        sockets.polled.push_back({socket.get(zmq::sockopt::fd), POLLIN, 0});
    };
    if (interest.inbox && sockets.inbox) add(sockets.inbox, ZMQ_POLLIN);
    for (const Link link : interest.links)
        if (const auto found = sockets.opened.find(link.index); found != sockets.opened.end())
            add(found->second, ZMQ_POLLIN);
    if (interest.writable.is_some()) {
        const auto found = sockets.opened.find(interest.writable.index);
        if (found == sockets.opened.end()) return;
        add(found->second, ZMQ_POLLOUT);
    }
    if (is_ready) return;
    for (const int descriptor : interest.descriptors) sockets.polled.push_back({descriptor, POLLIN, 0});

    timespec limit{};
    const bool is_bounded = at_most < std::chrono::hours{24 * 365};
    if (is_bounded) {
        const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(at_most);
        limit.tv_sec = seconds.count();
        limit.tv_nsec = (at_most - seconds).count();
    }
    // An interrupting signal is one of the early returns that the contract allows.
    ::ppoll(sockets.polled.data(), sockets.polled.size(), is_bounded ? &limit : nullptr, nullptr);
}

}  // namespace baton
