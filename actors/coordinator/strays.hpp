#pragma once
// Strays: processes that an actor has started by itself, by fork or exec, and that outlive it. They end with the actor.
//
// The coordinator is the subreaper of everything that its actors start: an orphan becomes its child, so that its exit
// is noticed and its pid is not reused before it has been reaped. Processes of an actor are recognized by BATON_ACTOR
// and BATON_SESSION in the environment that it was started with, and by the actor's process group. A process without
// either (`env -u BATON_ACTOR setsid program`) is left alone, as docs/processes.md says; when it has exited it is
// reaped.
//
// If the coordinator is killed nobody does this; the next sweep recognizes the processes by the same marks. One thread,
// that of the coordinator's loop.

#include <functional>
#include <string>
#include <vector>

#include <baton/time.hpp>
#include <baton/ref.hpp>
#include <baton/unique_fd.hpp>
#include <baton/result.hpp>

namespace baton::detail::coordinator {

class Strays {
public:
    // Blocks SIGCHLD in this thread.
    [[nodiscard]] static Result<Strays> create(std::string session_folder);

    // Readable when any child has exited, until note_exits(), after which look() is due.
    [[nodiscard]] int descriptor() const noexcept { return signals_.get(); }
    void note_exits() noexcept;

    // Kills what is left in the process group of an actor that has exited and has not been reaped.
    static void kill_group_of(pid_t actor) noexcept;
    // True for a child that other code looks after.
    using IsOwn = std::function<bool(pid_t)>;
    // Reaps orphans that have exited, and kills those whose actor is not alive. Takes as long as there are children.
    void look(const IsOwn& is_own, const std::function<bool(ActorId)>& is_alive);
    // Kills what any actor of the session has left, until nothing remains; false if the deadline has passed before
    // that.
    bool end_all(const IsOwn& is_own, Deadline deadline);

private:
    Strays(std::string folder, UniqueFd signals) : folder_(std::move(folder)), signals_(std::move(signals)) {}
    // Returns how many of them were alive and have been killed now.
    std::size_t reap_and_kill(const IsOwn& is_own, const std::function<bool(ActorId)>& is_alive);

    std::string folder_;
    UniqueFd signals_;
};

}  // namespace baton::detail::coordinator
