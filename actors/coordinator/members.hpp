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

#include <baton/answer.hpp>
#include "runtime/process/child.hpp"
#include "runtime/transport/transport.hpp"
#include "runtime/wire/notices.hpp"

namespace baton::detail::coordinator {

inline constexpr std::string_view coordinator_name = "coordinator";

struct Member {
    enum class State { starting, ready, stopping };

    ActorId id;
    std::string name;
    std::string program;             // empty for an outsider
    std::uint64_t pid = 0;
    // the actor or outsider with which it ends: its spawner, or nobody if it outlives that
    ActorId parent;
    State state = State::starting;   // later: set_state()
    std::uint64_t wave = 0;          // started together with those of the same number
    std::optional<Child> child;      // of a spawned one
    UniqueFd pidfd;                  // of an outsider that told its pid
    Link link;                       // its control lane, once it has joined: connect()
    std::string address;             // of its inbox: connect()
    ProtocolDescription protocol;
    std::uint64_t fingerprint_expected = 0;
    Answer<Spawned> spawn_answer;
    Deadline spawn_deadline;         // once it is a member: set_spawn_deadline()
    bool was_asked_to_stop = false;
    bool owns_session = false;
    std::optional<std::vector<DeadLetter>> left;  // it said Leave
    std::set<ActorId> watchers;      // who is told of its exit

    [[nodiscard]] bool is_outsider() const noexcept { return program.empty(); }
    [[nodiscard]] int exit_descriptor() const noexcept { return child ? child->pidfd() : pidfd.get(); }
};

struct Past {
    RosterRow row;
    ActorId parent;
};

class Members {
public:
    // A new id, with a number that is not otherwise taken either; `overloaded` if limits::actors_max are alive.
    [[nodiscard]] Result<ActorId> new_id(const std::function<bool(std::uint32_t)>& is_taken);
    Member& add(std::unique_ptr<Member> member);
    // Moves it from the living to the past.
    std::unique_ptr<Member> remove(ActorId id, RosterRow last_row);
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
    // When the first spawn that is under way ends, and those that have not ended in time.
    [[nodiscard]] Deadline next_spawn_deadline() const noexcept;
    [[nodiscard]] std::vector<Member*> late_spawns(const Clock& clock);
    [[nodiscard]] const Past* find_past(ActorId id) const noexcept;
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
