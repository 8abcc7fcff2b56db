// The hearing side of Loop: answers, the control lane, and what is to be done when a peer or the coordinator has ended.
#include <array>

#include "runtime/base/text.hpp"
#include "runtime/holdings/arrivals.hpp"
#include "runtime/inbox/loop.hpp"
#include <baton/detail/convert.hpp>

namespace baton::detail {
namespace {

// The world's bytes to a struct of ours; an error names the field.
template <class T>
Result<T> decode_as(Value body, std::string_view tag, SessionTag session = {}) {
    T out{};
    Decoding at{tag, nullptr, session};
    if (!decode(body, out, at)) return at.take_error();
    return out;
}

// From a notice of an exit that cannot be read as a whole: the actor, which is the part that must not be missed.
std::optional<notice::Exited> exited_in(Value body, SessionTag session) {
    notice::Exited exited{{}, "", {ExitKind::left, 0, "how it ended could not be read", "", {}}};
    if (body.kind() != ValueKind::map) return std::nullopt;
    for (std::size_t index = 0; index < body.size(); ++index) {
        const Value key = body.key_at(index);
        const Value value = body.value_at(index);
        if (key.kind() != ValueKind::text) continue;
        Decoding at{"Exited", nullptr, session};
        if (key.text() == "actor" && !decode(value, exited.actor, at)) return std::nullopt;
        if (key.text() == "name" && value.kind() == ValueKind::text)
            exited.name = readable(value.text(), limits::name_bytes_max);
    }
    if (exited.name.empty()) exited.name = to_string(exited.actor.id);
    return exited.actor.id.is_somebody() ? std::optional{exited} : std::nullopt;
}

// Accepts text that is not UTF-8 and missing fields: kind, type and text are useful even if the rest is malformed.
Error error_in(Value body) {
    Error error{ErrorKind::failed, "an error that can't be read"};
    if (body.kind() != ValueKind::map) return error;
    const auto text_of = [](Value value) {
        return value.kind() == ValueKind::text ? readable(value.text(), limits::error_text_bytes_max) : std::string();
    };
    for (std::size_t index = 0; index < body.size(); ++index) {
        const Value key = body.key_at(index);
        const Value value = body.value_at(index);
        if (key.kind() != ValueKind::text) continue;
        if (key.text() == "kind") error.kind = error_kind_of(text_of(value)).value_or(ErrorKind::failed);
        if (key.text() == "text") error.text = text_of(value);
        if (key.text() == "type") error.type = text_of(value);
        if (key.text() != "frames" || value.kind() != ValueKind::array) continue;
        for (std::size_t frame = 0; frame < std::min(value.size(), limits::error_frames_max); ++frame)
            error.frames.push_back(text_of(value.at(frame)));
    }
    return error;
}

}  // namespace

void Loop::serve_control() {
    if (control_.is_some()) static_cast<void>(take_answers(control_));
    if (drains_.any()) look_at_the_dead();
    if (!late_exits_.empty()) take_late_exits();
}

void Loop::serve_links() {
    serve_control();
    if (peers_asked_ > 0 || gifts_.any()) collect_answers();
}

void Loop::collect_answers() {
    std::vector<Link>& links = waited_links_;
    links.clear();
    for (const auto& [id, peer] : peers_.all())
        if ((peer.asks_in_flight > 0 || gifts_.any(id)) && peer.link != control_) links.push_back(peer.link);
    for (std::size_t index = 0; index < links.size(); ++index) static_cast<void>(take_answers(links[index]));
}

// Of an exited peer no more can come than it was asked.
void Loop::take_all_answers(Link link) {
    for (std::size_t taken = 0; taken <= limits::asks_in_flight_max; taken += answers_per_look_max)
        if (!take_answers(link)) return;
}

bool Loop::take_answers(Link link) {
    for (std::size_t taken = 0; taken < answers_per_look_max; ++taken) {
        if (!transport_->receive_from(link, answer_frame_)) return false;
        answer_unpacker_.clear();
        std::size_t offset = 0;
        Result<Envelope> envelope = read_envelope(answer_unpacker_, answer_frame_, offset);
        if (!envelope) {
            log_->warn("answer.unreadable", "{}", to_text(envelope.error()));
            continue;
        }
        if (envelope->kind == MessageKind::reply) {
            if (was_asked(link, envelope->ask_id)) take_reply(*envelope, offset);
            else if (!envelope->manifest.empty()) take_in_vain(link, *envelope);
            continue;
        }
        Result<Value> body = answer_unpacker_.next(answer_frame_, offset);
        if (!body) {
            log_->warn("answer.unreadable", "{}", to_text(body.error()));
        } else if (envelope->kind == MessageKind::notice && link == control_) {
            take_notice(*envelope, *body);
        } else if (envelope->kind == MessageKind::error) {
            const Error outcome = error_in(*body);
            // Without an ask the receiver has logged it already.
            if (was_asked(link, envelope->ask_id)) settle(envelope->ask_id, outcome);
            else if (envelope->ask_id == 0) take_refusal(link, *envelope, outcome);
        }
    }
    return true;
}

Peer* Loop::peer_over(Link link) noexcept {
    for (auto& [id, peer] : peers_.all())
        if (peer.link == link) return &peer;
    return nullptr;
}

template <class Notice>
std::optional<Notice> Loop::read_notice(Value body) const {
    Result<Notice> notice = decode_as<Notice>(body, command_name<Notice>, session_);
    if (notice) return std::move(*notice);
    log_->warn("notice.unreadable", "{}", to_text(notice.error()));
    return std::nullopt;
}

void Loop::take_notice(const Envelope& envelope, Value body) {
    if (envelope.tag == "Stop") {
        const std::optional<notice::Stop> notice = read_notice<notice::Stop>(body);
        stop(notice && notice->drain);
    } else if (envelope.tag == "Exited") {
        std::optional<notice::Exited> notice = read_notice<notice::Exited>(body);
        if (!notice) notice = exited_in(body, session_);
        if (!notice) return;
        // What it had answered, and given with it, may still be on its way.
        const Peer* peer = peers_.find(notice->actor.id);
        const bool may_answer = peer != nullptr && peer->asks_in_flight > 0 && drains_.may_bring(notice->actor.id);
        if (may_answer) late_exits_.push_back({*notice, Deadline::in(*clock_, limits::linger)});
        else take_exit(*notice);
    } else if (envelope.tag == "Drain") {
        const std::optional<notice::Drain> notice = read_notice<notice::Drain>(body);
        if (notice) drains_.begin(notice->actor.id, static_cast<pid_t>(notice->pid));
    } else if (envelope.tag == "Trim") {
        if (holdings() != nullptr) holdings()->trim();
    } else {
        log_->debug("notice.unknown", "tag={}", envelope.tag);
    }
}

void Loop::look_at_the_dead() {
    drains_.look(*clock_, intake_.frames_taken(), [this](ActorId dead, pid_t pid) {
        const Peer* peer = peers_.find(dead);
        return transport_->may_deliver({dead, pid, peer == nullptr ? Link{} : peer->link}, [this, dead](Link link) {
            const ActorId speaker = intake_.speaker_of(link);
            if (speaker == dead) return Transport::Speaker::the_dead;
            const bool is_another = speaker.is_somebody() && own_vitals_ && !own_vitals_->has_exited(speaker);
            return is_another ? Transport::Speaker::another : Transport::Speaker::unknown;
        });
    });
}

void Loop::take_exit(const notice::Exited& exited) {
    forget_exited(exited);
    if (exit_taker_) exits_.push_back(exited);
}

void Loop::take_late_exits() {
    std::vector<LateExit> due;
    std::erase_if(late_exits_, [&](LateExit& late) {
        if (drains_.may_bring(late.exited.actor.id) && !late.at_latest.has_passed(*clock_)) return false;
        due.push_back(std::move(late));
        return true;
    });
    for (const LateExit& late : due) {
        // Its connection has ended, so one look at the link shows all that came over it.
        if (const Peer* peer = peers_.find(late.exited.actor.id); peer != nullptr) {
            const std::array links{peer->link};
            static_cast<void>(transport_->wait({.links = links}, Duration::zero()));
        }
        take_exit(late.exited);
    }
}

// A process that could answer another actor's asks could speak for it.
bool Loop::was_asked(Link link, AskId id) noexcept {
    const Asks::Ask* ask = asks_.find(id);
    const Peer* peer = ask == nullptr ? nullptr : peers_.find(ask->to);
    return peer != nullptr && peer->link == link;
}

void Loop::settle(AskId id, Result<ReplyFrame> outcome) {
    const Asks::Ask* ask = asks_.find(id);
    if (ask == nullptr || ask->outcome) return;
    if (own_vitals_ && id == shown_) own_vitals_->end_wait();
    if (Peer* peer = peers_.find(ask->to); peer != nullptr && peer->asks_in_flight > 0) {
        if (own_vitals_) own_vitals_->count_heard(peer->mine, peer->id);
        if (--peer->asks_in_flight == 0) --peers_asked_;
    }
    if (ask->is_abandoned) {
        if (own_vitals_ && ask->fate == Fate::withdrawn) own_vitals_->end_withdrawal(id);
        const std::function<void(Result<ReplyFrame>)> take_late = ask->take_late;
        asks_.forget(id);
        if (take_late) take_late(std::move(outcome));
        return;
    }
    const bool has_failed = !outcome;
    const Error why = has_failed ? outcome.error() : Error{};
    const ActorId to = ask->to;
    asks_.settle(id, std::move(outcome));
    if (!gifts_.any(to)) return;
    // What a failed request carried comes back; what an answered one carried has been accepted.
    if (!has_failed) return gifts_.look(to);
    if (std::optional<Bounce> bounce = gifts_.take_back({to, Gifts::By::request, id}, why); bounce)
        bounces_.push_back(std::move(*bounce));
}

// Only the actor to which the link leads can give something over it, whatever the envelope says of its sender.
void Loop::take_in_vain(Link link, const Envelope& envelope) {
    if (const Peer* peer = peer_over(link); peer != nullptr)
        Arrivals{holdings(), peer->id, envelope.manifest}.release_all();
}

void Loop::take_reply(const Envelope& envelope, std::size_t body_start) {
    const ActorId from = asks_.find(envelope.ask_id)->to;
    std::shared_ptr<Arrivals> arrivals;
    if (!envelope.manifest.empty()) {
        arrivals = std::make_shared<Arrivals>(holdings(), from, envelope.manifest);
        if (Result<void> accepted = arrivals->accept_all(); !accepted) {
            arrivals->release_all();
            return settle(envelope.ask_id, accepted.error());
        }
    }
    settle(envelope.ask_id, ReplyFrame{std::move(answer_frame_), body_start, std::move(arrivals), session_});
}

// An error that belongs to no ask: a command that was sent is refused, or the whole connection is dropped.
void Loop::take_refusal(Link link, const Envelope& envelope, const Error& why) {
    const Peer* peer = gifts_.any() ? peer_over(link) : nullptr;
    if (peer == nullptr) return;
    if (envelope.sequence == 0) return keep_bounces(gifts_.take_back_commands(peer->id, why));
    if (std::optional<Bounce> bounce = gifts_.take_back({peer->id, Gifts::By::send, envelope.sequence}, why); bounce)
        bounces_.push_back(std::move(*bounce));
}

// ---- actors that have ended ------------------------------------------------------------------------

void Loop::remember_exited(ActorId id, const std::string& why) {
    if (exited_.size() >= limits::exits_kept_max) exited_.clear();
    exited_.insert_or_assign(id, why);
}

void Loop::forget_exited(const notice::Exited& exited) {
    const ActorId id = exited.actor.id;
    const std::string why = fmt::format("{} has exited: {}", exited.name, to_text(exited.exit));
    remember_exited(id, why);
    if (Peer* peer = peers_.find(id); peer != nullptr) {
        take_all_answers(peer->link);  // what it answered before it went counts
        asks_.settle_all_to(id, Error{ErrorKind::gone, why});
        if (own_vitals_) own_vitals_->end_withdrawals_to(id);
        if (peer->asks_in_flight > 0) --peers_asked_;
        if (peer->waiting_commands > 0) --unsent_peers_;
        transport_->close(peer->link, Transport::Pending::discarded);
        peers_.remove(id);
    }
    keep_bounces(gifts_.take_back_all(id, Error{ErrorKind::gone, why}));
    intake_.forget(id);
}

// Without waiting: if it can't be said now, or a watcher throws, it is said later.
void Loop::tell_drained(bool was_empty) {
    for (const ActorId dead : drains_.due(*clock_, was_empty, intake_.frames_taken())) {
        drains_.put_off(*clock_, dead);
        Buffer body;
        Encoder encoder{body};
        encode(encoder, coordinator::Drained{AnyRef{dead}});
        const Result<void> told =
            send(coordinator_id, command_name<coordinator::Drained>, body, Duration::zero(), Urgency::now);
        if (!told && told.error().kind != ErrorKind::gone) continue;
        drains_.forget(dead);
        transport_->forget(dead);
    }
}

void Loop::lose_coordinator() {
    has_lost_coordinator_ = true;
    coordinator_descriptor_ = -1;
    asks_.settle_all(coordinator_lost());
    // The actors die with it. Their links would go on trying to reach them; code in the middle of sending finds its
    // link closed.
    for (auto& [id, peer] : peers_.all()) {
        peer.asks_in_flight = 0;
        transport_->close(peer.link, Transport::Pending::discarded);
    }
    peers_asked_ = 0;
    control_ = {};
    drains_ = {};  // nobody wants to hear of them any more
    late_exits_.clear();
}

void Loop::watch_coordinator(int descriptor, std::function<bool()> has_died) {
    coordinator_descriptor_ = descriptor;
    has_coordinator_died_ = std::move(has_died);
}

bool Loop::has_coordinator() {
    if (coordinator_descriptor_ >= 0 && has_coordinator_died_()) lose_coordinator();
    return !has_lost_coordinator_;
}

Error Loop::coordinator_lost() const {
    return Error{ErrorKind::gone,
                 "the session has ended: its coordinator has died, and its actors with it; open another session"};
}

}  // namespace baton::detail
