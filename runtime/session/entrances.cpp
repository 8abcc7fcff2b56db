#include "runtime/session/entrances.hpp"

#include <cstdlib>
#include <string_view>

#include "runtime/session/environment.hpp"

namespace baton::detail {

void open_lanes(LaneTransport& transport, Log& log, const Joined& joined, const std::shared_ptr<Holdings>& holdings) {
    const char* const said = std::getenv(lanes_variable);
    if (said != nullptr && std::string_view(said) == "off") return;
    LaneTransport::Membership as{joined.session_id, joined.folder, joined.me, {}, {}};
    as.budget.claim = [holdings, me = joined.me.number](std::size_t bytes) {
        return holdings->ledger().claim_bytes(me, bytes);
    };
    as.budget.give_back = [holdings, me = joined.me.number](std::size_t bytes) {
        holdings->ledger().return_bytes(me, bytes);
    };
    as.is_alive = [holdings](ActorId actor) { return holdings->ledger().is_alive(actor); };
    if (Result<void> entered = transport.enter(std::move(as)); !entered)
        log.warn("lanes.missing", "messages go by ZeroMQ alone: {}", to_text(entered.error()));
}

}  // namespace baton::detail
