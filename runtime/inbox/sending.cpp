// The sending side of Loop: from a command to the receiver's link, through its window and its link's bound.
#include <algorithm>

#include "runtime/base/crash_point.hpp"
#include "runtime/base/text.hpp"
#include "runtime/inbox/call.hpp"
#include "runtime/inbox/loop.hpp"
#include "runtime/inbox/undoing.hpp"

namespace baton::detail {

// A command that waits for room stands in the vitals, so that those who wait for us find the circle.
struct Loop::WaitingForRoom {
    explicit WaitingForRoom(Loop& loop) : loop_(loop) {}
    ~WaitingForRoom() {
        if (is_shown_) loop_.own_vitals_->end_room_wait();
    }
    WaitingForRoom(const WaitingForRoom&) = delete;
    WaitingForRoom& operator=(const WaitingForRoom&) = delete;

    void show(const Peer& peer) {
        if (!loop_.own_vitals_) return;
        loop_.own_vitals_->begin_room_wait({peer.id, peer.taken_commands_seen});
        is_shown_ = true;
    }
    // Looks only now and then.
    [[nodiscard]] std::vector<WaitEdge> circle() {
        if (!is_shown_ || !next_look_.has_passed(*loop_.clock_)) return {};
        next_look_ = Deadline::in(*loop_.clock_, limits::circle_interval);
        return loop_.circle_to_break();
    }

private:
    Loop& loop_;
    bool is_shown_ = false;
    Deadline next_look_ = Deadline::in(*loop_.clock_, limits::circle_interval);
};

Result<Peer*> Loop::reach(ActorId to, Deadline deadline) {
    if (!to.is_somebody()) return Error{ErrorKind::refused, "the Ref addresses nobody: it was never set"};
    if (const auto found = exited_.find(to); found != exited_.end()) return Error{ErrorKind::gone, found->second};
    if (has_lost_coordinator_) return coordinator_lost();  // the actors have died with it
    if (Peer* known = peers_.find(to); known != nullptr) return known;
    if (!control_.is_some()) return Error{ErrorKind::gone, "there is no coordinator to ask for an address"};
    Buffer body;
    Encoder encoder{body};
    encode(encoder, coordinator::Locate{AnyRef{to}});
    Result<AskId> ask = request(coordinator_id, "Locate", body, limits::coordinator_timeout);
    if (!ask) return ask.error();
    const Unasked unasked{*this, *ask, Unasked::Then::abandoned};
    // Whatever the deadline is: the first message to somebody fares as the second one does.
    const Deadline enough = Deadline::in(*clock_, limits::round_trip_timeout);
    Result<ReplyFrame> reply = await(*ask, deadline.at() < enough.at() ? enough : deadline);
    if (!reply) {
        // An actor that has lived will not live again, so nobody asks the coordinator twice. One that has not may come.
        const bool has_lived = vitals_ == nullptr || vitals_->has_lived(to);
        if (reply.error().kind == ErrorKind::gone && !has_lost_coordinator_ && has_lived)
            remember_exited(to, reply.error().text);
        if (reply.error().kind == ErrorKind::timed_out)
            return Error{ErrorKind::timed_out,
                         fmt::format("nothing was sent to {}: the coordinator has not answered before the deadline "
                                     "where it is",
                                     to_string(to))};
        return reply.error();
    }
    const Result<coordinator::Located> located = decoded_reply<coordinator::Located>(std::move(reply));
    if (!located) return located.error();
    Result<Link> link = transport_->open_to(to, located->address);
    if (!link) return link.error();
    return &peers_.add(to, located->name, *link);
}

std::optional<Error> Loop::cannot_wait(ActorId to, Deadline deadline, std::string_view for_what) {
    if (has_lost_coordinator_) return coordinator_lost();
    const Peer* peer = peers_.find(to);
    if (peer == nullptr) return Error{ErrorKind::gone, exited_[to]};
    if (ends_waits()) return Error{ErrorKind::stopping, fmt::format("{} is stopping", name_)};
    if (!deadline.has_passed(*clock_)) return std::nullopt;
    return Error{
        ErrorKind::overloaded,
        fmt::format("{} has not taken what was sent before: {} waited until its deadline", peer->name, for_what)};
}

// True if the coordinator has not begun to settle its death. If it has, nobody counts what is sent to it from now on.
bool Loop::lives(ActorId actor) const noexcept {
    return holdings() == nullptr || holdings()->ledger().lives.is_alive(actor);
}

Result<void> Loop::wait_for_window(Peer& peer, std::size_t bytes, Deadline deadline) {
    const ActorId to = peer.id;
    WaitingForRoom waiting{*this};
    while (!peers_.in_flight(peer).fits(bytes)) {
        if (to == me_)
            return Error{
                ErrorKind::overloaded,
                fmt::format("{} has {} commands to itself that it has not taken (limits::window_commands_max, "
                            "window_bytes_max), and takes none while it sends: let the handler return, or collect, "
                            "before more are sent",
                            name_, peers_.in_flight(peer).commands)};
        if (peers_.is_count_due(peer))
            if (Result<void> asked = ask_for_count(peer, deadline); !asked) return asked;
        waiting.show(peer);
        if (const std::vector<WaitEdge> circle = waiting.circle(); !circle.empty())
            return deadlock(circle);
        if (Result<void> pushed = push(peer, deadline); !pushed) return pushed;
        serve_links();
        if (peers_.find(to) != nullptr && !peers_.is_counted(peer)) static_cast<void>(take_answers(peer.link));
        if (std::optional<Error> why = cannot_wait(to, deadline, "a full inbox"); why) return std::move(*why);
        wait(nullptr, deadline.or_earlier(Deadline::in(*clock_, window_interval)), Link{});
    }
    return {};
}

Result<void> Loop::put(Peer& peer, MessageKind kind, AskId ask, std::string_view tag, std::string_view body,
                       Deadline deadline, Urgency urgency, const Parcel* parcel) {
    if (body == nested_too_deep)
        return Error{ErrorKind::refused, fmt::format("{} to {} is nested deeper than {} (limits::message_depth_max)",
                                                     tag, peer.name, limits::message_depth_max)};
    if (body.size() > limits::message_bytes_max)
        return Error{
            ErrorKind::refused,
            fmt::format("{} to {} has more than the {} bytes that a message holds (limits::message_bytes_max): "
                        "send it in pieces, or as a segment",
                        tag, peer.name, limits::message_bytes_max)};
    if (tag.size() > limits::tag_bytes_max)
        return Error{ErrorKind::refused,
                     fmt::format("the name of a command has at most {} bytes (limits::tag_bytes_max), '{}' has {}",
                                 limits::tag_bytes_max, readable(tag, 40), tag.size())};
    if (Result<void> open = wait_for_window(peer, body.size(), deadline); !open) return open;
    if (peers_.is_count_due(peer))
        if (Result<void> asked = ask_for_count(peer, deadline); !asked) return asked;
    const bool is_counted = peers_.is_counted(peer);

    if (peer.waiting_commands > 0 && peer.waiting.size() + body.size() > limits::batch_bytes_max)
        if (Result<void> pushed = push(peer, deadline); !pushed) return pushed;
    record_.clear();  // only now: a push may serve the control lane, and the handlers of a notice may send
    Encoder encoder{record_, frame_bytes_max};  // so that what is too large ends up too large
    Envelope envelope{kind, me_, peer.id, peer.sent_commands + 1, ask, tag};
    if (parcel != nullptr)
        for (const Holding* holding : parcel->holdings) envelope.manifest.push_back(holding->handle());
    begin_record(encoder, envelope);
    const std::size_t record_bytes = record_.size() + body.size();
    if (record_bytes > frame_bytes_max)  // the body fits, but not with all that is said of its segments
        return Error{
            ErrorKind::refused,
            fmt::format(
                "{} to {} has more than the {} bytes that a message holds with all that is said of its {} segments: "
                "send fewer at once",
                tag, peer.name, frame_bytes_max, envelope.manifest.size())};
    if (Asks::Ask* const asked = ask == 0 ? nullptr : asks_.find(ask); asked != nullptr)
        asked->sequence = envelope.sequence;  // now: a push may serve the control lane, and a watcher may send more
    // First it is counted as sent, then looked whether its receiver lives; the coordinator first takes the life and
    // then counts what was sent and not taken. So one of the two knows of it.
    peers_.count(peer, record_bytes);
    Unsent unsent{*this, peer.id, record_bytes};
    if (is_counted && !lives(peer.id)) return Error{ErrorKind::gone, fmt::format("{} has exited", peer.name)};

    const bool may_share = urgency == Urgency::may_share && is_counted && !transport_->outlives_us(peer.link) &&
                           peers_.in_flight(peer).commands >= limits::batch_from_waiting &&
                           peer.waiting_commands + 1 < limits::batch_commands_max;
    // Alone it leaves without another copy. If the link does not take it, it waits like those that share a frame.
    if (!may_share && peer.waiting_commands == 0 &&
        transport_->send(peer.link, {record_, body}) == Transport::Sent::yes) {
        unsent.is_sent = true;
        return {};
    }
    let_wait(peer, record_, body);
    unsent.is_waiting = true;
    Result<void> pushed = may_share ? Result<void>{} : push(peer, deadline);
    unsent.is_sent = pushed.ok();
    return pushed;
}

void Loop::let_wait(Peer& peer, std::string_view head, std::string_view body) {
    peers_.append(peer, head, body);
    if (peer.waiting_commands == 1) ++unsent_peers_;
}

// A receiver that writes no vitals says by its answer, even if that is an error, that it has taken all that was sent
// before.
Result<void> Loop::ask_for_count(Peer& peer, Deadline deadline) {
    if (Result<void> pushed = push(peer, deadline); !pushed) return pushed;
    const ActorId to = peer.id;
    Result<AskId> ask = asks_.begin(to);
    if (!ask) return {};  // next time
    record_.clear();
    Encoder encoder{record_};
    begin_record(encoder, Envelope{MessageKind::ask, me_, to, peer.sent_commands + 1, *ask, sync_tag});
    encoder.nil();
    const std::size_t record_bytes = record_.size();
    peers_.count(peer, record_bytes);
    let_wait(peer, record_, {});
    const std::uint64_t commands = peer.sent_commands;
    const std::uint64_t bytes = peer.sent_bytes;
    if (Result<void> pushed = push(peer, deadline); !pushed) {
        asks_.forget(*ask);
        if (peers_.find(to) == nullptr) return pushed;
        peers_.take_back(peer, record_bytes);
        peers_.uncount(peer, record_bytes);
        if (peer.waiting_commands == 0) --unsent_peers_;
        return pushed;
    }
    peer.count_asked_commands = commands;
    peer.count_asked_bytes = bytes;
    if (peer.asks_in_flight++ == 0) ++peers_asked_;
    abandon(*ask, [this, to, commands, bytes](const Result<ReplyFrame>&) {
        if (Peer* taker = peers_.find(to); taker != nullptr) peers_.note_taken(*taker, commands, bytes);
    });
    return {};
}

// The parcel departs before the message does, and is back in the caller's hands if the message could not go.
Result<void> Loop::put_parcel(Peer& peer, MessageKind kind, AskId ask, std::string_view tag, std::string_view body,
                              Deadline deadline, const Parcel& parcel) {
    if (holdings() == nullptr)
        return Error{ErrorKind::refused, "this process takes part in no ledger: it has nothing to give"};
    if (parcel.holdings.size() > limits::manifest_handles_max)
        return Error{ErrorKind::refused,
                     fmt::format("{} carries {} segments, a message at most {} (limits::manifest_handles_max)", tag,
                                 parcel.holdings.size(), limits::manifest_handles_max)};
    const ActorId to = peer.id;
    gifts_.look(to);
    if (Result<void> departed = holdings()->transfers().depart(parcel.holdings, to); !departed) return departed;
    Ungiven ungiven{*holdings(), parcel};
    Result<void> sent = put(peer, kind, ask, tag, body, deadline, Urgency::now, &parcel);
    ungiven.is_given = sent.ok();
    return sent;
}

Result<void> Loop::push(Peer& peer, Deadline deadline) {
    const ActorId to = peer.id;
    for (;;) {
        if (peer.waiting_commands == 0) return {};  // also sent by a watcher that sent more
        switch (transport_->send(peer.link, peer.waiting)) {
            case Transport::Sent::yes:
                peer.waiting.clear();
                peer.waiting_commands = 0;
                --unsent_peers_;
                return {};
            case Transport::Sent::gone:
                if (has_lost_coordinator_) return coordinator_lost();
                return Error{ErrorKind::gone, fmt::format("{} has exited", peer.name)};
            case Transport::Sent::too_large:
                return Error{ErrorKind::refused, fmt::format("{} bytes to {} are more than a message holds",
                                                             peer.waiting.size(), peer.name)};
            case Transport::Sent::full: break;
        }
        serve_links();
        if (std::optional<Error> why = cannot_wait(to, deadline, "a full link"); why) return std::move(*why);
        wait(nullptr, deadline, peer.link);
    }
}

Result<void> Loop::send(ActorId to, std::string_view tag, std::string_view body, Within within, Urgency urgency,
                        const Parcel* parcel) {
    if (!thread_.is_this()) return thread_.refusal();
    const Deadline deadline = within.deadline(*clock_);
    Result<Peer*> peer = reach(to, deadline);
    if (!peer) return peer.error();
    if (parcel == nullptr || parcel->holdings.empty())
        return put(**peer, MessageKind::send, 0, tag, body, deadline, urgency, nullptr);
    if (Result<void> sent = put_parcel(**peer, MessageKind::send, 0, tag, body, deadline, *parcel); !sent) return sent;
    pass_crash_point(CrashPoint::send_pushed);
    gifts_.note({to, Gifts::By::send, (*peer)->sent_commands}, tag, body, *parcel);
    return {};
}

void Loop::flush() {
    thread_.require();
    if (unsent_peers_ == 0) return;
    std::vector<ActorId> unsent;  // a push may serve the control lane and so remove a peer
    for (const auto& [id, peer] : peers_.all())
        if (peer.waiting_commands > 0) unsent.push_back(id);
    for (const ActorId id : unsent) {
        Peer* peer = peers_.find(id);
        if (peer == nullptr) continue;
        const Result<void> pushed = push(*peer, Deadline::in(*clock_, limits::send_timeout));
        if (!pushed && (peer = peers_.find(id)) != nullptr) {
            log_->warn("command.lost", "to={} count={} why=\"{}\"", peer->name, peer->waiting_commands,
                       to_text(pushed.error()));
            peers_.discard_waiting(*peer);
            --unsent_peers_;
        }
    }
}

}  // namespace baton::detail
