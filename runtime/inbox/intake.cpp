#include "runtime/inbox/intake.hpp"

#include <algorithm>

#include "runtime/base/text.hpp"
#include "runtime/wire/brief.hpp"
#include <baton/detail/convert.hpp>

namespace baton::detail {

bool Intake::next(Command& out) {
    for (;;) {
        if (offset_ < frame_.size()) {
            if (parse(out)) return true;
            continue;
        }
        offset_ = 0;
        const Link before = link_;
        std::string_view frame;
        if (!self_->transport().receive_where_it_lies(link_, frame_, frame)) {
            frame_.clear();
            return false;
        }
        ++frames_taken_;
        if (link_ != before) last_sender_ = nullptr;
        if (const Sender* const sender = known_sender(); sender != nullptr && sender->is_dropped) {
            frame_.clear();
        } else if (frame.empty()) {
            drop(link_, Error{ErrorKind::corrupt, "a message is one part and not empty"});
        } else if (frame.data() != frame_.data()) {  // it lies in a lane
            frame_.clear();
            if (!is_brief(frame)) frame_.assign(frame);
            else if (parse_brief(frame, out)) return true;
        }
    }
}

bool Intake::parse_brief(std::string_view record, Command& out) {
    const Result<Brief> brief = read_brief(record, tag_);
    if (!brief) {
        drop(link_, brief.error());
        return false;
    }
    const BriefHead& head = brief->head;
    if (head.protocol == 0 || head.protocol != protocol_) {
        drop(link_, Error{ErrorKind::corrupt, "a brief record is for an actor of the same protocol"});
        return false;
    }
    if (head.kind == MessageKind::ask && head.ask_id == 0) {
        drop(link_, Error{ErrorKind::corrupt, "an ask has an ask id other than 0"});
        return false;
    }
    out.envelope.kind = head.kind;
    out.envelope.from = head.from;
    out.envelope.to = head.to;
    out.envelope.sequence = head.sequence;
    out.envelope.ask_id = head.kind == MessageKind::ask ? head.ask_id : 0;
    out.envelope.tag = brief->tag;
    out.envelope.manifest.clear();
    out.body = Value{};
    out.body_bytes = brief->body;
    out.is_positional = true;
    return admit(out, record.size());
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
    out.envelope = std::move(*envelope);
    out.body = *body;
    out.body_bytes = std::string_view(frame_).substr(body_start, offset_ - body_start);
    out.is_positional = false;
    return admit(out, offset_ - start);
}

Intake::Sender* Intake::known_sender() {
    if (last_sender_ == nullptr)
        if (const auto sender = senders_.find(link_); sender != senders_.end()) last_sender_ = &sender->second;
    return last_sender_;
}

// A record that parses, from whom it may be from. False: the connection has been dropped.
bool Intake::admit(Command& out, std::size_t bytes) {
    const bool is_new = known_sender() == nullptr;
    if (is_new) {
        make_room();
        last_sender_ = &senders_[link_];
    }
    Sender& sender = *last_sender_;
    const ActorId from = out.envelope.from;
    if (is_new || sender.id != from) {
        // An outsider has no address of its own until it has been welcomed over the same connection.
        if (!is_new && sender.id.is_somebody()) {
            drop(link_, Error{ErrorKind::corrupt, "one connection speaks for one actor"});
            return false;
        }
        sender.id = from;
        if (OwnVitals* const own = self_->own_vitals(); own != nullptr && sender.id.is_somebody()) {
            sender.taken = own->traffic_with(sender.id);
            sender.row = own->row_of(sender.id);
        }
    }
    out.link = link_;
    out.is_withdrawn = false;
    out.is_misaddressed = !is_for_me(out.envelope);
    if (out.is_misaddressed) {  // of a count that is not ours
        if (!std::exchange(sender.has_misaddressed, true))
            self_->log().warn("command.misaddressed", "from={} to={} command={}", to_string(sender.id),
                       to_string(out.envelope.to), out.envelope.tag);
        return true;
    }
    if (const std::uint64_t sequence = out.envelope.sequence; sequence != 0) {
        if (sender.last_sequence != 0 && sequence != sender.last_sequence + 1)
            self_->log().warn("command.missing", "from={} expected={} got={}", to_string(sender.id),
                              sender.last_sequence + 1, sequence);
        sender.last_sequence = sequence;
    }
    count_taken(sender, out, bytes);
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
    last_sender_ = nullptr;
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
    last_sender_ = nullptr;
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
