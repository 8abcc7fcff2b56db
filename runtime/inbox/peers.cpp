#include "runtime/inbox/peers.hpp"

#include <algorithm>

namespace baton::detail {

namespace {

constexpr auto relaxed = std::memory_order_relaxed;

Peers::InFlight known_in_flight(const Peer& peer) noexcept {
    return {{peer.sent.commands - std::min(peer.sent.commands, peer.taken.commands),
             peer.sent.bytes - std::min(peer.sent.bytes, peer.taken.bytes)}};
}

void publish(Peer& peer) noexcept {
    if (peer.mine == nullptr || !is_of(*peer.mine, peer.id)) return;
    peer.mine->sent_bytes.store(peer.sent.bytes, relaxed);
    // In one order with the life of the receiver, at which the sender looks next, and the coordinator's count of it.
    peer.mine->sent_commands.store(peer.sent.commands, std::memory_order_seq_cst);
}

// What a receiver that counts has taken of `me`, as its vitals say.
Amount taken_by(const Vitals& vitals, Peer& peer, ActorId me) noexcept {
    if (peer.theirs == nullptr) peer.theirs = vitals.find_traffic(*peer.their_row, me);
    if (peer.theirs == nullptr) return {};
    return {peer.theirs->taken_commands.load(relaxed), peer.theirs->taken_bytes.load(relaxed)};
}

}  // namespace

Peer& Peers::add(ActorId id, std::string name, Link link) {
    Peer& peer = peers_[id];
    peer.id = id;
    peer.name = std::move(name);
    peer.link = link;
    if (OwnVitals* const own = self_->own_vitals(); own != nullptr && id != coordinator_id) {
        peer.mine = own->traffic_with(id);
        peer.their_row = self_->vitals()->row_of(id);
    }
    // Once and for all: it counts as long as it lives, and where it says so is a line that it writes all the time.
    if (is_counted(peer)) peer.protocol = self_->transport().protocol_of(link);
    return peer;
}

Peer* Peers::find(ActorId id) noexcept {
    const auto found = peers_.find(id);
    return found == peers_.end() ? nullptr : &found->second;
}

Peer* Peers::over(Link link) noexcept {
    const auto found = std::ranges::find_if(peers_, [link](const auto& entry) { return entry.second.link == link; });
    return found == peers_.end() ? nullptr : &found->second;
}

void Peers::remember_gone(ActorId id, const std::string& why) {
    if (gone_.size() >= limits::exits_kept_max) gone_.clear();
    gone_.insert_or_assign(id, why);
}

void Peers::remove(ActorId id) noexcept {
    const auto found = peers_.find(id);
    if (found == peers_.end()) return;
    if (found->second.asks_in_flight > 0) --asked_;
    if (found->second.waiting_commands > 0) --unsent_;
    peers_.erase(found);
}

const std::string* Peers::why_gone(ActorId id) const noexcept {
    const auto found = gone_.find(id);
    return found == gone_.end() ? nullptr : &found->second;
}

// ---- the window --------------------------------------------------------------------------------------

// Each look takes the line away from the receiver, which writes it with every command.
bool Peers::has_room(Peer& peer, std::size_t bytes) const noexcept {
    return known_in_flight(peer).fits(bytes) || in_flight(peer).fits(bytes);
}

Peers::InFlight Peers::in_flight(Peer& peer) const noexcept {
    const auto known = [&peer] { return known_in_flight(peer); };
    if (!is_counted(peer)) return known();
    if (known().commands < limits::batch_from_waiting && known().bytes < limits::window_bytes_max / 2) return known();
    if (peer.their_row->life.id.load(relaxed) != packed(peer.id)) return {};  // another life: Exited is on its way
    note_taken(peer, taken_by(*self_->vitals(), peer, self_->me()));
    return known();
}

std::uint64_t Peers::untaken(Peer& peer) const noexcept {
    if (is_counted(peer)) {
        if (peer.their_row->life.id.load(relaxed) != packed(peer.id)) return 0;  // another life
        note_taken(peer, taken_by(*self_->vitals(), peer, self_->me()));
    }
    return peer.sent.commands - std::min(peer.sent.commands, peer.taken.commands);
}

bool Peers::is_counted(const Peer& peer) const noexcept {
    return peer.mine != nullptr && peer.their_row != nullptr && peer.their_row->life.is_kept.load(relaxed) != 0;
}

bool Peers::is_count_due(const Peer& peer) const noexcept {
    return !is_counted(peer) && (peer.sent.commands - peer.count_asked.commands >= limits::count_asked_after_commands ||
                                 peer.sent.bytes - peer.count_asked.bytes >= limits::count_asked_after_bytes);
}

void Peers::note_taken(Peer& peer, Amount taken) const noexcept {
    peer.taken = {std::max(peer.taken.commands, taken.commands), std::max(peer.taken.bytes, taken.bytes)};
}

void Peers::count(Peer& peer, std::size_t record_bytes) const noexcept {
    ++peer.sent.commands;
    peer.sent.bytes += record_bytes;
    publish(peer);
}

void Peers::uncount(Peer& peer, std::size_t record_bytes) const noexcept {
    --peer.sent.commands;
    peer.sent.bytes -= record_bytes;
    publish(peer);
}

// ---- what waits to leave -------------------------------------------------------------------------------

void Peers::append(Peer& peer, std::string_view head, std::string_view body) {
    peer.waiting.append(head).append(body);
    if (++peer.waiting_commands == 1) ++unsent_;
}

void Peers::take_back(Peer& peer, std::size_t record_bytes) {
    peer.waiting.resize(peer.waiting.size() - record_bytes);
    if (--peer.waiting_commands == 0) --unsent_;
}

void Peers::clear_waiting(Peer& peer) noexcept {
    if (peer.waiting_commands > 0) --unsent_;
    peer.waiting.clear();
    peer.waiting_commands = 0;
}

void Peers::discard_waiting(Peer& peer) {
    peer.sent.commands -= peer.waiting_commands;
    peer.sent.bytes -= peer.waiting.size();
    clear_waiting(peer);
    publish(peer);
}

// ---- answers that are owed -----------------------------------------------------------------------------

void Peers::expect_answer(Peer& peer) noexcept {
    if (peer.asks_in_flight++ == 0) ++asked_;
}

void Peers::note_answer(Peer& peer) noexcept {
    if (--peer.asks_in_flight == 0) --asked_;
}

void Peers::expect_no_answers() noexcept {
    for (auto& [id, peer] : peers_) peer.asks_in_flight = 0;
    asked_ = 0;
}

}  // namespace baton::detail
