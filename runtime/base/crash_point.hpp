#pragma once
// Crash point: a numbered place between two steps of a hand-over, where a test can end or freeze the process.
//
// In builds with tests, BATON_CRASH_AT="offer.made" (or "offer.made:3" for its third passing, and
// "offer.made:1:freeze" for SIGSTOP in place of SIGKILL) makes the process that passes there send itself that
// signal. A simulation, whose processes are parts of one thread, gets a call instead. In other builds a point is
// nothing at all. Thread rule: main's thread.

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace baton::detail {

// Each is named for what has just been done. Append only: docs/ownership.md lists them by number.
enum class CrashPoint : unsigned char {
    create_intended,      // T1: the intent is written, the word not changed
    create_made,          // T1: the word says owned, there is no memory yet
    create_counted,       // T1: counted
    memory_named,         // the shared object is there, its pages are not committed
    memory_committed,     // the row does not say yet how many bytes there are
    offer_made,           // T2: the message is not sent
    offer_checked,        // T2: the heir was seen alive
    send_pushed,          // the transport has the message; the sender has not noted the gift
    send_noted,           // the sender knows what to take back
    arrival_mapped,       // T3: the memory is mapped, the word not changed
    accept_made,          // T3: the word says owned; on() has not been called
    withdraw_made,        // T4
    lend_made,            // T7
    reclaim_made,         // T8
    retire_intended,      // T9: the intent is written, the word not changed
    retire_made,          // T9: the word says retired, not counted yet
    retire_counted,       // T9: counted
    recycle_made,         // T10: the word says free; the memory waits in no pool yet
    grant_written,        // L1: the row says what is leased; its word is free
    grant_made,           // L1: the word says granted; the message is not sent
    claim_made,           // L2
    lease_withdrawn,      // L3
    drop_made,            // L4
    slice_written,        // L1 of a slice: the row says which range
    bounce_told,          // the sender has its gift back and has not handled it
    life_taken,           // the coordinator: nobody can offer to the dead actor any more
    intent_resolved,      // the coordinator: what the dead actor was about to count is counted
    settle_walked,        // the coordinator: rows are settled, nobody has been told
    settle_told,          // the coordinator: the survivors have been told
    drained_settled,      // the coordinator: T6 and L6 are made
    hand_out_marked,      // the row says that its memory has left; the memory still has its name
    hand_out_renamed,     // the memory has the user's name; T9 is not made
    take_in_made,         // T1: counted as taken in; the memory still has the user's name
    take_in_renamed,      // the memory is the session's; the row does not say how many bytes there are
    publish_begun,        // N1: the name is ours, and does not say yet what is published
    publish_made,         // N1: others may attach
    unpublish_made,       // N2: nobody can attach any more; the leases have not been checked
    attach_claimed,       // L7: the lease is made; the name has not been checked again
    attach_checked,       // L7: the name was still valid; the memory is not mapped
    names_settled,        // the coordinator: the names of the dead actor are free, its rows as they were
    spawn_given,          // the coordinator: a number is alive, its process has not been started
    spawn_started,        // the coordinator: the process runs and is not a member yet
    join_bound,           // a newcomer: its inbox exists, it has not asked to join
    join_welcomed,        // a newcomer: it is a member and has mapped nothing
    leave_begun,          // a leaver: it has released everything and has not said so
    leave_answered,       // a leaver: the coordinator has been told, the process has not ended
    offer_marked,         // T2: the block is marked for the heir, the word not changed
    lane_announced,       // the coordinator could find the lane, which is not there
    lane_made,            // the lane is there, and nothing is in it
    ring_filled,          // a record is in the ring's memory and not published
    ring_written,         // it is published; its reader does not know
    bell_marked,          // its reader's bit is set; whether it sleeps has not been looked at
    ring_taken,           // the record is behind the place where others would read on; nothing is done with it
    lanes_removed,        // the coordinator: what led to the dead actor is gone
    shelf_said,           // the rows of a block say that they are a shelf, which is not there
    shelf_made,           // the shelf is there, and nothing of it is committed
    shelf_filled,         // places are committed; their rows do not say so
    hand_out_copied,      // a copy of the place has the user's name; T9 is not made
    shelf_left,           // the coordinator: all rows of a shelf are free, and it is still there
    shelf_removed,        // the coordinator: it is gone, and the rows say that it is there
    release_made,         // the coordinator: T6 or T9 for a dead actor, not counted yet
    exit_recorded,        // the coordinator: an exit stands in the journal, nobody has been told
    spawn_recorded,       // the coordinator: a number is taken for a spawn, and nothing else is done
    stop_recorded,        // the coordinator: those that are to stop are recorded, the stop does not count yet
    leave_recorded,       // the coordinator: a member has left, and is not answered yet
    join_recorded,        // the coordinator: an outsider is a member, and is not answered yet
    role_taken,           // the coordinator: members can come to it
    takeover_settled,     // the coordinator: those that ended before it came are settled, it has not the role yet
    rejoin_answered,      // the coordinator: a member is here again
    link_recorded,        // the coordinator: two actors are linked, and nobody has been answered
    link_undone,          // the coordinator: one of two records does not name the other any more
    stop_said,            // the coordinator: one that is to stop is recorded, others are not yet
    stop_committed,       // the coordinator: the stop counts, nobody has been asked
    stop_asked,           // the coordinator: one has been asked
    stop_lost,            // the coordinator: what a dead sender has lost is in the journal, and is not accounted for
    heir_listed,          // an owner: its heirs stand in one place, the will names the other or none
    heir_named,           // an owner: the will names them
    heir_stamped,         // an owner: the will is of this epoch, and T2, T7 or T8 is not made
    heir_noted,           // the coordinator: what heirs are to know is noted, T11 is not made
    heir_left,            // T11: the coordinator owns it; the dead owner's other rows are as they were
    heir_offered,         // the coordinator: T2 to an heir, which has not been told
    heir_told,            // the coordinator: the heir has been told
    heir_came,            // an heir has read of it and accepted nothing
    heir_declined,        // the coordinator: an heir is passed over, T4 is not made
    heir_reported,        // the coordinator: that nobody inherits stands in the journal, T9 is not made
    restart_recorded,     // the coordinator: an actor is between two lives, and no row names the last one
    restart_begun,        // the coordinator: its number is given to the next life, which has no process yet
};
inline constexpr std::size_t crash_point_count = 87;

inline constexpr std::array<std::string_view, crash_point_count> crash_point_names{
    "create.intended", "create.made", "create.counted", "memory.named", "memory.committed", "offer.made",
    "offer.checked", "send.pushed", "send.noted", "arrival.mapped", "accept.made", "withdraw.made", "lend.made",
    "reclaim.made", "retire.intended", "retire.made", "retire.counted", "recycle.made", "grant.written", "grant.made",
    "claim.made", "lease.withdrawn", "drop.made", "slice.written", "bounce.told", "life.taken", "intent.resolved",
    "settle.walked", "settle.told", "drained.settled",
    "hand_out.marked", "hand_out.renamed", "take_in.made", "take_in.renamed",
    "publish.begun", "publish.made", "unpublish.made", "attach.claimed", "attach.checked", "names.settled",
    "spawn.given", "spawn.started", "join.bound", "join.welcomed", "leave.begun", "leave.answered",
    "offer.marked",
    "lane.announced", "lane.made", "ring.filled", "ring.written", "bell.marked", "ring.taken", "lanes.removed",
    "shelf.said", "shelf.made", "shelf.filled", "hand_out.copied", "shelf.left", "shelf.removed",
    "release.made", "exit.recorded", "spawn.recorded", "stop.recorded", "leave.recorded", "join.recorded",
    "role.taken", "takeover.settled", "rejoin.answered", "link.recorded", "link.undone",
    "stop.said", "stop.committed", "stop.asked", "stop.lost",
    "heir.listed", "heir.named", "heir.stamped", "heir.noted", "heir.left", "heir.offered", "heir.told", "heir.came",
    "heir.declined", "heir.reported",
    "restart.recorded", "restart.begun"};

#ifdef BATON_CRASH_POINTS
void pass_crash_point(CrashPoint point) noexcept;
// This process is that coordinator of its session. An order without "@N" is for the first one.
void be_crash_generation(std::uint64_t generation) noexcept;
// From here on every passing is this call, and BATON_CRASH_AT asks for nothing; nullptr: as before.
using CrashHook = void (*)(CrashPoint point) noexcept;
void hook_crash_points(CrashHook hook) noexcept;
#else
inline void pass_crash_point(CrashPoint) noexcept {}
inline void be_crash_generation(std::uint64_t) noexcept {}
#endif

}  // namespace baton::detail
