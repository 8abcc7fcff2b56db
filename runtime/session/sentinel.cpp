// Of Session: whether an actor has ended, as a value and as a descriptor.
#include <sys/eventfd.h>

#include <cerrno>
#include <cstring>

#include "runtime/inbox/call.hpp"
#include "runtime/process/process_facts.hpp"
#include "runtime/session/session.hpp"

namespace baton::detail {
namespace {

// Readable from the start.
Result<UniqueFd> ended_sentinel() {
    UniqueFd ended{::eventfd(1, EFD_CLOEXEC)};
    if (!ended.is_open())
        return Error{ErrorKind::overloaded, fmt::format("cannot make a sentinel: {}", std::strerror(errno))};
    return ended;
}

}  // namespace

Result<Exit> Session::exit_of(AnyRef actor) {
    if (Result<void> open = require_open(); !open) return open.error();
    const Result<std::string> name = call(*loop_, coordinator::Watch{actor}, limits::coordinator_deadline);
    if (name) return Exit{};
    if (name.error().kind != ErrorKind::gone) return name.error();
    const Result<Ended> ended = call(*loop_, coordinator::Await{actor}, limits::coordinator_deadline);
    if (!ended) return ended.error();
    return ended->exit;
}

Result<UniqueFd> Session::sentinel(AnyRef actor) {
    if (Result<void> open = require_open(); !open) return open.error();
    const Result<std::string> name = call(*loop_, coordinator::Watch{actor}, limits::coordinator_deadline);
    const Result<Spawned> found = name ? find(*name) : Result<Spawned>{name.error()};
    if (!found && found.error().kind != ErrorKind::gone) return found.error();
    Result<UniqueFd> process = Error{ErrorKind::gone, "it has ended"};
    if (found && found->actor == actor) {
        if (found->pid == 0)
            return Error{ErrorKind::refused, fmt::format("{} has not told its pid when it joined: its process cannot be watched", *name)};
        process = open_pidfd(static_cast<pid_t>(found->pid));
        if (!process && process.error().kind != ErrorKind::gone) return process.error();
    }
    // Only now it is known whose process that is: the coordinator knows of an end before the pid can be used again, so it was
    // the actor's own if that lives still.
    const Result<Exit> exit = exit_of(actor);
    if (!exit) return exit.error();
    if (exit->has_ended()) return ended_sentinel();
    if (!process)
        return Error{ErrorKind::refused, fmt::format("the process of {} is alive, but not to be seen from here (is it in another container?)",
                                                     to_string(actor.id))};
    return process;
}

}  // namespace baton::detail
