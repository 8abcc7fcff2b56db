#pragma once
// Strays: processes that an actor has started by itself, by fork or exec, and that outlive it. They end with the actor.
//
// The anchor is the subreaper of everything that actors start: an orphan becomes its child, and is reaped by it.
// Processes of an actor are recognized by BATON_ACTOR and BATON_SESSION in the environment that it was started with,
// and by the actor's process group, which the anchor ends with it. A process without either
// (`env -u BATON_ACTOR setsid program`) is left alone, as docs/processes.md says.
//
// If the anchor is killed nobody does this; the next sweep recognizes the processes by the same marks. One thread, that
// of the coordinator's loop.

#include <sys/types.h>

#include <functional>
#include <string>
#include <utility>

#include <baton/time.hpp>
#include <baton/ref.hpp>

namespace baton::detail::coordinator {

class Strays {
public:
    Strays(std::string session_folder, pid_t anchor) : folder_(std::move(session_folder)), anchor_(anchor) {}

    // True for a child that other code looks after.
    using IsOwn = std::function<bool(pid_t)>;
    // Kills orphans whose actor is not alive. Takes as long as there are children.
    void look(const IsOwn& is_own, const std::function<bool(ActorId)>& is_alive);
    // Kills what any actor of the session has left, until nothing remains; false if the deadline has passed before
    // that. `wait_for_exit` waits for the exit of any child, or until the deadline.
    bool end_all(const IsOwn& is_own, Deadline deadline, const std::function<void(Deadline)>& wait_for_exit);

private:
    // Returns how many of them were alive and have been killed now.
    [[nodiscard]] std::size_t kill_those_without(const IsOwn& is_own, const std::function<bool(ActorId)>& is_alive);

    std::string folder_;
    pid_t anchor_;
};

}  // namespace baton::detail::coordinator
