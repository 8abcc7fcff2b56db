#include "runtime/transport/accepted_links.hpp"

#include <optional>

namespace baton::detail {
namespace {

// ZeroMQ numbers its routes in order of their connections: a zero, then four bytes, the highest first.
std::optional<std::uint32_t> number_of(std::string_view route) {
    if (route.size() != 5 || route[0] != 0) return std::nullopt;
    std::uint32_t number = 0;
    for (const char byte : route.substr(1)) number = number << 8 | static_cast<unsigned char>(byte);
    return number;
}

}  // namespace

Link AcceptedLinks::link_of(std::string_view route, const std::function<int()>& descriptor) {
    if (last_ != 0 && route == last_route_) return Link{last_};
    last_route_ = route;
    const auto [place, is_new] = by_route_.try_emplace(last_route_, next_);
    last_ = place->second;
    if (!is_new) {
        use(links_.at(last_));
        return Link{last_};
    }
    next_ += 2;
    Accepted& accepted = links_[last_];
    accepted.route = last_route_;
    accepted.place = order_.insert(order_.end(), last_);
    note_descriptor(accepted, last_, descriptor());
    make_room();
    return Link{last_};
}

const std::string* AcceptedLinks::route_of(Link link) {
    const auto found = links_.find(link.index);
    if (found == links_.end()) return nullptr;
    if (link.index != last_) use(found->second);
    return &found->second.route;
}

// Of two that spoke over one descriptor the earlier has ended. Frames of several connections are read in turn, so the
// earlier may well be the one that is heard last.
void AcceptedLinks::note_descriptor(Accepted& accepted, std::uint32_t index, int descriptor) {
    if (descriptor < 0) return;
    accepted.descriptor = descriptor;
    const auto [place, is_first] = by_descriptor_.try_emplace(descriptor, index);
    if (is_first) return;
    const std::uint32_t other = place->second;
    const std::optional<std::uint32_t> mine = number_of(accepted.route);
    const std::optional<std::uint32_t> others = number_of(links_.at(other).route);
    if (!mine || !others) return;  // somebody has chosen a route of his own: nothing is known
    if (static_cast<std::int32_t>(*mine - *others) < 0) return end(index);
    place->second = index;
    end(other);
}

void AcceptedLinks::end(std::uint32_t index) {
    Accepted& accepted = links_.at(index);
    accepted.has_ended = true;
    order_.splice(order_.begin(), order_, accepted.place);
}

void AcceptedLinks::use(Accepted& accepted) {
    if (!accepted.has_ended) order_.splice(order_.end(), order_, accepted.place);
}

void AcceptedLinks::make_room() {
    if (links_.size() <= links_max_) return;
    for (std::size_t looks = order_.size(); looks > 0; --looks) {
        const std::uint32_t index = order_.front();
        const Accepted& accepted = links_.at(index);
        const bool must_stay = index == last_ || accepted.is_kept || (accepted.holds > 0 && !accepted.has_ended);
        if (!must_stay) return forget(Link{index});
        order_.splice(order_.end(), order_, accepted.place);
    }
}

void AcceptedLinks::keep(Link link) {
    if (const auto found = links_.find(link.index); found != links_.end()) found->second.is_kept = true;
}

void AcceptedLinks::hold(Link link) {
    if (const auto found = links_.find(link.index); found != links_.end()) ++found->second.holds;
}

void AcceptedLinks::release(Link link) {
    const auto found = links_.find(link.index);
    if (found != links_.end() && found->second.holds > 0) --found->second.holds;
}

void AcceptedLinks::forget(Link link) {
    const auto found = links_.find(link.index);
    if (found == links_.end()) return;
    const auto described = by_descriptor_.find(found->second.descriptor);
    if (described != by_descriptor_.end() && described->second == link.index) by_descriptor_.erase(described);
    order_.erase(found->second.place);
    by_route_.erase(found->second.route);
    links_.erase(found);
    if (last_ == link.index) last_ = 0;
}

}  // namespace baton::detail
