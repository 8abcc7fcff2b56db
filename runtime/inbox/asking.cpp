// The asking side of Loop: an ask from its sending to its one outcome, and what ends it if no answer can come.
#include <cstring>

#include <algorithm>

#include "runtime/base/check.hpp"
#include "runtime/base/crash_point.hpp"
#include "runtime/inbox/loop.hpp"
#include "runtime/inbox/undoing.hpp"

namespace baton::detail {
namespace {

std::string_view text_of(Fate fate) {
    switch (fate) {
        case Fate::withdrawn: return "; the command has been withdrawn before it began, and will not run";
        case Fate::begun: return "; the command had begun, and may still finish";
        case Fate::may_run: break;
    }
    return "; the command may still run";
}

}  // namespace

// An ask that is awaited stands in the vitals from its start until its answer has come.
struct Loop::Showing {
    Showing(Loop& loop, Vitals::Wait wait) : loop_(loop), outer_(std::exchange(loop.shown_, wait.ask)) {
        loop_.own_vitals_->begin_wait(wait);
    }
    // An outer wait, of an actor that asks while it is told of an exit, is not shown again: it may have answered in the
    // meantime.
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

Result<AskId> Loop::request(ActorId to, std::string_view tag, std::string_view body, Within within,
                            const Parcel* parcel, Gifts::By by) {
    if (!thread_.is_this()) return thread_.refusal();
    if (to == me_) return Error{ErrorKind::refused, "an actor can't ask itself: it would wait for its own inbox"};
    if (has_lost_coordinator_) return coordinator_lost();
    const Deadline deadline = within.deadline(*clock_);
    // What could not be sent has not begun, and never will.
    const auto unsent = [](Error why) {
        why.is_withdrawn = true;
        return why;
    };
    Result<Peer*> peer = reach(to, deadline);
    if (!peer) return unsent(std::move(peer).error());
    Result<AskId> ask = asks_.begin(to);
    if (!ask) return ask;
    Unasked unasked{*this, *ask, Unasked::Then::forgotten};
    const bool is_carrying = parcel != nullptr && !parcel->holdings.empty();
    Result<void> sent = is_carrying ? put_parcel(**peer, MessageKind::ask, *ask, tag, body, deadline, *parcel)
                                    : put(**peer, MessageKind::ask, *ask, tag, body, deadline, Urgency::now, nullptr);
    if (!sent) return unsent(std::move(sent).error());
    unasked.is_wanted = true;
    if ((*peer)->asks_in_flight++ == 0) ++peers_asked_;
    if (is_carrying) {
        pass_crash_point(CrashPoint::send_pushed);
        gifts_.note({to, by, *ask}, tag, body, *parcel);
    }
    return ask;
}

Result<ReplyFrame> Loop::await(AskId id, Deadline deadline) {
    if (!thread_.is_this()) return thread_.refusal();
    std::vector<WaitEdge> circle;
    const Waited waited = wait_for_answer(id, deadline, circle);
    return take_outcome(id, waited, circle);
}

Result<ReplyFrame> Loop::await_word(AskId id, Deadline deadline) {
    const Deadline enough = Deadline::in(*clock_, limits::round_trip_timeout);
    std::vector<WaitEdge> circle;
    Waited waited = wait_for_answer(id, deadline, circle);
    if (waited == Waited::deadline && circle.empty() && !enough.has_passed(*clock_)) waited = wait_for_word(id, enough);
    return take_outcome(id, waited, circle);
}

// Answers come back in the order in which they were given. So when a request that was made behind the ask is answered,
// and the ask is not, it was not answered at once.
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

Result<ReplyFrame> Loop::take_outcome(AskId id, Waited waited, const std::vector<WaitEdge>& circle) {
    Asks::Ask* ask = asks_.find(id);
    check(ask != nullptr, "an ask is not forgotten while it is awaited");
    if (waited == Waited::done) {
        Result<ReplyFrame> outcome = std::move(*ask->outcome);
        asks_.forget(id);
        return outcome;
    }
    const Peer* peer = peers_.find(ask->to);
    const std::string who = peer == nullptr ? to_string(ask->to) : peer->name;
    const std::string why = peer == nullptr || waited == Waited::stopping ? "" : what_keeps(*peer);
    const Fate fate = abandon(id);
    const auto with_fate = [fate](Error error) {
        error.is_withdrawn = fate == Fate::withdrawn;
        error.text += text_of(fate);
        return error;
    };
    if (waited == Waited::stopping)
        return with_fate({ErrorKind::stopping, fmt::format("{} is stopping and does not wait for {}", name_, who)});
    if (waited == Waited::gone) return coordinator_lost();
    if (!circle.empty()) return with_fate(deadlock(circle));
    return with_fate({ErrorKind::timed_out, fmt::format("{} has not answered before the deadline{}", who, why)});
}

// The wait is visible in the vitals, so that an actor that waits for us finds the circle. It ends if we are the one in
// a circle that gives up; all others then go on.
Loop::Waited Loop::wait_for_answer(AskId id, Deadline deadline, std::vector<WaitEdge>& circle) {
    const auto is_answered = [this, id] { return is_settled(id); };
    const Asks::Ask* ask = asks_.find(id);
    check(ask != nullptr, "an ask that is awaited is under way");
    if (!own_vitals_ || ask->outcome) return serve(nullptr, is_answered, deadline);

    const Showing showing{*this, {ask->to, id}};
    for (;;) {
        const Waited waited =
            serve(nullptr, is_answered, deadline.or_earlier(Deadline::in(*clock_, limits::circle_interval)));
        if (waited != Waited::deadline || deadline.has_passed(*clock_)) return waited;
        circle = circle_to_break();
        if (!circle.empty()) return waited;
    }
}

std::vector<WaitEdge> Loop::circle_to_break() const {
    std::vector<WaitEdge> circle = vitals_->circle_of(me_);
    if (std::ranges::any_of(circle, [this](const WaitEdge& wait) { return me_ < wait.who; })) circle.clear();
    return circle;
}

// What an ask waits for, as far as the receiver's vitals tell.
std::string Loop::what_keeps(const Peer& peer) const {
    const VitalsRow* row = vitals_ == nullptr ? nullptr : vitals_->row_of(peer.id);
    if (row == nullptr || row->life.is_kept.load(std::memory_order_relaxed) == 0) return {};
    if (const std::int64_t since = row->work.in_hand_since.load(std::memory_order_relaxed); since != 0) {
        std::string command(row->in_hand, ::strnlen(row->in_hand, VitalsRow::text_bytes));
        std::ranges::replace_if(command, [](char c) { return c < 0x20 || c > 0x7E; }, '?');  // another process wrote it
        const Duration busy = clock_->now() - Instant{Duration{since}};
        return fmt::format(": it has been handling {} for {:.1f} s", command,
                           std::chrono::duration<double>(std::max(busy, Duration::zero())).count());
    }
    if (vitals_->waiting(me_, peer.id) > 0) return {};
    return ": it has taken the command, handles nothing now and keeps the answer for later";
}

Error Loop::deadlock(const std::vector<WaitEdge>& circle) {
    const auto name_of = [this](ActorId actor) {
        if (actor == me_) return name_;
        const Result<Peer*> peer = reach(actor, Deadline::in(*clock_, limits::coordinator_timeout));
        return peer ? (*peer)->name : to_string(actor);
    };
    std::string text = text_of_circle(circle, name_of);
    log_->warn("deadlock.found", "{}", text);
    return Error{ErrorKind::deadlock, std::move(text)};
}

bool Loop::is_settled(AskId id) {
    const Asks::Ask* ask = asks_.find(id);
    return ask != nullptr && ask->outcome.has_value();
}

// First written, then read: a receiver first counts the command as taken, then reads what is written.
Fate Loop::withdraw(AskId id, const Asks::Ask& ask) {
    const Peer* peer = peers_.find(ask.to);
    if (!own_vitals_ || peer == nullptr || !peers_.is_counted(*peer) || ask.sequence == 0) return Fate::may_run;
    const auto fate_of = [](Vitals::Begun begun) { return begun == Vitals::Begun::yes ? Fate::begun : Fate::may_run; };
    if (const Vitals::Begun begun = vitals_->has_begun(ask.to, me_, ask.sequence); begun != Vitals::Begun::no)
        return fate_of(begun);
    if (ask.is_committed || !own_vitals_->withdraw(id, ask.to)) return Fate::may_run;
    const Vitals::Begun begun = vitals_->has_begun(ask.to, me_, ask.sequence);
    if (begun == Vitals::Begun::no) return Fate::withdrawn;
    own_vitals_->end_withdrawal(id);
    return fate_of(begun);
}

void Loop::commit(AskId id) noexcept {
    if (Asks::Ask* ask = asks_.find(id); ask != nullptr) ask->is_committed = true;
}

Fate Loop::abandon(AskId id) {
    thread_.require();
    Asks::Ask* ask = asks_.find(id);
    if (ask == nullptr) return Fate::may_run;
    if (ask->is_abandoned) return ask->fate;
    if (ask->outcome) {
        asks_.forget(id);
        return Fate::begun;
    }
    ask->is_abandoned = true;
    ask->fate = withdraw(id, *ask);
    const Fate fate = ask->fate;
    // What it carried and nobody has accepted comes back; if the answer still arrives, it is read and released.
    if (std::optional<Bounce> bounce = gifts_.take_back(
            {ask->to, Gifts::By::request, id}, Error{ErrorKind::timed_out, "nobody waits for the answer any more"});
        bounce)
        bounces_.push_back(std::move(*bounce));
    return fate;
}

bool Loop::abandon(AskId id, std::function<void(Result<ReplyFrame>)> take_late) {
    Asks::Ask* ask = asks_.find(id);
    if (ask == nullptr) return false;
    if (!ask->outcome) {
        ask->take_late = std::move(take_late);
        abandon(id);
        return true;
    }
    Result<ReplyFrame> outcome = std::move(*ask->outcome);
    asks_.forget(id);
    take_late(std::move(outcome));
    return false;
}

Result<ReplyFrame> Loop::ask(ActorId to, std::string_view tag, std::string_view body, Within within,
                             const Parcel* parcel) {
    const Deadline deadline = within.deadline(*clock_);
    Result<AskId> ask = request(to, tag, body, deadline, parcel, Gifts::By::ask);
    if (!ask) return ask.error();
    // Done even if a watcher throws out of the wait: nobody wants the answer then.
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

}  // namespace baton::detail
