#include "runtime/transport/loopback_transport.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "runtime/base/check.hpp"

namespace baton::detail {

LoopbackTransport::~LoopbackTransport() {
    for (auto& [link, connection] : opened_) connection->opener = nullptr;
    if (!address_.empty()) network_->bound_.erase(address_);
}

Result<void> LoopbackTransport::bind(const std::string& address) {
    if (!network_->bound_.emplace(address, this).second)
        return Error{ErrorKind::refused, fmt::format("cannot bind an inbox at {}: it is in use", address)};
    address_ = address;
    return {};
}

Result<Link> LoopbackTransport::open(const std::string& address) {
    auto connection = std::make_shared<Connection>();
    connection->opener = this;
    connection->address = address;
    const Link link{next_opened_};
    next_opened_ += 2;
    opened_.emplace(link, std::move(connection));
    settle_unbound();
    return link;
}

// Tells inboxes that have been bound since then of the links opened to them.
void LoopbackTransport::settle_unbound() {
    for (auto& [link, connection] : opened_) {
        const auto target = network_->bound_.find(connection->address);
        if (target == network_->bound_.end()) continue;
        auto& accepted = target->second->accepted_;
        const bool is_known =
            std::ranges::any_of(accepted, [&known = connection](const auto& entry) { return entry.second == known; });
        if (!is_known) {
            accepted.emplace(Link{target->second->next_accepted_}, connection);
            target->second->next_accepted_ += 2;
        }
    }
}

void LoopbackTransport::close(Link link, Pending pending) {
    if (const auto found = opened_.find(link); found != opened_.end()) {
        if (pending == Pending::discarded) found->second->there.clear();
        found->second->opener = nullptr;
        opened_.erase(found);
    }
    accepted_.erase(link);
}

Transport::Sent LoopbackTransport::send(Link link, Outgoing frame) {
    if (frame.size() > frame_bytes_max) return Sent::too_large;
    settle_unbound();
    std::deque<std::string>* queue = nullptr;
    if (const auto opened = opened_.find(link); opened != opened_.end()) {
        queue = &opened->second->there;
    } else if (const auto accepted = accepted_.find(link); accepted != accepted_.end()) {
        if (accepted->second->opener == nullptr) return Sent::gone;
        queue = &accepted->second->back;
    } else {
        return Sent::gone;
    }
    if (queue->size() >= network_->frames_per_link_max) return Sent::full;
    queue->emplace_back(frame.head).append(frame.body);
    return Sent::yes;
}

bool LoopbackTransport::receive(Link& from, std::string& frame) {
    if (!may_hold_frames_) return false;
    // Fair: goes on behind the link that was read last.
    std::vector<Link> order;
    for (const auto& [link, connection] : accepted_) order.push_back(link);
    const auto next = std::ranges::find_if(order, [this](Link link) { return link.index > next_read_; });
    std::rotate(order.begin(), next, order.end());  // clang 14 cannot read the one of g++ 12's <ranges>
    for (const Link link : order) {
        Connection& connection = *accepted_.at(link);
        if (connection.there.empty()) continue;
        from = link;
        next_read_ = link.index;
        frame = std::move(connection.there.front());
        connection.there.pop_front();
        return true;
    }
    may_hold_frames_ = false;
    return false;
}

bool LoopbackTransport::receive_from(Link link, std::string& frame) {
    const auto found = opened_.find(link);
    if (found == opened_.end() || found->second->back.empty()) return false;
    frame = std::move(found->second->back.front());
    found->second->back.pop_front();
    return true;
}

bool LoopbackTransport::wait(const Interest& interest, Duration at_most) {
    const bool has_answers = std::ranges::any_of(interest.links, [this](Link link) {
        const auto found = opened_.find(link);
        return found != opened_.end() && !found->second->back.empty();
    });
    if (at_most > Duration::zero() && !has_answers) network_->on_wait(at_most);
    may_hold_frames_ = may_hold_frames_ || interest.inbox;
    return false;
}

}  // namespace baton::detail
