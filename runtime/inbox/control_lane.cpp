#include "runtime/inbox/control_lane.hpp"

#include <algorithm>
#include <array>

#include "runtime/base/text.hpp"
#include <baton/detail/convert.hpp>

namespace baton::detail {
namespace {

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

void ControlLane::watch_coordinator(int descriptor, std::function<bool()> has_died) {
    descriptor_ = descriptor;
    has_died_ = std::move(has_died);
}

bool ControlLane::has_coordinator() {
    if (descriptor_ >= 0 && has_died_()) lose_coordinator();
    return !self_->ending().has_lost_coordinator;
}

void ControlLane::lose_coordinator() {
    self_->ending().has_lost_coordinator = true;
    descriptor_ = -1;
    asking_->settle_all(self_->coordinator_lost());
    // The actors die with it. Their links would go on trying to reach them; code in the middle of sending finds its
    // link closed.
    for (const auto& [id, peer] : peers_->all()) self_->transport().close(peer.link, Transport::Pending::discarded);
    peers_->expect_no_answers();
    link_ = {};
    exits_->drop_all();
}

}  // namespace baton::detail
