#include "runtime/inbox/asking.hpp"

#include <cstring>

#include <algorithm>

#include "runtime/base/check.hpp"
#include "runtime/base/crash_point.hpp"
#include "runtime/inbox/reply.hpp"
#include "runtime/wire/notices.hpp"

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
class Asking::Showing {
public:
    Showing(Asking& asking, Vitals::Wait wait) : asking_(asking), outer_(std::exchange(asking.shown_, wait.ask)) {
        asking_.self_->own_vitals()->begin_wait(wait);
    }
    // An outer wait, of an actor that asks while it is told of an exit, is not shown again: it may have answered in the
    // meantime.
    ~Showing() {
        asking_.self_->own_vitals()->end_wait();
        asking_.shown_ = outer_;
    }
    Showing(const Showing&) = delete;
    Showing& operator=(const Showing&) = delete;

private:
    Asking& asking_;
    AskId outer_;
};

// An ask whose answer nobody is going to wait for, unless it is wanted in the end.
struct Asking::Unwanted {
    enum class Then { forgotten, abandoned };  // it was never sent; it was
    Asking& asking;
    AskId ask;
    Then then;
    bool is_wanted = false;
    ~Unwanted() {
        if (is_wanted) return;
        if (then == Then::abandoned) asking.abandon(ask);
        else asking.asks_->forget(ask);
    }
};

// ---- its begin -----------------------------------------------------------------------------------------

Result<AskId> Asking::request(ActorId to, Outbox::Message message, Deadline deadline, Gifts::By by) {
    if (to == self_->me())
        return Error{ErrorKind::refused, "an actor can't ask itself: it would wait for its own inbox"};
    if (self_->ending().has_lost_coordinator) return self_->coordinator_lost();
    // What could not be sent has not begun, and never will.
    const auto unsent = [](Error why) {
        why.is_withdrawn = true;
        return why;
    };
    if (to == coordinator_id && requests_->is_vacant()) {  // the next coordinator is asked
        Result<AskId> kept = asks_->begin(to);
        if (kept) requests_->keep(*kept, message.tag, message.body);
        return kept;
    }
    Result<Peer*> peer = outbox_->reach(to, deadline);
    if (!peer) return unsent(std::move(peer).error());
    Result<AskId> ask = asks_->begin(to);
    if (!ask) return ask;
    Unwanted unwanted{*this, *ask, Unwanted::Then::forgotten};
    message.kind = MessageKind::ask;
    message.ask = *ask;
    message.urgency = Outbox::Urgency::now;
    if (Result<void> sent = outbox_->put(**peer, message, deadline); !sent) return unsent(std::move(sent).error());
    unwanted.is_wanted = true;
    if (to == coordinator_id) requests_->keep(*ask, message.tag, message.body);
    asks_->find(*ask)->is_brief = message.by_position != nullptr;
    peers_->expect_answer(**peer);
    if (message.is_carrying()) {
        pass_crash_point(CrashPoint::send_pushed);
        returns_->gifts().note({to, by, *ask}, message.tag, message.body, *message.parcel);
    }
    return ask;
}

Result<Locating::Place> Asking::locate(ActorId actor, Deadline deadline) {
    if (peers_->find(coordinator_id) == nullptr && !requests_->is_vacant())
        return Error{ErrorKind::gone, "there is no coordinator to ask for an address"};
    Buffer body;
    Encoder encoder{body};
    encode(encoder, coordinator::Locate{AnyRef{actor}});
    Result<AskId> ask = request(coordinator_id, {.tag = command_name<coordinator::Locate>, .body = body},
                                Deadline::in(self_->clock(), limits::coordinator_timeout));
    if (!ask) return ask.error();
    const Unwanted unwanted{*this, *ask, Unwanted::Then::abandoned};
    // Whatever the deadline is: the first message to somebody fares as the second one does.
    const Deadline enough = Deadline::in(self_->clock(), limits::round_trip_timeout);
    Result<ReplyFrame> reply = await(*ask, deadline.at() < enough.at() ? enough : deadline);
    if (!reply) {
        // An actor that has lived will not live again, so nobody asks the coordinator twice. One that has not may come.
        const bool has_lived = self_->vitals() == nullptr || self_->vitals()->has_lived(actor);
        if (reply.error().kind == ErrorKind::gone && !self_->ending().has_lost_coordinator && has_lived)
            peers_->remember_gone(actor, reply.error().text);
        if (reply.error().kind == ErrorKind::timed_out)
            return Error{ErrorKind::timed_out,
                         fmt::format("nothing was sent to {}: the coordinator has not answered before the deadline "
                                     "where it is",
                                     to_string(actor))};
        return reply.error();
    }
    Result<coordinator::Located> located = decoded_reply<coordinator::Located>(std::move(reply));
    if (!located) return located.error();
    return Place{std::move(located->name), std::move(located->address)};
}

Result<ReplyFrame> Asking::ask(ActorId to, const Outbox::Message& message, Deadline deadline, ReplyPlace place) {
    Result<AskId> ask = request(to, message, deadline, Gifts::By::ask);
    if (!ask) return ask.error();
    asks_->find(*ask)->place = place;
    // Done even if a watcher throws out of the wait: nobody wants the answer then.
    struct End {
        Asking& asking;
        Gifts::Key key;
        bool is_carrying;
        ~End() {
            asking.abandon(key.number);
            // Whatever was not accepted is where it was; a command that is still unread is worth nothing now.
            if (is_carrying) asking.returns_->take_back(key, {});
        }
    } const end{*this, {to, Gifts::By::ask, *ask}, message.is_carrying()};
    return await(*ask, deadline);
}

// ---- its end -------------------------------------------------------------------------------------------

Result<ReplyFrame> Asking::await(AskId id, Deadline deadline) {
    std::vector<WaitEdge> circle;
    const Waited waited = wait_for_answer(id, deadline, circle);
    return outcome_of(id, waited, circle);
}

Result<ReplyFrame> Asking::await_word(AskId id, Deadline deadline) {
    const Deadline enough = Deadline::in(self_->clock(), limits::round_trip_timeout);
    std::vector<WaitEdge> circle;
    Waited waited = wait_for_answer(id, deadline, circle);
    if (waited == Waited::deadline && circle.empty() && !enough.has_passed(self_->clock()))
        waited = wait_for_word(id, enough);
    return outcome_of(id, waited, circle);
}

// Answers come back in the order in which they were given. So when a request that was made behind the ask is answered,
// and the ask is not, it was not answered at once.
Waited Asking::wait_for_word(AskId id, Deadline deadline) {
    const Asks::Ask* ask = asks_->find(id);
    check(ask != nullptr, "an ask that is awaited is under way");
    Buffer nothing;
    Encoder{nothing}.nil();
    const Result<AskId> behind =
        request(ask->to, {.tag = sync_tag, .body = nothing}, Deadline::in(self_->clock(), Duration::zero()));
    if (!behind) return is_settled(id) ? Waited::done : Waited::deadline;
    const Unwanted unwanted{*this, *behind, Unwanted::Then::abandoned};
    const Waited waited = waiting_->wait_until([&] { return is_settled(id) || is_settled(*behind); }, deadline);
    if (is_settled(id)) return Waited::done;
    return waited == Waited::stopping ? waited : Waited::deadline;
}

// The wait is visible in the vitals, so that an actor that waits for us finds the circle. It ends if we are the one in
// a circle that gives up; all others then go on.
Waited Asking::wait_for_answer(AskId id, Deadline deadline, std::vector<WaitEdge>& circle) {
    const auto is_answered = [this, id] { return is_settled(id); };
    const Asks::Ask* ask = asks_->find(id);
    check(ask != nullptr, "an ask that is awaited is under way");
    if (self_->own_vitals() == nullptr || ask->outcome) return waiting_->wait_until(is_answered, deadline);

    const Showing showing{*this, {ask->to, id}};
    for (;;) {
        const Waited waited = waiting_->wait_until(
            is_answered, deadline.or_earlier(Deadline::in(self_->clock(), limits::circle_interval)));
        if (waited != Waited::deadline || deadline.has_passed(self_->clock())) return waited;
        circle = outbox_->circle_to_break();
        if (!circle.empty()) return waited;
    }
}

Result<ReplyFrame> Asking::take_outcome(AskId id, Waited waited) { return outcome_of(id, waited, {}); }

Result<ReplyFrame> Asking::outcome_of(AskId id, Waited waited, const std::vector<WaitEdge>& circle) {
    Asks::Ask* ask = asks_->find(id);
    check(ask != nullptr, "an ask is not forgotten while it is awaited");
    if (waited == Waited::done) {
        Result<ReplyFrame> outcome = std::move(*ask->outcome);
        asks_->forget(id);
        return outcome;
    }
    const Peer* peer = peers_->find(ask->to);
    const std::string who = peer == nullptr ? to_string(ask->to) : peer->name;
    const std::string why = peer == nullptr || waited == Waited::stopping ? "" : what_keeps(*peer);
    const Fate fate = abandon(id);
    const auto with_fate = [fate](Error error) {
        error.is_withdrawn = fate == Fate::withdrawn;
        error.text += text_of(fate);
        return error;
    };
    if (waited == Waited::stopping)
        return with_fate(
            {ErrorKind::stopping, fmt::format("{} is stopping and does not wait for {}", self_->name(), who)});
    if (waited == Waited::gone) return self_->coordinator_lost();
    if (!circle.empty()) return with_fate(outbox_->deadlock(circle));
    return with_fate({ErrorKind::timed_out, fmt::format("{} has not answered before the deadline{}", who, why)});
}

// What an ask waits for, as far as the receiver's vitals tell.
std::string Asking::what_keeps(const Peer& peer) const {
    const Vitals* const vitals = self_->vitals();
    const VitalsRow* row = vitals == nullptr ? nullptr : vitals->row_of(peer.id);
    if (row == nullptr || row->life.is_kept.load(std::memory_order_relaxed) == 0) return {};
    if (const std::int64_t since = row->work.in_hand_since.load(std::memory_order_relaxed); since != 0) {
        std::string command(row->in_hand, ::strnlen(row->in_hand, VitalsRow::text_bytes));
        std::ranges::replace_if(command, [](char c) { return c < 0x20 || c > 0x7E; }, '?');  // another process wrote it
        const Duration busy = self_->clock().now() - Instant{Duration{since}};
        return fmt::format(": it has been handling {} for {:.1f} s", command,
                           std::chrono::duration<double>(std::max(busy, Duration::zero())).count());
    }
    if (vitals->waiting(self_->me(), peer.id) > 0) return {};
    return ": it has taken the command, handles nothing now and keeps the answer for later";
}

bool Asking::is_settled(AskId id) const noexcept {
    const Asks::Ask* ask = asks_->find(id);
    return ask != nullptr && ask->outcome.has_value();
}

// First written, then read: a receiver first counts the command as taken, then reads what is written.
Fate Asking::withdraw(AskId id, const Asks::Ask& ask) {
    const Peer* peer = peers_->find(ask.to);
    OwnVitals* const own = self_->own_vitals();
    if (own == nullptr || peer == nullptr || !peers_->is_counted(*peer) || ask.sequence == 0) return Fate::may_run;
    const Vitals& vitals = *self_->vitals();
    const auto fate_of = [](Vitals::Begun begun) { return begun == Vitals::Begun::yes ? Fate::begun : Fate::may_run; };
    if (const Vitals::Begun begun = vitals.has_begun(ask.to, self_->me(), ask.sequence); begun != Vitals::Begun::no)
        return fate_of(begun);
    if (ask.is_committed || !own->withdraw(id, ask.to)) return Fate::may_run;
    const Vitals::Begun begun = vitals.has_begun(ask.to, self_->me(), ask.sequence);
    if (begun == Vitals::Begun::no) return Fate::withdrawn;
    own->end_withdrawal(id);
    return fate_of(begun);
}

void Asking::commit(AskId id) noexcept {
    if (Asks::Ask* ask = asks_->find(id); ask != nullptr) ask->is_committed = true;
}

Fate Asking::abandon(AskId id) {
    self_->thread().require();
    Asks::Ask* ask = asks_->find(id);
    if (ask == nullptr) return Fate::may_run;
    if (ask->is_abandoned) return ask->fate;
    if (ask->outcome) {
        asks_->forget(id);
        return Fate::begun;
    }
    if (ask->to == coordinator_id) requests_->give_up(id, command_name<coordinator::Spawn>);
    ask->is_abandoned = true;
    ask->place = {};
    ask->fate = withdraw(id, *ask);
    const Fate fate = ask->fate;
    // What it carried and nobody has accepted comes back; if the answer still arrives, it is read and released.
    returns_->take_back({ask->to, Gifts::By::request, id},
                        Error{ErrorKind::timed_out, "nobody waits for the answer any more"});
    return fate;
}

bool Asking::abandon(AskId id, std::function<void(Result<ReplyFrame>)> take_late) {
    if (const Asks::Ask* ask = asks_->find(id); ask != nullptr && !ask->outcome) abandon(id);
    return asks_->hand_over(id, std::move(take_late));
}

// ---- what others know of it ----------------------------------------------------------------------------

// A process that could answer another actor's asks could speak for it.
bool Asking::was_asked(Link link, AskId id) const noexcept {
    const Asks::Ask* ask = asks_->find(id);
    const Peer* peer = ask == nullptr ? nullptr : peers_->find(ask->to);
    return peer != nullptr && peer->link == link;
}

ActorId Asking::asked_of(AskId id) const noexcept {
    const Asks::Ask* ask = asks_->find(id);
    return ask == nullptr ? ActorId{} : ask->to;
}

void Asking::settle(AskId id, Result<ReplyFrame> outcome) {
    const Asks::Ask* ask = asks_->find(id);
    if (ask == nullptr || ask->outcome) return;
    if (ask->to == coordinator_id) requests_->forget(id);
    OwnVitals* const own = self_->own_vitals();
    if (own != nullptr && id == shown_) own->end_wait();
    if (Peer* peer = peers_->find(ask->to); peer != nullptr && peer->asks_in_flight > 0) {
        if (own != nullptr) own->count_heard(peer->mine, peer->id);
        peers_->note_answer(*peer);
    }
    if (ask->is_abandoned) {
        if (own != nullptr && ask->fate == Fate::withdrawn) own->end_withdrawal(id);
        const std::function<void(Result<ReplyFrame>)> take_late = ask->take_late;
        asks_->forget(id);
        if (take_late) take_late(std::move(outcome));
        return;
    }
    const bool has_failed = !outcome;
    const Error why = has_failed ? outcome.error() : Error{};
    const ActorId to = ask->to;
    asks_->settle(id, std::move(outcome));
    if (!returns_->gifts().any(to)) return;
    // What a failed request carried comes back; what an answered one carried has been accepted.
    if (has_failed) returns_->take_back({to, Gifts::By::request, id}, why);
    else returns_->gifts().look(to);
}

// The bytes are read once: into the value that is waited for, else into a copy.
void Asking::settle_by_position(AskId id, std::string_view reply) {
    Asks::Ask* const ask = asks_->find(id);
    if (ask == nullptr || ask->outcome) return;
    if (!ask->is_brief)
        return settle(id, Error{ErrorKind::corrupt, "the reply has no names, and was asked for by name"});
    const auto outcome = [&]() -> Result<ReplyFrame> {
        if (ask->place.read == nullptr)
            return ReplyFrame{Buffer(reply), 0, {}, self_->session(), ReplyFrame::Form::by_position};
        Decoding at{"reply", nullptr, self_->session()};
        try {
            if (!ask->place.read(reply, ask->place.value, at)) return at.take_error();
        } catch (const std::exception& thrown) {  // not out of the wait of another ask, which this one may lie beneath
            return Error{ErrorKind::failed, fmt::format("the reply cannot be read: {}", thrown.what())};
        }
        return ReplyFrame{.form = ReplyFrame::Form::read};
    };
    settle(id, outcome());
}

void Asking::settle_all_to(ActorId actor, const Error& why) {
    asks_->settle_all_to(actor, why);
    if (OwnVitals* const own = self_->own_vitals(); own != nullptr) own->end_withdrawals_to(actor);
}

}  // namespace baton::detail
