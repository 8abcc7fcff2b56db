#pragma once
// Observer: what can be seen of a session from within it: its members, what each is doing and for how long, whom it
// waits for, what it holds, what its process uses; its segments and whose they are; whether its ledger balances. `baton
// ps`, `segments` and `audit` are printed from it, and views that refresh themselves can be made with it.
//
//     const baton::Observer observer = baton::Observer::of(*outsider).value();
//     for (const baton::MemberSight& one : observer.members(false).value())
//         fmt::print("{} {}\n", one.row.name, one.row.state);
//
// Figures come from three places: the coordinator's roster (one message for each call), the shared memory in which
// actors report their state, and /proc. The last two need no message, so they are there even for an actor that is busy
// or frozen; each figure is true for itself, but they are not of one instant. Thread rule: the Outsider's thread; the
// Outsider lives longer. What is returned are plain values.

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <baton/exit.hpp>
#include <baton/outsider.hpp>
#include <baton/ref.hpp>
#include <baton/result.hpp>
#include <baton/time.hpp>

namespace baton {

// What the kernel knows of a process.
struct ProcessSight {
    pid_t pid = 0;
    pid_t parent = 0;
    char state = '?';                  // as in /proc/PID/stat: R, S, D, T, Z, ...
    Duration age{};                    // since it was started
    Duration cpu{};                    // used by its threads, in user mode and in the kernel
    std::uint64_t resident_bytes = 0;  // of memory, shared pages included
};
// Nothing if there is no such process.
[[nodiscard]] std::optional<ProcessSight> process_sight(pid_t pid);

// One member of the session. Of one that has exited only the row is known.
struct MemberSight {
    RosterRow row;
    // How long it has been handling the command in hand or, if there is none, how long its process has run.
    std::optional<Duration> since = {};
    // The member whose answer it waits for or, with `waits_for_room`, room in whose inbox; nobody: it does not wait.
    AnyRef waits_for = {};
    std::string waits_for_name = {};  // its number if it has no name any more; empty: it does not wait
    bool waits_for_room = false;
    std::uint64_t held_bytes = 0;     // in segments that it owns
    Duration spun{};                  // in which it has looked for messages instead of sleeping, ever
    std::uint64_t lane_bytes = 0;     // of memory that it has taken for lanes, for what it sends and answers
    std::optional<ProcessSight> process = {};
};

struct SegmentSight {
    std::uint32_t slot = 0;
    std::uint64_t epoch = 0;   // with the slot the segment's number: "17.3"
    std::string state;         // owned; offered (on its way to its heir); lent; retired (without owner, still leased)
    AnyRef owner;
    AnyRef heir;               // of an offer
    std::uint64_t bytes = 0;
    std::uint64_t leases = 0;  // and slices, that have not ended yet
    Duration age{};            // since it has been in this state
    std::string name;          // under which it is published; empty: it is not
    // Those that receive it if its owner dies, the first one first: names, or "next life" of the owner; and its label.
    std::vector<std::string> left_to = {};
    std::string label = {};
};
struct SegmentsSight {
    std::vector<SegmentSight> rows;  // as many as were asked for
    std::uint64_t alive = 0;         // how many there are
    std::uint64_t bytes = 0;         // of all memory that the session has taken, what is kept for later included
    std::optional<std::uint64_t> budget_bytes = {};  // that it may take; nothing: no limit
};

// Of the memory through which members send each other messages; segments are not part of it.
struct LanesSight {
    std::uint64_t bytes = 0;      // that all members have taken
    std::uint64_t bytes_max = 0;  // that they may take
};

class Observer {
public:
    // Opens the session's shared memory for reading.
    [[nodiscard]] static Result<Observer> of(Outsider& outsider);
    Observer(Observer&&) noexcept;
    Observer& operator=(Observer&&) noexcept;
    ~Observer();

    // The coordinator first, then the members by number; then, if wanted, those that have exited, in the order in which
    // they ended. The observer itself is among them.
    [[nodiscard]] Result<std::vector<MemberSight>> members(bool with_exited) const;
    // At most `rows_max` segments that are alive (limits::segments_listed_max).
    [[nodiscard]] Result<SegmentsSight> segments(std::uint64_t rows_max = 1000) const;
    // A figure like the others: each process writes its own part of it.
    [[nodiscard]] LanesSight lanes() const;
    // Recomputes the invariants of docs/ownership.md; each text is one that does not hold. Exact only while no segment
    // changes hands.
    [[nodiscard]] Result<std::vector<std::string>> audit() const;

private:
    struct Memory;
    Observer(Outsider& outsider, std::unique_ptr<Memory> memory);
    Outsider* outsider_;
    std::unique_ptr<Memory> memory_;
};

}  // namespace baton
