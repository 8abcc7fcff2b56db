#pragma once
// Coordinator: spawns and stops the actors of one session, keeps the roster and gives out addresses. It is not on the
// path between two actors: one that has no lane to the other asks it once for an address.
//
// It learns of a death from the kernel (the anchor reaps, a pidfd tells of outsiders), never from a timer. It never
// waits: what takes time (a spawn, a stop, an exit) is answered later. If it is killed the anchor starts the next one,
// which takes over from what is recorded (Records): so what is about to be done is recorded before it is done.
// Members knows the members, Reports describes them, Stopping ends them; joining.cpp has joining and leaving,
// spawning.cpp what is started, restarting.cpp what is started again, children.cpp what the anchor tells of processes,
// exits.cpp what an exit brings, linking.cpp what ends together, wills.cpp what heirs receive, and taking_over.cpp the
// start of each coordinator. One thread, the loop's.

#include "actors/coordinator/awaits.hpp"
#include "actors/coordinator/estate.hpp"
#include "actors/coordinator/members.hpp"
#include "actors/coordinator/processes.hpp"
#include "actors/coordinator/records.hpp"
#include "actors/coordinator/reports.hpp"
#include "actors/coordinator/stopping.hpp"
#include "actors/coordinator/strays.hpp"
#include "actors/coordinator/upkeep.hpp"
#include "runtime/inbox/loop.hpp"
#include "runtime/process/session_folder.hpp"
#include "runtime/process/signals.hpp"

namespace baton::detail::coordinator {

// The owner is gone without a word: nobody waits for a gentle end.
inline constexpr Duration orphaned_timeout = std::chrono::seconds{1};

// What a coordinator that takes over finds of lives in the roster.
[[nodiscard]] Estate::Kept lives_before(const std::vector<RosterEntry>& entries, const RosterHeader& header);

class Coordinator final : public Handler {
public:
    struct Setting {
        pid_t serves_for = 0;  // the session ends with this process; 0: serves anybody
        std::optional<ChildSpec> scenario;  // or with this one, a child of the anchor
        Duration stop_deadline = limits::stop_timeout;
    };
    // What outlives a coordinator.
    struct Place {
        SessionFolder* folder;
        Vitals* vitals;
        Estate* estate;
        Lanes* lanes;
        Records* records;
        Processes* processes;
        StopSignals* signals;  // nullptr: none reach this process
        Upkeep* upkeep = nullptr;  // nullptr: the session has no files that could be removed
    };
    [[nodiscard]] static Result<std::unique_ptr<Coordinator>> create(Loop& loop, Place place, Setting setting);

    // Before it serves: members, exits, stops and spawns of an earlier coordinator are this one's.
    // `entries` is the roster, `kept` its journal.
    [[nodiscard]] Result<void> take_over(const std::vector<RosterEntry>& entries, Journal::Kept kept);

    [[nodiscard]] bool is_closed() const noexcept { return is_closed_; }
    // True if another one is to take over: those who wait for an answer are answered by that one.
    [[nodiscard]] bool is_replaced() const noexcept { return !replacing_.empty(); }
    // The exit code of the scenario, 128 + signal if one ended it; nothing without a scenario.
    [[nodiscard]] std::optional<int> scenario_exit_code() const noexcept { return scenario_exit_code_; }

    // Once it is closed: kills processes that actors have started and left.
    void end_strays();

    // ---- the commands of the protocol
    void on(Join command, Answer<Welcome> answer);
    void on(const Rejoin& command, Answer<Welcome> answer);
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
    void on(const Decline& command, Answer<std::monostate> answer);
    void on(const MemoryShort& command);
    SegmentList on(const Segments& command);
    std::vector<std::string> on(const Audit& command);
    void on(const Replace& command, Answer<Incumbent> answer);
    void on(const LinkActors& command, Answer<std::monostate> answer);
    void on(const UnlinkActors& command, Answer<std::monostate> answer);

    // ---- Handler
    void handle(const Command& command, AnswerSlot answer) override;
    [[nodiscard]] int descriptor() const override { return epoll_.get(); }
    void on_descriptor() override;
    [[nodiscard]] Deadline next_deadline() const override;
    void on_deadline() override;

private:
    // What epoll wakes it for, beside the exits of outsiders (packed ids, which are larger).
    enum Wakes : std::uint64_t {
        stop_signal = 1,
        served_process = 2,
        anchor_news = 3,
        anchor_has_room = 4,
        files_removed = 5,
    };
    Coordinator(Loop& loop, Place place, Setting setting, UniqueFd epoll);
    [[nodiscard]] static Error gone(std::string text) { return Error{ErrorKind::gone, std::move(text)}; }
    // A deadline as an asker gave it, bounded so that no sum of times overflows.
    [[nodiscard]] static Duration bounded(Duration asked);
    // When the asker gives up: after `asked`, or at `until` if it says so.
    [[nodiscard]] Deadline deadline_of(Duration asked, const std::optional<Duration>& until) const;
    [[nodiscard]] Result<void> watch(int descriptor, std::uint64_t what);
    [[nodiscard]] Result<void> check_name(std::string_view name) const;
    [[nodiscard]] Result<void> check_address(std::string_view address, ActorId joins_as);
    // What is to be started, as far as the command says it.
    struct Plan {
        ChildSpec spec;
        std::string name;
    };
    [[nodiscard]] std::vector<std::pair<std::string, std::string>> environment_of(ActorId id,
                                                                                  const SpawnOptions& options) const;
    [[nodiscard]] Result<Plan> plan_of(const Spawn& command, ActorId spawner);
    [[nodiscard]] Result<Member*> start(const Spawn& command, const Plan& plan, Request request);
    [[nodiscard]] bool answer_repeated(const Request& request, Answer<Spawned>& answer);
    void undo_spawn(Member& member, const Error& why);
    // ---- restarting.cpp
    [[nodiscard]] Result<void> check_restart(const SpawnOptions& options, ActorId parent) const;
    [[nodiscard]] Result<void> found_seat(Member& member, const Spawn& command, const Plan& plan);
    [[nodiscard]] bool ends_for_good(const Member& member) const;
    [[nodiscard]] Restarts::Decision decide_restart(const Member& member, Exit& exit);
    void carry_out(const Restarts::Decision& decision, const Member& member, const Exit& exit);
    void fail_parent(const Member& child, const Exit& exit);
    void end_with(std::vector<ActorId> actors, EndedWith why, const std::string& text);
    void put_between_lives(const Seat& seat);
    void forget_seat(ActorNumber number);
    void forget_seats_of(ActorId parent);
    [[nodiscard]] ActorId stop_for_good(ActorId actor);
    [[nodiscard]] bool undo_restart(Member& member, const Error& why);
    void begin_restarts();
    void begin_restart(ActorNumber number);
    [[nodiscard]] Result<void> prepare_life(ActorId id, std::uint64_t memory_bytes, std::string_view name);
    void take_over_seat(const RosterEntry& entry);
    void go_on_ending();
    void look_for_hung();
    [[nodiscard]] bool is_about_to_live(const std::string& name);
    void wait_for_life(const Find& command, Answer<Spawned> answer);
    void answer_finds();
    [[nodiscard]] Deadline next_late_find() const;
    void become_ready(Member& member);
    void answer_spawner(Member& member);
    [[nodiscard]] Result<Member*> sender(ActorId id, Link link);
    void join_as_actor(Join command, Answer<Welcome> answer);
    void join_as_outsider(Join command, Answer<Welcome> answer);
    void welcome(Member& member, Answer<Welcome> answer);
    void tell_what_was_missed(Member& member, const std::vector<AnyRef>& watches);
    void fail_spawn(Member& member, const Error& error);
    void fail_late_spawn(Member& member);

    // `overloaded` if few descriptors are left.
    [[nodiscard]] Result<void> require_room(int descriptors, std::string_view tried) const;
    // A child of the anchor that is looked after here: an actor, the scenario, or this process.
    [[nodiscard]] bool is_own_child(pid_t pid) const;
    void look_at_anchor();
    void look_at_process(std::uint32_t number);
    void look_at_scenario();
    void signal_scenario(int number);
    void watch_requests();
    void look_for_strays();
    void trim_all();
    void look_after_files();
    enum class Files { heard_of, all };
    void ask_for_files(const Member& member, Files which);
    [[nodiscard]] Result<ActorId> new_life(std::uint64_t memory_bytes, std::string_view name);
    void tell_mended();
    void tell_unrecorded(const Member& member);
    void settle_estate(const Member& member, std::set<ActorId>& told);
    void name_lost(ActorId dead, const Member& receiver);
    void log_post_mortem(const Member& member, const Exit& exit);
    void settle_exit(Member& member, std::optional<ExitStatus> status);
    [[nodiscard]] HeirStanding find_heir(ActorId owner, std::uint64_t heir) const;
    void carry_out_wills();
    void report_unclaimed(const LeftSegments::Unclaimed& one);
    void note_unclaimed(const LeftSegments::Unclaimed& one);
    void remove_files_of(const Member& member) const;
    void log_exit(const Member& member, const Exit& exit);
    void log_letters(const Member& member, const std::vector<DeadLetter>& letters);
    void note_settled(ActorId dead);
    void stop_linked(ActorId dead, const std::vector<ActorId>& named);
    void end_for(ActorId dead, std::vector<ActorId> linked);
    [[nodiscard]] Result<Member*> linkable(const AnyRef& actor);
    void tell_exit(ActorId listener, const Ended& ended);
    Member& take_over_member(const RosterEntry& entry, Journal::Kept& kept);
    [[nodiscard]] std::optional<ExitStatus> exit_of(ActorId actor) const;
    void settle_those_that_ended();
    void go_on_stopping();
    void finish_stops();
    void close(Duration deadline);
    void tell_outsiders_to_close();
    void stop_all(Deadline end);
    [[nodiscard]] bool awaits_closer() const;
    [[nodiscard]] bool awaits_outsiders() const;
    void close_if_empty();

    Loop* loop_;
    SessionFolder* folder_;
    Vitals* vitals_;
    Estate* estate_;
    Lanes* lanes_;
    Records* records_;
    Processes* anchor_;  // as the processes of the session are seen from here
    StopSignals* signals_;
    Upkeep* upkeep_;
    Setting setting_;
    UniqueFd epoll_;
    ProcessHandle served_;
    ProcessHandle scenario_;
    int scenario_signal_ = 0;  // is to end it as soon as it has been started
    Strays strays_;
    std::uint64_t stops_seen_ = 0;   // stop signals
    std::uint64_t exits_seen_ = 0;   // of children of the anchor
    bool watches_requests_ = false;  // that they have room
    Deadline next_touch_;  // of the session's files
    Deadline next_trim_;   // of all members, when some have lacked memory since the last one
    Instant last_trim_{};
    Deadline next_look_at_wills_;  // of the dead, when some wait for leases or heirs
    Deadline next_look_for_strays_;
    Instant last_look_for_strays_{};
    std::string own_folder_;  // the folder of the coordinator's program: actors are searched for there
    Members members_;
    Restarts restarts_;
    Reports reports_;
    Stopping stopping_;
    Awaits awaits_;
    std::set<std::pair<Slot, Epoch>> unclaimed_;  // that are reported
    std::map<ActorNumber, Recipe> recipes_;  // by the number of the seat
    Deadline next_look_for_hung_;
    struct WaitForLife {
        std::string name;
        Deadline until;
        Answer<Spawned> answer;
    };
    std::vector<WaitForLife> finds_;  // for a next life
    std::uint64_t wave_ = 0;  // of the last spawn
    std::vector<Answer<Closed>> closing_;
    std::vector<Answer<Incumbent>> replacing_;  // the next one answers them
    std::optional<int> scenario_exit_code_;
    std::set<ActorId> unread_closed_;  // were answered Closed and may not have read it yet
    Deadline goodbye_deadline_;
    bool cannot_be_reached_ = false;  // the files of the session are missing
    bool is_closing_ = false;
    bool is_closed_ = false;
};

}  // namespace baton::detail::coordinator
