#include "runtime/inbox/loop.hpp"

#include <algorithm>

#include "runtime/base/check.hpp"
#include "runtime/base/crash_point.hpp"
#include "runtime/base/text.hpp"
#include "runtime/holdings/arrivals.hpp"
#include "runtime/wire/convert.hpp"

namespace baton {
namespace {

// The control lane is looked at again after so much time of handling quick commands.
constexpr Duration control_interval = std::chrono::microseconds{100};

// The world's bytes to a struct of ours; an error names the field.
template <class T>
Result<T> decode_as(Value body, std::string_view tag, SessionTag session = {}) {
    T out{};
    Decoding at{tag, nullptr, session};
    if (!decode(body, out, at)) return at.take_error();
    return out;
}

// Of a notice of an exit that can't be read as a whole: who it is, which is what nobody may miss.
std::optional<notice::Exited> exited_in(Value body, SessionTag session) {
    notice::Exited exited{{}, "", {ExitKind::left, 0, "how it ended could not be read", "", {}}};
    if (body.kind() != ValueKind::map) return std::nullopt;
    for (std::size_t index = 0; index < body.size(); ++index) {
        const Value key = body.key_at(index);
        const Value value = body.value_at(index);
        if (key.kind() != ValueKind::text) continue;
        Decoding at{"Exited", nullptr, session};
        if (key.text() == "actor" && !decode(value, exited.actor, at)) return std::nullopt;
        if (key.text() == "name" && value.kind() == ValueKind::text) exited.name = readable(value.text(), limits::name_bytes_max);
    }
    if (exited.name.empty()) exited.name = to_string(exited.actor.id);
    return exited.actor.id.is_somebody() ? std::optional{exited} : std::nullopt;
}

// User code runs while it lives; what it throws passes through.
struct Handling {
    explicit Handling(bool& flag) : flag_(flag) { flag_ = true; }
    ~Handling() { flag_ = false; }
    Handling(const Handling&) = delete;
    Handling& operator=(const Handling&) = delete;

private:
    bool& flag_;
};

// Also what is not UTF-8 or lacks a field: kind, type and text are worth more than that they are not written well.
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

// ---- place in the session --------------------------------------------------------------------------

Loop::Loop(Transport& transport, const Clock& clock, Log& log)
    : transport_(&transport),
      clock_(&clock),
      log_(&log),
      intake_(transport, log),
      answers_(transport, log, intake_, gifts_) {}

void Loop::be(ActorId me, std::string name) {
    me_ = me;
    name_ = std::move(name);
    intake_.be(me);
    answers_.be(me);
    log_->rename(fmt::format("{}#{}", name_, to_string(me)));
}

void Loop::attach(const Vitals& vitals, OwnVitals own) {
    vitals_ = &vitals;
    own_vitals_.emplace(std::move(own));
    peers_.attach(vitals, *own_vitals_, me_);
    intake_.attach(*own_vitals_);
}

Result<void> Loop::require_ours(const AnyRef& ref) const {
    if (ref.session.fits(session_)) return {};
    return Error{ErrorKind::refused, fmt::format("{} is an actor of session {}, and this is session {}: a Ref is of use in its own "
                                                 "session alone, as its number is somebody else here", to_string(ref.id),
                                                 printable(to_string(ref.session)), to_string(session_))};
}

void Loop::attach(Holdings& holdings) { gifts_.attach(holdings); }

Result<void> Loop::open_control(const std::string& address) {
    Result<Link> link = transport_->open(address);
    if (!link) return link.error();
    control_ = *link;
    peers_.add(coordinator_id, "coordinator", control_);
    return {};
}

// ---- waiting and serving ---------------------------------------------------------------------------

Loop::Waited Loop::serve(Handler* handler, const std::function<bool()>& done, Deadline deadline) {
    bool has_looked_last = false;
    for (;;) {
        serve_control();
        if (peers_asked_ > 0 || gifts_.any()) collect_answers();
        answers_.post_waiting();
        if (drains_.any()) {
            drains_.look(*transport_, intake_.frames_taken());
            if (handler == nullptr && !is_handling_ && collector_ != nullptr) {
                handler = collector_;
                if (own_vitals_) own_vitals_->end_wait();  // who collects may answer
            }
        }
        if (handler != nullptr && !is_handling_) {
            give_bounces();
            tell_exits();
        }
        if (handler != nullptr) {
            if (handler->descriptor() >= 0) handler->on_descriptor();
            if (handler->next_deadline().has_passed(*clock_)) handler->on_deadline();
        }
        if (done()) return Waited::done;
        if (ends_waits() || (stop_ == Stop::after_draining && handler != nullptr)) return Waited::stopping;
        const Handled handled = handler == nullptr ? Handled::none : handle_some(*handler, done);
        if (handled == Handled::slice) wait(handler, Deadline{clock_->now()}, Link{});
        if (drains_.any() && handler != nullptr) tell_drained(handled == Handled::none);
        if (handled != Handled::none) continue;
        flush();
        if (gifts_.any())
            for (const ActorId receiver : gifts_.receivers()) gifts_.look(receiver);
        if (deadline.has_passed(*clock_)) {
            // What had come by then counts, also where the deadline had passed before the first look.
            if (has_looked_last) return Waited::deadline;
            has_looked_last = true;
        }
        wait(handler, handler == nullptr ? deadline : deadline.or_earlier(handler->next_deadline()), Link{});
    }
}

Loop::Waited Loop::wait_for(const std::function<bool()>& done, Deadline deadline) {
    return serve(is_handling_ ? nullptr : collector_, done, deadline);
}

Loop::Waited Loop::poll(const std::function<bool()>& done, Duration interval, Deadline deadline) {
    for (;;) {
        serve_control();
        if (done()) return Waited::done;
        if (ends_waits()) return Waited::stopping;
        if (deadline.has_passed(*clock_)) return Waited::deadline;
        wait(nullptr, deadline.or_earlier(Deadline::in(*clock_, interval)), Link{});
    }
}

Loop::Handled Loop::handle_some(Handler& handler, const std::function<bool()>& done) {
    Command command;
    Handled handled = Handled::none;
    const Deadline slice = Deadline::in(*clock_, control_interval);
    while (intake_.next(command)) {
        handled = Handled::some;
        handle_one(handler, command);
        if (done()) break;
        if (slice.has_passed(*clock_)) return Handled::slice;
    }
    return handled;
}

void Loop::handle_one(Handler& handler, const Command& command) {
    AnswerSlot slot{answers_, command};
    if (command.is_misaddressed) return answers_.refuse_misaddressed(command, std::move(slot));
    if (command.envelope.tag == sync_tag) {
        Buffer nothing;
        Encoder{nothing}.nil();
        return slot.reply(nothing);
    }
    if (own_vitals_) own_vitals_->begin(command.envelope.tag, clock_->now().time_since_epoch().count());
    {
        const Handling handling{is_handling_};
        sender_ = command.envelope.from;
        handler.handle(command, std::move(slot));
        sender_ = {};
    }
    if (own_vitals_) own_vitals_->end();
}

void Loop::wait(Handler* handler, Deadline deadline, Link writable) {
    waited_links_.clear();
    if (control_.is_some()) waited_links_.push_back(control_);
    if (peers_asked_ > 0 || gifts_.any())
        for (const auto& [id, peer] : peers_.all())
            if ((peer.asks_in_flight > 0 || gifts_.any(id)) && peer.link != control_) waited_links_.push_back(peer.link);
    waited_descriptors_.clear();
    for (const auto& [descriptor, on_readable] : watched_) waited_descriptors_.push_back(descriptor);
    if (handler != nullptr && handler->descriptor() >= 0) waited_descriptors_.push_back(handler->descriptor());
    if (drains_.any()) deadline = deadline.or_earlier(Deadline::in(*clock_, window_interval));
    if (answers_.any_waiting()) deadline = deadline.or_earlier(Deadline::in(*clock_, window_interval));
    const bool any_readable =
        transport_->wait({handler != nullptr, waited_links_, writable, waited_descriptors_}, deadline.left(*clock_));
    drains_.looked_outside();
    if (any_readable)
        for (const auto& [descriptor, on_readable] : watched_) on_readable();
}

void Loop::serve_control() {
    if (control_.is_some()) take_answers(control_);
}

void Loop::collect_answers() {
    std::vector<Link>& links = waited_links_;
    links.clear();
    for (const auto& [id, peer] : peers_.all())
        if ((peer.asks_in_flight > 0 || gifts_.any(id)) && peer.link != control_) links.push_back(peer.link);
    for (std::size_t index = 0; index < links.size(); ++index) take_answers(links[index]);
}

void Loop::take_answers(Link link) {
    while (transport_->receive_from(link, answer_frame_)) {
        answer_unpacker_.clear();
        std::size_t offset = 0;
        Result<Envelope> envelope = read_envelope(answer_unpacker_, answer_frame_, offset);
        if (!envelope) {
            log_->warn("answer.unreadable", "{}", describe(envelope.error()));
            continue;
        }
        if (envelope->kind == MessageKind::reply) {
            if (was_asked(link, envelope->ask_id)) take_reply(*envelope, offset);
            else Arrivals{holdings(), envelope->from, envelope->manifest}.release_all();  // nobody waits any more
            continue;
        }
        Result<Value> body = answer_unpacker_.next(answer_frame_, offset);
        if (!body) {
            log_->warn("answer.unreadable", "{}", describe(body.error()));
        } else if (envelope->kind == MessageKind::notice && link == control_) {
            take_notice(*envelope, *body);
        } else if (envelope->kind == MessageKind::error) {
            const Error outcome = error_in(*body);
            // Without an ask the receiver has logged it already.
            if (was_asked(link, envelope->ask_id)) settle(envelope->ask_id, outcome);
            else if (envelope->ask_id == 0) take_refusal(link, *envelope, outcome);
        }
    }
}

template <class Notice>
std::optional<Notice> Loop::read_notice(Value body) const {
    Result<Notice> notice = decode_as<Notice>(body, command_name<Notice>, session_);
    if (notice) return std::move(*notice);
    log_->warn("notice.unreadable", "{}", describe(notice.error()));
    return std::nullopt;
}

void Loop::take_notice(const Envelope& envelope, Value body) {
    if (envelope.tag == "Stop") {
        const std::optional<notice::Stop> notice = read_notice<notice::Stop>(body);
        stop(notice && notice->drain);
    } else if (envelope.tag == "Exited") {
        std::optional<notice::Exited> notice = read_notice<notice::Exited>(body);
        if (!notice) notice = exited_in(body, session_);
        if (notice) {
            forget_exited(*notice);
            on_exited_(*notice);
            if (exit_taker_) exits_.push_back(*notice);
        }
    } else if (envelope.tag == "Drain") {
        const std::optional<notice::Drain> notice = read_notice<notice::Drain>(body);
        if (notice) drains_.begin(notice->actor.id, static_cast<pid_t>(notice->pid));
    } else if (envelope.tag == "Trim") {
        if (holdings() != nullptr) holdings()->trim();
    } else {
        log_->debug("notice.unknown", "tag={}", envelope.tag);
    }
}

// Whoever could answer another's asks could speak for it.
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
    if (ask->is_abandoned) return asks_.forget(id);
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

// ---- segments --------------------------------------------------------------------------------------

void Loop::take_reply(const Envelope& envelope, std::size_t body_start) {
    std::shared_ptr<Arrivals> arrivals;
    if (!envelope.manifest.empty()) {
        arrivals = std::make_shared<Arrivals>(holdings(), envelope.from, envelope.manifest);
        if (Result<void> accepted = arrivals->accept_all(); !accepted) {
            arrivals->release_all();
            return settle(envelope.ask_id, accepted.error());
        }
    }
    settle(envelope.ask_id, ReplyFrame{std::move(answer_frame_), body_start, std::move(arrivals), session_});
}

// An error that belongs to no ask: a command that was sent is refused, or the whole connection is dropped.
void Loop::take_refusal(Link link, const Envelope& envelope, const Error& why) {
    if (!gifts_.any()) return;
    for (const auto& [id, peer] : peers_.all()) {
        if (peer.link != link) continue;
        if (envelope.sequence == 0) return keep_bounces(gifts_.take_back_commands(id, why));
        if (std::optional<Bounce> bounce = gifts_.take_back({id, Gifts::By::send, envelope.sequence}, why); bounce)
            bounces_.push_back(std::move(*bounce));
        return;
    }
}

void Loop::keep_bounces(std::vector<Bounce> bounces) {
    for (Bounce& bounce : bounces) bounces_.push_back(std::move(bounce));
}

void Loop::give_bounces() {
    while (!bounces_.empty()) {
        const auto taker = bounce_takers_.find(bounces_.front().type);
        if (taker == bounce_takers_.end()) {
            if (collector_ != nullptr) return;  // a scenario collects them itself
            Bounce bounce = std::move(bounces_.front());
            bounces_.pop_front();
            log_->warn("gift.bounced", "to={} command={} segments={} why=\"{}\": nobody takes it (Context::on_bounced), released",
                       to_string(bounce.to), bounce.tag, bounce.holdings.size(), describe(bounce.why));
            for (Holding* holding : bounce.holdings) holdings()->release(*holding);
            continue;
        }
        Bounce bounce = std::move(bounces_.front());
        bounces_.pop_front();
        pass_crash_point(CrashPoint::bounce_told);
        const Handling handling{is_handling_};
        taker->second(std::move(bounce));
    }
}

void Loop::tell_exits() {
    while (!exits_.empty()) {
        const notice::Exited exited = std::move(exits_.front());
        exits_.pop_front();
        const Handling handling{is_handling_};
        exit_taker_(exited);
    }
}

std::optional<Bounce> Loop::next_bounce(std::string_view type, ActorId to) {
    const auto found = std::ranges::find_if(bounces_, [&](const Bounce& one) {
        return (type.empty() || one.type == type) && (!to.is_somebody() || one.to == to);
    });
    if (found == bounces_.end()) return std::nullopt;
    Bounce bounce = std::move(*found);
    bounces_.erase(found);
    return bounce;
}

void Loop::tell_drained(bool was_empty) {
    for (const ActorId dead : drains_.done(was_empty, intake_.frames_taken())) {
        Buffer body;
        Encoder encoder{body};
        encode(encoder, coordinator::Drained{AnyRef{dead}});
        static_cast<void>(send(coordinator_id, command_name<coordinator::Drained>, body, limits::coordinator_deadline, Urgency::now));
    }
}

void Loop::remember_exited(ActorId id, const std::string& why) {
    if (exited_.size() >= limits::exits_kept_max) exited_.clear();
    exited_.insert_or_assign(id, why);
}

void Loop::forget_exited(const notice::Exited& exited) {
    const ActorId id = exited.actor.id;
    const std::string why = fmt::format("{} has exited: {}", exited.name, to_text(exited.exit));
    remember_exited(id, why);
    if (Peer* peer = peers_.find(id); peer != nullptr) {
        take_answers(peer->link);  // what it answered before it went counts
        asks_.settle_all_to(id, Error{ErrorKind::gone, why});
        if (peer->asks_in_flight > 0) --peers_asked_;
        if (peer->waiting_commands > 0) --unsent_peers_;
        transport_->close(peer->link, Transport::Pending::discarded);
        peers_.remove(id);
    }
    keep_bounces(gifts_.take_back_all(id, Error{ErrorKind::gone, why}));
    intake_.forget(id);
}

void Loop::stop(bool drain) noexcept {
    if (stop_ != Stop::now) stop_ = drain ? Stop::after_draining : Stop::now;
}

void Loop::lose_coordinator() {
    has_lost_coordinator_ = true;
    const Error gone{ErrorKind::gone, "the session has ended: its coordinator has died"};
    asks_.settle_all(gone);
    for (auto& [id, peer] : peers_.all()) peer.asks_in_flight = 0;
    peers_asked_ = 0;
}

void Loop::watch(int descriptor, std::function<void()> on_readable) {
    watched_.emplace_back(descriptor, std::move(on_readable));
}

std::vector<DeadLetter> Loop::finish(Handler& handler) {
    // Senders and commands are counted apart up to a bound; a sender that floods does not hold us for long.
    std::map<std::pair<std::string, std::string>, std::uint64_t> unread;
    const Deadline enough = Deadline::in(*clock_, limits::linger);
    wait(&handler, Deadline{clock_->now()}, Link{});
    Command command;
    while ((stop_ == Stop::after_draining || !enough.has_passed(*clock_)) && intake_.next(command)) {
        if (stop_ == Stop::after_draining) {
            handle_one(handler, command);
            serve_control();
            continue;
        }
        AnswerSlot slot{answers_, command};
        const Envelope& envelope = command.envelope;
        const bool has_room = unread.size() < limits::actors_max;
        ++unread[{to_string(envelope.from), has_room ? std::string(envelope.tag) : std::string()}];
        if (slot.is_asked())
            slot.fail(Error{ErrorKind::stopping, fmt::format("{} is stopping and did not handle {}", name_, envelope.tag)});
    }
    flush();
    std::vector<DeadLetter> dead_letters;
    for (const auto& [key, count] : unread) dead_letters.push_back({key.first, key.second, count});
    return dead_letters;
}

}  // namespace baton
