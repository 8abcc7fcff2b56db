#pragma once
// Layout of the roster: the members of a session, in shared memory. docs/wire/ledger.md has the offsets.
//
// One object: a header, a record of one page for each number that an actor can have, and the journal. The coordinator
// alone writes; everybody else maps it read-only. Numbers are atomics of 64 bits. The texts and numbers of one record
// belong together: `changes` is odd while they are written, and has moved on for a reader who was disturbed.
// A coordinator that takes over reads what another process of the user may have written in the meantime, so everything
// is bounded and checked when it is read. Plain data.

#include <atomic>
#include <cstddef>
#include <cstdint>

#include <baton/limits.hpp>

namespace baton::detail {

struct RosterHeader {
    static constexpr std::size_t bytes = 4096;
    static constexpr std::uint64_t magic_word = 0x736f726e6f746162;  // "batonros"
    static constexpr std::uint64_t version_word = 2;

    std::atomic<std::uint64_t> magic;
    std::atomic<std::uint64_t> version;
    // The process that holds the role 1.1. `generation` is written last: 0 until the session can be joined, and while
    // it changes.
    std::atomic<std::uint64_t> generation;              // coordinators that have held it
    std::atomic<std::uint64_t> coordinator_pid;
    std::atomic<std::uint64_t> coordinator_start_ticks;  // since boot: with its pid, that process alone
    std::atomic<std::uint64_t> anchor_pid;               // the session lives as long as that process
    std::atomic<std::uint64_t> anchor_start_ticks;
    // What the coordinator knows beside members.
    std::atomic<std::uint64_t> last_number;              // that was given to an actor
    std::atomic<std::uint64_t> wave;                     // of the last spawn
    std::atomic<std::int64_t> closing_until;             // the session ends, at the latest then; steady clock,
                                                         // nanoseconds; 0: it does not
    std::atomic<std::uint64_t> scenario_exit;            // 1 + its exit code; 0: it runs, or there is none
    std::atomic<std::uint64_t> released_for_the_dead;    // segments
    std::atomic<std::uint64_t> mended;                   // rows of the ledger
    // The journal, in bytes since the session began: where the next record goes, and where the oldest one begins.
    std::atomic<std::uint64_t> journal_head;
    std::atomic<std::uint64_t> journal_tail;
    // Written by the anchor.
    std::atomic<std::uint64_t> anchor_version;            // of what it says to coordinators
    std::atomic<std::uint64_t> is_over;                   // 1: there will be no other coordinator
    // Written by the coordinator.
    std::atomic<std::uint64_t> has_failed;                // 1: actors of a script failed more often than they may
    std::atomic<std::uint64_t> stop_committed;            // the last stop of which the records of all tell that are to
                                                          // stop by it; those of later ones do not count
};
static_assert(sizeof(RosterHeader) <= RosterHeader::bytes);

struct MemberRecord {
    static constexpr std::size_t bytes = 4096;
    static constexpr std::size_t name_bytes = 256;
    static constexpr std::size_t program_bytes = 2048;
    static constexpr std::size_t address_bytes = 128;
    static constexpr std::size_t failure_bytes = 256;

    enum State : std::uint64_t {
        free = 0,      // the last life of the number has been settled
        starting = 1,  // it has been, or is about to be, started
        ready = 2,
        stopping = 3,  // it has said Leave
        settling = 4,  // it has ended; rows of the ledger may still name it
        between_lives = 5,  // it has been settled; the next life has the same number, and begins at restart_due
    };
    enum Flags : std::uint64_t {
        is_outsider = 1,
        owns_session = 2,
        has_joined = 4,
        was_asked_to_stop = 8,
        stop_drains = 16,
        is_told = 32,  // its exit stands in the journal, and was told; its name may be another's by now
    };

    std::atomic<std::uint64_t> changes;
    std::atomic<std::uint64_t> id;           // packed; of the last life: the next one has the next incarnation
    std::atomic<std::uint64_t> state;
    std::atomic<std::uint64_t> flags;
    std::atomic<std::uint64_t> pid;          // 0: not known, or not started yet
    std::atomic<std::uint64_t> start_ticks;  // of an outsider's process
    std::atomic<std::uint64_t> parent;       // packed; 0: it outlives the one that started it
    std::atomic<std::uint64_t> wave;
    std::atomic<std::uint64_t> fingerprint;           // of its protocol, once it has joined
    std::atomic<std::uint64_t> fingerprint_expected;  // by the one that started it; 0: any
    std::atomic<std::int64_t> stop_until;    // it is to stop, at the latest then; steady clock; 0: it is not
    std::atomic<std::int64_t> spawn_until;   // it is to be ready by then; 0: it is
    std::atomic<std::uint64_t> spawn_asker;  // the asker that waits for that, packed, and the number of its ask
    std::atomic<std::uint64_t> spawn_ask;
    std::atomic<std::uint64_t> token;        // of the Join of an outsider
    // Restarts: an actor that may be restarted keeps its number, and has a seat there.
    std::atomic<std::uint64_t> ended_with;    // why the coordinator ends it (coordinator::EndedWith); 0: it does not
    std::atomic<std::uint64_t> seat;          // its first life, packed; 0: it is not restarted
    std::atomic<std::uint64_t> seat_state;    // coordinator::Seat::State
    std::atomic<std::int64_t> hung_after;     // nanoseconds; 0: never; below 0: that long, and it is killed then
    std::atomic<std::int64_t> restart_due;    // steady clock; 0: not
    std::atomic<std::uint64_t> restart_order; // of the spawns of the session
    std::atomic<std::uint64_t> restarts;      // ever
    std::atomic<std::uint64_t> restarts_in_a_row;
    std::atomic<std::int64_t> restart_begun;  // the last one; steady clock
    std::atomic<std::uint64_t> restart_policy;  // Restart::Policy
    std::atomic<std::uint64_t> stop;               // number of the last stop that names it, which counts if it is
                                                   // committed; 0: none
    std::atomic<std::int64_t> stop_until_before;   // in place of stop_until if it is not
    std::atomic<std::uint64_t> stop_drains_before;
    std::atomic<std::uint64_t> asked_to_close;     // 1: the session; it asks the next coordinator again
    std::uint64_t reserved_stops[4];
    std::uint64_t reserved_heirs[8];
    std::atomic<std::uint64_t> linked_end;   // packed: it is stopped because that one has ended; 0: it is not
    std::uint64_t reserved_links[7];
    std::uint64_t reserved[15];
    char name[name_bytes];                   // each ends with 0
    char program[program_bytes];             // empty: it is an outsider
    char address[address_bytes];             // of its inbox; empty: it has none
    std::atomic<std::uint64_t> links[limits::links_max];  // packed: with which it ends together, if it named them; 0
                                                          // where there is none
    char failure[failure_bytes];             // how the last life ended that did not end well
    std::atomic<std::int64_t> restarts_at[limits::restarts_max];  // the last ones; steady clock; 0: none
    std::byte reserved_at_end[128];
};
static_assert(offsetof(MemberRecord, ended_with) == 120);
static_assert(offsetof(MemberRecord, stop) == 200);
static_assert(offsetof(MemberRecord, linked_end) == 328);
static_assert(offsetof(MemberRecord, links) == 2944);
static_assert(offsetof(MemberRecord, failure) == 3456);
static_assert(sizeof(MemberRecord) == MemberRecord::bytes);

// Before each record of the journal; both are padded to 8 bytes. The journal is a ring, in which a record may go around
// its end.
struct JournalEntry {
    std::uint32_t kind = 0;
    std::uint32_t bytes = 0;
};
inline constexpr std::size_t journal_bytes = std::size_t{16} << 20;

inline constexpr std::size_t roster_records_offset = RosterHeader::bytes;
inline constexpr std::size_t roster_journal_offset =
    roster_records_offset + (limits::actors_max + 1) * MemberRecord::bytes;
inline constexpr std::size_t roster_bytes = roster_journal_offset + journal_bytes;

}  // namespace baton::detail
