#include "runtime/inbox/leaving.hpp"

#include <algorithm>

namespace baton::detail {
namespace {

constexpr Duration look_interval = std::chrono::milliseconds{1};

}  // namespace

Deadline before_goodbye(Deadline end, const Clock& clock) {
    if (end.is_never()) return end;
    const Duration left = end.left(clock);
    const Duration goodbye = std::clamp<Duration>(left / 4, std::chrono::milliseconds{100}, limits::linger);
    return Deadline::in(clock, std::max(Duration::zero(), left - goodbye));
}

std::vector<DeadLetter> wait_until_taken(Loop& loop, Deadline deadline) {
    Commands::Unread unread;
    std::vector<Outbox::Untaken> untaken;
    const auto is_taken = [&] {
        loop.outbox().flush();
        while (!deadline.has_passed(loop.clock()) && loop.commands().refuse_next(unread)) continue;
        untaken = loop.outbox().untaken(deadline);
        return untaken.empty();
    };
    if (loop.poll(is_taken, look_interval, deadline) != Waited::deadline) return Commands::dead_letters(unread);
    for (const Outbox::Untaken& one : untaken) {
        loop.log().warn("command.untaken",
                        "to={} count={} why=\"it has not taken them yet, and this process ends: the coordinator names "
                        "those that it never takes\"",
                        one.name, one.commands);
        loop.transport().close(one.link, Transport::Pending::discarded);  // else the exit waits for it once more
    }
    return Commands::dead_letters(unread);
}

}  // namespace baton::detail
