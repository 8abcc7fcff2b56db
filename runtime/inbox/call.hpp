#pragma once
// Call: one ask of the coordinator with a struct of notices.hpp, for the runtime's own use.

#include <algorithm>
#include <optional>

#include "runtime/inbox/loop.hpp"
#include "runtime/inbox/reply.hpp"
#include <baton/detail/convert.hpp>

namespace baton::detail {

template <class C>
[[nodiscard]] Buffer encoded_body(const C& command) {
    Buffer body;
    Encoder encoder{body};
    encode(encoder, command);
    return body;
}

// A deadline as a command to the coordinator states it: the steady clock is one for all processes of this machine.
[[nodiscard]] inline std::optional<Duration> until_of(Deadline deadline) {
    if (deadline.is_never()) return std::nullopt;
    return deadline.at().time_since_epoch();
}

// If the coordinator keeps the deadline, its word on it comes a little later. So a tenth of the time is added for that,
// at least 0.1 s and at most 1 s.
[[nodiscard]] inline Deadline with_grace(const Clock& clock, Deadline deadline) {
    if (deadline.is_never()) return deadline;
    const Duration grace =
        std::clamp<Duration>(deadline.left(clock) / 10, std::chrono::milliseconds{100}, limits::linger);
    return Deadline{deadline.at() + grace};
}

template <class C>
[[nodiscard]] Result<typename C::Reply> call(Loop& loop, const C& command, Within within) {
    return decoded_reply<typename C::Reply>(
        loop.ask(coordinator_id, command_name<C>, encoded_body(command), within));
}

template <class C>
[[nodiscard]] Result<void> tell(Loop& loop, const C& command) {
    return loop.send(coordinator_id, command_name<C>, encoded_body(command), limits::coordinator_timeout,
                     Loop::Urgency::now);
}

}  // namespace baton::detail
