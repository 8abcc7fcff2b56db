#pragma once
// AcceptedLinks: the connections that came to an inbox, by the route that ZeroMQ gives each of them, for the answers.
//
// ZeroMQ does not report when a connection ends, and any number of them come to an inbox that lives for days. So they
// are forgotten beyond a bound: first those that are known to have ended (their descriptor belongs to another
// connection by now), then the least recently used. A connection over which an answer is owed (hold) or that must stay
// (keep) is not forgotten as long as it may be alive. Knows no sockets. One thread.

#include <cstdint>
#include <functional>
#include <list>
#include <string>
#include <string_view>
#include <unordered_map>

#include "runtime/transport/transport.hpp"

namespace baton::detail {

class AcceptedLinks {
public:
    explicit AcceptedLinks(std::size_t links_max) : links_max_(links_max) {}

    // Returns the link of a route that has just spoken, or a new one if the route is not known. `descriptor` is that of
    // a new connection, -1 if it is unknown.
    [[nodiscard]] Link link_of(std::string_view route, const std::function<int()>& descriptor);
    // Returns nullptr if the link is not known, or is no longer known. Using a route keeps it.
    [[nodiscard]] const std::string* route_of(Link link);

    void keep(Link link);
    void hold(Link link);
    void release(Link link);
    void forget(Link link);
    [[nodiscard]] bool knows(Link link) const noexcept { return links_.contains(link.index); }
    [[nodiscard]] std::size_t size() const noexcept { return links_.size(); }

private:
    struct Accepted {
        std::string route;
        int descriptor = -1;
        std::uint32_t holds = 0;
        bool is_kept = false;
        bool has_ended = false;  // what it sent before may still be read
        std::list<std::uint32_t>::iterator place;  // in order_
    };
    void use(Accepted& accepted);
    void note_descriptor(Accepted& accepted, std::uint32_t index, int descriptor);
    void end(std::uint32_t index);
    void make_room();

    std::size_t links_max_;
    std::unordered_map<std::string, std::uint32_t> by_route_;
    std::unordered_map<std::uint32_t, Accepted> links_;
    std::unordered_map<int, std::uint32_t> by_descriptor_;
    std::list<std::uint32_t> order_;  // the least recently used first; those that have ended before all others
    std::uint32_t next_ = 1;
    std::string last_route_;
    std::uint32_t last_ = 0;
};

}  // namespace baton::detail
