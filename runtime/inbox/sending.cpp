// The sending side of Loop: from a command to the receiver's link, through its window and its link's bound.
#include "runtime/base/crash_point.hpp"
#include "runtime/inbox/call.hpp"
#include "runtime/inbox/loop.hpp"

namespace baton {

Result<Peer*> Loop::reach(ActorId to, Deadline deadline) {
    if (!to.is_somebody()) return Error{ErrorKind::refused, "the Ref addresses nobody: it was never set"};
    if (Peer* known = peers_.find(to); known != nullptr) return known;
    if (const auto found = exited_.find(to); found != exited_.end()) return Error{ErrorKind::gone, found->second};
    if (!control_.is_some()) return Error{ErrorKind::gone, "there is no coordinator to ask for an address"};
    Buffer body;
    Encoder encoder{body};
    encode(encoder, coordinator::Locate{AnyRef{to}});
    Result<AskId> ask = request(coordinator_id, "Locate", body, limits::coordinator_deadline);
    if (!ask) return ask.error();
    // Whatever the deadline is: the first message to somebody fares as the second one does.
    const Deadline enough = Deadline::in(*clock_, limits::round_trip_deadline);
    Result<ReplyFrame> reply = await(*ask, deadline.at() < enough.at() ? enough : deadline);
    if (!reply) {
        // It will not come to life again: nobody asks the coordinator twice.
        if (reply.error().kind == ErrorKind::gone && !has_lost_coordinator_) remember_exited(to, reply.error().text);
        return reply.error();
    }
    const Result<coordinator::Located> located = decoded_reply<coordinator::Located>(std::move(reply));
    if (!located) return located.error();
    Result<Link> link = transport_->open(located->address);
    if (!link) return link.error();
    return &peers_.add(to, located->name, *link);
}

Error Loop::cannot_wait(Waited why, const Peer& peer, std::string_view for_what) const {
    if (why == Waited::stopping) return Error{ErrorKind::stopping, fmt::format("{} is stopping", name_)};
    return Error{ErrorKind::overloaded, fmt::format("{} has not taken what was sent before: {} waited until its deadline",
                                                    peer.name, for_what)};
}

Result<void> Loop::wait_for_window(Peer& peer, std::size_t bytes, Deadline deadline) {
    const ActorId to = peer.id;
    while (!peers_.in_flight(peer).fits(bytes)) {
        if (Result<void> pushed = push(peer, deadline); !pushed) return pushed;
        serve_control();
        if (peers_.find(to) == nullptr) return Error{ErrorKind::gone, exited_[to]};
        if (ends_waits()) return cannot_wait(Waited::stopping, peer, "the window");
        if (deadline.has_passed(*clock_)) return cannot_wait(Waited::deadline, peer, "a full inbox");
        wait(nullptr, deadline.or_earlier(Deadline::in(*clock_, window_interval)), Link{});
    }
    return {};
}

Result<void> Loop::put(Peer& peer, MessageKind kind, AskId ask, std::string_view tag, std::string_view body,
                       Deadline deadline, Urgency urgency, const Parcel* parcel) {
    if (body.size() > limits::message_bytes_max)
        return Error{ErrorKind::refused,
                     fmt::format("{} to {} has {} bytes, a message holds at most {} (limits::message_bytes_max): "
                                 "send it in pieces", tag, peer.name, body.size(), limits::message_bytes_max)};
    const bool is_counted = peer.id != coordinator_id;
    if (is_counted)
        if (Result<void> open = wait_for_window(peer, body.size(), deadline); !open) return open;

    if (peer.waiting_commands > 0 && peer.waiting.size() + body.size() > limits::batch_bytes_max)
        if (Result<void> pushed = push(peer, deadline); !pushed) return pushed;
    record_.clear();  // only now: a push may serve the control lane, and whoever hears of it may send
    Encoder encoder{record_};
    Envelope envelope{kind, me_, peer.id, peer.sent_commands + 1, ask, tag};
    if (parcel != nullptr)
        for (const Holding* holding : parcel->holdings) envelope.manifest.push_back(holding->handle());
    begin_record(encoder, envelope);
    record_.append(body);
    peers_.append(peer, record_);
    if (peer.waiting_commands == 1) ++unsent_peers_;

    const bool may_share = urgency == Urgency::may_share && is_counted &&
                           peers_.in_flight(peer).commands >= limits::batch_from_waiting &&
                           peer.waiting_commands < limits::batch_commands_max;
    if (may_share) return {};
    const std::size_t record_bytes = record_.size();
    const ActorId to = peer.id;
    Result<void> pushed = push(peer, deadline);
    if (!pushed && peers_.find(to) != nullptr) {  // refused, so it is as if it had never been sent
        peers_.undo(peer, record_bytes);
        if (peer.waiting_commands == 0) --unsent_peers_;
    }
    return pushed;
}

// The parcel departs before the message does, and is back in the caller's hands if the message could not go.
Result<void> Loop::put_parcel(Peer& peer, MessageKind kind, AskId ask, std::string_view tag, std::string_view body,
                              Deadline deadline, const Parcel& parcel) {
    if (holdings() == nullptr) return Error{ErrorKind::refused, "this process takes part in no ledger: it has nothing to give"};
    if (parcel.holdings.size() > limits::manifest_handles_max)
        return Error{ErrorKind::refused, fmt::format("{} carries {} segments, a message at most {} (limits::manifest_handles_max)",
                                                     tag, parcel.holdings.size(), limits::manifest_handles_max)};
    const ActorId to = peer.id;
    gifts_.look(to);
    if (Result<void> departed = holdings()->depart(parcel.holdings, to); !departed) return departed;
    Result<void> sent = put(peer, kind, ask, tag, body, deadline, Urgency::now, &parcel);
    if (!sent) {
        Holdings::Departed back{parcel.holdings, false};
        static_cast<void>(holdings()->take_back(back));
    }
    return sent;
}

Result<void> Loop::push(Peer& peer, Deadline deadline) {
    if (peer.waiting_commands == 0) return {};
    const ActorId to = peer.id;
    for (;;) {
        switch (transport_->send(peer.link, peer.waiting)) {
            case Transport::Sent::yes:
                peer.waiting.clear();
                peer.waiting_commands = 0;
                --unsent_peers_;
                return {};
            case Transport::Sent::gone: return Error{ErrorKind::gone, fmt::format("{} has exited", peer.name)};
            case Transport::Sent::full: break;
        }
        serve_control();
        if (peers_.find(to) == nullptr) return Error{ErrorKind::gone, exited_[to]};
        if (ends_waits()) return cannot_wait(Waited::stopping, peer, "the link");
        if (deadline.has_passed(*clock_)) return cannot_wait(Waited::deadline, peer, "a full link");
        wait(nullptr, deadline, peer.link);
    }
}

Result<void> Loop::send(ActorId to, std::string_view tag, std::string_view body, Duration duration, Urgency urgency,
                        const Parcel* parcel) {
    const Deadline deadline = Deadline::in(*clock_, duration);
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
    if (unsent_peers_ == 0) return;
    std::vector<ActorId> unsent;  // a push may serve the control lane and so remove a peer
    for (const auto& [id, peer] : peers_.all())
        if (peer.waiting_commands > 0) unsent.push_back(id);
    for (const ActorId id : unsent) {
        Peer* peer = peers_.find(id);
        if (peer == nullptr) continue;
        const Result<void> pushed = push(*peer, Deadline::in(*clock_, limits::send_deadline));
        if (!pushed && (peer = peers_.find(id)) != nullptr) {
            log_->warn("command.lost", "to={} count={} why=\"{}\"", peer->name, peer->waiting_commands,
                       describe(pushed.error()));
            peers_.discard_waiting(*peer);
            --unsent_peers_;
        }
    }
}

}  // namespace baton
