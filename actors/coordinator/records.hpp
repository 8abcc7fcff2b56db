#pragma once
// Records: what a coordinator has to know that takes over: members, exits and what is about to be done, in the roster
// (runtime/roster) and beside it. Written before it is acted on or told; read once, by the next coordinator. One
// thread.

#include <optional>
#include <string>
#include <vector>

#include "actors/coordinator/journal.hpp"
#include "actors/coordinator/members.hpp"
#include "actors/coordinator/restarts.hpp"
#include "runtime/roster/roster.hpp"

namespace baton::detail::coordinator {

// What is started in a next life, as the command that spawned the first one said it.
struct Recipe {
    Spawn command;
    std::string program;  // its path
    std::vector<std::string> arguments;
    std::string name;
    AnyRef asker;
    std::uint64_t ask = 0;
    std::uint64_t wave = 0;
};

class Records {
public:
    Records(RosterRegion roster, std::string session_id)
        : roster_(std::move(roster)), session_id_(std::move(session_id)) {}
    // The descriptions of protocols and the recipes; the rest is removed with the roster. At the end of the session.
    static void remove(std::string_view session_id) noexcept;

    // ---- written
    // Before anything else is done with a new number. `overloaded` if memory is short.
    [[nodiscard]] Result<void> prepare(std::uint32_t number) { return roster_.prepare(number); }
    void write(const Member& member) { write(member, state_of(member)); }
    // Which seats there are: what is written of a member says that it has one.
    void tell_of(Restarts& restarts) noexcept { restarts_ = &restarts; }
    // One between two lives, of which the last one has been settled.
    void write_between_lives(const Seat& seat, const Recipe& recipe);
    // Before the member of that number has a process. `overloaded` if memory is short.
    [[nodiscard]] Result<void> keep_recipe(ActorNumber number, const Recipe& recipe);
    void forget_recipe(ActorNumber number) noexcept;
    [[nodiscard]] std::optional<Recipe> recipe_of(ActorNumber number) const;
    // It has ended, and rows of the ledger may still name it.
    void write_settling(const Member& member) { write(member, MemberRecord::settling); }
    // Nothing names it any more, or it never lived.
    void write_free(ActorId id);
    // The number of a stop that begins, and that all who are to stop by it are recorded: before that none of them is.
    [[nodiscard]] std::uint64_t next_stop() const noexcept {
        return header().stop_committed.load(std::memory_order_relaxed) + 1;
    }
    void commit_stop(std::uint64_t number) noexcept {
        header().stop_committed.store(number, std::memory_order_seq_cst);
    }
    [[nodiscard]] bool is_committed(const RosterEntry& entry) const noexcept {
        return entry.stop <= header().stop_committed.load(std::memory_order_seq_cst);
    }
    // So that others can be told its protocol. Once more if another program has removed what was kept.
    void keep_protocol(std::uint64_t fingerprint, const ProtocolDescription& protocol) const;
    // What the balance says of the dead, and of rows that were mended.
    void write_balance(std::uint64_t released_for_the_dead, std::uint64_t mended) noexcept {
        header().released_for_the_dead.store(released_for_the_dead, std::memory_order_relaxed);
        header().mended.store(mended, std::memory_order_relaxed);
    }
    // From here on the session is this coordinator's, and members come to it.
    void take_role(std::uint64_t generation, std::uint64_t pid, std::uint64_t start_ticks);
    [[nodiscard]] RosterHeader& header() const noexcept { return roster_.header(); }
    // Of exits, and of what is found out about the dead.
    [[nodiscard]] Journal journal() noexcept { return {roster_, SessionTag::of(session_id_)}; }

    // ---- read, at a take-over
    // The last life of each number, if there was one.
    [[nodiscard]] std::vector<RosterEntry> read_members() const;
    // That member again, as far as it is recorded. A stop that is not committed does not count.
    [[nodiscard]] std::unique_ptr<Member> member_of(const RosterEntry& entry) const;
    // Its seat, if it has one and can be restarted.
    [[nodiscard]] static std::optional<Seat> seat_of(const RosterEntry& entry, const Recipe& recipe);

private:
    [[nodiscard]] static MemberRecord::State state_of(const Member& member) noexcept;
    void write(const Member& member, MemberRecord::State state);
    [[nodiscard]] ProtocolDescription protocol_of(std::uint64_t fingerprint) const;

    RosterRegion roster_;
    std::string session_id_;
    Restarts* restarts_ = nullptr;
};

}  // namespace baton::detail::coordinator
