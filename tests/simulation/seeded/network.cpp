#include "tests/simulation/seeded/network.hpp"

#include <poll.h>

#include <algorithm>

namespace seeded {
namespace {

constexpr std::size_t frames_per_link_max = 1'024;

}  // namespace

// ---- Network ---------------------------------------------------------------------------------------

Transport::Sent Network::put(Queue& queue, Transport::Outgoing frame) {
    if (queue.frames.size() >= frames_per_link_max) return Transport::Sent::full;
    const Duration delay = dice_->happens(40) ? Duration{} : dice_->microseconds(0, slowest_microseconds);
    queue.last = std::max(queue.last, clock_->now() + delay);
    queue.frames.push_back({queue.last, std::string(frame.head).append(frame.body)});
    ++frames;
    kernel_->note_change();
    return Transport::Sent::yes;
}

bool Network::has_arrived(const Queue& queue) const {
    return !queue.frames.empty() && queue.frames.front().arrives <= clock_->now();
}

bool Network::take(Queue& queue, std::string& bytes) {
    if (!has_arrived(queue)) return false;
    bytes = std::move(queue.frames.front().bytes);
    queue.frames.pop_front();
    kernel_->note_change();
    return true;
}

// What had not left its sender.
void Network::lose_the_end(Queue& queue) {
    while (!queue.frames.empty() && queue.frames.back().arrives > clock_->now() && dice_->happens(50))
        queue.frames.pop_back();
}

void Network::drop(const Process& process) {
    std::erase_if(bound_, [&](const auto& one) { return one.second->pid_ == process.pid; });
    for (const std::shared_ptr<Connection>& one : connections_) {
        if (one->opener_pid == process.pid) {
            if (process.exit->by_signal) lose_the_end(one->there);
            one->opener = nullptr;
        }
        if (one->acceptor != nullptr && one->acceptor->pid_ == process.pid) {
            if (process.exit->by_signal) lose_the_end(one->back);
            one->there.frames.clear();
            one->acceptor = nullptr;
            one->is_broken = true;
        }
    }
    std::erase_if(transports_, [&](const SimTransport* one) { return one->pid_ == process.pid; });
}

Deadline Network::next_arrival() const {
    Deadline next = Deadline::never();
    for (const std::shared_ptr<Connection>& one : connections_)
        for (const Queue* queue : {&one->there, &one->back}) {
            const bool is_inbox_there = one->acceptor != nullptr || (!one->is_broken && bound_.contains(one->address));
            const bool is_read = queue == &one->there ? is_inbox_there : one->opener != nullptr;
            if (is_read && !queue->frames.empty() && queue->frames.front().arrives > clock_->now())
                next = next.or_earlier(Deadline{queue->frames.front().arrives});
        }
    return next;
}

// ---- SimTransport ----------------------------------------------------------------------------------

SimTransport::SimTransport(Network& network) : network_(&network), pid_(network.kernel_->running().pid) {
    network_->transports_.push_back(this);
}

SimTransport::~SimTransport() {
    std::erase_if(network_->bound_, [this](const auto& one) { return one.second == this; });
    std::erase(network_->transports_, this);
    for (auto& [link, connection] : opened_) connection->opener = nullptr;
    for (auto& [link, connection] : accepted_) connection->acceptor = nullptr;
}

Result<void> SimTransport::bind(const std::string& address) {
    if (!network_->bound_.emplace(address, this).second)
        return Error{ErrorKind::refused, fmt::format("cannot bind an inbox at {}: it is in use", address)};
    address_ = address;
    return {};
}

Result<Link> SimTransport::open(const std::string& address) {
    auto connection = std::make_shared<Connection>();
    connection->opener = this;
    connection->opener_pid = pid_;
    connection->address = address;
    const Link link{next_opened_};
    next_opened_ += 2;
    network_->connections_.push_back(connection);
    opened_.emplace(link, std::move(connection));
    return link;
}

// Those who have opened a link to here since the last look.
void SimTransport::look_for_openers() {
    for (const std::shared_ptr<Connection>& one : network_->connections_) {
        if (one->acceptor != nullptr || one->is_broken || address_.empty() || one->address != address_) continue;
        if (one->opener == nullptr && one->there.frames.empty()) continue;
        one->acceptor = this;
        accepted_.emplace(Link{next_accepted_}, one);
        next_accepted_ += 2;
    }
}

void SimTransport::close(Link link, Pending pending) {
    if (const auto found = opened_.find(link); found != opened_.end()) {
        if (pending == Pending::discarded)
            std::erase_if(found->second->there.frames,
                          [this](const auto& frame) { return frame.arrives > network_->clock_->now(); });
        found->second->opener = nullptr;
        opened_.erase(found);
    }
    if (const auto found = accepted_.find(link); found != accepted_.end()) {
        found->second->is_broken = true;
        found->second->acceptor = nullptr;
        accepted_.erase(found);
    }
}

Transport::Sent SimTransport::send(Link link, Outgoing frame) {
    if (frame.size() > frame_bytes_max) return Sent::too_large;
    if (const auto opened = opened_.find(link); opened != opened_.end())
        return network_->put(opened->second->there, frame);
    const auto accepted = accepted_.find(link);
    if (accepted == accepted_.end() || accepted->second->opener == nullptr) return Sent::gone;
    return network_->put(accepted->second->back, frame);
}

bool SimTransport::receive(Link& from, std::string& frame) {
    if (!may_hold_frames_) return false;
    look_for_openers();
    std::vector<Link> order;  // goes on behind the link that was read last
    for (const auto& [link, connection] : accepted_) order.push_back(link);
    const auto next = std::ranges::find_if(order, [this](Link link) { return link.index > next_read_; });
    std::rotate(order.begin(), next, order.end());
    for (const Link link : order) {
        if (!network_->take(accepted_.at(link)->there, frame)) continue;
        from = link;
        next_read_ = link.index;
        return true;
    }
    may_hold_frames_ = false;
    return false;
}

bool SimTransport::receive_from(Link link, std::string& frame) {
    const auto found = opened_.find(link);
    return found != opened_.end() && network_->take(found->second->back, frame);
}

bool SimTransport::may_deliver(const DeadPeer& dead, const std::function<Speaker(Link)>& who_speaks_over) {
    const auto is_under_way = [this](const Network::Queue& queue) {
        return std::ranges::any_of(queue.frames, [this](const auto& frame) {
            return frame.arrives > network_->clock_->now();
        });
    };
    look_for_openers();
    for (const auto& [link, connection] : accepted_) {
        const bool is_of_dead =
            connection->opener_pid == dead.pid || who_speaks_over(link) == Speaker::the_dead;
        if (is_of_dead && is_under_way(connection->there)) return true;
    }
    const auto opened = opened_.find(dead.opened);
    return opened != opened_.end() && is_under_way(opened->second->back);
}

bool SimTransport::has_news() const {
    if (waits_for_inbox_)
        for (const std::shared_ptr<Connection>& one : network_->connections_)
            if ((one->acceptor == this || (one->acceptor == nullptr && !one->is_broken && !address_.empty() &&
                                           one->address == address_)) &&
                network_->has_arrived(one->there))
                return true;
    return std::ranges::any_of(waits_for_, [this](Link link) {
        const auto found = opened_.find(link);
        return found != opened_.end() && network_->has_arrived(found->second->back);
    });
}

bool SimTransport::would_wait_for(const Interest& interest, std::vector<int>& watched) {
    watched.insert(watched.end(), interest.descriptors.begin(), interest.descriptors.end());
    waits_for_inbox_ = interest.inbox;
    waits_for_.assign(interest.links.begin(), interest.links.end());
    return has_news();
}

bool SimTransport::wait(const Interest& interest, Duration at_most) {
    std::vector<int> watched;
    Kernel& kernel = *network_->kernel_;
    if (!would_wait_for(interest, watched) && at_most > Duration::zero())
        kernel.wait({Deadline::in(*network_->clock_, at_most), watched, [this] { return has_news(); }});
    else if (network_->dice_->happens(10)) kernel.pause();
    else network_->clock_->advance(std::chrono::microseconds{1});
    may_hold_frames_ = may_hold_frames_ || interest.inbox;
    return std::ranges::any_of(interest.descriptors, [](int one) {
        pollfd polled{one, POLLIN, 0};
        return ::poll(&polled, 1, 0) > 0;
    });
}

}  // namespace seeded
