#pragma once
// The commands of a keeper, the actor baton-sync, which keeps locks, conditions, events, semaphores, barriers, latches,
// shared values and arrays, queues and channels for all processes of a session. C++ programs use the handles beside
// this file and scripts use baton.sync, which send these commands; programs in other languages send them themselves.
//
// A primitive has a number. An Address, which may be a field of a command, is that number, the keeper, and a name,
// which is for people. A session may have several keepers; what a keeper keeps ends with it.
//
// Waiting: commands whose comment begins with "Answered when" are answered late. A client waits for one thing at a
// time, since it has one thread; a second wait ends the first as `refused`. A client that gives up waiting always sends
// Withdraw: only then can what was granted at that moment be returned. If the kernel reports that a client has died,
// what it held is passed on or returned, and it waits no more; a client that is stopped (SIGSTOP) is alive. If
// everybody in a circle waits for the next, one of these waits ends as `deadlock`, with the circle.

#include <string>
#include <variant>
#include <vector>

#include <baton/bytes.hpp>
#include <baton/limits.hpp>
#include <baton/protocol.hpp>
#include <baton/segment.hpp>

namespace baton::sync {

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
struct WaitBarrier;
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
                    WaitEvent, AcquirePermit, ReleasePermit, WaitBarrier, ActionDone, ResetBarrier, AbortBarrier,
                    CountDown, WaitLatch, Put, Get, TaskDone, Join, Send, Receive, Poll, Close, Remove>;

// Bounds of one keeper; beyond them it answers `overloaded`.
namespace limits {
using namespace baton::limits;
inline constexpr std::size_t primitives_max = 4'096;           // at once
// Of one queue or channel end. In a queue, items that are taken and unfinished count too.
inline constexpr std::uint64_t queue_items_max = 65'536;
inline constexpr std::uint64_t queue_bytes_max = std::uint64_t{64} << 20;
inline constexpr std::uint64_t channel_items_default = 1'024;  // on the way to one end
inline constexpr std::uint32_t item_takers_max = 3;            // that die with an item in hand; then it is given up
// For how many of the last primitives that were removed the keeper still knows which client removed them.
inline constexpr std::size_t removed_told_max = 1'024;
// A lock that was passed on to a waiting client may be released past the line for this long.
inline constexpr std::chrono::microseconds lock_rest{250};
// How often waits are checked for circles, once they are older than this.
inline constexpr std::chrono::milliseconds look_interval{100};
// The default timeout of Channel::poll().
inline constexpr std::chrono::milliseconds poll_timeout{100};
}  // namespace limits

// A primitive, as it travels in commands.
struct Address {
    Ref<Protocol> keeper;
    std::uint32_t number = 0;
    std::string name;

    explicit operator bool() const noexcept { return number != 0; }
};

using Nothing = std::monostate;

// What a successful wait was granted. Fields that are for other kinds are empty.
struct Granted {
    // of a lock: the name of the owner that died with it, so that what it guards may be half done
    std::string dead_owner = {};
    std::uint64_t index = 0;      // of a barrier: how many had arrived before
    bool runs_action = false;     // of a barrier: run its action and send ActionDone; the others wait for that
    Bytes item = {};              // of a queue or channel: one encoded value (<baton/bytes.hpp>)
};

// ---- all kinds -------------------------------------------------------------------------------------

// The words of a lock, value or array, to be changed by atomic operations (<baton/sync/words.hpp> says how), and the
// elements of an array.
struct Attached {
    Slice cell;  // eight words of 64 bits
    std::optional<Slice> elements;
};
struct Attach {
    std::uint32_t number = 0;
    using Reply = Attached;
};
// The sender does not wait there any more; what was granted to its last wait there in the meantime is returned.
struct Withdraw {
    std::uint32_t number = 0;
};
struct Looked {
    std::string kind;  // "lock", "event", ...
    std::string name;
    // lock: 1 if held; event: 1 if set; semaphore: free permits; barrier: parties that have arrived; latch: what is
    // left; queue: items that nobody has taken; channel end: items to receive; condition: clients that wait for a
    // notice
    std::uint64_t count = 0;
    std::uint64_t waiting = 0;  // clients whose waits there have not ended
};
struct Look {
    std::uint32_t number = 0;
    using Reply = Looked;
};

// Removes it and frees its memory. Every wait there ends as `gone`, with its name and that of the client that removed
// it, and so does every later use of its number, which no other primitive gets. (Only of the last
// limits::removed_told_max is the remover known.)
//   lock, value, array   `refused` if a living client holds it, with the client's name, or if it still has a condition.
//                        Clients that have attached keep the memory until they release it.
//   condition            clients that wait there do not hold its lock afterwards, and are not in its line.
//   semaphore            permits that are out are worth nothing any more: releasing one answers `gone`.
//   barrier              the client that runs its action is told when it sends ActionDone.
//   queue                items that nobody has taken are lost; TaskDone of the others answers `gone`.
//   channel              both ends, whichever is named; items that nobody has received are lost.
struct Remove {
    std::uint32_t number = 0;
    using Reply = Nothing;
};

// ---- locks and conditions --------------------------------------------------------------------------

struct MakeLock {
    std::string name;
    using Reply = Address;
};
// Answered when the lock is the sender's. `refused` if it is already.
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
// From the client that holds the lock, which is released. Answered when somebody has notified and the lock is the
// sender's again.
struct WaitCondition {
    std::uint32_t number = 0;
    using Reply = Granted;
};
// From the client that holds the lock: the first `count` that wait go on. The reply is how many there were.
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

// Bounded: it never has more permits than it was made with.
struct MakeSemaphore {
    std::string name;
    std::uint64_t permits = 1;
    bool is_bounded = true;
    using Reply = Address;
};
// Answered when a permit is the sender's. It is released if the sender dies.
struct AcquirePermit {
    std::uint32_t number = 0;
    using Reply = Granted;
};
// Releases one of the sender's permits; if it has none, the one that has been out for longest.
struct ReleasePermit {
    std::uint32_t number = 0;
    using Reply = Nothing;
};

struct MakeLatch {
    std::string name;
    std::uint64_t count = 1;
    using Reply = Address;
};
// The reply is what is left. `refused` if that would be less than zero.
struct CountDown {
    std::uint32_t number = 0;
    std::uint64_t by = 1;
    using Reply = std::uint64_t;
};
// Answered when the count is zero.
struct WaitLatch {
    std::uint32_t number = 0;
    using Reply = Granted;
};

// ---- barriers --------------------------------------------------------------------------------------

// For that many parties, any processes, or for these members (then `parties` is ignored): a member that dies breaks the
// barrier, even before it has arrived.
struct MakeBarrier {
    std::string name;
    std::uint64_t parties = 0;
    std::vector<AnyRef> members;
    bool has_action = false;  // which the last that arrives runs while the others wait
    using Reply = Address;
};
// Answered when all have arrived and the action is done. `refused` with the reason when the barrier is broken: somebody
// died, gave up waiting, failed in the action, or aborted it.
struct WaitBarrier {
    std::uint32_t number = 0;
    using Reply = Granted;
};
struct ActionDone {
    std::uint32_t number = 0;
    std::string error;  // empty: it went well
    using Reply = Nothing;
};
// Makes it whole again, for the clients that are alive: dead members are not waited for any more. Clients that wait are
// refused.
struct ResetBarrier {
    std::uint32_t number = 0;
    using Reply = Nothing;
};
// Breaks it, until ResetBarrier.
struct AbortBarrier {
    std::uint32_t number = 0;
    using Reply = Nothing;
};

// ---- values and arrays: Attach gives their memory ----------------------------------------------------

struct MakeValue {
    std::string name;
    std::uint64_t initial = 0;  // its bits
    using Reply = Address;
};
// All zero.
struct MakeArray {
    std::string name;
    std::string type;  // as NumPy writes it
    std::uint64_t length = 0;
    using Reply = Address;
};

// ---- queues ----------------------------------------------------------------------------------------

struct MakeQueue {
    std::string name;
    std::uint64_t bound = limits::queue_items_max;  // of items that nobody has taken; then Put waits
    using Reply = Address;
};
// Answered when it is in the queue. `overloaded` if nothing fits because of items that were taken and never finished.
struct Put {
    std::uint32_t number = 0;
    Bytes item;
    using Reply = Granted;
};
// Answered when there is an item, with it. It is unfinished until TaskDone. If the sender dies before that, it is the
// next to be taken; if that happens limits::item_takers_max times, it is given up and counts as finished.
struct Get {
    std::uint32_t number = 0;
    using Reply = Granted;
};
// The oldest item that the sender has taken is finished.
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
    std::uint64_t bound = limits::channel_items_default;  // of items on the way to one end; then Send waits
    using Reply = Ends;
};
// An end belongs to the client that first sends, receives or polls there. Answered when the item is on its way. `gone`
// if the other client has closed its end or died.
struct Send {
    std::uint32_t number = 0;
    Bytes item;
    using Reply = Granted;
};
// Answered when there is an item, with it. `gone` as for Send, but what the other client had sent before comes first.
struct Receive {
    std::uint32_t number = 0;
    using Reply = Granted;
};
// Answered when there is something to receive, which stays there.
struct Poll {
    std::uint32_t number = 0;
    using Reply = Granted;
};
// Closes the sender's end. What was sent there before is still received at the other.
struct Close {
    std::uint32_t number = 0;
    using Reply = Nothing;
};

}  // namespace baton::sync
