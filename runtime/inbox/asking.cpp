// The asking side of Loop: an ask from its sending to its one outcome, and what ends it where no answer can come.
#include <algorithm>

#include "runtime/base/check.hpp"
#include "runtime/base/crash_point.hpp"
#include "runtime/inbox/loop.hpp"

namespace baton {

// An ask that is awaited stands in the vitals from its start until its answer has come.
struct Loop::Showing {
    Showing(Loop& loop, Vitals::Wait wait) : loop_(loop), outer_(std::exchange(loop.shown_, wait.ask)) {
        loop_.own_vitals_->begin_wait(wait);
    }
    // An outer wait, of somebody who asks while being told of an exit, is not shown again: it may have answered meanwhile.
    ~Showing() {
        loop_.own_vitals_->end_wait();
        loop_.shown_ = outer_;
    }
    Showing(const Showing&) = delete;
    Showing& operator=(const Showing&) = delete;

private:
    Loop& loop_;
    AskId outer_;
};

Result<AskId> Loop::request(ActorId to, std::string_view tag, std::string_view body, Duration duration,
                            const Parcel* parcel, Gifts::By by) {
    if (to == me_) return Error{ErrorKind::refused, "an actor can't ask itself: it would wait for its own inbox"};
    if (has_lost_coordinator_) return Error{ErrorKind::gone, "the session has ended: its coordinator has died"};
    const Deadline deadline = Deadline::in(*clock_, duration);
    Result<Peer*> peer = reach(to, deadline);
    if (!peer) return peer.error();
    Result<AskId> ask = asks_.begin(to);
    if (!ask) return ask;
    const bool is_carrying = parcel != nullptr && !parcel->holdings.empty();
    Result<void> sent = is_carrying ? put_parcel(**peer, MessageKind::ask, *ask, tag, body, deadline, *parcel)
                                    : put(**peer, MessageKind::ask, *ask, tag, body, deadline, Urgency::now, nullptr);
    if (!sent) {
        asks_.forget(*ask);
        return sent.error();
    }
    if ((*peer)->asks_in_flight++ == 0) ++peers_asked_;
    if (is_carrying) {
        pass_crash_point(CrashPoint::send_pushed);
        gifts_.note({to, by, *ask}, tag, body, *parcel);
    }
    return ask;
}

Result<ReplyFrame> Loop::await(AskId id, Deadline deadline) {
    std::vector<ActorId> circle;
    const Waited waited = wait_for_answer(id, deadline, circle);
    return take_outcome(id, waited, circle);
}

Result<ReplyFrame> Loop::await_word(AskId id, Deadline deadline) {
    const Deadline enough = Deadline::in(*clock_, limits::round_trip_deadline);
    std::vector<ActorId> circle;
    Waited waited = wait_for_answer(id, deadline, circle);
    if (waited == Waited::deadline && circle.empty() && !enough.has_passed(*clock_)) waited = wait_for_word(id, enough);
    return take_outcome(id, waited, circle);
}

// Answers come back in the order in which they were given. So when a request that was made behind the ask is answered, and
// the ask is not, it was not answered at once.
Loop::Waited Loop::wait_for_word(AskId id, Deadline deadline) {
    const Asks::Ask* ask = asks_.find(id);
    check(ask != nullptr, "an ask that is awaited is under way");
    Buffer nothing;
    Encoder{nothing}.nil();
    const Result<AskId> behind = request(ask->to, sync_tag, nothing, Duration::zero());
    if (!behind) return is_settled(id) ? Waited::done : Waited::deadline;
    struct End {
        Loop& loop;
        AskId ask;
        ~End() { loop.abandon(ask); }
    } const end{*this, *behind};
    const Waited waited = serve(nullptr, [&] { return is_settled(id) || is_settled(*behind); }, deadline);
    if (is_settled(id)) return Waited::done;
    return waited == Waited::stopping ? waited : Waited::deadline;
}

Result<ReplyFrame> Loop::take_outcome(AskId id, Waited waited, const std::vector<ActorId>& circle) {
    Asks::Ask* ask = asks_.find(id);
    check(ask != nullptr, "an ask that is awaited is not forgotten meanwhile");
    if (waited == Waited::done) {
        Result<ReplyFrame> outcome = std::move(*ask->outcome);
        asks_.forget(id);
        return outcome;
    }
    const Peer* peer = peers_.find(ask->to);
    const std::string who = peer == nullptr ? to_string(ask->to) : peer->name;
    abandon(id);
    if (waited == Waited::stopping)
        return Error{ErrorKind::stopping, fmt::format("{} is stopping and does not wait for {}", name_, who)};
    if (!circle.empty()) return deadlock(circle);
    return Error{ErrorKind::timed_out, fmt::format("{} has not answered before the deadline", who)};
}

// The wait is to be seen in the vitals, so that whoever waits for us finds the circle; it ends where we are the one
// of a circle that gives up: all others then go on.
Loop::Waited Loop::wait_for_answer(AskId id, Deadline deadline, std::vector<ActorId>& circle) {
    const auto is_answered = [this, id] { return is_settled(id); };
    const Asks::Ask* ask = asks_.find(id);
    check(ask != nullptr, "an ask that is awaited is under way");
    if (!own_vitals_ || ask->outcome) return serve(nullptr, is_answered, deadline);

    const Showing showing{*this, {ask->to, id}};
    for (;;) {
        const Waited waited = serve(nullptr, is_answered, deadline.or_earlier(Deadline::in(*clock_, limits::circle_interval)));
        if (waited != Waited::deadline || deadline.has_passed(*clock_)) return waited;
        circle = vitals_->circle_of(me_);
        if (!circle.empty() && std::ranges::max(circle) == me_) return waited;
        circle.clear();
    }
}

Error Loop::deadlock(const std::vector<ActorId>& circle) {
    const auto name_of = [this](ActorId actor) {
        if (actor == me_) return name_;
        const Result<Peer*> peer = reach(actor, Deadline::in(*clock_, limits::coordinator_deadline));
        return peer ? (*peer)->name : to_string(actor);
    };
    std::string text = "deadlock:";
    for (std::size_t at = 0; at < circle.size(); ++at)
        text += fmt::format("{} {} waits for an answer of {}", at == 0 ? "" : ",", name_of(circle[at]),
                            name_of(circle[(at + 1) % circle.size()]));
    log_->warn("deadlock.found", "{}", text);
    return Error{ErrorKind::timed_out, std::move(text)};
}

bool Loop::is_settled(AskId id) {
    const Asks::Ask* ask = asks_.find(id);
    return ask != nullptr && ask->outcome.has_value();
}

void Loop::abandon(AskId id) {
    Asks::Ask* ask = asks_.find(id);
    if (ask == nullptr || ask->is_abandoned) return;
    if (ask->outcome) return asks_.forget(id);
    ask->is_abandoned = true;
    // What it carried and nobody has accepted comes back; the answer, should it still come, is read and let go.
    if (std::optional<Bounce> bounce =
            gifts_.take_back({ask->to, Gifts::By::request, id}, Error{ErrorKind::timed_out, "nobody waits for the answer any more"});
        bounce)
        bounces_.push_back(std::move(*bounce));
}

Result<ReplyFrame> Loop::ask(ActorId to, std::string_view tag, std::string_view body, Duration duration,
                             const Parcel* parcel) {
    const Deadline deadline = Deadline::in(*clock_, duration);
    Result<AskId> ask = request(to, tag, body, duration, parcel, Gifts::By::ask);
    if (!ask) return ask.error();
    // Also where a watcher throws out of the wait: nobody wants the answer then.
    struct End {
        Loop& loop;
        Gifts::Key key;
        bool is_carrying;
        ~End() {
            loop.abandon(key.number);
            // Whatever was not accepted is where it was; a command that is still unread is worth nothing now.
            if (is_carrying) static_cast<void>(loop.gifts_.take_back(key, {}));
        }
    } const end{*this, {to, Gifts::By::ask, *ask}, parcel != nullptr && !parcel->holdings.empty()};
    return await(*ask, deadline);
}

}  // namespace baton
