#include "runtime/inbox/answers.hpp"

#include "runtime/base/crash_point.hpp"
#include "runtime/base/text.hpp"
#include "runtime/wire/brief.hpp"
#include <baton/detail/convert.hpp>

namespace baton::detail {
namespace {

// How many milliseconds may pass without a sign of reading.
constexpr int waits_for_a_reader = 100;

// Whatever it was made of, the asker can read it, and it fits into a frame.
Buffer error_body(const Error& error) {
    ErrorBody body{std::string(name_of(error.kind)), readable(error.text, limits::error_text_bytes_max),
                   readable(error.type, limits::error_frame_bytes_max), {}};
    for (const std::string& frame : error.frames)
        if (body.frames.size() < limits::error_frames_max)
            body.frames.push_back(readable(frame, limits::error_frame_bytes_max));
    Buffer bytes;
    Encoder encoder{bytes};
    encode(encoder, body);
    return bytes;
}

struct BriefWriting {
    std::uint64_t ask_id;
    const positional::Body* reply;
};
void write_whole(const void* what, std::byte* to) {
    const auto& writing = *static_cast<const BriefWriting*>(what);
    writing.reply->write(writing.reply->value, write_brief_reply(to, writing.ask_id));
}

Error too_large(std::string_view tag, std::size_t bytes) {
    return Error{
        ErrorKind::refused,
        fmt::format("the reply to {} has more than the {} bytes that a message holds (limits::message_bytes_max){}",
                    tag, limits::message_bytes_max, bytes <= limits::message_bytes_max ? " with its segments" : "")};
}

}  // namespace

// ---- Answers ---------------------------------------------------------------------------------------

Answers::Posted Answers::post(Link link, const Envelope& envelope, std::string_view body) {
    self_->thread().require();
    record_.clear();
    Encoder encoder{record_, frame_bytes_max};  // so that what is too large ends up too large
    begin_record(encoder, envelope);
    if (record_.size() + body.size() > frame_bytes_max) return Posted::too_large;
    if (!waiting_.contains(link)) {
        const Transport::Sent sent = self_->transport().send(link, {record_, body});
        if (sent != Transport::Sent::full) return sent == Transport::Sent::yes ? Posted::yes : Posted::nobody_there;
    }
    record_.append(body);
    return post_later(link, envelope.to);
}

Answers::Posted Answers::post_later(Link link, ActorId to) {
    Waiting& waiting = waiting_[link];
    waiting.frames.push_back(record_);
    waiting.bytes += cost_of(record_);
    pause_ = pause_min;
    // An asker that reads, though more slowly than we answer, is waited for; one that takes nothing in that time is
    // dropped.
    for (int idle = 0; waiting.bytes > limits::answer_bytes_waiting_max && idle < waits_for_a_reader; ++idle) {
        self_->transport().wait({}, pause_min);
        while (!waiting.frames.empty()) {
            const Transport::Sent sent = self_->transport().send(link, waiting.frames.front());
            if (sent == Transport::Sent::gone) return waiting_.erase(link), Posted::nobody_there;
            if (sent == Transport::Sent::full) break;
            idle = 0;
            waiting.bytes -= cost_of(waiting.frames.front());
            waiting.frames.pop_front();
        }
    }
    if (waiting.frames.empty()) waiting_.erase(link);
    if (!waiting_.contains(link) || waiting.bytes <= limits::answer_bytes_waiting_max) return Posted::yes;
    self_->log().warn("peer.dropped", "to={} why=\"it does not read its answers\"", to_string(to));
    waiting_.erase(link);
    intake_->drop_silently(link);
    // What lay in the answers that go nowhere is ours again, and of no use. What was sent to it went over another link.
    for (const Bounce& bounce :
         gifts_->take_back_replies(to, Error{ErrorKind::overloaded, "it does not read its answers"}))
        for (Holding* holding : bounce.parcel.holdings) self_->holdings()->release(*holding);
    return Posted::nobody_there;
}

void Answers::post_waiting() {
    if (waiting_.empty()) return;
    bool any_went = false;
    for (auto entry = waiting_.begin(); entry != waiting_.end();) {
        Waiting& waiting = entry->second;
        Transport::Sent sent = Transport::Sent::yes;
        while (!waiting.frames.empty()) {
            sent = self_->transport().send(entry->first, waiting.frames.front());
            if (sent != Transport::Sent::yes) break;
            any_went = true;
            waiting.bytes -= cost_of(waiting.frames.front());
            waiting.frames.pop_front();
        }
        entry = sent == Transport::Sent::full ? std::next(entry) : waiting_.erase(entry);
    }
    pause_ = any_went ? pause_min : std::min(2 * pause_, pause_max);
}

void Answers::answer(Link link, MessageKind kind, ActorId asker, std::uint64_t ask_id, std::string_view tag,
                     std::string_view body) {
    const Envelope envelope{kind, self_->me(), asker, 0, ask_id, tag};
    Posted posted = post(link, envelope, body);
    if (posted == Posted::too_large) {  // whose body just fits, but not with its envelope
        const Error why = too_large(tag, body.size());
        posted = post(link, Envelope{MessageKind::error, self_->me(), asker, 0, ask_id, tag}, error_body(why));
    }
    count_answer(posted, link, asker, ask_id, tag);
}

void Answers::answer_by_position(Link link, ActorId asker, std::uint64_t ask_id, std::string_view tag,
                                 const positional::Body& reply) {
    self_->thread().require();
    const BriefWriting what{ask_id, &reply};
    const Transport::Writing frame{sizeof(BriefReplyHead) + reply.bytes, &write_whole, &what};
    const Transport::Sent sent =
        waiting_.contains(link) ? Transport::Sent::full : self_->transport().send_in_place(link, frame);
    Posted posted = sent == Transport::Sent::yes ? Posted::yes : Posted::nobody_there;
    if (sent == Transport::Sent::full) {
        record_.resize(frame.bytes);
        frame.write(frame.what, reinterpret_cast<std::byte*>(record_.data()));
        posted = post_later(link, asker);
    }
    count_answer(posted, link, asker, ask_id, tag);
}

void Answers::count_answer(Posted posted, Link link, ActorId asker, std::uint64_t ask_id, std::string_view tag) {
    if (posted != Posted::yes) self_->log().debug("reply.undelivered", "to={} command={}", to_string(asker), tag);
    intake_->count_answer(link, ask_id);
}

Result<void> Answers::reply_with(Link link, ActorId asker, std::uint64_t ask_id, std::string_view tag,
                                 std::string_view body, const Parcel& parcel) {
    self_->thread().require();
    Holdings* holdings = self_->holdings();
    if (holdings == nullptr) return Error{ErrorKind::refused, "this process takes part in no ledger"};
    if (Result<void> departed = holdings->transfers().depart(parcel.holdings, asker); !departed) return departed;
    Envelope envelope{MessageKind::reply, self_->me(), asker, 0, ask_id, tag};
    for (const Holding* holding : parcel.holdings) envelope.manifest.push_back(holding->handle());
    if (const Posted posted = post(link, envelope, body); posted != Posted::yes) {
        Parcel back = parcel;
        static_cast<void>(holdings->transfers().take_back(back));
        if (posted == Posted::too_large) return too_large(tag, body.size());
        return Error{ErrorKind::gone, fmt::format("{} does not listen any more", to_string(asker))};
    }
    intake_->count_answer(link, ask_id);
    pass_crash_point(CrashPoint::send_pushed);
    gifts_->look(asker);
    gifts_->note({asker, Gifts::By::reply, ask_id}, tag, body, parcel);
    return {};
}

Error Answers::why_dropped(std::string_view tag) const {
    if (!self_->is_stopping() && !self_->ending().is_leaving)
        return Error{ErrorKind::failed,
                     fmt::format("the ask was dropped without an answer: the handler of {} let its Answer go", tag)};
    return Error{ErrorKind::stopping, fmt::format("{} is stopping and did not answer {}", self_->name(), tag)};
}

void Answers::refuse_misaddressed(const Command& command, AnswerSlot slot) {
    const ActorId to = command.envelope.to;
    const ActorId me = self_->me();
    const Error why =
        to.number == me.number
            ? Error{ErrorKind::gone,
                    fmt::format("{} has exited: its place is taken by {}", to_string(to), to_string(me))}
            : Error{ErrorKind::refused, fmt::format("{} is addressed to {}, this is the inbox of {}",
                                                    command.envelope.tag, to_string(to), to_string(me))};
    if (slot.is_asked()) return slot.fail(why);
    refuse(command, why);
}

// Nobody waits for it; but the asker now knows that nobody will look for the withdrawal any more.
void Answers::refuse_withdrawn(const Command& command, AnswerSlot slot) {
    self_->log().debug("command.withdrawn", "from={} command={}", to_string(command.envelope.from),
                       command.envelope.tag);
    slot.fail(Error{ErrorKind::timed_out, fmt::format("{} was withdrawn by {} before it began, and has not run",
                                                      command.envelope.tag, to_string(command.envelope.from))});
}

void Answers::refuse(const Command& command, const Error& why) {
    // Best effort: a sender that does not listen has been told by the log.
    const Envelope& refused = command.envelope;
    static_cast<void>(post(command.link,
                           Envelope{MessageKind::error, self_->me(), refused.from, refused.sequence, 0, refused.tag},
                           error_body(why)));
}

// ---- AnswerSlot ------------------------------------------------------------------------------------

AnswerSlot::AnswerSlot(Answers& answers, const Command& command)
    : answers_(&answers),
      link_(command.link),
      asker_(command.envelope.from),
      ask_id_(command.envelope.ask_id),
      is_brief_(command.is_positional) {
    if (!is_asked()) return;
    tag_ = answers_->name_for_slot(command.envelope.tag);
    answers_->hold(link_);
}

AnswerSlot::AnswerSlot(AnswerSlot&& other) noexcept
    : answers_(std::exchange(other.answers_, nullptr)),
      link_(other.link_),
      asker_(other.asker_),
      ask_id_(other.ask_id_),
      is_brief_(other.is_brief_),
      tag_(std::move(other.tag_)) {}

AnswerSlot& AnswerSlot::operator=(AnswerSlot&& other) noexcept {
    if (this == &other) return *this;
    drop();
    answers_ = std::exchange(other.answers_, nullptr);
    link_ = other.link_;
    asker_ = other.asker_;
    ask_id_ = other.ask_id_;
    is_brief_ = other.is_brief_;
    tag_ = std::move(other.tag_);
    return *this;
}

AnswerSlot::~AnswerSlot() { drop(); }

void AnswerSlot::drop() {
    if (answers_ != nullptr && is_asked()) fail(answers_->why_dropped(tag_));
}

void AnswerSlot::reply(std::string_view body, const Parcel* parcel) {
    if (body == nested_too_deep)
        return fail(Error{ErrorKind::refused,
                          fmt::format("the reply to {} is nested deeper than {} (limits::message_depth_max)", tag_,
                                      limits::message_depth_max)});
    if (body.size() > limits::message_bytes_max) return fail(too_large(tag_, body.size()));
    if (parcel == nullptr || parcel->holdings.empty()) return answer(MessageKind::reply, body);
    if (answers_ == nullptr || !is_asked()) return;  // nobody to give it to: it stays with the caller
    Result<void> given = answers_->reply_with(link_, asker_, ask_id_, tag_, body, *parcel);
    if (!given) return fail(given.error());
    std::exchange(answers_, nullptr)->release(link_);
}

bool AnswerSlot::reply_by_position(const positional::Body& reply) {
    if (answers_ == nullptr || !is_asked() || reply.bytes > limits::message_bytes_max) return false;
    Answers* const answers = std::exchange(answers_, nullptr);
    answers->answer_by_position(link_, asker_, ask_id_, tag_, reply);
    answers->release(link_);
    answers->give_back(std::move(tag_));
    return true;
}

void AnswerSlot::waits_for(ActorId whom) {
    if (answers_ != nullptr && is_asked()) answers_->keep(link_, ask_id_, whom);
}

void AnswerSlot::end_in_hand() noexcept {
    if (answers_ != nullptr) answers_->end_in_hand();
}

void AnswerSlot::fail(const Error& error) { answer(MessageKind::error, error_body(error)); }

void AnswerSlot::answer(MessageKind kind, std::string_view body) {
    Answers* answers = std::exchange(answers_, nullptr);
    if (answers == nullptr || !is_asked()) return;
    answers->answer(link_, kind, asker_, ask_id_, tag_, body);
    answers->release(link_);
    answers->give_back(std::move(tag_));
}

}  // namespace baton::detail
