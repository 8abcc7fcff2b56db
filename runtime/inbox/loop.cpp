#include "runtime/inbox/loop.hpp"

#include "runtime/base/text.hpp"

#include <algorithm>

#include "runtime/base/check.hpp"
#include "runtime/base/crash_point.hpp"
#include <baton/detail/convert.hpp>

namespace baton::detail {
namespace {

// How long quick commands are handled before the control lane is looked at again.
constexpr Duration control_interval = std::chrono::microseconds{100};

// User code runs while it lives; what it throws passes through.
struct Handling {
    explicit Handling(bool& flag) : flag_(flag) { flag_ = true; }
    ~Handling() { flag_ = false; }
    Handling(const Handling&) = delete;
    Handling& operator=(const Handling&) = delete;

private:
    bool& flag_;
};

}  // namespace

// ---- place in the session --------------------------------------------------------------------------

Loop::Loop(Transport& transport, const Clock& clock, Log& log)
    : transport_(&transport),
      clock_(&clock),
      log_(&log),
      intake_(transport, log),
      answers_(transport, log, intake_, gifts_, thread_) {}

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
    return Error{ErrorKind::refused,
                 fmt::format("{} is an actor of session {}, and this is session {}: a Ref is of use in its own "
                             "session alone, as its number is somebody else here",
                             to_string(ref.id), printable(to_string(ref.session)), to_string(session_))};
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
    thread_.require();
    bool has_looked_last = false;
    for (;;) {
        serve_links();
        answers_.post_waiting();
        if (drains_.any() && handler == nullptr && !is_handling_ && collector_ != nullptr) {
            handler = collector_;
            if (own_vitals_) own_vitals_->end_wait();  // a collector may answer
        }
        if (handler != nullptr && !is_handling_) {
            give_bounces();
            tell_exits();
            continue_settled();
            look_around();
        }
        if (!is_handling_) send_due();
        if (handler != nullptr) {
            if (handler->descriptor() >= 0) handler->on_descriptor();
            if (handler->next_deadline().has_passed(*clock_)) handler->on_deadline();
        }
        if (done()) return Waited::done;
        if (ends_waits() || (stop_ == Stop::after_draining && handler != nullptr)) return Waited::stopping;
        if (has_lost_coordinator_) return Waited::gone;
        const Handled handled = handler == nullptr ? Handled::none : handle_some(*handler, done);
        if (handled == Handled::slice) wait(handler, Deadline{clock_->now()}, Link{});
        if (drains_.any() && handler != nullptr) tell_drained(handled == Handled::none);
        if (handled != Handled::none) continue;
        flush();
        if (gifts_.any())
            for (const ActorId receiver : gifts_.receivers()) gifts_.look(receiver);
        if (deadline.has_passed(*clock_)) {
            // What had come by then counts, even if the deadline had passed before the first look.
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
    thread_.require();
    for (;;) {
        serve_links();
        if (done()) return Waited::done;
        if (ends_waits()) return Waited::stopping;
        if (has_lost_coordinator_) return Waited::gone;
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
    // A command has been handled when its answer is given or kept, so it counts when the slot has gone. One that is
    // only collected has not been handled.
    struct End {
        OwnVitals* own;
        ~End() {
            if (own != nullptr) own->end_taken();
        }
    } const end{own_vitals_ && !command.is_misaddressed && &handler != collector_ ? &*own_vitals_ : nullptr};
    AnswerSlot slot{answers_, command};
    if (command.is_misaddressed) return answers_.refuse_misaddressed(command, std::move(slot));
    if (command.is_withdrawn) return answers_.refuse_withdrawn(command, std::move(slot));
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

// What a wait looks at, and until when at most. Refers to waited_links_ and waited_descriptors_.
Transport::Interest Loop::interest_of(Handler* handler, Deadline& deadline, Link writable) {
    waited_links_.clear();
    if (control_.is_some()) waited_links_.push_back(control_);
    if (peers_asked_ > 0 || gifts_.any())
        for (const auto& [id, peer] : peers_.all())
            if ((peer.asks_in_flight > 0 || gifts_.any(id)) && peer.link != control_)
                waited_links_.push_back(peer.link);
    waited_descriptors_.clear();
    for (const auto& [descriptor, on_readable] : watched_) waited_descriptors_.push_back(descriptor);
    if (coordinator_descriptor_ >= 0) waited_descriptors_.push_back(coordinator_descriptor_);
    if (handler != nullptr && handler->descriptor() >= 0) waited_descriptors_.push_back(handler->descriptor());
    if (drains_.any()) deadline = deadline.or_earlier(drains_.next_look(handler != nullptr));
    for (const LateExit& late : late_exits_) deadline = deadline.or_earlier(late.at_latest);
    if (answers_.any_waiting()) deadline = deadline.or_earlier(Deadline::in(*clock_, answers_.pause()));
    if (!is_handling_) deadline = deadline.or_earlier(next_timer(handler != nullptr));
    return {handler != nullptr, waited_links_, writable, waited_descriptors_};
}

Deadline Loop::would_wait_for(Handler* handler, std::vector<int>& watched) {
    thread_.require();
    Deadline latest = Deadline::never();
    const bool is_ready = transport_->would_wait_for(interest_of(handler, latest, Link{}), watched);
    return is_ready ? Deadline{clock_->now()} : latest;
}

void Loop::wait(Handler* handler, Deadline deadline, Link writable) {
    const Transport::Interest interest = interest_of(handler, deadline, writable);
    const bool any_readable = transport_->wait(interest, deadline.left(*clock_));
    // User code that waits in the middle of serve() does not look at the inbox, so its waits don't count.
    if (interest.inbox) drains_.looked_for_commands();
    if (!any_readable) return;
    static_cast<void>(has_coordinator());
    for (const auto& [descriptor, on_readable] : watched_) on_readable();
}

// ---- what came back, and who has ended --------------------------------------------------------------

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
            log_->warn("gift.bounced",
                       "to={} command={} segments={} why=\"{}\": nobody takes it (Context::on_bounced), released",
                       to_string(bounce.to), bounce.tag, bounce.holdings.size(), to_text(bounce.why));
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
        notice::Exited exited = std::move(exits_.front());
        exits_.pop_front();
        const Handling handling{is_handling_};
        exit_taker_(Ended{exited.actor, std::move(exited.name), std::move(exited.exit)});
    }
}

// ---- what is to be done later -------------------------------------------------------------------------

Result<void> Loop::send_after(Duration delay, const AnyRef& to, std::string_view tag, std::string_view body) {
    if (!thread_.is_this()) return thread_.refusal();
    if (Result<void> ours = require_ours(to); !ours) return ours;
    if (delayed_.size() >= limits::delayed_commands_max)
        return Error{ErrorKind::overloaded, "too many commands wait to be sent later (limits::delayed_commands_max)"};
    const Deadline at = Deadline::in(*clock_, std::max(delay, Duration::zero()));
    delayed_.emplace(at.at(), Delayed{to, std::string(tag), Buffer(body)});
    return {};
}

void Loop::send_due() {
    if (delayed_.empty() || is_sending_due_) return;
    const Instant now = clock_->now();
    is_sending_due_ = true;
    struct End {
        bool& flag;
        ~End() { flag = false; }
    } const end{is_sending_due_};
    while (!delayed_.empty() && delayed_.begin()->first <= now) {
        auto due = delayed_.extract(delayed_.begin());
        Delayed& one = due.mapped();
        const Result<void> sent = send(one.to, one.tag, one.body, Duration::zero(), Urgency::now);
        if (sent) continue;
        if (sent.error().kind == ErrorKind::overloaded && !ends_waits()) {
            due.key() = now + delayed_retry_interval;
            delayed_.insert(std::move(due));
            continue;
        }
        log_->warn("command.undelivered", "to={} command={} why=\"{}\"", to_string(one.to.id), one.tag,
                   to_text(sent.error()));
    }
}

void Loop::continue_with(AskId ask, Deadline deadline, std::function<void(Result<ReplyFrame>)> take) {
    thread_.require();
    continuations_.emplace(ask, std::move(take));
    if (!deadline.is_never()) continuation_deadlines_.emplace(deadline.at(), ask);
    asks_.mark_continued(ask);
}

void Loop::continue_settled() {
    if (continuations_.empty()) return;
    const auto give = [this](AskId ask, Waited waited) {
        auto found = continuations_.extract(ask);
        if (found.empty()) return;
        Result<ReplyFrame> outcome = take_outcome(ask, waited, {});
        const Handling handling{is_handling_};
        found.mapped()(std::move(outcome));
    };
    for (const AskId ask : asks_.take_continued()) give(ask, Waited::done);
    const Instant now = clock_->now();
    while (!continuation_deadlines_.empty() && continuation_deadlines_.begin()->first <= now) {
        const AskId ask = continuation_deadlines_.begin()->second;
        continuation_deadlines_.erase(continuation_deadlines_.begin());
        if (continuations_.contains(ask)) give(ask, is_settled(ask) ? Waited::done : Waited::deadline);
    }
    if (continuations_.empty()) continuation_deadlines_.clear();
}

std::shared_ptr<void> Loop::look_between(std::function<Deadline()> look) {
    thread_.require();
    auto onlooker = std::make_shared<Onlooker>(Onlooker{std::move(look), Deadline{clock_->now()}});
    onlookers_.push_back(onlooker);
    return onlooker;
}

void Loop::look_around() {
    for (std::size_t index = 0; index < onlookers_.size(); ++index) {  // a look may add more
        const std::shared_ptr<Onlooker> onlooker = onlookers_[index].lock();
        if (onlooker == nullptr) continue;
        const Handling handling{is_handling_};
        onlooker->next = onlooker->look();
    }
    std::erase_if(onlookers_, [](const std::weak_ptr<Onlooker>& one) { return one.expired(); });
}

// Outcomes are given to their functions only where commands are handled, so nothing else wakes up for them.
Deadline Loop::next_timer(bool handles_commands) const {
    Deadline next = Deadline::never();
    if (!delayed_.empty() && !is_sending_due_) next = Deadline{delayed_.begin()->first};
    if (!handles_commands) return next;
    if (asks_.any_continued()) return Deadline{clock_->now()};
    if (!continuation_deadlines_.empty()) next = next.or_earlier(Deadline{continuation_deadlines_.begin()->first});
    for (const std::weak_ptr<Onlooker>& one : onlookers_)
        if (const std::shared_ptr<Onlooker> onlooker = one.lock()) next = next.or_earlier(onlooker->next);
    return next;
}

std::size_t Loop::count_bounces(std::string_view type) const {
    return static_cast<std::size_t>(
        std::ranges::count_if(bounces_, [&](const Bounce& one) { return one.type == type; }));
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

void Loop::stop(bool drain) {
    if (stop_ != Stop::now) stop_ = drain ? Stop::after_draining : Stop::now;
    answers_.begin_ending(name_);
}

void Loop::begin_leaving() {
    is_leaving_ = true;
    answers_.begin_ending(name_);
    // What links have not taken yet dies with this process.
    const Deadline enough = Deadline::in(*clock_, limits::linger);
    for (answers_.post_waiting(); answers_.any_waiting() && !enough.has_passed(*clock_); answers_.post_waiting())
        wait(nullptr, enough, Link{});
}

void Loop::watch(int descriptor, std::function<void()> on_readable) {
    watched_.emplace_back(descriptor, std::move(on_readable));
}

std::vector<DeadLetter> Loop::finish(Handler& handler) {
    thread_.require();
    // Senders and commands are counted apart up to a bound; a sender that floods does not hold us for long.
    std::map<std::pair<std::string, std::string>, std::uint64_t> unread;
    const Deadline enough = Deadline::in(*clock_, limits::linger);
    wait(&handler, Deadline{clock_->now()}, Link{});
    Command command;
    while ((stop_ == Stop::after_draining || !enough.has_passed(*clock_)) && intake_.next(command)) {
        if (stop_ == Stop::after_draining) {
            handle_one(handler, command);
            serve_control();
            answers_.post_waiting();
            continue;
        }
        AnswerSlot slot{answers_, command};
        const Envelope& envelope = command.envelope;
        const bool has_room = unread.size() < limits::actors_max;
        ++unread[{to_string(envelope.from), has_room ? std::string(envelope.tag) : std::string()}];
        if (slot.is_asked())
            slot.fail(
                Error{ErrorKind::stopping, fmt::format("{} is stopping and did not handle {}", name_, envelope.tag)});
    }
    flush();
    std::vector<DeadLetter> dead_letters;
    for (const auto& [key, count] : unread) dead_letters.push_back({key.first, key.second, count});
    return dead_letters;
}

}  // namespace baton::detail
