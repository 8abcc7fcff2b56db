#pragma once
// Coordinator: spawns and stops the actors of one session, keeps the roster and gives out addresses. It is not on the
// path between two actors: one that has no lane to the other asks it once for an address.
//
// It learns of a death from the kernel (pidfd), never from a timer. It never waits: what takes time (a spawn, a stop,
// an exit) is answered later. Members knows the members, Reports describes them, Stopping ends them; joining.cpp has
// joining and leaving, exits.cpp what an exit brings. One thread, the loop's.

#include "actors/coordinator/awaits.hpp"
#include "actors/coordinator/estate.hpp"
#include "actors/coordinator/members.hpp"
#include "actors/coordinator/reports.hpp"
#include "actors/coordinator/stopping.hpp"
#include "actors/coordinator/strays.hpp"
#include "runtime/inbox/loop.hpp"
#include "runtime/process/session_folder.hpp"
#include "runtime/process/signals.hpp"

namespace baton::detail::coordinator {

// The owner is gone without a word: nobody waits for a gentle end.
inline constexpr Duration orphaned_timeout = std::chrono::seconds{1};

class Coordinator final : public Handler {
public:
    struct Setting {
        pid_t serves_for = 0;              // the session ends with this process; 0: serves anybody
        std::optional<Child> scenario;     // or with this child of ours
        Duration stop_deadline = limits::stop_timeout;
    };
    [[nodiscard]] static Result<std::unique_ptr<Coordinator>> create(Loop& loop, SessionFolder& folder,
                                                                     Vitals& vitals, Estate& estate, Lanes& lanes,
                                                                     StopSignals& signals, Setting setting);

    [[nodiscard]] bool is_closed() const noexcept { return is_closed_; }
    // The exit code of the scenario, 128 + signal if one ended it; nothing without a scenario.
    [[nodiscard]] std::optional<int> scenario_exit_code() const noexcept { return scenario_exit_code_; }

    // Once it is closed: kills processes that actors have started and left.
    void end_strays();

    // ---- the commands of the protocol
    void on(Join command, Answer<Welcome> answer);
    void on(const Ready& command, Answer<std::monostate> answer);
    void on(Leave command, Answer<std::monostate> answer);
    void on(Spawn command, Answer<Spawned> answer);
    void on(const Locate& command, Answer<Located> answer);
    void on(const Watch& command, Answer<std::string> answer);
    void on(const Find& command, Answer<Spawned> answer);
    std::vector<RosterRow> on(const Roster& command);
    RosterPage on(const RosterFrom& command);
    void on(const StopActors& command, Answer<std::vector<Ended>> answer);
    void on(const Signal& command, Answer<std::monostate> answer);
    void on(const Await& command, Answer<Ended> answer);
    void on(const CloseSession& command, Answer<Closed> answer);
    void on(const Drained& command, Answer<std::monostate> answer);
    void on(const MemoryShort& command);
    SegmentList on(const Segments& command);
    std::vector<std::string> on(const Audit& command);

    // ---- Handler
    void handle(const Command& command, AnswerSlot answer) override;
    [[nodiscard]] int descriptor() const override { return epoll_.get(); }
    void on_descriptor() override;
    [[nodiscard]] Deadline next_deadline() const override;
    void on_deadline() override;

private:
    Coordinator(Loop& loop, SessionFolder& folder, Vitals& vitals, Estate& estate, Lanes& lanes, StopSignals& signals,
                Setting setting, UniqueFd epoll, Strays strays);
    [[nodiscard]] static Error gone(std::string text) { return Error{ErrorKind::gone, std::move(text)}; }
    // A deadline as an asker gave it, bounded so that no sum of times overflows.
    [[nodiscard]] static Duration bounded(Duration asked);
    // When the asker gives up: after `asked`, or at `until` if it says so.
    [[nodiscard]] Deadline deadline_of(Duration asked, const std::optional<Duration>& until) const;
    [[nodiscard]] Result<void> watch(int descriptor, std::uint64_t what);
    [[nodiscard]] Result<void> check_name(std::string_view name) const;
    [[nodiscard]] Result<void> check_address(std::string_view address, ActorId joins_as);
    [[nodiscard]] Result<std::unique_ptr<Member>> start(const Spawn& command, ActorId spawner);
    [[nodiscard]] Result<Member*> sender(ActorId id, Link link);
    void welcome(Member& member, Answer<Welcome> answer);
    void fail_spawn(Member& member, const Error& error);
    void fail_late_spawn(Member& member);

    // `overloaded` if few descriptors are left.
    [[nodiscard]] Result<void> require_room(int descriptors, std::string_view tried) const;
    // A child that is looked after here: an actor or the scenario.
    [[nodiscard]] bool is_own_child(pid_t pid) const;
    void look_for_strays();
    void trim_all();
    [[nodiscard]] Result<ActorId> new_life(std::uint64_t memory_bytes, std::string_view name);
    void tell_mended();
    void settle_estate(const Member& member, Exit& exit, std::set<ActorId>& told);
    void settle_exit(Member& member, std::optional<ExitStatus> status);
    void finish_stops();
    void close(Duration deadline);
    void close_if_empty();

    Loop* loop_;
    SessionFolder* folder_;
    Vitals* vitals_;
    Estate* estate_;
    Lanes* lanes_;
    StopSignals* signals_;
    Setting setting_;
    UniqueFd epoll_;
    UniqueFd served_pidfd_;
    Strays strays_;
    Deadline next_touch_;  // of the session's files
    Deadline next_trim_;   // of all members, when some have lacked memory since the last one
    Instant last_trim_{};
    Deadline next_look_for_strays_;
    Instant last_look_for_strays_{};
    std::string own_folder_;  // the folder of the coordinator's program: actors are searched for there
    Members members_;
    Reports reports_;
    Stopping stopping_;
    Awaits awaits_;
    std::uint64_t wave_ = 0;  // of the last spawn
    std::vector<Answer<Closed>> closing_;
    std::optional<int> scenario_exit_code_;
    std::set<ActorId> unread_closed_;  // were answered Closed and may not have read it yet
    Deadline goodbye_deadline_;
    bool is_closing_ = false;
    bool is_closed_ = false;
};

}  // namespace baton::detail::coordinator
