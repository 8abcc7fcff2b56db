#pragma once
// Session: one's place in a session as somebody from outside: a scenario, the command line, a script.
//
// enter() joins the session that is named, by its argument or by BATON_SESSION. Where none is named it starts a
// coordinator of its own, whatever other sessions run; then everything ends with close(), with the Session object, or with
// this process, whichever comes first. All
// that scenarios can do to actors is here, without their types: names, Refs and encoded bodies. C++
// scenarios use the typed front in scenario.hpp.
// One thread; not movable, as the loop refers to its parts.

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <baton/detail/unique_fd.hpp>
#include <baton/context.hpp>
#include <baton/scenario.hpp>
#include "runtime/inbox/command.hpp"
#include "runtime/inbox/loop.hpp"
#include "runtime/holdings/arrivals.hpp"

namespace baton::detail {

class Child;

using Spawned = coordinator::Spawned;

class Session {
public:
    enum class Inbox { open, none };  // can others send to it?
    struct Entry {
        std::optional<std::string> session = {};      // id or folder; else BATON_SESSION
        bool may_start = true;                        // a coordinator, when no session is named; if not, the only one is joined
        std::string name = "scenario";                // in the roster; numbered when taken
        Inbox inbox = Inbox::open;
        std::vector<std::string> program_folders = {};  // where to look for programs, before the usual ones
        std::uint64_t memory_bytes = 0;               // that all segments may take, if it starts a coordinator; 0: its choice
    };
    // `gone` where no session is running and none may be started.
    [[nodiscard]] static Result<std::unique_ptr<Session>> enter(Entry entry);
    ~Session();
    Session(const Session&) = delete;
    Session& operator=(const Session&) = delete;

    // ---- actors. Errors: refused (a name in use, no such program, another protocol), timed_out, gone.
    struct SpawnOptions {
        std::string program;
        std::string name = {};
        std::vector<std::string> arguments = {};
        std::uint64_t fingerprint = 0;  // of the protocol expected; 0: any
        std::uint64_t memory_bytes = 0; // that its segments may take; 0: as much as the session has
        std::vector<std::string> folders = {};  // where to look for the program first
    };
    // All in parallel, ready or failed within one deadline. If one fails the others are stopped again and the
    // first failure is returned. `on_ready` hears how many are ready, after each.
    [[nodiscard]] Result<std::vector<Spawned>> spawn(const std::vector<SpawnOptions>& what, Within within,
                                                     const std::function<void(std::size_t)>& on_ready = {});
    [[nodiscard]] Result<Spawned> find(std::string_view name);
    [[nodiscard]] Result<std::vector<RosterRow>> roster(bool with_exited);

    // The ladder: asked, SIGTERM, SIGKILL, within the deadline. Empty: all spawned actors.
    [[nodiscard]] Result<std::vector<Ended>> stop(std::vector<AnyRef> actors, Within within, bool drain = false);
    [[nodiscard]] Result<void> signal(AnyRef actor, int number);
    // Waits for the exit.
    [[nodiscard]] Result<Ended> join(AnyRef actor, Within within);
    // How it ended; `running` while it lives. `gone` where there never was such an actor, or so long ago that it is forgotten.
    [[nodiscard]] Result<Exit> exit_of(AnyRef actor);
    // A descriptor that becomes readable when the process of that actor has ended, and stays so: for poll(), select() and event
    // loops of others. At once for one that has ended. It is that process's, also when its pid is used again. `refused` for
    // one whose process nobody knows.
    [[nodiscard]] Result<UniqueFd> sentinel(AnyRef actor);

    // Until `actor` has handled everything that this session sent to it before.
    [[nodiscard]] Result<void> sync(std::span<const AnyRef> actors, Within within);

    // ---- messages that came to this inbox
    struct Message {
        std::string tag;
        Buffer body;       // one encoded value
        ActorId from;
        AnswerSlot answer;
        std::shared_ptr<Arrivals> arrivals = {};  // what it carries; accepted, and released with the message
    };
    // In order of arrival; those not named by `wanted` (empty: all) stay for a later call.
    [[nodiscard]] Result<std::vector<Message>> collect(std::string_view wanted, const Enough& until);

    // Waits until `done`, as Context::wait_for() does: `timed_out` at the deadline, `stopping`. Messages that come are kept.
    [[nodiscard]] Result<void> wait_for(const std::function<bool()>& done, Within within);
    // Where programs are looked for first; see Entry.
    [[nodiscard]] const std::vector<std::string>& searched_folders() const noexcept { return program_folders_; }
    // What this session holds of the session's memory; never null while it is open.
    [[nodiscard]] const std::shared_ptr<Holdings>& holdings() const noexcept { return holdings_; }

    // ---- the end
    // A session of one's own: stops all actors and the coordinator; returns every exit of its life; `failed` when the
    // coordinator found that segments were lost, doubled or left. One that was joined: leaves. Afterwards everything else answers `gone`. Idempotent.
    [[nodiscard]] Result<std::vector<Ended>> close(Within within = limits::stop_deadline);
    // Stops all actors and the coordinator of any session; what is left to do here is to close(). Every exit of its life.
    [[nodiscard]] Result<std::vector<Ended>> end_session(Within within);
    // For the second Ctrl-C: ends what this session started by SIGKILL, at once.
    void kill_all() noexcept;
    [[nodiscard]] bool is_closed() const noexcept { return is_closed_; }
    [[nodiscard]] bool is_own() const noexcept { return coordinator_ != nullptr; }

    [[nodiscard]] Context& context() noexcept { return *context_; }
    [[nodiscard]] Loop& loop() noexcept { return *loop_; }
    [[nodiscard]] const std::string& id() const noexcept { return id_; }

private:
    class Mail;
    Session();
    [[nodiscard]] Result<void> start_coordinator(const Entry& entry);
    [[nodiscard]] Result<void> join_session(const Entry& entry);
    [[nodiscard]] Result<void> watch_coordinator(pid_t pid);
    [[nodiscard]] Result<void> require_open() const;
    void remember_spawned(const std::vector<AnyRef>& started);
    void end_coordinator() noexcept;
    template <class C>
    [[nodiscard]] Result<typename C::Reply> ask_coordinator(const C& command, Deadline deadline);
    [[nodiscard]] bool is_coordinator_frozen() const;
    // The exits of the session's life behind that place, in their order.
    [[nodiscard]] Result<std::vector<RosterRow>> exits_from(coordinator::RosterPlace place);

    struct Parts;
    // Before the loop, which may still hold answers that carried something; handles outside may outlive both.
    std::shared_ptr<Holdings> holdings_;
    std::unique_ptr<Parts> parts_;
    std::unique_ptr<Child> coordinator_;  // only of a session of one's own
    Loop* loop_ = nullptr;
    std::unique_ptr<Context> context_;
    std::unique_ptr<Mail> mail_;
    std::string id_;
    std::string folder_;
    std::vector<std::string> program_folders_;
    std::vector<AnyRef> spawned_;  // from here, as far as the roster knows them
    bool is_closed_ = true;  // until it has joined
};

}  // namespace baton::detail
