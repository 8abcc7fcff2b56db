#pragma once
// Outsider: one's place in a session as a program that knows the protocols of its actors only by their descriptions: a
// command line, a binding to another language, a gateway. C++ programs that have the protocols as headers are better
// off with <baton/scenario.hpp>.
//
//     baton::Outsider::Entry entry;
//     entry.may_start = false;                                     // joins the session that is running
//     const auto outsider = baton::Outsider::enter(std::move(entry)).value();
//     const baton::dynamic::Actor ada = outsider->find("Ada").value();
//     const auto reply = outsider->ask(ada, "Greet", {{Value{"name"}, Value{"Grace"}}});
//
// Verbs return a Result. All that needs no description is done through context(): stop, join, roster, watch, segments,
// names, the handles of <baton/sync.hpp>, pools. Every wait ends as `stopping` when this member is told to stop, and as
// `gone` when the coordinator has died.
//
// Thread rule: the thread that entered, or that has adopted it since. Pending and Answer may outlive the Outsider;
// their calls return `gone` then.

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <baton/context.hpp>
#include <baton/dynamic.hpp>
#include <baton/exit.hpp>
#include <baton/scenario.hpp>
#include <baton/spawn.hpp>
#include <baton/unique_fd.hpp>

namespace baton {

class Outsider;

namespace dynamic {

struct OutsiderCore;  // what outlives no session

// An actor as the coordinator knows it. `protocol` is never null; it has no commands if the actor has published none.
struct Actor {
    AnyRef ref;
    std::string name;
    std::uint64_t pid = 0;
    std::shared_ptr<const Protocol> protocol;
};

// A command that has been checked against the description of its receiver, and is ready to be sent once. The memory
// that it carries leaves its owner when it is sent, and stays where it is after a refusal.
class EncodedCommand {
public:
    // `unsupported` if the protocol has no such command, `refused` if the fields do not fit.
    [[nodiscard]] static Result<EncodedCommand> of(std::shared_ptr<const Protocol> protocol, std::string_view command,
                                                   const Value::Map& fields);

    [[nodiscard]] const std::string& name() const noexcept { return name_; }
    // The reply's type; nullptr if the command can be sent but not asked.
    [[nodiscard]] const Type* reply() const noexcept { return reply_; }
    [[nodiscard]] bool carries_memory() const noexcept { return !parcel_.holdings.empty(); }

private:
    friend class baton::Outsider;
    std::shared_ptr<const Protocol> protocol_;
    std::string name_;
    const Type* reply_ = nullptr;
    detail::Buffer body_;
    detail::Parcel parcel_;
    std::vector<std::shared_ptr<Memory>> memory_;  // what the parcel refers to
};

// A reply that has not arrived yet. Move-only; destroying it discards the reply, and withdraws the command if its
// receiver has not begun it.
class Pending {
public:
    Pending() = default;
    Pending(Pending&& other) noexcept;
    Pending& operator=(Pending&& other) noexcept;
    ~Pending();

    // True if the outcome is known to have come. Does not look: meant for the condition of a wait.
    [[nodiscard]] bool is_settled() const;
    // Waits until the outcome has come, and leaves it there: `timed_out` if it has not come in time (this may be called
    // again), `stopping`, `gone`.
    [[nodiscard]] Result<void> wait(Within within);
    // Waits for the outcome and takes it: the reply, the error of the handler, gone, timed_out, deadlock, stopping.
    // Once; a command whose reply has not come in time is given up.
    [[nodiscard]] Result<Value> get(Within within);
    // After get() has failed: true if the error is the receiver's word or tells its end, false if the wait has ended by
    // itself.
    [[nodiscard]] bool was_answered() const noexcept { return was_answered_; }
    // Discards the reply. True if the command is withdrawn: it had not begun, and never will.
    bool cancel() noexcept;

private:
    friend class baton::Outsider;
    std::weak_ptr<OutsiderCore> core_;
    std::shared_ptr<const Protocol> protocol_;
    const Type* reply_ = nullptr;
    std::uint64_t ask_ = 0;  // 0: taken, or never asked
    bool was_answered_ = false;
};

// The promise to answer one ask. Move-only; destroying it unanswered answers `failed`, so that nobody waits for ever.
class Answer {
public:
    Answer() = default;
    Answer(Answer&& other) noexcept;
    Answer& operator=(Answer&& other) noexcept;
    ~Answer();

    // True if the command was asked and has not been answered.
    [[nodiscard]] bool is_asked() const noexcept { return key_ != 0; }
    // `refused` if the value is not of the type that was published for this command, is too large, or if the ask has
    // been answered; it may be answered again after the first two. Memory in it is given to the asker.
    [[nodiscard]] Result<void> reply(const Value& value);
    [[nodiscard]] Result<void> fail(const Error& error);
    // It can't be given before `whom` has done something; then a circle of waits is found. Holds until the next command
    // comes. `refused` if it has been answered.
    [[nodiscard]] Result<void> waits_for(const AnyRef& whom);

private:
    friend class baton::Outsider;
    [[nodiscard]] Result<std::shared_ptr<OutsiderCore>> core() const;
    void drop() noexcept;
    std::weak_ptr<OutsiderCore> core_;
    std::uint64_t key_ = 0;
    std::string command_;
};

// A command that came to this inbox. Its fields are typed if this member has published the command, otherwise as bytes
// say them; memory that came with it is in them.
struct Message {
    std::string command;
    AnyRef from;
    Result<Value> fields;
    Answer answer;  // is_asked() is false if the command was sent
};

// A command or reply of ours that came back with the memory that it carried, and the reason.
struct Bounced {
    std::string command;
    bool is_reply = false;
    AnyRef to;
    Result<Value> fields;
    Error why;
};

}  // namespace dynamic

class Outsider {
public:
    struct Entry {
        std::optional<std::string> session = {};        // id or folder; otherwise BATON_SESSION
        bool may_start = true;  // a coordinator, if no session is named; if not, the only live one is joined
        std::string name = "outsider";                  // in the roster; numbered if it is taken
        bool has_inbox = true;                          // others can send to it
        std::vector<std::string> program_folders = {};  // where to look for programs, before the usual ones
        std::uint64_t memory_bytes = 0;                 // for all segments, if it starts a coordinator; 0: its choice
        dynamic::Protocol protocol = {};                // the commands that it answers; empty: it publishes none
    };
    // `gone` if no session is running and none may be started. Closed by close(), or when it is destroyed.
    [[nodiscard]] static Result<std::unique_ptr<Outsider>> enter(Entry entry);
    ~Outsider();
    Outsider(const Outsider&) = delete;
    Outsider& operator=(const Outsider&) = delete;

    [[nodiscard]] Context& context() noexcept;
    [[nodiscard]] const std::string& session_id() const noexcept;
    [[nodiscard]] AnyRef ref() const noexcept;  // its own
    // True if it has started the session, which ends with it.
    [[nodiscard]] bool owns_session() const noexcept;
    [[nodiscard]] pid_t coordinator_pid() const noexcept;
    // False for a ref of another session, where the same numbers mean another actor.
    [[nodiscard]] bool is_of_this_session(const AnyRef& ref) const noexcept;
    // Where programs are looked for, in this order.
    [[nodiscard]] const std::vector<std::string>& program_folders() const noexcept;

    // ---- actors
    // All in parallel, ready within one time; if one fails, the others are stopped again. `on_ready` hears how many are
    // ready, after each. They end with this member at the latest.
    [[nodiscard]] Result<std::vector<dynamic::Actor>> spawn(const std::vector<SpawnOptions>& programs, Within within,
                                                            const std::function<void(std::size_t)>& on_ready = {});
    // The actor runs until it is stopped or the session ends, even if this member has left.
    [[nodiscard]] Result<dynamic::Actor> spawn_detached(SpawnOptions program);
    [[nodiscard]] Result<dynamic::Actor> find(std::string_view name);
    // The present life of an actor; one that is between two lives, or not ready yet, is waited for.
    [[nodiscard]] Result<dynamic::Actor> find_life(const std::string& name, Within within);
    [[nodiscard]] Result<std::string> name_of(const AnyRef& actor);
    // As Context::stop_all(). `drain`: they handle what waits in their inboxes first.
    enum class Drain { no, yes };
    [[nodiscard]] Result<std::vector<Ended>> stop(std::vector<AnyRef> actors, Within within, Drain drain = Drain::no);
    // As Scenario::sentinel().
    [[nodiscard]] Result<UniqueFd> sentinel(const AnyRef& actor);

    // A Lease or Slice of what is published under that name, whichever way that is; see Context::look_up().
    [[nodiscard]] Result<dynamic::Memory> look_up(const std::string& name, Within within = Duration::zero());

    // ---- commands out; each as the verb of that name in <baton/member.hpp>
    [[nodiscard]] Result<void> send(const AnyRef& to, const dynamic::EncodedCommand& command,
                                    Within within = limits::send_timeout);
    [[nodiscard]] Result<dynamic::Value> ask(const AnyRef& to, const dynamic::EncodedCommand& command,
                                             Within within = limits::ask_timeout);
    [[nodiscard]] Result<dynamic::Pending> request(const AnyRef& to, const dynamic::EncodedCommand& command,
                                                   Within within = limits::send_timeout);
    // In one step.
    [[nodiscard]] Result<void> send(const dynamic::Actor& to, std::string_view command,
                                    const dynamic::Value::Map& fields, Within within = limits::send_timeout);
    [[nodiscard]] Result<dynamic::Value> ask(const dynamic::Actor& to, std::string_view command,
                                             const dynamic::Value::Map& fields, Within within = limits::ask_timeout);

    // ---- commands in
    // Those that came, in order of arrival; waits for them as `until` says. Commands that `wanted` does not name stay
    // for a later call; if it is empty, all are wanted.
    [[nodiscard]] Result<std::vector<dynamic::Message>> collect(std::string_view wanted, const Enough& until);
    // True if there is a command that collect() would return at once.
    [[nodiscard]] bool has_mail() const noexcept;
    // What came back, up to `count`; returns what there is when the time has passed. `protocol_of` tells the protocol
    // of a receiver, if it is known; otherwise the fields are read without types.
    using ProtocolOf = std::function<std::shared_ptr<const dynamic::Protocol>(const AnyRef& to)>;
    [[nodiscard]] Result<std::vector<dynamic::Bounced>> collect_bounced(std::size_t count, Within within,
                                                                        const ProtocolOf& protocol_of = {});

    // ---- waits, and event loops of others
    // Waits until `done` holds, which is asked whenever something has come. Commands to this member wait meanwhile;
    // with `mail` they are kept for collect(). `timed_out`, `stopping`, `gone`.
    enum class Mail { waits, is_kept };
    [[nodiscard]] Result<void> wait_for(const std::function<bool()>& done, Within within, Mail mail = Mail::waits);
    // Looks once at what has come. False if a wait would end now: this member is stopping, or the session has ended.
    bool look();
    // For an event loop of others: the descriptors of which one becomes readable when there is something to look at,
    // and when to look at the latest. Both may differ after each call.
    [[nodiscard]] Deadline would_wait_for(Mail mail, std::vector<int>& watched);
    // Wakes up for `descriptor` in every wait and calls `on_readable`, which may throw out of the wait.
    void watch(int descriptor, std::function<void()> on_readable);
    // From here on SIGINT, SIGTERM and SIGHUP end every wait as `stopping`; the second SIGINT ends the process at once
    // with exit code 130. Until the Outsider ends; one in a process.
    [[nodiscard]] Result<void> stop_on_signals();
    [[nodiscard]] bool was_interrupted() const noexcept;
    // From here on the calling thread is its thread; the former one no longer uses it.
    void adopt_thread();

    // ---- the end
    // Answers everybody who still waits for an answer, and lets waits go on although this member is stopping: to be
    // called by programs that have something left to do before close().
    void begin_leaving();
    // A session of one's own: stops all actors and the coordinator, and returns every exit of its life; `failed` if the
    // coordinator found that segments were lost, doubled or left. One that was joined: leaves, after stopping what was
    // started from here. Afterwards everything else returns `gone`. A second call does nothing.
    Result<std::vector<Ended>> close(Within within = limits::stop_timeout);
    // Ends the session whoever owns it: stops all actors and the coordinator; returns every exit of its life.
    // `timed_out` as well if the coordinator's process has not ended within `exit_wait` after that.
    [[nodiscard]] Result<std::vector<Ended>> end_session(Within within, Duration exit_wait);
    // Another process of the coordinator's program, as it is on the disk now, takes over from the present one; actors
    // notice nothing. Returns its pid once it answers. A program of a version that cannot take over ends the session.
    [[nodiscard]] Result<pid_t> restart_coordinator(Within within = limits::coordinator_timeout);
    // Ends what this member started by SIGKILL, at once. Memory that is looked at through a dynamic::View remains.
    void kill_all() noexcept;

private:
    explicit Outsider(std::shared_ptr<dynamic::OutsiderCore> core) : core_(std::move(core)) {}
    std::shared_ptr<dynamic::OutsiderCore> core_;
};

}  // namespace baton
