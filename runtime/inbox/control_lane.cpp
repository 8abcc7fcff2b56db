#include "runtime/inbox/control_lane.hpp"

#include <algorithm>
#include <array>

#include "runtime/base/text.hpp"
#include <baton/detail/convert.hpp>

namespace baton::detail {
namespace {

// How often it is looked for a new coordinator, when there is none.
constexpr Duration pause_min = std::chrono::milliseconds{2};
constexpr Duration pause_max = std::chrono::milliseconds{50};

// From a notice that cannot be read as a whole: the part that must not be missed, if there is one.
template <class Notice>
std::optional<Notice> rest_of(Value, SessionTag) {
    return std::nullopt;
}
template <>
std::optional<notice::Stop> rest_of(Value, SessionTag) {
    return notice::Stop{};
}
template <>
std::optional<notice::Exited> rest_of(Value body, SessionTag session) {
    notice::Exited exited{{}, "", {ExitKind::left, 0, "how it ended could not be read", "", {}}};
    if (body.kind() != ValueKind::map) return std::nullopt;
    for (std::size_t index = 0; index < body.size(); ++index) {
        const Value key = body.key_at(index);
        const Value value = body.value_at(index);
        if (key.kind() != ValueKind::text) continue;
        Decoding at{"Exited", nullptr, session};
        if (key.text() == "actor" && !decode(value, exited.actor, at)) return std::nullopt;
        if (key.text() == "name" && value.kind() == ValueKind::text)
            exited.name = readable(value.text(), limits::name_bytes_max);
    }
    if (exited.name.empty()) exited.name = to_string(exited.actor.id);
    return exited.actor.id.is_somebody() ? std::optional{exited} : std::nullopt;
}

template <class Notice>
void run_notice(ControlLane& lane, Self& self, Value body) {
    std::optional<Notice> notice{Notice{}};
    Decoding at{command_name<Notice>, nullptr, self.session()};
    if (!decode(body, *notice, at)) {
        self.log().warn("notice.unreadable", "{}", to_text(at.take_error()));
        notice = rest_of<Notice>(body, self.session());
    }
    if (notice) lane.on(*notice);
}

struct NoticeHandler {
    std::string_view name;
    void (*run)(ControlLane& lane, Self& self, Value body);
};
template <class ProtocolType>
struct NoticeHandlers;
template <class... Notices>
struct NoticeHandlers<Protocol<Notices...>> {
    static_assert(CheckedProtocol<Notices...>::value);
    static constexpr std::array<NoticeHandler, sizeof...(Notices)> all{
        NoticeHandler{command_name<Notices>, &run_notice<Notices>}...};
};

}  // namespace

Result<void> ControlLane::open(const std::string& address) {
    Result<Peer*> coordinator = outbox_->open(coordinator_id, "coordinator", address);
    if (!coordinator) return coordinator.error();
    link_ = (*coordinator)->link;
    return {};
}

void ControlLane::serve() {
    if (look_.next.has_passed(self_->clock())) static_cast<void>(has_session());
    if (link_.is_some()) static_cast<void>(replies_->take(link_, this));
    exits_->look();
}

void ControlLane::take_notice(std::string_view tag, Value body) {
    constexpr auto& handlers = NoticeHandlers<notice::Protocol>::all;
    const auto handler = std::ranges::find(handlers, tag, &NoticeHandler::name);
    if (handler != handlers.end()) handler->run(*this, *self_, body);
    else self_->log().debug("notice.unknown", "tag={}", tag);
}

void ControlLane::on(const notice::Trim&) {
    if (self_->holdings() != nullptr) self_->holdings()->trim();
}

void ControlLane::on(const notice::BindAgain&) {
    const Result<void> bound = self_->transport().bind_again();
    if (bound) self_->log().warn("inbox.bound_again", "another program had removed its file");
    else self_->log().error("inbox.unreachable", "{}", to_text(bound.error()));
}

// ---- the coordinator's life ----------------------------------------------------------------------------

bool ControlLane::has_session() {
    if (role_ == nullptr || self_->ending().has_lost_coordinator) return !self_->ending().has_lost_coordinator;
    switch (role_->look()) {
        case Role::State::held:
            if (requests_->is_vacant()) rejoin();  // what kept us from it may be over
            break;
        case Role::State::vacant:
            if (!requests_->is_vacant()) leave_lane();
            look_.pause = std::min(2 * look_.pause, pause_max);
            look_.next = Deadline::in(self_->clock(), look_.pause);
            break;
        case Role::State::passed_on:
            if (!requests_->is_vacant()) leave_lane();
            rejoin();
            break;
        case Role::State::over: lose_coordinator(); break;
    }
    return !self_->ending().has_lost_coordinator;
}

// It has ended. What was on its way to it or from it is dropped; what it has not answered is asked again.
void ControlLane::leave_lane() {
    requests_->set_vacant(true);
    look_.pause = pause_min / 2;
    if (Peer* const peer = peers_->find(coordinator_id); peer != nullptr) {
        self_->transport().close(peer->link, Transport::Pending::discarded);
        peers_->remove(coordinator_id);
    }
    asking_->forget_abandoned_to(coordinator_id);
    link_ = {};
}

void ControlLane::rejoin() {
    look_.next = Deadline::never();
    requests_->set_vacant(false);
    Result<void> joined = open(role_->address());
    if (joined && membership_.pid) joined = say_rejoin();
    if (joined) return ask_again();
    // No descriptor is left, perhaps, or too many asks are under way: it is tried again.
    self_->log().error("coordinator.unreachable", "{}", to_text(joined.error()));
    leave_lane();
    look_.next = Deadline::in(self_->clock(), pause_max);
}

Result<void> ControlLane::say_rejoin() {
    coordinator::Rejoin rejoin{AnyRef{self_->me()}, *membership_.pid, membership_.is_ready, {}, {}};
    if (const std::set<AskId>& given_up = requests_->given_up(); !given_up.empty())
        rejoin.given_up.emplace(given_up.begin(), given_up.end());
    std::set<ActorId> watches = membership_.watched;
    for (const auto& [id, peer] : peers_->all())
        if (id != coordinator_id && id != self_->me()) watches.insert(id);
    for (const ActorId id : watches) rejoin.watches.push_back(AnyRef{id});
    Buffer body;
    Encoder encoder{body};
    encode(encoder, rejoin);
    Result<AskId> ask = asking_->request(coordinator_id, {.tag = command_name<coordinator::Rejoin>, .body = body},
                                         Deadline::in(self_->clock(), Duration::zero()));
    if (!ask) return ask.error();
    requests_->forget(*ask);
    asking_->hand_over(*ask, [this](const Result<ReplyFrame>& welcome) {
        if (welcome || self_->ending().has_lost_coordinator) return;
        self_->log().error("session.lost", "{}", to_text(welcome.error()));
        lose_coordinator();
    });
    return {};
}

void ControlLane::ask_again() {
    Peer* const peer = peers_->find(coordinator_id);
    const std::map<AskId, Requests::Request> unanswered = requests_->unanswered();
    for (const auto& [ask, request] : unanswered) {
        // A signal that was sent twice would be two.
        if (request.tag == command_name<coordinator::Signal>) {
            asking_->settle(ask, Error{ErrorKind::gone, "the coordinator has ended before it answered, and another one "
                                                        "has taken over: the signal may have been sent; ask again"});
            continue;
        }
        peers_->expect_answer(*peer);
        const Result<void> sent = outbox_->put(
            *peer, {.kind = MessageKind::ask, .ask = ask, .tag = request.tag, .body = request.body},
            Deadline::in(self_->clock(), Duration::zero()));
        if (!sent) asking_->settle(ask, sent.error());
    }
}

void ControlLane::lose_coordinator() {
    self_->ending().has_lost_coordinator = true;
    role_ = nullptr;
    look_.next = Deadline::never();
    asking_->settle_all(self_->coordinator_lost());
    // The actors die with it. Their links would go on trying to reach them; code in the middle of sending finds its
    // link closed.
    for (const auto& [id, peer] : peers_->all()) self_->transport().close(peer.link, Transport::Pending::discarded);
    peers_->expect_no_answers();
    link_ = {};
    exits_->drop_all();
}

}  // namespace baton::detail
