#include "runtime/inbox/intake.hpp"

#include <algorithm>

#include "runtime/base/text.hpp"
#include <baton/detail/convert.hpp>

namespace baton::detail {

bool Intake::next(Command& out) {
    for (;;) {
        if (offset_ >= frame_.size()) {
            offset_ = 0;
            if (!self_->transport().receive(link_, frame_)) {
                frame_.clear();
                return false;
            }
            ++frames_taken_;
            const auto sender = senders_.find(link_);
            if (sender != senders_.end() && sender->second.is_dropped) {
                frame_.clear();
                continue;
            }
            if (frame_.empty()) drop(link_, Error{ErrorKind::corrupt, "a message is one part and not empty"});
        }
        if (offset_ < frame_.size() && parse(out)) return true;
    }
}

bool Intake::parse(Command& out) {
    const std::size_t start = offset_;
    unpacker_.clear();
    Result<Envelope> envelope = read_envelope(unpacker_, frame_, offset_);
    if (!envelope) {
        drop(link_, envelope.error());
        return false;
    }
    const std::size_t body_start = offset_;
    Result<Value> body = unpacker_.next(frame_, offset_);
    if (!body) {
        drop(link_, body.error());
        return false;
    }
    if (envelope->kind != MessageKind::send && envelope->kind != MessageKind::ask) {
        drop(link_, Error{ErrorKind::corrupt, "an inbox takes commands: kind 1 (send) or 2 (ask)"});
        return false;
    }
    if (envelope->kind == MessageKind::ask && envelope->ask_id == 0) {
        drop(link_, Error{ErrorKind::corrupt, "an ask has an ask id other than 0"});
        return false;
    }
    if (envelope->kind == MessageKind::send) envelope->ask_id = 0;

    if (!senders_.contains(link_)) make_room();
    const auto [place, is_new] = senders_.try_emplace(link_);
    Sender& sender = place->second;
    if (is_new || sender.id != envelope->from) {
        // An outsider has no address of its own until it has been welcomed over the same connection.
        if (!is_new && sender.id.is_somebody()) {
            drop(link_, Error{ErrorKind::corrupt, "one connection speaks for one actor"});
            return false;
        }
        sender.id = envelope->from;
        if (OwnVitals* const own = self_->own_vitals(); own != nullptr && sender.id.is_somebody()) {
            sender.taken = own->traffic_with(sender.id);
            sender.row = own->row_of(sender.id);
        }
    }
    const std::uint64_t sequence = envelope->sequence;
    const bool is_misaddressed = !is_for_me(*envelope);
    out = Command{std::move(*envelope), *body, std::string_view(frame_).substr(body_start, offset_ - body_start), link_,
                  is_misaddressed};
    if (is_misaddressed) {  // of a count that is not ours
        if (!std::exchange(sender.has_misaddressed, true))
            self_->log().warn("command.misaddressed", "from={} to={} command={}", to_string(sender.id),
                       to_string(out.envelope.to), out.envelope.tag);
        return true;
    }
    if (sequence != 0) {
        if (sender.last_sequence != 0 && sequence != sender.last_sequence + 1)
            self_->log().warn("command.missing", "from={} expected={} got={}", to_string(sender.id),
                              sender.last_sequence + 1, sequence);
        sender.last_sequence = sequence;
    }
    count_taken(sender, out, offset_ - start);
    return true;
}

// An ask is first counted as taken, then its asker's row is read; an asker that withdraws it writes into its row and
// then reads the count. So one of the two sees what the other did (docs/decisions/0019). Its bytes are counted after
// the look: a reader that finds them counted knows that the look is over.
void Intake::count_taken(Sender& sender, Command& command, std::size_t bytes) noexcept {
    if (OwnVitals* const own = self_->own_vitals(); own != nullptr) own->begin_taken();
    constexpr auto relaxed = std::memory_order_relaxed;
    Traffic* const taken = sender.taken != nullptr && is_of(*sender.taken, sender.id) ? sender.taken : nullptr;
    const std::uint64_t count = taken == nullptr ? 0 : taken->taken_commands.load(relaxed) + 1;
    if (command.envelope.kind == MessageKind::ask) {
        // What got lost with a broken connection before it does not come any more.
        if (taken != nullptr)
            taken->taken_commands.store(std::max(count, command.envelope.sequence), std::memory_order_seq_cst);
        command.is_withdrawn = sender.row != nullptr && is_withdrawn(*sender.row, sender.id, command.envelope.ask_id);
    } else if (taken != nullptr) {
        taken->taken_commands.store(count, relaxed);
    }
    if (taken != nullptr)
        taken->taken_bytes.store(taken->taken_bytes.load(relaxed) + bytes, std::memory_order_release);
}

// 0.0 means the actor that reads it; and a process without an id cannot tell.
bool Intake::is_for_me(const Envelope& envelope) const noexcept {
    return envelope.to == self_->me() || !envelope.to.is_somebody() || !self_->me().is_somebody();
}

void Intake::count_answer(Link link, std::uint64_t ask) noexcept {
    OwnVitals* const own = self_->own_vitals();
    if (own == nullptr) return;
    const auto sender = senders_.find(link);
    if (sender == senders_.end()) return own->count_answered(nullptr, {});
    Traffic* const taken = sender->second.taken;
    if (taken != nullptr && is_of(*taken, sender->second.id) && taken->kept_ask.load(std::memory_order_relaxed) == ask)
        own->keep_answer(*taken, ask, {});
    own->count_answered(taken, sender->second.id);
}

void Intake::keep_answer(Link link, std::uint64_t ask, ActorId whom) noexcept {
    OwnVitals* const own = self_->own_vitals();
    const auto sender = senders_.find(link);
    if (own == nullptr || sender == senders_.end()) return;
    if (Traffic* const taken = sender->second.taken; taken != nullptr && is_of(*taken, sender->second.id))
        own->keep_answer(*taken, ask, whom);
}

void Intake::drop(Link link, const Error& why) {
    frame_.clear();
    offset_ = 0;
    drop_silently(link);
    const Sender& sender = senders_[link];
    self_->log().warn("peer.dropped", "from={} why=\"{}\"", to_string(sender.id), to_text(why));

    Buffer answer;
    Encoder encoder{answer};
    begin_record(encoder, Envelope{MessageKind::error, self_->me(), sender.id, 0, 0, ""});
    encode(encoder,
           ErrorBody{std::string(name_of(why.kind)), readable(why.text, limits::error_text_bytes_max), "", {}});
    // Best effort: a process that sends garbage may not read either.
    static_cast<void>(self_->transport().send(link, answer));
}

ActorId Intake::speaker_of(Link link) const {
    const auto sender = senders_.find(link);
    return sender == senders_.end() ? ActorId{} : sender->second.id;
}

// We are told only of the exits of actors that we had located; the vitals know of all.
void Intake::make_room() {
    if (senders_.size() < limits::dropped_peers_max + limits::actors_max) return;
    const OwnVitals* const own = self_->own_vitals();
    std::erase_if(senders_, [own](const auto& entry) {
        const Sender& sender = entry.second;
        return sender.is_dropped || (own != nullptr && sender.id.is_somebody() && own->has_exited(sender.id));
    });
}

void Intake::drop_silently(Link link) {
    make_room();
    senders_[link].is_dropped = true;
    ++dropped_peers_;
}

void Intake::introduce(Link link, ActorId sender) {
    if (const auto found = senders_.find(link); found != senders_.end()) found->second.joined_as = sender;
}

void Intake::forget(ActorId sender) {
    for (auto entry = senders_.begin(); entry != senders_.end();) {
        if (entry->second.id == sender || entry->second.joined_as == sender) {
            self_->transport().close(entry->first, Transport::Pending::delivered);
            entry = senders_.erase(entry);
        } else {
            ++entry;
        }
    }
}

}  // namespace baton::detail
