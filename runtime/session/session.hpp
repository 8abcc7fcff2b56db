#pragma once
// Session: one's place in a session as somebody from outside: a scenario, the command line, a script.
//
// enter() joins the session that is named, by its argument or by BATON_SESSION. If none is named it starts a
// coordinator of its own, whatever other sessions run; then everything ends with close(), with the Session object, or
// with this process, whichever comes first. All
// that scenarios can do to actors is here, without their types: names, Refs and encoded bodies. C++
// scenarios use the typed front in scenario.hpp.
// One thread; not movable, as the loop refers to its parts.

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <baton/unique_fd.hpp>
#include <baton/context.hpp>
#include <baton/scenario.hpp>
#include "runtime/inbox/command.hpp"
#include "runtime/inbox/loop.hpp"
#include "runtime/holdings/arrivals.hpp"
#include "runtime/session/directory.hpp"

namespace baton::detail {

class Child;
class Mail;

class Session : public Directory {
public:
    enum class Inbox { open, none };  // can others send to it?
    struct Entry {
        std::optional<std::string> session = {};      // id or folder; else BATON_SESSION
        bool may_start = true;  // a coordinator, when no session is named; if not, the only one is joined
        std::string name = "scenario";                // in the roster; numbered when taken
        Inbox inbox = Inbox::open;
        std::vector<std::string> program_folders = {};  // where to look for programs, before the usual ones
        std::uint64_t memory_bytes = 0;  // that all segments may take, if it starts a coordinator; 0: its choice
        ProtocolDescription protocol = {};            // the commands that it answers; empty: it publishes none
    };
    // `gone` if no session is running and none may be started.
    [[nodiscard]] static Result<std::unique_ptr<Session>> enter(Entry entry);
    ~Session();
    Session(const Session&) = delete;
    Session& operator=(const Session&) = delete;

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
    // True if there is a message that collect() would return at once.
    [[nodiscard]] bool has_mail() const noexcept;

    // Calls `look` before each message is put there.
    void before_mail(std::function<void()> look);

    // For a foreign event loop, as Loop says; with_mail: for messages that come to this inbox as well.
    [[nodiscard]] Deadline would_wait_for(bool with_mail, std::vector<int>& watched);
    // Looks once at what has come, and takes no message that nobody collects. False if a wait would end now: this
    // session is stopping, or has ended.
    bool look();
    // Waits until `done`, as Context::wait_for() does: `timed_out` at the deadline, `stopping`. Messages that come are
    // kept.
    [[nodiscard]] Result<void> wait_for(const std::function<bool()>& done, Within within);
    // What this session holds of the session's memory; never null while it is open.
    [[nodiscard]] const std::shared_ptr<Holdings>& holdings() const noexcept { return holdings_; }

    // ---- the end
    // A session of one's own: stops all actors and the coordinator; returns every exit of its life; `failed` when the
    // coordinator found that segments were lost, doubled or left. One that was joined: leaves. Afterwards everything
    // else answers `gone`. Idempotent.
    [[nodiscard]] Result<std::vector<Ended>> close(Within within = limits::stop_timeout);
    // For the second Ctrl-C: ends what this session started by SIGKILL, at once.
    void kill_all() noexcept;
    [[nodiscard]] bool is_own() const noexcept { return anchor_ != nullptr; }
    // After close(): an actor failed more often than it may be restarted, and nobody was left to restart it.
    [[nodiscard]] bool has_failed() const noexcept { return has_failed_; }
    // True if the session ends before the deadline: its anchor's process does.
    [[nodiscard]] bool has_ended(Deadline deadline) const;

    [[nodiscard]] Context& context() noexcept { return *context_; }
    [[nodiscard]] const std::string& id() const noexcept { return id_; }

private:
    struct Parts;
    Session();
    explicit Session(std::unique_ptr<Parts> parts);
    [[nodiscard]] Result<void> start_session(const Entry& entry);
    [[nodiscard]] Result<void> join_session(const Entry& entry);
    void end_own_session() noexcept;

    // Before the loop, which may still hold answers that carried something; handles outside may outlive both.
    std::shared_ptr<Holdings> holdings_;
    std::unique_ptr<Parts> parts_;
    std::unique_ptr<Child> anchor_;  // only of a session of one's own
    std::unique_ptr<Context> context_;
    std::unique_ptr<Mail> mail_;
    std::string id_;
    std::string folder_;
    bool has_failed_ = false;
};

}  // namespace baton::detail
