#pragma once
// Members: the present and past members of the session, and their names. The coordinator is not a member, but its name
// is taken. Data and lookups; it starts, stops and tells nobody.
//
// What is asked of it for each spawn, join or exit takes no longer when there are more members: there is an index for
// each such question, which is why a member's link, address, state and deadline are changed here. One thread.

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include <sys/types.h>

#include <baton/answer.hpp>
#include "actors/coordinator/processes.hpp"
#include "runtime/transport/transport.hpp"
#include "runtime/wire/notices.hpp"

namespace baton::detail::coordinator {

inline constexpr std::string_view coordinator_name = "coordinator";

// Which ask of whom: the same when it is asked again of the next coordinator.
struct Request {
    ActorId asker;
    std::uint64_t ask = 0;  // 0: none
    bool operator==(const Request&) const = default;
};

// That a member is to stop.
struct StopOrder {
    Deadline until;       // at the latest; never: it is not to stop
    bool drains = false;  // it handles what waits in its inbox first
};

// Why the coordinator ends an actor that nobody has asked it to stop.
enum class EndedWith : std::uint64_t {
    nothing = 0,  // it does not
    group = 1,    // it is restarted with another actor of its group
    children = 2,  // an actor that it had spawned was given up
    patience = 3,  // it was hung
};

struct Member {
    enum class State { starting, ready, stopping };

    ActorId id;
    std::string name;
    std::string program;             // empty for an outsider
    std::uint64_t pid = 0;           // 0: not known, or not started yet
    std::uint64_t start_ticks = 0;   // of an outsider's process
    // the actor or outsider with which it ends: its spawner, or nobody if it outlives that
    ActorId parent;
    State state = State::starting;   // later: set_state()
    std::uint64_t wave = 0;          // started together with those of the same number
    ProcessHandle process;           // set_process()
    int signal_at_start = 0;         // is to end it as soon as it has been started
    bool has_joined = false;
    Link link;                       // its control lane, once it has joined here: connect()
    std::string address;             // of its inbox: connect()
    ProtocolDescription protocol;
    std::uint64_t fingerprint_expected = 0;
    Answer<Spawned> spawn_answer;
    Request spawn_request;           // whose it is
    Deadline spawn_deadline;         // once it is a member: set_spawn_deadline()
    StopOrder stop;                  // that counts, as all rows of its stop tell of it
    StopOrder stop_before;           // counts in its place if the stop of that number does not
    std::uint64_t stop_number = 0;
    bool was_asked_to_stop = false;  // its turn has come, and it was told unless it was not here
    std::optional<Deadline> stop_told;  // by this coordinator: until when it has time
    bool asked_to_close = false;     // the session; it asks the next coordinator again
    EndedWith ended_with = EndedWith::nothing;
    std::string failure;             // why, in words
    Duration hung_after{};           // zero: never
    bool kill_hung = false;
    bool is_hung = false;
    bool is_told = false;            // its exit, by an earlier coordinator
    bool owns_session = false;
    std::uint64_t token = 0;         // of an outsider's Join
    std::optional<std::vector<DeadLetter>> left;  // it said Leave
    std::vector<ActorId> links;      // with which it ends together, if its record names them
    ActorId linked_end;              // it is stopped because that one has ended
    std::set<ActorId> watchers;      // who is told of its exit
    std::set<ActorId> untold;        // exits of which it is to be told when it has rejoined

    [[nodiscard]] bool is_outsider() const noexcept { return program.empty(); }
    // False while the anchor has not started it: it is shown to nobody, who could take 0 for its pid.
    [[nodiscard]] bool has_process() const noexcept { return is_outsider() || pid != 0; }
    // To a spawned one; to its process when that has been started.
    [[nodiscard]] Result<void> send_signal(int number);
};

struct Past {
    RosterRow row;
    ActorId parent;
    Request spawn_request;  // by which it was started

    void add_lost(const std::string& to, std::uint64_t count);
};

class Members {
public:
    // A new id, with a number that is not otherwise taken either; `overloaded` if limits::actors_max are alive.
    [[nodiscard]] Result<ActorId> new_id(const std::function<bool(std::uint32_t)>& is_taken);
    // The next life of a number that nobody has.
    [[nodiscard]] ActorId next_life(std::uint32_t number) noexcept { return {number, ++incarnations_[number]}; }
    // A name that nobody has, and that is kept for a next life; until that is added, or it is let go.
    void keep_name(const std::string& name) { names_.try_emplace(name, ActorId{}); }
    void let_name_go(const std::string& name) {
        if (const auto found = names_.find(name); found != names_.end() && !found->second.is_somebody())
            names_.erase(found);
    }
    Member& add(std::unique_ptr<Member> member);
    // Moves it from the living to the past; if it is there already, out of the living.
    std::unique_ptr<Member> remove(ActorId id, RosterRow last_row);
    // As if it had never been.
    std::unique_ptr<Member> undo(ActorId id);
    // Of one that was settled by an earlier coordinator.
    void remember(Past past);
    // The last life of that number, and the number that was given last; for a coordinator that takes over.
    void remember_life(ActorId id) noexcept;
    void remember_last_number(std::uint32_t number) noexcept { last_number_ = number; }
    [[nodiscard]] std::uint32_t last_number() const noexcept { return last_number_; }
    // Its process has been started, or has told its pid.
    void set_process(Member& member, pid_t pid, ProcessHandle process);
    // It has joined over that connection.
    void connect(Member& member, Link link, std::string address);
    void set_state(Member& member, Member::State state) noexcept;
    void set_spawn_deadline(Member& member, Deadline deadline);

    [[nodiscard]] Member* find(ActorId id) noexcept;
    [[nodiscard]] const Member* find(ActorId id) const noexcept { return const_cast<Members*>(this)->find(id); }
    [[nodiscard]] Member* find(std::string_view name) noexcept;
    // The member that joined over this connection.
    [[nodiscard]] Member* find(Link link) noexcept;
    // The member that has its inbox there.
    [[nodiscard]] Member* at_address(const std::string& address) noexcept;
    // True if it is the process of a living member that was spawned.
    [[nodiscard]] bool is_child(pid_t pid) const { return children_.contains(pid); }
    [[nodiscard]] bool any_starts() const noexcept { return starting_ > 0; }
    // How many have been spawned and have not joined.
    [[nodiscard]] std::size_t awaited() const noexcept { return awaited_; }
    // The member that was started by that ask; nullptr: none was.
    [[nodiscard]] Member* started_by(const Request& request) noexcept;
    [[nodiscard]] const Past* past_started_by(const Request& request) const noexcept;
    [[nodiscard]] Member* joined_with(std::uint64_t token) noexcept;
    // When the first spawn that is under way ends, and those that have not ended in time.
    [[nodiscard]] Deadline next_spawn_deadline() const noexcept;
    [[nodiscard]] std::vector<Member*> late_spawns(const Clock& clock);
    [[nodiscard]] const Past* find_past(ActorId id) const noexcept;
    [[nodiscard]] Past* find_past(ActorId id) noexcept { return const_cast<Past*>(std::as_const(*this).find_past(id)); }
    [[nodiscard]] const Past* find_past(std::string_view name) const noexcept;
    [[nodiscard]] bool is_taken(const std::string& name) const {
        return name == coordinator_name || names_.contains(name);
    }
    // "alice", or "alice-2" if that is taken.
    [[nodiscard]] std::string free_name(const std::string& wanted) const;
    [[nodiscard]] std::map<std::uint32_t, std::unique_ptr<Member>>& living() noexcept { return living_; }
    [[nodiscard]] const std::map<std::uint32_t, std::unique_ptr<Member>>& living() const noexcept { return living_; }
    [[nodiscard]] const std::deque<Past>& past() const noexcept { return past_; }
    // How many exits there were before the first one that is remembered.
    [[nodiscard]] std::uint64_t exits_forgotten() const noexcept { return exits_forgotten_; }
    // True if that id was ever given: the member lives, or has ended, whether that is remembered or not.
    [[nodiscard]] bool has_lived(ActorId id) const noexcept {
        return id.number < incarnations_.size() && id.incarnation != 0 && id.incarnation <= incarnations_[id.number];
    }
    // Those that it has spawned and that end with it.
    [[nodiscard]] std::vector<ActorId> children_of(ActorId id) const;
    // `id` and everything that it spawned, directly or indirectly.
    [[nodiscard]] std::vector<Member*> family_of(ActorId id);

private:
    std::unique_ptr<Member> take_out(ActorId id);
    std::map<std::uint32_t, std::unique_ptr<Member>> living_;
    std::unordered_map<std::string, ActorId> names_;
    std::unordered_map<Link, ActorId> links_;
    std::unordered_map<std::string, ActorId> addresses_;
    std::unordered_set<pid_t> children_;
    std::unordered_map<ActorId, std::set<ActorId>> families_;  // by the parent, which need not live
    std::set<std::pair<Instant, ActorId>> spawn_deadlines_;
    std::size_t starting_ = 0;
    std::size_t awaited_ = 0;
    std::deque<Past> past_;
    std::unordered_map<ActorId, std::uint64_t> exit_numbers_;  // of those in past_, from 0 in the session's life
    std::uint64_t exits_forgotten_ = 0;
    std::vector<std::uint32_t> incarnations_ = std::vector<std::uint32_t>(limits::actors_max + 1, 0);
    std::uint32_t last_number_ = coordinator_id.number;
};

}  // namespace baton::detail::coordinator
