#pragma once
// What one may say to a keeper, the actor baton-sync: it keeps locks, conditions, events, semaphores, barriers, latches,
// shared values, queues and channels, for all processes of a session. C++ programs use the handles beside this file
// (lock.hpp, event.hpp, ...), which say these commands; scripts and foreign clients say them themselves.
//
// A primitive has a number; an Address, which travels in commands, is that number and whose it is. A name is for
// people. A session may have several keepers; what they keep ends with them.
//
// Waiting: the commands that say "answered when" are answered late. One wait a client at a time, as it has one thread;
// another one ends the former as `refused`. Who gives up waiting sends Withdraw, always: only then can what was granted at
// the same moment be given back. A client that has died is found out by the kernel's word: what it held is passed on
// or given back, and it waits no more; one that is stopped (SIGSTOP) is alive.
// Waits that would never end, because everybody in a circle waits for the next one, end as `refused` with the circle.

#include <string>
#include <variant>
#include <vector>

#include <baton/protocol.hpp>
#include <baton/segment.hpp>

namespace baton::sync {

using namespace detail;

struct MakeLock;
struct MakeCondition;
struct MakeEvent;
struct MakeSemaphore;
struct MakeBarrier;
struct MakeLatch;
struct MakeValue;
struct MakeArray;
struct MakeQueue;
struct MakeChannel;
struct Attach;
struct Look;
struct Withdraw;
struct Acquire;
struct Release;
struct WaitCondition;
struct Notify;
struct SetEvent;
struct WaitEvent;
struct AcquirePermit;
struct ReleasePermit;
struct Arrive;
struct ActionDone;
struct ResetBarrier;
struct AbortBarrier;
struct CountDown;
struct WaitLatch;
struct Put;
struct Get;
struct TaskDone;
struct Join;
struct Send;
struct Receive;
struct Poll;
struct Close;
struct Remove;
using Protocol =
    baton::Protocol<MakeLock, MakeCondition, MakeEvent, MakeSemaphore, MakeBarrier, MakeLatch, MakeValue, MakeArray,
                    MakeQueue, MakeChannel, Attach, Look, Withdraw, Acquire, Release, WaitCondition, Notify, SetEvent,
                    WaitEvent, AcquirePermit, ReleasePermit, Arrive, ActionDone, ResetBarrier, AbortBarrier, CountDown,
                    WaitLatch, Put, Get, TaskDone, Join, Send, Receive, Poll, Close, Remove>;

// Bounds of one keeper; beyond them it answers `overloaded`.
namespace limits {
using namespace baton::limits;
inline constexpr std::size_t primitives_max = 4'096;                      // at once
inline constexpr std::uint64_t queue_items_max = 65'536;                  // of one queue or channel end, taken and not done included
inline constexpr std::uint64_t queue_bytes_max = std::uint64_t{64} << 20;
inline constexpr std::uint32_t item_takers_max = 3;  // that die with an item in hand; then it is given up
// A lock that was passed on to who waited may be released past the line for so long.
inline constexpr std::chrono::microseconds lock_rest{250};
// Who has waited for so long is looked at for circles, so often.
inline constexpr std::chrono::milliseconds look_interval{100};
}  // namespace limits

struct Address {
    Ref<Protocol> keeper;
    std::uint32_t number = 0;
    std::string name;

    explicit operator bool() const noexcept { return number != 0; }
};

using Nothing = std::monostate;
using Bytes = std::vector<std::byte>;

// How a wait ended well. What does not belong to its kind is empty.
struct Granted {
    std::string dead_owner = {};    // of a lock: who died while holding it, so that what it guards may be half done
    std::uint64_t index = 0;        // of a barrier: how many had come before
    bool runs_action = false;       // of a barrier: run its action and say ActionDone; the others wait for that
    Bytes item = {};                // of a queue or channel: one encoded value
};

// ---- all kinds -------------------------------------------------------------------------------------

// The words of a lock, value or array, to be changed by atomic operations (words.hpp says how), and the elements of an array.
struct Attached {
    Slice cell;                     // eight words of 64 bits
    std::optional<Slice> elements;
};
struct Attach {
    std::uint32_t number = 0;
    using Reply = Attached;
};
// The sender does not wait there any more; what was granted to its last wait there meanwhile is given back.
struct Withdraw {
    std::uint32_t number = 0;
};
struct Looked {
    std::string kind;               // "lock", "event", ...
    std::string name;
    std::uint64_t count = 0;        // event: 1 if set; semaphore: free permits; barrier: who has come; latch: what is left;
                                    // queue: items not taken; channel end: items to hear; lock: 1 if held; condition: who waits for a notice
    std::uint64_t waiting = 0;      // clients whose waits there have not ended
};
struct Look {
    std::uint32_t number = 0;
    using Reply = Looked;
};

// It is kept no longer. Who waits there hears `gone`, and so does everybody who uses its number later, which no other
// primitive gets. `refused` for a lock that somebody holds, and for one whose conditions are still there. Of a channel both ends.
struct Remove {
    std::uint32_t number = 0;
    using Reply = Nothing;
};

// ---- locks and conditions --------------------------------------------------------------------------

struct MakeLock {
    std::string name;
    using Reply = Address;
};
// Answered when the lock is the sender's. `refused` for who holds it already.
struct Acquire {
    std::uint32_t number = 0;
    using Reply = Granted;
};
struct Release {
    std::uint32_t number = 0;
    using Reply = Nothing;
};
// Several conditions may share a lock.
struct MakeCondition {
    std::string name;
    std::uint32_t lock = 0;
    using Reply = Address;
};
// By who holds the lock, which is released. Answered when somebody has notified and the lock is the sender's again.
struct WaitCondition {
    std::uint32_t number = 0;
    using Reply = Granted;
};
// By who holds the lock: the first `count` that wait shall go on. How many there were.
struct Notify {
    std::uint32_t number = 0;
    std::uint64_t count = 1;
    using Reply = std::uint64_t;
};

// ---- events, semaphores, latches -------------------------------------------------------------------

struct MakeEvent {
    std::string name;
    using Reply = Address;
};
struct SetEvent {
    std::uint32_t number = 0;
    bool is_set = true;
    using Reply = Nothing;
};
// Answered when it is set.
struct WaitEvent {
    std::uint32_t number = 0;
    using Reply = Granted;
};

// Bounded: more permits are never given back than were there.
struct MakeSemaphore {
    std::string name;
    std::uint64_t permits = 1;
    bool is_bounded = true;
    using Reply = Address;
};
// Answered when a permit is the sender's. It comes back when the sender dies.
struct AcquirePermit {
    std::uint32_t number = 0;
    using Reply = Granted;
};
// One of the sender's; of who has none, the one that is out for longest.
struct ReleasePermit {
    std::uint32_t number = 0;
    using Reply = Nothing;
};

struct MakeLatch {
    std::string name;
    std::uint64_t count = 1;
    using Reply = Address;
};
// What is left then. `refused` where that were less than nothing.
struct CountDown {
    std::uint32_t number = 0;
    std::uint64_t by = 1;
    using Reply = std::uint64_t;
};
// Answered when nothing is left.
struct WaitLatch {
    std::uint32_t number = 0;
    using Reply = Granted;
};

// ---- barriers --------------------------------------------------------------------------------------

// For so many parties, whoever they are, or for these members (then `parties` is not looked at): a member that dies
// breaks the barrier, also before it came.
struct MakeBarrier {
    std::string name;
    std::uint64_t parties = 0;
    std::vector<AnyRef> members;
    bool has_action = false;        // that the last who comes runs while the others wait
    using Reply = Address;
};
// Answered when all have come and the action is done. `refused` with the reason when the barrier is broken: somebody
// died, gave up waiting, failed in the action, or aborted.
struct Arrive {
    std::uint32_t number = 0;
    using Reply = Granted;
};
struct ActionDone {
    std::uint32_t number = 0;
    std::string error;              // empty: it went well
    using Reply = Nothing;
};
// Whole again, for those who are alive: dead members are not waited for any more. Who waits is refused.
struct ResetBarrier {
    std::uint32_t number = 0;
    using Reply = Nothing;
};
struct AbortBarrier {
    std::uint32_t number = 0;
    using Reply = Nothing;
};

// ---- values and arrays: Attach gives their memory ----------------------------------------------------

struct MakeValue {
    std::string name;
    std::uint64_t initial = 0;      // the bits of it
    using Reply = Address;
};
// All zero.
struct MakeArray {
    std::string name;
    std::string type;               // as NumPy writes it
    std::uint64_t length = 0;
    using Reply = Address;
};

// ---- queues ----------------------------------------------------------------------------------------

struct MakeQueue {
    std::string name;
    std::uint64_t bound = limits::queue_items_max;  // items that wait to be taken; then Put waits
    using Reply = Address;
};
// Answered when it is in the queue. `overloaded` where nothing fits because of items that were taken and never finished.
struct Put {
    std::uint32_t number = 0;
    Bytes item;
    using Reply = Granted;
};
// Answered with an item, which is unfinished until TaskDone. If the sender dies before, it is the next to be taken; if
// that happens limits::item_takers_max times, it is given up and counts as finished.
struct Get {
    std::uint32_t number = 0;
    using Reply = Granted;
};
// The oldest of those that the sender has taken is finished.
struct TaskDone {
    std::uint32_t number = 0;
    using Reply = Nothing;
};
// Answered when every item that was put is finished.
struct Join {
    std::uint32_t number = 0;
    using Reply = Granted;
};

// ---- channels: two ends, each with a number of its own ------------------------------------------------

struct Ends {
    Address first;
    Address second;
};
struct MakeChannel {
    std::string name;
    std::uint64_t bound = 1'024;    // items on the way to one end; then Send waits
    using Reply = Ends;
};
// An end belongs to the client that first says, hears or polls there. `gone` when the other one has closed its end or died;
// what it had said before is heard first.
struct Send {
    std::uint32_t number = 0;
    Bytes item;
    using Reply = Granted;
};
struct Receive {
    std::uint32_t number = 0;
    using Reply = Granted;
};
// Answered when there is something to hear, which stays there.
struct Poll {
    std::uint32_t number = 0;
    using Reply = Granted;
};
struct Close {
    std::uint32_t number = 0;
    using Reply = Nothing;
};

}  // namespace baton::sync
