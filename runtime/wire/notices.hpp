#pragma once
// Notices: what the runtime and the coordinator tell each other.
//
// To the coordinator: commands of its protocol, asked or sent like those of any actor. From it: Stop and
// Exited, which reach an actor on its control lane (the connection it joined with) and overtake commands.
// Names are append only: a name once given keeps its meaning and its fields. docs/wire/ shows the bytes.

#include <string>
#include <vector>

#include <baton/detail/error_body.hpp>
#include <baton/exit.hpp>
#include <baton/spawn.hpp>
#include <baton/protocol.hpp>
#include <baton/detail/description.hpp>

namespace baton::detail {

// Asked of any actor: answered with nothing as soon as everything that the asker sent before is handled.
inline constexpr std::string_view sync_tag = "baton.Sync";

// The option by which a program that contains several actors is told which one it is (run_actor).
inline constexpr std::string_view actor_option = "--actor";

namespace coordinator {

// An actor (spawned by the coordinator, which gave it its id in BATON_ACTOR) or an outsider (id 0.0: a
// scenario, a command line, a foreign client) enters the session. Must be the first message on the
// connection that is to be the sender's control lane; without it no notice can reach the sender.
struct Welcome {
    AnyRef you;
    std::string name;
    std::string session;          // its id
    std::uint64_t coordinator_pid = 0;
    Duration send_timeout{};      // how long a spawned actor lets back-pressure hold it
    std::uint64_t anchor_pid = 0;  // the session lives as long as that process; the coordinator may be replaced
};
struct Join {
    AnyRef as;                    // 0.0 for an outsider
    std::string name;             // wanted by an outsider; empty: the coordinator picks one
    std::uint64_t pid = 0;        // 0: unknown, then only Leave ends the membership
    std::string address;          // of its inbox; empty: nobody can send to it
    ProtocolDescription protocol;
    bool owns_session = false;    // the session ends when this outsider leaves or dies
    // Of an outsider, at random: by it the next coordinator knows a Join that is repeated.
    std::optional<std::uint64_t> token = {};
    using Reply = Welcome;
};

// A member, to a coordinator that has taken over: the first message over its new control lane. Behind it come the asks
// that the last coordinator has not answered, with the numbers that they had.
struct Rejoin {
    AnyRef as;
    std::uint64_t pid = 0;        // as it joined with
    bool is_ready = false;        // it had said Ready, or had nobody to say it to
    std::vector<AnyRef> watches;  // of whose exit it is to be told: those that it has located, sent to or watched
    // Numbers of its asks Spawn that it does not wait for any more, and that have no answer.
    std::optional<std::vector<std::uint64_t>> given_up = {};
    using Reply = Welcome;
};

// A spawned actor's second message: its constructor has returned and commands will be handled. Spawn is
// answered now. If it never comes, Spawn ends as `timed_out` and the program is killed.
struct Ready {
    using Reply = std::monostate;  // nobody asks for it
};

// The sender's last message: it has stopped and this is what it left unread. If it never comes, the exit
// is the kernel's word alone.
struct Leave {
    std::vector<DeadLetter> dead_letters;
    using Reply = std::monostate;  // so that it has arrived before the sender exits
};

// Starts a program as an actor and answers when it has joined. The name is below the spawner's own when
// that is an actor itself ("class/alice"). Refused: a name in use, a program that can't be started or
// speaks another protocol. `timed_out` when it has not joined in time; it is killed then.
struct Spawned {
    AnyRef actor;
    std::string name;
    std::uint64_t pid = 0;
    ProtocolDescription protocol;
};
struct Spawn {
    SpawnOptions options;
    std::uint64_t fingerprint = 0;  // of the expected protocol; 0: any
    // When the spawner gives up, on this machine's CLOCK_MONOTONIC: a command that is read later than that starts
    // nothing.
    std::optional<Duration> until = {};
    std::optional<bool> outlives_spawner = {};  // true: it runs until it is stopped or the session ends
    using Reply = Spawned;
};

// Where an actor's inbox lies. The asker is told by Exited when that actor ends.
struct Located {
    std::string name;
    std::string address;
};
struct Locate {
    AnyRef actor;
    using Reply = Located;
};

// The asker is told by Exited when that actor ends, as if it had located it. Answered with its name; `gone` for one
// that has ended.
struct Watch {
    AnyRef actor;
    using Reply = std::string;
};

// The member of that name. With `until` (as in Spawn) one that is between two lives, or not ready yet, is waited for.
struct Find {
    std::string name;
    std::optional<Duration> until = {};
    using Reply = Spawned;
};

// The living, by number, then those that have exited, the last to end at the end. As many as fit into one message
// (limits::roster_page_bytes): if it is full the oldest exits are left out. RosterFrom tells all of them.
struct Roster {
    bool with_exited = false;
    using Reply = std::vector<RosterRow>;
};

// The roster in pages: asked again from `next` until there is none. An actor that exits between two pages is listed
// twice, the second time with its exit.
struct RosterPlace {
    std::uint32_t number = 0;  // behind the living actor of that number
    std::uint64_t exits = 0;   // behind that many exits of the session's life
};
struct RosterPage {
    std::vector<RosterRow> rows;
    std::optional<RosterPlace> next;
};
struct RosterFrom {
    bool with_exited = false;
    RosterPlace place;
    using Reply = RosterPage;
};

// Runs the ladder (stop notice, SIGTERM, SIGKILL) on the named actors and their children, in reverse order
// of start, within one timeout; answers with their exits. Empty: all spawned actors. Only actors of the
// session can be named; an exited one answers with the exit it had, if that is still known and the answer has room.
struct StopActors {
    std::vector<AnyRef> actors;
    Duration timeout{};
    bool drain = false;  // handle what waits in the inbox first
    std::optional<Duration> until = {};  // as in Spawn: read later than that, it stops nobody
    using Reply = std::vector<Ended>;
};

// A signal to one spawned actor: SIGTERM and SIGKILL are what a scenario sends.
struct Signal {
    AnyRef actor;
    std::int32_t signal = 0;
    using Reply = std::monostate;
};

// Links two actors: they end together. When one of them has ended, in whatever way, the other one is stopped, by the
// ladder, and its exit says why. If one has ended already, the other is stopped at once. A link is of two lives; it is
// not passed on to a next one. Linked twice is linked once. Refused: what this coordinator has not started, and an
// actor with itself; `overloaded` if `one` names limits::links_max others; `gone` if there never was such an actor.
struct LinkActors {
    AnyRef one;
    AnyRef other;
    using Reply = std::monostate;
};
// From the answer on neither is stopped for the other's sake. Nothing if they are not linked.
struct UnlinkActors {
    AnyRef one;
    AnyRef other;
    using Reply = std::monostate;
};

// Answers when the actor has exited.
struct Await {
    AnyRef actor;
    using Reply = Ended;
};

// Stops all actors by the ladder, then answers, and the coordinator itself ends as soon as the asker has said
// Leave (or has exited, or has kept it waiting for limits::linger); until then it answers RosterFrom.
struct Closed {
    std::vector<Ended> ended;          // every spawned actor of the session's life, in order of exit
    std::optional<RosterPlace> next = {};  // where RosterFrom tells the others, when there are more
};
struct CloseSession {
    Duration timeout{};
    using Reply = Closed;
};

// The sender has taken all that the dead actor had brought to it (notice Drain): what is still offered to it by the
// dead one will never come and is settled. If it never comes, that memory stays until the sender's own exit.
struct Drained {
    AnyRef actor;
    using Reply = std::monostate;  // nobody asks for it
};

// The sender could not get memory: all that hold some are told to give back what they keep for later (notice Trim).
struct MemoryShort {};

// The segments that are alive, at most `rows_max` of them.
struct SegmentInfo {
    std::uint32_t slot = 0;
    std::uint64_t epoch = 0;
    std::string state;    // owned, offered, lent, retired
    AnyRef owner;
    AnyRef heir;          // of an offer
    std::uint64_t bytes = 0;
    std::uint64_t leases = 0;
    Duration age{};       // since its last transition
    std::string name;     // under which it is published; empty: it is not
    // Its heirs, the first one first: names of members, or "next life" of the owner. And what they are told with it.
    std::vector<std::string> heirs;
    std::string label;
};
struct SegmentList {
    std::vector<SegmentInfo> rows;
    std::uint64_t alive = 0;
    std::uint64_t bytes = 0;         // of all memory that the session has taken, pools included
    std::optional<std::uint64_t> budget_bytes = {};  // that it may take; nothing: no limit
};
struct Segments {
    std::uint64_t rows_max = 1000;
    using Reply = SegmentList;
};

// Recomputes the invariants of docs/ownership.md; empty when all hold. Exact only while nothing moves.
struct Audit {
    using Reply = std::vector<std::string>;
};

// A coordinator whose generation is not above this one ends, and the next one takes over; the answer is given by one
// that came later, so the asker asks again as after any other end of a coordinator.
struct Incumbent {
    std::uint64_t generation = 0;
    std::uint64_t pid = 0;
};
struct Replace {
    std::uint64_t generation = 0;
    using Reply = Incumbent;
};

// The sender does not want the segment that was left to it (notice Inherited): the next heir gets it. If it never
// comes, the segment is on its way to the sender until that exits.
struct Decline {
    std::uint32_t slot = 0;
    std::uint64_t epoch = 0;
    using Reply = std::monostate;  // nobody asks for it
};

using Protocol = baton::Protocol<Join, Ready, Leave, Spawn, Locate, Find, Roster, StopActors, Signal, Await,
                                 CloseSession, Drained, MemoryShort, Segments, Audit, Watch, RosterFrom, Rejoin,
                                 Replace, LinkActors, UnlinkActors, Decline>;

}  // namespace coordinator

namespace notice {

// Coordinator to actor: end. The actor finishes the command in hand, handles what waits (drain) or
// answers and reports it, says Leave and returns from main. If it does not, SIGTERM follows at `until` (as in Spawn;
// none if there is no hurry), then SIGKILL.
struct Stop {
    bool drain = false;
    std::optional<Duration> until = {};
};

// Coordinator to every member that located the actor, and to the scenario that spawned it: it has ended. Asks to it end
// as `gone`.
struct Exited {
    AnyRef actor;
    std::string name;
    Exit exit;
};

// Coordinator to every member to which a dead actor had offered or granted something: answer Drained when all that it
// sent has been taken. `pid` was its process.
struct Drain {
    AnyRef actor;
    std::uint64_t pid = 0;
};

// Coordinator to all that hold memory: somebody is short of it. Give back what is kept for later.
struct Trim {};

// Coordinator to a member whose inbox, or bell, has no file any more because another program has removed it: bind it
// again, so that newcomers can reach it. Members that are connected do not notice. If it never comes, they cannot.
struct BindAgain {};

// Coordinator to the heir of a dead owner: the segment is on its way to it (T2, by the coordinator) and has to be
// accepted (T3) or declined (Decline). If the heir exits first, the next one is told.
struct Inherited {
    std::uint32_t slot = 0;
    std::uint64_t epoch = 0;            // as the offer left it
    std::string type;                   // of the elements
    std::vector<std::uint64_t> shape;
    std::string label;                  // as the owner has given it
    bool was_written = false;           // the owner died while it could write: what it did last may be half done
    AnyRef owner;
    std::string name;                   // of the owner
};

using Protocol = baton::Protocol<Stop, Exited, Drain, Trim, BindAgain, Inherited>;

}  // namespace notice

}  // namespace baton::detail
