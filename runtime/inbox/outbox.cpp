#include "runtime/inbox/outbox.hpp"

#include <algorithm>

#include "runtime/base/crash_point.hpp"
#include "runtime/base/text.hpp"
#include "runtime/wire/brief.hpp"
#include "runtime/wire/notices.hpp"

namespace baton::detail {
namespace {

// True if the coordinator has not begun to settle its death. If it has, nobody counts what is sent to it from now on.
bool lives(const Self& self, ActorId actor) noexcept {
    const Holdings* const holdings = self.holdings();
    return holdings == nullptr || holdings->ledger().lives.is_alive(actor);
}

Error no_coordinator() {
    return {ErrorKind::overloaded, "the coordinator has ended, and the next one has not taken over yet: try again"};
}

}  // namespace

// A command that waits for room stands in the vitals, so that those who wait for us find the circle.
class Outbox::WaitingForRoom {
public:
    explicit WaitingForRoom(Outbox& outbox) : outbox_(outbox) {}
    ~WaitingForRoom() {
        if (is_shown_) outbox_.self_->own_vitals()->end_room_wait();
    }
    WaitingForRoom(const WaitingForRoom&) = delete;
    WaitingForRoom& operator=(const WaitingForRoom&) = delete;

    void show(const Peer& peer) {
        OwnVitals* const own = outbox_.self_->own_vitals();
        if (own == nullptr) return;
        own->begin_room_wait({peer.id, peer.taken.commands});
        is_shown_ = true;
    }
    // Looks only now and then.
    [[nodiscard]] std::vector<WaitEdge> circle() {
        const Clock& clock = outbox_.self_->clock();
        if (!is_shown_ || !next_look_.has_passed(clock)) return {};
        next_look_ = Deadline::in(clock, limits::circle_interval);
        return outbox_.circle_to_break();
    }

private:
    Outbox& outbox_;
    bool is_shown_ = false;
    Deadline next_look_ = Deadline::in(outbox_.self_->clock(), limits::circle_interval);
};

// The last record that was counted as sent to a peer: counted no longer if it does not go.
struct Outbox::Unsent {
    Peers& peers;
    ActorId to;
    std::size_t record_bytes;
    bool is_waiting = false;  // it stands last in what waits to leave
    bool is_sent = false;
    ~Unsent() {
        Peer* peer = is_sent ? nullptr : peers.find(to);
        if (peer == nullptr) return;
        peers.uncount(*peer, record_bytes);
        if (is_waiting) peers.take_back(*peer, record_bytes);
    }
};

// A parcel that has departed: returned to the caller if the message does not go.
struct Outbox::Ungiven {
    Holdings& holdings;
    const Parcel& parcel;
    bool is_given = false;
    ~Ungiven() {
        if (is_given) return;
        Parcel back = parcel;
        static_cast<void>(holdings.transfers().take_back(back));
    }
};

// ---- whom it goes to -----------------------------------------------------------------------------------

Result<Peer*> Outbox::reach(ActorId to, Deadline deadline) {
    if (std::optional<Error> why = why_unreachable(to); why) return std::move(*why);
    if (Peer* known = peers_->find(to); known != nullptr) return known;
    if (Peer* opened = open_by_id(to); opened != nullptr) return opened;
    if (locating_ == nullptr) return Error{ErrorKind::gone, "there is nobody to ask for an address"};
    Result<Locating::Place> place = locating_->locate(to, deadline);
    if (!place) return std::move(place).error();
    return open(to, std::move(place->name), place->address);
}

// First it is said that we send to it, then looked whether it lives; the coordinator first takes the life and then
// reads who has said so. So it tells us of the exit, or we see that there is nobody any more.
Peer* Outbox::open_by_id(ActorId to) {
    OwnVitals* const own = self_->own_vitals();
    if (own == nullptr || self_->holdings() == nullptr || to == coordinator_id) return nullptr;
    std::optional<std::string> name = self_->vitals()->name_of(to);
    if (!name || !own->begin_sending(to) || !lives(*self_, to)) return nullptr;
    Result<Link> link = self_->transport().open_by_id(to);
    return link ? &peers_->add(to, std::move(*name), *link) : nullptr;
}

std::optional<Error> Outbox::why_unreachable(ActorId to) const {
    if (!to.is_somebody()) return Error{ErrorKind::refused, "the Ref addresses nobody: it was never set"};
    if (const std::string* why = peers_->why_gone(to); why != nullptr) return Error{ErrorKind::gone, *why};
    if (self_->ending().has_lost_coordinator) return self_->coordinator_lost();  // the actors have died with it
    return std::nullopt;
}

Result<Peer*> Outbox::open(ActorId to, std::string name, const std::string& address) {
    Transport& transport = self_->transport();
    // What is sent to a member is counted, from the first command on; the coordinator counts nothing.
    if (OwnVitals* const own = self_->own_vitals(); own != nullptr && to != coordinator_id)
        if (Result<void> begun = own->begin_sending(to); !begun)
            return Error{ErrorKind::overloaded,
                         fmt::format("there is no memory to count what is sent to {}: {}", name, begun.error().text)};
    // The coordinator maps no lanes.
    Result<Link> link = to == coordinator_id ? transport.open(address) : transport.open_to(to, address);
    if (!link) return std::move(link).error();
    return &peers_->add(to, std::move(name), *link);
}

// ---- room for it ---------------------------------------------------------------------------------------

std::optional<Error> Outbox::cannot_wait(ActorId to, Deadline deadline, std::string_view for_what) const {
    if (self_->ending().has_lost_coordinator) return self_->coordinator_lost();
    const Peer* peer = peers_->find(to);
    if (peer == nullptr && to == coordinator_id) return no_coordinator();
    if (peer == nullptr) {
        const std::string* const why = peers_->why_gone(to);
        return Error{ErrorKind::gone, why == nullptr ? std::string() : *why};
    }
    if (self_->ends_waits()) return Error{ErrorKind::stopping, fmt::format("{} is stopping", self_->name())};
    if (!deadline.has_passed(self_->clock())) return std::nullopt;
    return Error{
        ErrorKind::overloaded,
        fmt::format("{} has not taken what was sent before: {} waited until its deadline", peer->name, for_what)};
}

Result<void> Outbox::wait_for_window(Peer& peer, std::size_t bytes, Deadline deadline) {
    const ActorId to = peer.id;
    const Clock& clock = self_->clock();
    WaitingForRoom waiting{*this};
    while (!peers_->in_flight(peer).fits(bytes)) {
        if (to == self_->me())
            return Error{
                ErrorKind::overloaded,
                fmt::format("{} has {} commands to itself that it has not taken (limits::window_commands_max, "
                            "window_bytes_max), and takes none while it sends: let the handler return, or collect, "
                            "before more are sent",
                            self_->name(), peers_->in_flight(peer).commands)};
        if (peers_->is_count_due(peer))
            if (Result<void> asked = ask_for_count(peer, deadline); !asked) return asked;
        waiting.show(peer);
        if (const std::vector<WaitEdge> circle = waiting.circle(); !circle.empty()) return deadlock(circle);
        if (Result<void> pushed = push(peer, deadline); !pushed) return pushed;
        waiting_->serve_links(peers_->is_counted(peer) ? Link{} : peer.link);
        if (std::optional<Error> why = cannot_wait(to, deadline, "a full inbox"); why) return std::move(*why);
        waiting_->wait(deadline.or_earlier(Deadline::in(clock, window_interval)), Link{});
        if (peers_->find(to) == nullptr) return std::move(*cannot_wait(to, deadline, "a full inbox"));
    }
    return {};
}

// A receiver that writes no vitals says by its answer, even if that is an error, that it has taken all that was sent
// before.
Result<void> Outbox::ask_for_count(Peer& peer, Deadline deadline) {
    if (Result<void> pushed = push(peer, deadline); !pushed) return pushed;
    const ActorId to = peer.id;
    Result<AskId> ask = asks_->begin(to);
    if (!ask) return {};  // next time
    record_.clear();
    Encoder encoder{record_};
    begin_record(encoder, Envelope{MessageKind::ask, self_->me(), to, peer.sent.commands + 1, *ask, sync_tag});
    encoder.nil();
    const std::size_t record_bytes = record_.size();
    peers_->count(peer, record_bytes);
    peers_->append(peer, record_, {});
    const Amount asked = peer.sent;
    if (Result<void> pushed = push(peer, deadline); !pushed) {
        asks_->forget(*ask);
        if (peers_->find(to) == nullptr) return pushed;
        peers_->take_back(peer, record_bytes);
        peers_->uncount(peer, record_bytes);
        return pushed;
    }
    peer.count_asked = asked;
    peers_->expect_answer(peer);
    asks_->hand_over(*ask, [peers = peers_, to, asked](const Result<ReplyFrame>&) {
        if (Peer* taker = peers->find(to); taker != nullptr) peers->note_taken(*taker, asked);
    });
    return {};
}

// ---- a message -----------------------------------------------------------------------------------------

Result<void> Outbox::check_size(const Peer& peer, const Message& message) const {
    if (message.body == nested_too_deep)
        return Error{ErrorKind::refused, fmt::format("{} to {} is nested deeper than {} (limits::message_depth_max)",
                                                     message.tag, peer.name, limits::message_depth_max)};
    if (message.body.size() > limits::message_bytes_max)
        return Error{
            ErrorKind::refused,
            fmt::format("{} to {} has more than the {} bytes that a message holds (limits::message_bytes_max): "
                        "send it in pieces, or as a segment",
                        message.tag, peer.name, limits::message_bytes_max)};
    if (message.tag.size() > limits::tag_bytes_max)
        return Error{ErrorKind::refused,
                     fmt::format("the name of a command has at most {} bytes (limits::tag_bytes_max), '{}' has {}",
                                 limits::tag_bytes_max, readable(message.tag, 40), message.tag.size())};
    return {};
}

// The envelope of the next record to that peer, into record_; and how large the record is with its body.
Result<std::size_t> Outbox::write_head(const Peer& peer, const Message& message) {
    record_.clear();  // only now: a push may serve the control lane, and the handlers of a notice may send
    Encoder encoder{record_, frame_bytes_max};  // so that what is too large ends up too large
    Envelope envelope{message.kind, self_->me(), peer.id, peer.sent.commands + 1, message.ask, message.tag};
    if (message.parcel != nullptr)
        for (const Holding* holding : message.parcel->holdings) envelope.manifest.push_back(holding->handle());
    begin_record(encoder, envelope);
    const std::size_t record_bytes = record_.size() + message.body.size();
    if (record_bytes > frame_bytes_max)  // the body fits, but not with all that is said of its segments
        return Error{
            ErrorKind::refused,
            fmt::format(
                "{} to {} has more than the {} bytes that a message holds with all that is said of its {} segments: "
                "send fewer at once",
                message.tag, peer.name, frame_bytes_max, envelope.manifest.size())};
    return record_bytes;
}

Result<void> Outbox::put_whole(Peer& peer, const Message& message, Deadline deadline) {
    if (Result<void> fits = check_size(peer, message); !fits) return fits;
    if (Result<void> open = wait_for_window(peer, message.body.size(), deadline); !open) return open;
    if (peers_->is_count_due(peer))
        if (Result<void> asked = ask_for_count(peer, deadline); !asked) return asked;
    const bool is_counted = peers_->is_counted(peer);

    if (peer.waiting_commands > 0 && peer.waiting.size() + message.body.size() > limits::batch_bytes_max)
        if (Result<void> pushed = push(peer, deadline); !pushed) return pushed;
    const Result<std::size_t> record_bytes = write_head(peer, message);
    if (!record_bytes) return record_bytes.error();
    // Now: a push may serve the control lane, and a watcher may send more.
    if (Asks::Ask* const asked = message.ask == 0 ? nullptr : asks_->find(message.ask); asked != nullptr)
        asked->sequence = peer.sent.commands + 1;
    // First it is counted as sent, then looked whether its receiver lives; the coordinator first takes the life and
    // then counts what was sent and not taken. So one of the two knows of it.
    peers_->count(peer, *record_bytes);
    Unsent unsent{*peers_, peer.id, *record_bytes};
    if (is_counted && !lives(*self_, peer.id)) return Error{ErrorKind::gone, fmt::format("{} has exited", peer.name)};

    const bool may_share = message.urgency == Urgency::may_share && is_counted &&
                           !self_->transport().outlives_us(peer.link) &&
                           peers_->in_flight(peer).commands >= limits::batch_from_waiting &&
                           peer.waiting_commands + 1 < limits::batch_commands_max;
    // Alone it leaves without another copy. If the link does not take it, it waits like those that share a frame.
    if (!may_share && peer.waiting_commands == 0 &&
        self_->transport().send(peer.link, {record_, message.body}) == Transport::Sent::yes) {
        unsent.is_sent = true;
        return {};
    }
    peers_->append(peer, record_, message.body);
    unsent.is_waiting = true;
    Result<void> pushed = may_share ? Result<void>{} : push(peer, deadline);
    unsent.is_sent = pushed.ok();
    return pushed;
}

// The parcel departs before the message does, and is back in the caller's hands if the message could not go.
Result<void> Outbox::put_parcel(Peer& peer, const Message& message, Deadline deadline) {
    const Parcel& parcel = *message.parcel;
    Holdings* const holdings = self_->holdings();
    if (holdings == nullptr)
        return Error{ErrorKind::refused, "this process takes part in no ledger: it has nothing to give"};
    if (parcel.holdings.size() > limits::manifest_handles_max)
        return Error{ErrorKind::refused,
                     fmt::format("{} carries {} segments, a message at most {} (limits::manifest_handles_max)",
                                 message.tag, parcel.holdings.size(), limits::manifest_handles_max)};
    const ActorId to = peer.id;
    returns_->gifts().look(to);
    if (Result<void> departed = holdings->transfers().depart(parcel.holdings, to); !departed) return departed;
    Ungiven ungiven{*holdings, parcel};
    Message alone = message;
    alone.urgency = Urgency::now;  // a gift is remembered as sent: it does not wait to share a frame
    Result<void> sent = put_whole(peer, alone, deadline);
    ungiven.is_given = sent.ok();
    return sent;
}

Result<void> Outbox::put(Peer& peer, const Message& message, Deadline deadline) {
    if (message.by_position != nullptr) return put_brief(peer, message, deadline);
    return message.is_carrying() ? put_parcel(peer, message, deadline) : put_whole(peer, message, deadline);
}

Result<void> Outbox::send(ActorId to, const Message& message, Deadline deadline) {
    if (to == coordinator_id && requests_->is_vacant()) return no_coordinator();
    Result<Peer*> peer = reach(to, deadline);
    if (!peer) return std::move(peer).error();
    if (Result<void> sent = put(**peer, message, deadline); !sent || !message.is_carrying()) return sent;
    pass_crash_point(CrashPoint::send_pushed);
    returns_->gifts().note({to, Gifts::By::send, (*peer)->sent.commands}, message.tag, message.body, *message.parcel);
    return {};
}

// ---- by position ---------------------------------------------------------------------------------------

namespace {

struct BriefWriting {
    BriefHead head;
    std::string_view tag;
    const positional::Body* body;
};
void write_whole(const void* what, std::byte* to) {
    const auto& writing = *static_cast<const BriefWriting*>(what);
    writing.body->write(writing.body->value, write_brief(to, writing.head, writing.tag));
}

}  // namespace

bool Outbox::reads_by_position(ActorId to, const positional::CommandBody& body) const {
    const Peer* const peer = peers_->find(to);
    return peer != nullptr && peer->protocol != 0 && peer->protocol == body.protocol() &&
           !self_->ending().has_lost_coordinator && body.bytes <= limits::message_bytes_max;
}

Outbox::Tried Outbox::try_brief(Peer& peer, const Message& message) {
    if (!peers_->has_room(peer, message.by_position->bytes)) return Tried::no_window;
    if (peer.waiting_commands > 0) return Tried::no_room;
    BriefWriting writing{{}, message.tag, message.by_position};
    writing.head.kind = message.kind;
    writing.head.tag_bytes = static_cast<std::uint16_t>(message.tag.size());
    writing.head.from = self_->me();
    writing.head.to = peer.id;
    writing.head.sequence = peer.sent.commands + 1;
    writing.head.ask_id = message.ask;
    writing.head.protocol = peer.protocol;
    if (Asks::Ask* const asked = message.ask == 0 ? nullptr : asks_->find(message.ask); asked != nullptr)
        asked->sequence = writing.head.sequence;
    const std::size_t record_bytes = brief_bytes(message.tag, message.by_position->bytes);
    // First counted, then looked: as for every message.
    peers_->count(peer, record_bytes);
    if (!lives(*self_, peer.id)) {
        peers_->uncount(peer, record_bytes);
        return Tried::gone;
    }
    const Transport::Sent sent = self_->transport().send_in_place(peer.link, {record_bytes, &write_whole, &writing});
    if (sent == Transport::Sent::yes) return Tried::sent;
    peers_->uncount(peer, record_bytes);
    return sent == Transport::Sent::full ? Tried::no_room : Tried::gone;
}

// A record that was not taken is as if it had never been, and is tried again: others sent while it waited.
Result<void> Outbox::put_brief(Peer& peer, const Message& message, Deadline deadline) {
    const ActorId to = peer.id;
    for (;;) {
        Result<void> waited = push(peer, deadline);
        if (!waited) return waited;
        switch (try_brief(peer, message)) {
            case Tried::sent: return {};
            case Tried::gone: return Error{ErrorKind::gone, fmt::format("{} has exited", peer.name)};
            case Tried::no_window: waited = wait_for_window(peer, message.by_position->bytes, deadline); break;
            case Tried::no_room: waited = wait_for_link(to, peer.link, deadline); break;
        }
        if (!waited) return waited;
    }
}

std::optional<Result<void>> Outbox::send_by_position(ActorId to, std::string_view tag,
                                                     const positional::CommandBody& body, Within within) {
    if (!reads_by_position(to, body)) return std::nullopt;
    Message message{.tag = tag, .body = {}};
    message.by_position = &body;
    Peer& peer = *peers_->find(to);
    // Most often the time need not be known.
    if (try_brief(peer, message) == Tried::sent) return Result<void>{};
    return put_brief(peer, message, within.deadline(self_->clock()));
}

// ---- to the link -----------------------------------------------------------------------------------------

Result<void> Outbox::push(Peer& peer, Deadline deadline) {
    const ActorId to = peer.id;
    for (;;) {
        if (peer.waiting_commands == 0) return {};  // also sent by a watcher that sent more
        switch (self_->transport().send(peer.link, peer.waiting)) {
            case Transport::Sent::yes: peers_->clear_waiting(peer); return {};
            case Transport::Sent::gone:
                if (self_->ending().has_lost_coordinator) return self_->coordinator_lost();
                return Error{ErrorKind::gone, fmt::format("{} has exited", peer.name)};
            case Transport::Sent::too_large:
                return Error{ErrorKind::refused, fmt::format("{} bytes to {} are more than a message holds",
                                                             peer.waiting.size(), peer.name)};
            case Transport::Sent::full: break;
        }
        if (Result<void> waited = wait_for_link(to, peer.link, deadline); !waited) return waited;
    }
}

// Then its peer is still there.
Result<void> Outbox::wait_for_link(ActorId to, Link link, Deadline deadline) {
    waiting_->serve_links(Link{});
    if (std::optional<Error> why = cannot_wait(to, deadline, "a full link"); why) return std::move(*why);
    waiting_->wait(deadline, link);
    if (peers_->find(to) == nullptr) return std::move(*cannot_wait(to, deadline, "a full link"));
    return {};
}

void Outbox::flush() {
    self_->thread().require();
    if (!peers_->any_waiting()) return;
    std::vector<ActorId> unsent;  // a push may serve the control lane and so remove a peer
    for (const auto& [id, peer] : peers_->all())
        if (peer.waiting_commands > 0) unsent.push_back(id);
    for (const ActorId id : unsent) {
        Peer* peer = peers_->find(id);
        if (peer == nullptr) continue;
        const Result<void> pushed = push(*peer, Deadline::in(self_->clock(), limits::send_timeout));
        if (!pushed && (peer = peers_->find(id)) != nullptr) {
            self_->log().warn("command.lost", "to={} count={} why=\"{}\"", peer->name, peer->waiting_commands,
                              to_text(pushed.error()));
            peers_->discard_waiting(*peer);
        }
    }
}

std::vector<Outbox::Untaken> Outbox::untaken(Deadline deadline) {
    std::vector<Untaken> untaken;
    std::vector<ActorId> to_ask;
    for (auto& [id, peer] : peers_->all()) {
        const bool is_for_others = id != coordinator_id && id != self_->me();
        if (!is_for_others || self_->transport().outlives_us(peer.link) || !lives(*self_, id)) continue;
        const std::uint64_t commands = peers_->untaken(peer);
        if (commands == 0) continue;
        untaken.push_back({peer.name, peer.link, commands});
        if (!peers_->is_counted(peer)) to_ask.push_back(id);
    }
    for (const ActorId id : to_ask) {
        if (Peer* const peer = peers_->find(id); peer != nullptr && peer->count_asked.commands < peer->sent.commands)
            static_cast<void>(ask_for_count(*peer, deadline));
        if (const Peer* const peer = peers_->find(id); peer != nullptr) waiting_->serve_links(peer->link);
    }
    return untaken;
}

// ---- circles -------------------------------------------------------------------------------------------

std::vector<WaitEdge> Outbox::circle_to_break() const {
    const ActorId me = self_->me();
    std::vector<WaitEdge> circle = self_->vitals()->circle_of(me);
    if (std::ranges::any_of(circle, [me](const WaitEdge& wait) { return me < wait.who; })) circle.clear();
    return circle;
}

Error Outbox::deadlock(const std::vector<WaitEdge>& circle) {
    const auto name_of = [this](ActorId actor) {
        if (actor == self_->me()) return self_->name();
        const Result<Peer*> peer = reach(actor, Deadline::in(self_->clock(), limits::coordinator_timeout));
        return peer ? (*peer)->name : to_string(actor);
    };
    std::string text = text_of_circle(circle, name_of);
    self_->log().warn("deadlock.found", "{}", text);
    return Error{ErrorKind::deadlock, std::move(text)};
}

}  // namespace baton::detail
