#include "runtime/session/entrances.hpp"

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <string_view>

#include "runtime/session/environment.hpp"

namespace baton::detail {
namespace {

// More than a millisecond is a mistaken unit.
constexpr Duration spin_max = std::chrono::milliseconds{1};

Duration spin_bound() {
    const char* const said = std::getenv(spin_variable);
    if (said == nullptr) return Spin::usual_bound;
    std::uint32_t microseconds = 0;
    const std::string_view text{said};
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), microseconds);
    if (error != std::errc{} || end != text.data() + text.size()) return Spin::usual_bound;
    return std::min<Duration>(std::chrono::microseconds{microseconds}, spin_max);
}

}  // namespace

void open_lanes(LaneTransport& transport, Log& log, const Joined& joined, const std::shared_ptr<Holdings>& holdings) {
    const char* const said = std::getenv(lanes_variable);
    if (said != nullptr && std::string_view(said) == "off") return;
    LaneTransport::Membership as{joined.session_id, joined.folder, joined.me, {}};
    as.is_alive = [holdings](ActorId actor) { return holdings->ledger().lives.is_alive(actor); };
    as.spin = spin_bound();
    as.spun = joined.spun;
    as.protocol = joined.protocol;
    if (Result<void> entered = transport.enter(std::move(as)); !entered)
        log.warn("lanes.missing", "messages go by ZeroMQ alone: {}", to_text(entered.error()));
}

}  // namespace baton::detail
