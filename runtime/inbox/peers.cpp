#include "runtime/inbox/peers.hpp"

namespace baton::detail {

constexpr auto relaxed = std::memory_order_relaxed;

void Peers::attach(const Vitals& vitals, OwnVitals& own, ActorId me) {
    vitals_ = &vitals;
    own_ = &own;
    me_ = me;
}

Peer& Peers::add(ActorId id, std::string name, Link link) {
    Peer& peer = peers_[id];
    peer.id = id;
    peer.name = std::move(name);
    peer.link = link;
    if (own_ != nullptr && id != coordinator_id) {
        peer.mine = own_->traffic_with(id);
        peer.their_row = vitals_->row_of(id);
    }
    return peer;
}

Peer* Peers::find(ActorId id) noexcept {
    const auto found = peers_.find(id);
    return found == peers_.end() ? nullptr : &found->second;
}

void Peers::remove(ActorId id) noexcept { peers_.erase(id); }

Peers::InFlight Peers::in_flight(Peer& peer) const noexcept {
    const auto known = [&peer] {
        return InFlight{peer.sent_commands - std::min(peer.sent_commands, peer.taken_commands_seen),
                        peer.sent_bytes - std::min(peer.sent_bytes, peer.taken_bytes_seen)};
    };
    if (!is_counted(peer)) return known();
    if (known().commands < limits::batch_from_waiting && known().bytes < limits::window_bytes_max / 2) return known();
    if (peer.their_row->life.id.load(relaxed) != packed(peer.id)) return {};  // another life: Exited is on its way
    if (peer.theirs == nullptr) peer.theirs = find_traffic(*peer.their_row, me_);
    if (peer.theirs != nullptr)
        note_taken(peer, peer.theirs->taken_commands.load(relaxed), peer.theirs->taken_bytes.load(relaxed));
    return known();
}

bool Peers::is_counted(const Peer& peer) const noexcept {
    return peer.mine != nullptr && peer.their_row != nullptr && peer.their_row->life.is_kept.load(relaxed) != 0;
}

bool Peers::is_count_due(const Peer& peer) const noexcept {
    return !is_counted(peer) && (peer.sent_commands - peer.count_asked_commands >= limits::count_asked_after_commands ||
                                 peer.sent_bytes - peer.count_asked_bytes >= limits::count_asked_after_bytes);
}

void Peers::note_taken(Peer& peer, std::uint64_t commands, std::uint64_t bytes) const noexcept {
    peer.taken_commands_seen = std::max(peer.taken_commands_seen, commands);
    peer.taken_bytes_seen = std::max(peer.taken_bytes_seen, bytes);
}

void Peers::count(Peer& peer, std::size_t record_bytes) const noexcept {
    ++peer.sent_commands;
    peer.sent_bytes += record_bytes;
    publish(peer);
}

void Peers::uncount(Peer& peer, std::size_t record_bytes) const noexcept {
    --peer.sent_commands;
    peer.sent_bytes -= record_bytes;
    publish(peer);
}

void Peers::append(Peer& peer, std::string_view head, std::string_view body) const {
    peer.waiting.append(head).append(body);
    ++peer.waiting_commands;
}

void Peers::take_back(Peer& peer, std::size_t record_bytes) const {
    peer.waiting.resize(peer.waiting.size() - record_bytes);
    --peer.waiting_commands;
}

void Peers::discard_waiting(Peer& peer) {
    peer.sent_commands -= peer.waiting_commands;
    peer.sent_bytes -= peer.waiting.size();
    peer.waiting.clear();
    peer.waiting_commands = 0;
    publish(peer);
}

void Peers::publish(Peer& peer) const noexcept {
    if (peer.mine == nullptr || !is_of(*peer.mine, peer.id)) return;
    peer.mine->sent_bytes.store(peer.sent_bytes, relaxed);
    // In one order with the life of the receiver, at which the sender looks next, and the coordinator's count of it.
    peer.mine->sent_commands.store(peer.sent_commands, std::memory_order_seq_cst);
}

}  // namespace baton::detail
