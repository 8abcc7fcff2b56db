#include "runtime/testing/stage_member.hpp"

#include <algorithm>

#include "runtime/testing/stage.hpp"

namespace baton::detail {
namespace {

Error cut_off() { return Error{ErrorKind::gone, "this member of the test world has ended"}; }

}  // namespace

Result<void> StageTransport::bind(const std::string& address) {
    return inner_ ? inner_->bind(address) : Result<void>{cut_off()};
}

Result<Link> StageTransport::open(const std::string& address) {
    if (!inner_) return cut_off();
    Result<Link> link = inner_->open(address);
    if (link) addresses_[*link] = address;
    return link;
}

void StageTransport::close(Link link, Pending pending) {
    addresses_.erase(link);
    if (inner_) inner_->close(link, pending);
}

Transport::Sent StageTransport::send(Link link, Outgoing frame) {
    if (!inner_) return Sent::gone;
    if (const auto to = addresses_.find(link); to != addresses_.end() && traffic_->full_inboxes.contains(to->second))
        return Sent::full;
    const Sent sent = inner_->send(link, frame);
    if (sent == Sent::yes) {
        ++traffic_->frames_sent;
        traffic_->bytes_on_the_way += frame.size();
        traffic_->bytes_on_the_way_max = std::max(traffic_->bytes_on_the_way_max, traffic_->bytes_on_the_way);
    }
    return sent;
}

bool StageTransport::receive(Link& from, std::string& frame) {
    return inner_ && count(inner_->receive(from, frame), frame);
}

bool StageTransport::receive_from(Link link, std::string& frame) {
    before_receive_from();
    return inner_ && count(inner_->receive_from(link, frame), frame);
}

bool StageTransport::count(bool any, const std::string& frame) {
    if (any) {
        ++traffic_->frames_received;
        traffic_->bytes_on_the_way -= std::min<std::uint64_t>(traffic_->bytes_on_the_way, frame.size());
    }
    return any;
}

bool StageTransport::wait(const Interest& interest, Duration at_most) {
    if (owner_ == nullptr) return inner_->wait(interest, at_most);
    if (!owner_->is_dead) {
        const BusyMember busy{*owner_};
        const std::shared_ptr<LoopbackTransport> inner = inner_;
        static_cast<void>(inner->wait(interest, at_most));
    }
    if (!owner_->is_dead) return false;
    if (owner_->is_running) throw MemberKilled{};
    owner_->loop.control().lose_coordinator();
    return false;
}

StageMember::StageMember(Stage& stage, ActorId actor, std::string name)
    : transport(stage.network, stage.traffic, this), log(name), loop(transport, stage.clock, log), id(actor) {
    loop.be(id, std::move(name));
}

}  // namespace baton::detail
