#pragma once
// Vitals: one row of shared memory per actor, in which the actor records its state and what it has sent and taken.
//
// Each row has one writer, its actor, and outlives it: after a SIGKILL the row still says which command was being
// handled, and how many commands of which senders were never taken. Only the name and the word `has_exited` are written
// by the coordinator: that tells the others that what they keep for the dead actor is of no use any more. In the row of
// a dead actor it also takes back from `sent_commands` what was lost and has been reported.
// Nothing is locked, and no other process writes a row, so no death can leave it harmfully half changed: a reader sees
// each number either as it was or as it is. The traffic with a peer has its place by the peer's number, so there is one
// for each that a session can have, and finding it takes no search (docs/decisions/0025). Beside the rows, each actor
// has a set in which those who send to it put their numbers before the first command; only the coordinator reads it.
// Five things are read from the rows, all without a message:
//   - back-pressure: a sender compares what it sent with what the receiver has taken;
//   - the inbox depth that `ps` shows, even for an actor that is busy or frozen;
//   - dead letters of an actor that was killed, and what was lost with it;
//   - whether actors wait for each other's answers in a circle (docs/decisions/0012);
//   - which asks their askers have withdrawn, and whether those had begun (docs/decisions/0019).
// The coordinator creates the region and maps all of it writable; an actor maps all of it read-only, and its own row
// and the sets of senders writable, so that a stray write elsewhere faults. Numbers are
// atomics of relaxed order: they are figures, not synchronization. The exception is an ask and its withdrawal: the
// receiver counts it as taken and then looks whether it is withdrawn, the asker withdraws it and then looks whether it
// was taken, in one order (model/withdrawal.pml).
// Rows are not part of the wire; a foreign client does without them.

#include <array>
#include <atomic>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <baton/detail/wait_edge.hpp>
#include <baton/ref.hpp>
#include <baton/limits.hpp>
#include "runtime/memory/mapping.hpp"

namespace baton::detail {

// What one actor has sent to and taken from one other.
struct Traffic {
    std::atomic<std::uint64_t> peer;  // ActorId packed; 0: free. Written last. Changes when a place is used anew.
    std::atomic<std::uint64_t> sent_commands;
    std::atomic<std::uint64_t> sent_bytes;
    std::atomic<std::uint64_t> taken_commands;
    std::atomic<std::uint64_t> taken_bytes;
    std::atomic<std::uint32_t> answered;  // asks of that peer
    std::atomic<std::uint32_t> heard;     // answers of that peer: where it has answered as many, none is on its way
    // The last ask of that peer whose answer is kept until another actor goes on, and who that is, packed; 0: none.
    std::atomic<std::uint64_t> kept_ask;  // written last
    std::atomic<std::uint64_t> kept_for;
};

struct VitalsRow {
    static constexpr std::size_t page_bytes = 4096;
    static constexpr std::size_t text_bytes = 256;
    static constexpr std::size_t header_bytes = page_bytes;
    static constexpr std::size_t state_bytes = 1024;  // of the header, before what is withdrawn
    static constexpr std::size_t withdrawn_max = 120;
    // Of `traffic`: a page of them is committed when the first of its peers is met.
    static constexpr std::uint32_t places_per_page = page_bytes / sizeof(Traffic);
    static constexpr std::uint32_t places = (limits::actors_max / places_per_page + 1) * places_per_page;
    static constexpr std::size_t bytes = header_bytes + places * sizeof(Traffic);

    // The actor of this row.
    struct Life {
        std::atomic<std::uint64_t> id;          // ActorId packed
        std::atomic<std::uint64_t> pid;         // of the actor's process
        std::atomic<std::uint64_t> is_kept;     // 1: the actor writes this row; a foreign client does not
        std::atomic<std::uint64_t> has_exited;  // 1: this life has ended; written by the coordinator
    };
    struct Work {
        std::atomic<std::uint64_t> handled;       // commands, ever
        std::atomic<std::int64_t> in_hand_since;  // steady clock, nanoseconds; 0: idle
        std::atomic<std::uint64_t> taken_ever;    // of all senders; counted before anything is done with a command
        std::atomic<std::uint64_t> handled_ever;  // those with which all has been done. As many: the actor is idle
        std::atomic<std::uint64_t> spun;          // nanoseconds in which it has looked at its lanes instead of sleeping
    };
    struct Waits {
        std::atomic<std::uint64_t> asks;        // whose answer it waits for, packed; 0: nobody's
        std::atomic<std::uint64_t> ask;         // which of its asks that is; written before `asks`
        std::atomic<std::uint64_t> room_of;     // whose full inbox it waits for with a command, packed; 0: nobody's
        std::atomic<std::uint64_t> room_seen;   // commands of ours that one had taken when it was found full; written
                                                // first
        std::atomic<std::uint64_t> uncounted;   // answers to peers for whom `traffic` had no place
    };
    struct Peers {
        std::atomic<std::uint64_t> pages;    // of `traffic` that this life uses, as bits; written after the page
        std::atomic<std::uint64_t> lacking;  // peers for whom no memory was left to make a place
    };
    // Asks that this actor has given up and whose receivers have not begun them. The count is in a cache line of its
    // own, which changes only when an ask is given up: every receiver of an ask reads it.
    struct Withdrawn {
        std::atomic<std::uint64_t> count;       // of `asks` in use; written after the place
        std::byte reserved_for_line[56];
        std::atomic<std::uint64_t> asks[withdrawn_max];  // ask ids; 0: free
    };

    Life life;
    Work work;
    Waits waits;
    Peers peers;
    char in_hand[text_bytes];               // the command; ends with 0
    char last_words[text_bytes];            // of a failed check
    std::byte reserved[state_bytes - 16 * 8 - 2 * text_bytes];
    Withdrawn withdrawn;
    char name[text_bytes];                  // of the actor; written by the coordinator
    std::byte reserved_behind[header_bytes - state_bytes - sizeof(Withdrawn) - text_bytes];
    Traffic traffic[places];                // by the number of the peer
};
static_assert(offsetof(VitalsRow, withdrawn) == VitalsRow::state_bytes);
static_assert(offsetof(VitalsRow, traffic) == VitalsRow::header_bytes);
static_assert(sizeof(VitalsRow) == VitalsRow::bytes);
static_assert(VitalsRow::places / VitalsRow::places_per_page <= 64, "a bit for each page");

// The numbers of those who have sent to an actor, or are about to. Written by them. A bit too many costs a look.
struct SenderSet {
    static constexpr std::size_t words_max = limits::actors_max / 64 + 1;
    std::atomic<std::uint64_t> words[words_max];
};
static_assert(VitalsRow::page_bytes % sizeof(SenderSet) == 0, "none lies in two pages");
static_assert(std::atomic<std::uint64_t>::is_always_lock_free);

class Vitals {
public:
    // For the coordinator: makes the region of the session.
    [[nodiscard]] static Result<Vitals> create(std::string_view session_id);
    // For everyone: reads all rows. The coordinator writes some words of them, too.
    enum class Use { reads, coordinates };
    [[nodiscard]] static Result<Vitals> open(std::string_view session_id, Use use = Use::reads);
    static void remove(std::string_view session_id) noexcept;

    // For the coordinator: commits and clears the row of a new life. `overloaded` if memory is short.
    [[nodiscard]] Result<void> prepare(ActorId actor, std::string_view name = {});

    // For the coordinator: records that this life has ended.
    void note_exit(ActorId actor) noexcept;
    // Works for past lives too, even if the row has been reused.
    [[nodiscard]] bool has_exited(ActorId actor) const noexcept;
    // True if that life has begun; false for a number or an incarnation that has not been given out yet.
    [[nodiscard]] bool has_lived(ActorId actor) const noexcept;
    // The name of a living actor that counts; nothing for any other.
    [[nodiscard]] std::optional<std::string> name_of(ActorId actor) const;
    // The command being handled, if there is one, and the last words: text that can be sent, whatever is in the row.
    [[nodiscard]] std::optional<std::string> in_hand(ActorId actor) const;
    [[nodiscard]] std::string last_words(ActorId actor) const;

    // The actor whose answer an actor waits for, and the number of that ask: the same number means the same wait.
    struct Wait {
        ActorId whom;
        std::uint64_t ask = 0;
        bool operator==(const Wait&) const = default;
    };
    [[nodiscard]] std::optional<Wait> wait_of(ActorId actor) const noexcept;

    // The actor whose full inbox an actor waits for with a command to it; `ask` is then how many of its commands had
    // been taken.
    [[nodiscard]] std::optional<Wait> room_wait_of(ActorId actor) const noexcept;

    // What the actor waits for, if others have to go on before it can.
    [[nodiscard]] std::optional<WaitEdge> edge_of(ActorId who) const;

    // The waits of one circle in which none can ever end: each waits for the next, the last for the first, and nothing
    // is on its way that could end one of them. It consists of `waits`, which `looker` keeps and knows itself, and of
    // those that the rows of the actors they wait for tell. Empty if there is none. Circles through an actor that does
    // not count its answers are not found.
    [[nodiscard]] std::vector<WaitEdge> find_deadlock(std::vector<WaitEdge> waits, ActorId looker) const;
    // The circle in which `actor` is, beginning with its wait; of at most limits::circle_actors_max actors.
    [[nodiscard]] std::vector<WaitEdge> circle_of(ActorId actor) const;

    // Tells whether a receiver has begun the ask that an asker sent to it with that sequence number. It is unknown of a
    // receiver that does not count what it takes, or has no place for this asker.
    enum class Begun { no, yes, unknown };
    [[nodiscard]] Begun has_begun(ActorId receiver, ActorId asker, std::uint64_t sequence) const noexcept;

    // For the coordinator: true if the last life of that number has withdrawn asks and a living receiver has not looked
    // at all that it sent. Until then the row is not given to another life.
    [[nodiscard]] bool holds_withdrawn(std::uint32_t number) const noexcept;

    // The row of that life; nullptr if the row belongs to another life.
    [[nodiscard]] const VitalsRow* row_of(ActorId actor) const noexcept;
    // What the actor of that row, one of row_of(), counts of `peer`; nullptr if it counts nothing of it, or not yet.
    [[nodiscard]] const Traffic* find_traffic(const VitalsRow& row, ActorId peer) const noexcept;

    // Commands that `from` has sent to `to` and `to` has not taken.
    [[nodiscard]] std::uint64_t waiting(ActorId from, ActorId to) const noexcept;
    // Those who have sent to it, or were about to: the last life of each number, which may have ended.
    [[nodiscard]] std::vector<ActorId> senders_to(ActorId actor) const;

private:
    friend class OwnVitals;
    Vitals(SharedObject object, Mapping mapping) : object_(std::move(object)), mapping_(std::move(mapping)) {}
    // nullptr if there is no such row, or if nobody has had it yet: its memory is not committed.
    [[nodiscard]] VitalsRow* at(std::uint32_t number) const noexcept;
    [[nodiscard]] SenderSet& senders_of(std::uint32_t number) const noexcept;
    // True if that page of a row's traffic can be read.
    [[nodiscard]] bool is_committed(std::uint32_t number, std::uint32_t page) const noexcept;
    mutable SharedObject object_;
    Mapping mapping_;
    // As far as looked at: rows, and the pages of each.
    mutable std::vector<bool> committed_ = std::vector<bool>(limits::actors_max + 1);
    mutable std::vector<std::uint32_t> committed_pages_ = std::vector<std::uint32_t>(limits::actors_max + 1);
    static_assert(VitalsRow::places / VitalsRow::places_per_page <= 32);
};

// The writable row of this process. One thread.
class OwnVitals {
public:
    [[nodiscard]] static Result<OwnVitals> open(const Vitals& vitals, ActorId me);

    void begin(std::string_view command, std::int64_t now) noexcept;
    void end() noexcept;
    void begin_wait(Vitals::Wait wait) noexcept;
    void end_wait() noexcept;
    // Of a command that found the receiver's inbox full, and each time that it looks again.
    void begin_room_wait(Vitals::Wait wait) noexcept;
    void end_room_wait() noexcept;
    // An answer to and of `peer`, of whom `traffic` was. An answer that was given counts before the next wait begins;
    // an answer that was waited for is heard after end_wait(). A process that sees the one sees the other.
    void count_answered(Traffic* traffic, ActorId peer) noexcept;
    void count_heard(Traffic* traffic, ActorId peer) noexcept;
    // A command is taken; all has been done with it.
    void begin_taken() noexcept;
    void end_taken() noexcept;
    // The answer to that ask of the peer of `traffic` can't be given before `whom` goes on; nobody: that is over.
    void keep_answer(Traffic& traffic, std::uint64_t ask, ActorId whom) noexcept;
    void keep_last_words(std::string_view words) noexcept;
    // Where who spins counts it; valid for as long as the row is mapped here.
    [[nodiscard]] std::atomic<std::uint64_t>& spun() noexcept { return row().work.spun; }
    // From here on `to` does not begin that ask, if it has not begun it: has_begun() says so afterwards. False if all
    // places are in use.
    [[nodiscard]] bool withdraw(std::uint64_t ask, ActorId to) noexcept;
    // The ask had begun, or its answer has come; `to` has ended.
    void end_withdrawal(std::uint64_t ask) noexcept;
    void end_withdrawals_to(ActorId to) noexcept;
    // The place for `peer`, made when it is first needed; a new life of a number takes that of the last one. nullptr if
    // memory is short, or if another life of its number is a member: then that traffic is not counted and only the
    // transport bounds it. A caller that keeps the pointer asks is_of() before each use.
    [[nodiscard]] Traffic* traffic_with(ActorId peer) noexcept;
    // Before a link is opened to a member: says to the coordinator that this actor sends to it, and makes the places in
    // which both of them count that, so that neither can lack one later. `overloaded` if memory is short.
    [[nodiscard]] Result<void> begin_sending(ActorId to);
    [[nodiscard]] bool has_exited(ActorId peer) const noexcept { return vitals_->has_exited(peer); }
    [[nodiscard]] const VitalsRow* row_of(ActorId peer) const noexcept { return vitals_->row_of(peer); }

private:
    struct Withdrawn {
        std::uint64_t ask = 0;  // 0: the place is free
        ActorId to;
    };
    void free_withdrawn(std::size_t place) noexcept;
    OwnVitals(const Vitals& vitals, ActorId me, Mapping mapping, Mapping sender_sets)
        : vitals_(&vitals), me_(me), mapping_(std::move(mapping)), sender_sets_(std::move(sender_sets)) {}
    [[nodiscard]] VitalsRow& row() const noexcept { return *reinterpret_cast<VitalsRow*>(mapping_.data()); }
    [[nodiscard]] Result<void> make_page(std::uint32_t page);
    const Vitals* vitals_;
    ActorId me_;
    Mapping mapping_;
    Mapping sender_sets_;
    std::uint64_t pages_ = 0;  // what the row says, which others may overwrite
    std::array<Withdrawn, VitalsRow::withdrawn_max> withdrawn_ = {};  // what the row says, which others may overwrite
    std::size_t withdrawn_count_ = 0;
};

[[nodiscard]] constexpr std::uint64_t packed(ActorId id) noexcept {
    return std::uint64_t{id.number} << 32 | id.incarnation;
}
[[nodiscard]] constexpr ActorId unpacked(std::uint64_t id) noexcept {
    return {static_cast<std::uint32_t>(id >> 32), static_cast<std::uint32_t>(id)};
}
[[nodiscard]] inline bool is_of(const Traffic& traffic, ActorId peer) noexcept {
    return traffic.peer.load(std::memory_order_relaxed) == packed(peer);
}
// For the coordinator, of a sender that has ended: what `to` has not taken is accounted for, and not waiting any more.
void account_for(const Vitals& vitals, ActorId from, ActorId to) noexcept;
// True if `row` is that of `asker` and says that this ask is withdrawn. Of an ask that has been counted as taken.
[[nodiscard]] bool is_withdrawn(const VitalsRow& row, ActorId asker, std::uint64_t ask) noexcept;

}  // namespace baton::detail
