#pragma once
// Roster: the members of a session, in shared memory that outlives the coordinator. One writer, the coordinator; a
// successor and tools read it without asking anybody. layout.hpp says what lies where. One thread.

#include <array>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <baton/ref.hpp>
#include <baton/result.hpp>
#include <baton/time.hpp>
#include "runtime/memory/mapping.hpp"
#include "runtime/roster/layout.hpp"

namespace baton::detail {

// One record, as a value.
struct RosterEntry {
    ActorId id;
    MemberRecord::State state = MemberRecord::free;
    std::uint64_t flags = 0;
    std::uint64_t pid = 0;
    std::uint64_t start_ticks = 0;
    ActorId parent;
    std::uint64_t wave = 0;
    std::uint64_t fingerprint = 0;
    std::uint64_t fingerprint_expected = 0;
    std::int64_t stop_until = 0;
    std::int64_t spawn_until = 0;
    ActorId spawn_asker;
    std::uint64_t spawn_ask = 0;
    std::uint64_t token = 0;
    ActorId linked_end;
    std::vector<ActorId> links;  // limits::links_max at most
    std::uint64_t stop = 0;
    std::int64_t stop_until_before = 0;
    bool stop_drains_before = false;
    bool asked_to_close = false;
    std::uint64_t ended_with = 0;
    ActorId seat;
    std::uint64_t seat_state = 0;
    std::int64_t hung_after = 0;
    std::int64_t restart_due = 0;
    std::uint64_t restart_order = 0;
    std::uint64_t restarts = 0;
    std::uint64_t restarts_in_a_row = 0;
    std::int64_t restart_begun = 0;
    std::uint64_t restart_policy = 0;
    std::array<std::int64_t, limits::restarts_max> restarts_at{};
    std::string failure;
    std::string name;
    std::string program;
    std::string address;

    [[nodiscard]] bool has(std::uint64_t flag) const noexcept { return (flags & flag) != 0; }
    [[nodiscard]] bool is_alive() const noexcept {
        return state == MemberRecord::starting || state == MemberRecord::ready || state == MemberRecord::stopping;
    }
};

class RosterRegion {
public:
    // For the one that makes the session.
    struct Anchor {
        std::uint64_t pid = 0;
        std::uint64_t start_ticks = 0;
        std::uint64_t version = 0;
    };
    [[nodiscard]] static Result<void> create(std::string_view session_id, const Anchor& anchor);
    enum class Use { reads, writes };
    // `corrupt` if it is of another version.
    [[nodiscard]] static Result<RosterRegion> open(std::string_view session_id, Use use);
    static void remove(std::string_view session_id) noexcept;

    [[nodiscard]] RosterHeader& header() const noexcept;

    // ---- members
    // Before the first write to a number. `overloaded` if memory is short.
    [[nodiscard]] Result<void> prepare(std::uint32_t number);
    void write(const RosterEntry& entry) noexcept;
    // Nothing if nobody has ever had that number, or if it is being written all the time.
    [[nodiscard]] std::optional<RosterEntry> read(std::uint32_t number) const;

    // ---- the journal
    // What is to be known after the coordinator that knew it; the oldest records make room. False if memory is short.
    bool append(std::uint32_t kind, std::string_view record);
    // In their order. Ends at the first one that cannot be so.
    void read_journal(const std::function<void(std::uint32_t kind, std::string_view record)>& take) const;

private:
    RosterRegion(SharedObject object, Mapping mapping) : object_(std::move(object)), mapping_(std::move(mapping)) {}
    [[nodiscard]] MemberRecord* record(std::uint32_t number) const noexcept;
    void copy_in(std::uint64_t at, std::string_view bytes) noexcept;
    void copy_out(std::uint64_t at, std::span<char> bytes) const noexcept;
    SharedObject object_;
    Mapping mapping_;
};

// The process that holds the role of the coordinator, as members see it. The first page of the roster, mapped
// read-only.
class RoleView {
public:
    [[nodiscard]] static Result<RoleView> open(std::string_view session_id);
    struct Process {
        std::uint64_t pid = 0;
        std::uint64_t start_ticks = 0;
    };
    struct Holder : Process {
        std::uint64_t generation = 0;  // 0: nobody yet
    };
    [[nodiscard]] Holder holder() const noexcept;
    [[nodiscard]] Process anchor() const noexcept;
    // True if there will be no other coordinator.
    [[nodiscard]] bool is_over() const noexcept;

private:
    explicit RoleView(Mapping mapping) : mapping_(std::move(mapping)) {}
    Mapping mapping_;
};

}  // namespace baton::detail
