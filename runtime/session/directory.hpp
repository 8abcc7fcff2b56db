#pragma once
// Directory: what a member asks the coordinator about actors: it starts, finds, lists, stops and signals them and waits
// for their exits. Knows no types of commands. One thread, the loop's.

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <baton/unique_fd.hpp>
#include <baton/exit.hpp>
#include <baton/member.hpp>

#include "runtime/inbox/call.hpp"

namespace baton::detail {

class RoleWatch;
using Spawned = coordinator::Spawned;

class Directory {
public:
    explicit Directory(Loop& loop);
    Directory(const Directory&) = delete;
    Directory& operator=(const Directory&) = delete;

    // Errors of all: refused (a name in use, no such program, another protocol), timed_out, gone.

    // All in parallel, ready or failed within one deadline. If one fails the others are stopped again and the first
    // failure is returned. `fingerprint` is that of the expected protocol; 0: any. `on_ready` hears how many are ready,
    // after each.
    [[nodiscard]] Result<std::vector<Spawned>> spawn(const std::vector<SpawnOptions>& what, Within within,
                                                     std::uint64_t fingerprint = 0,
                                                     const std::function<void(std::size_t)>& on_ready = {});
    [[nodiscard]] coordinator::Spawn command_of(const SpawnOptions& options, std::uint64_t fingerprint) const;
    // With `end` one that is between two lives, or not ready yet, is waited for.
    [[nodiscard]] Result<Spawned> find(std::string_view name, std::optional<Deadline> end = {});
    [[nodiscard]] Result<std::vector<RosterRow>> roster(bool with_exited);

    // The ladder: asked, SIGTERM, SIGKILL, within the deadline. Empty: all spawned actors.
    [[nodiscard]] Result<std::vector<Ended>> stop(std::vector<AnyRef> actors, Within within, bool drain = false);
    [[nodiscard]] Result<void> signal(AnyRef actor, int number);
    // Waits for the exit.
    [[nodiscard]] Result<Ended> join(AnyRef actor, Within within);
    // How it ended; `running` while it lives. `gone` if there never was such an actor, or if it has been forgotten.
    [[nodiscard]] Result<Exit> exit_of(AnyRef actor);
    // A descriptor that becomes readable when the process of that actor has ended, and stays so: for poll(), select()
    // and other event loops. It is that process's even if its pid is used again. `refused` if nobody knows the process.
    [[nodiscard]] Result<UniqueFd> sentinel(AnyRef actor);
    // Waits until these actors have handled everything that this member sent to them before.
    [[nodiscard]] Result<void> sync(std::span<const AnyRef> actors, Within within);
    // Stops all actors and the coordinator. Returns every exit of the session's life.
    [[nodiscard]] Result<std::vector<Ended>> end_session(Within within);

    // Another coordinator takes over from the present one. Returns once that, or one that came in between, answers.
    [[nodiscard]] Result<coordinator::Incumbent> restart_coordinator(Within within);

    // Where programs are looked for first.
    [[nodiscard]] const std::vector<std::string>& searched_folders() const noexcept { return folders_; }
    [[nodiscard]] pid_t coordinator_pid() const noexcept;  // 0: unknown
    [[nodiscard]] bool is_closed() const noexcept { return is_closed_; }
    [[nodiscard]] Loop& loop() const noexcept { return *loop_; }

protected:
    [[nodiscard]] Result<void> require_open() const;
    void set_closed(bool closed = true) noexcept { is_closed_ = closed; }
    void be_ruled_by(const RoleWatch& role) noexcept { role_ = &role; }
    // Those that were started from here, as far as the roster knows them.
    [[nodiscard]] std::vector<AnyRef> take_spawned() noexcept { return std::exchange(spawned_, {}); }
    template <class C>
    [[nodiscard]] Result<typename C::Reply> ask_coordinator(const C& command, Deadline deadline);

    Loop* loop_;
    std::vector<std::string> folders_;

private:
    void remember_spawned(const std::vector<AnyRef>& started);
    [[nodiscard]] bool is_coordinator_frozen() const;
    // The exits of the session's life behind that place, in their order.
    [[nodiscard]] Result<std::vector<RosterRow>> exits_from(coordinator::RosterPlace place);

    const RoleWatch* role_ = nullptr;  // nullptr: it is not watched
    std::vector<AnyRef> spawned_;
    bool is_closed_ = false;
};

// For what takes the coordinator its time: a large stop may end a moment after its deadline. One that is frozen is not
// waited for beyond it.
template <class C>
Result<typename C::Reply> Directory::ask_coordinator(const C& command, Deadline deadline) {
    const Result<AskId> ask =
        loop_->request(coordinator_id, command_name<C>, encoded_body(command), deadline.left(loop_->clock()));
    if (!ask) return ask.error();
    const auto is_settled = [&] { return loop_->is_settled(*ask); };
    if (loop_->serve(nullptr, is_settled, with_grace(loop_->clock(), deadline)) == Loop::Waited::deadline &&
        !is_coordinator_frozen())
        static_cast<void>(loop_->serve(nullptr, is_settled, Deadline::in(loop_->clock(), limits::coordinator_timeout)));
    Result<ReplyFrame> reply = loop_->await(*ask, Deadline{loop_->clock().now()});
    if (!reply && reply.error().kind == ErrorKind::timed_out && is_coordinator_frozen())
        return Error{
            ErrorKind::timed_out,
            fmt::format("the coordinator (pid {}) is frozen by a signal and has not answered {} before the deadline; "
                        "`kill -CONT {}` wakes it",
                        coordinator_pid(), command_name<C>, coordinator_pid())};
    return decoded_reply<typename C::Reply>(std::move(reply));
}

}  // namespace baton::detail
