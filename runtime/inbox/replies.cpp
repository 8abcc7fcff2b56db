#include "runtime/inbox/replies.hpp"

#include "runtime/base/text.hpp"
#include "runtime/holdings/arrivals.hpp"
#include "runtime/wire/brief.hpp"

namespace baton::detail {
namespace {

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

void Replies::add_links_of_those(std::vector<Link>& links) const {
    const Gifts& gifts = returns_->gifts();
    if (!peers_->any_owes_answer() && !gifts.any()) return;
    for (const auto& [id, peer] : peers_->all())
        if ((peer.asks_in_flight > 0 || gifts.any(id)) && id != coordinator_id) links.push_back(peer.link);
}

void Replies::collect() {
    links_.clear();
    add_links_of_those(links_);
    for (std::size_t index = 0; index < links_.size(); ++index) static_cast<void>(take(links_[index]));
}

void Replies::take_all(Link link) {
    for (std::size_t taken = 0; taken <= limits::asks_in_flight_max; taken += per_look_max)
        if (!take(link)) return;
}

bool Replies::take(Link link, NoticeTaker* notices) {
    for (std::size_t taken = 0; taken < per_look_max; ++taken) {
        std::string_view frame;
        if (!self_->transport().receive_from_where_it_lies(link, frame_, frame)) return false;
        if (frame.data() != frame_.data()) {  // it lies in a lane
            if (is_brief(frame)) {
                take_brief(link, frame);
                continue;
            }
            frame_.assign(frame);
        }
        unpacker_.clear();
        std::size_t offset = 0;
        Result<Envelope> envelope = read_envelope(unpacker_, frame_, offset);
        if (!envelope) {
            self_->log().warn("answer.unreadable", "{}", to_text(envelope.error()));
            continue;
        }
        if (envelope->kind == MessageKind::reply) {
            if (asking_->was_asked(link, envelope->ask_id)) take_reply(*envelope, offset);
            else if (!envelope->manifest.empty()) take_in_vain(link, *envelope);
            continue;
        }
        Result<Value> body = unpacker_.next(frame_, offset);
        if (!body) {
            self_->log().warn("answer.unreadable", "{}", to_text(body.error()));
        } else if (envelope->kind == MessageKind::notice && notices != nullptr) {
            notices->take_notice(envelope->tag, *body);
        } else if (envelope->kind == MessageKind::error) {
            take_error(link, *envelope, error_in(*body));
        }
    }
    return true;
}

void Replies::take_brief(Link link, std::string_view record) {
    const Result<BriefReply> reply = read_brief_reply(record);
    if (!reply) self_->log().warn("answer.unreadable", "{}", to_text(reply.error()));
    else if (asking_->was_asked(link, reply->ask_id)) asking_->settle_by_position(reply->ask_id, reply->body);
}

void Replies::take_reply(const Envelope& envelope, std::size_t body_start) {
    std::shared_ptr<Arrivals> arrivals;
    if (!envelope.manifest.empty()) {
        arrivals = std::make_shared<Arrivals>(self_->holdings(), asking_->asked_of(envelope.ask_id), envelope.manifest);
        if (Result<void> accepted = arrivals->accept_all(); !accepted) {
            arrivals->release_all();
            return asking_->settle(envelope.ask_id, accepted.error());
        }
    }
    asking_->settle(envelope.ask_id, ReplyFrame{std::move(frame_), body_start, std::move(arrivals), self_->session()});
}

// Only the actor to which the link leads can give something over it, whatever the envelope says of its sender.
void Replies::take_in_vain(Link link, const Envelope& envelope) {
    if (const Peer* peer = peers_->over(link); peer != nullptr)
        Arrivals{self_->holdings(), peer->id, envelope.manifest}.release_all();
}

// An error that belongs to no ask, which its receiver has logged: a command that was sent is refused, or the whole
// connection is dropped.
void Replies::take_error(Link link, const Envelope& envelope, const Error& why) {
    if (asking_->was_asked(link, envelope.ask_id)) return asking_->settle(envelope.ask_id, why);
    if (envelope.ask_id != 0 || !returns_->gifts().any()) return;
    const Peer* peer = peers_->over(link);
    if (peer == nullptr) return;
    if (envelope.sequence == 0) returns_->take_back_commands(peer->id, why);
    else returns_->take_back({peer->id, Gifts::By::send, envelope.sequence}, why);
}

}  // namespace baton::detail
