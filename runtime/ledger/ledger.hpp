#pragma once
// Ledger: the owner of each segment, the transfers in progress, and the actors that may read or write what is lent.
//
// Tables of 64-bit words in memory that all processes of a session map (docs/ownership.md). Every transition is one
// compare-and-swap that also bumps the row's epoch; nothing here sends, waits, logs or asks for the time, so the tables
// can be tested on the heap and a crash can be replayed word by word. It does not contain the memory of the segments,
// and knows only how many bytes that has.
//
// Invariants (docs/ownership.md; audit.cpp recomputes them from scratch):
//   I1  A live segment has one owner or one transfer: never both, never neither.
//   I3  A transfer ends once: accepted, withdrawn, bounced or settled.
//   I4  A lent segment does not travel: only owned(me) can be offered.
//   I5  No memory is reused while a lease on it lives: recycle() and reclaim() look.
//
// A transition returns the new epoch, or nothing if the word is not one that it can start from; then nothing has
// changed. Indexes that stand in shared memory are bounded before they are used: any process of the session can write
// there. Thread-safe and crash-safe: any process may die between any two instructions.

#include <atomic>
#include <cstddef>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <baton/ref.hpp>
#include "runtime/ledger/words.hpp"
#include <baton/result.hpp>

namespace baton::detail {

// In used_bytes of a row whose memory has left the session by name: its home has that number of bytes less.
inline constexpr std::uint64_t handed_out_mark = std::uint64_t{1} << 63;

// shared: a slice that may overlap others of its kind, for words that several change by atomic operations.
enum class LeaseKind : std::uint32_t { read = 0, slice = 1, shared = 2 };

struct SegmentRow {
    std::atomic<std::uint64_t> word;
    std::atomic<std::uint64_t> bytes;        // of its memory; 0: there is none. Its home writes it, and an owner that
                                             // exports the memory
    std::atomic<std::uint64_t> generation;   // of its memory; with session and slot it is the memory's name
    std::atomic<std::uint64_t> first_lease;  // of its lend: index + 1; 0: none. Its owner writes it.
    std::atomic<std::int64_t> since;         // when the word last changed, steady clock; for people
    std::atomic<std::uint64_t> used_bytes;   // what its owner asked for; for people
    std::atomic<std::uint64_t> published;    // 1 + the epoch of the lend that was last published; its owner writes it
    std::uint64_t reserved;
};
static_assert(sizeof(SegmentRow) == 64);

struct LeaseRow {
    std::atomic<std::uint64_t> word;
    std::atomic<std::uint64_t> segment;        // its slot. This and what follows: the lender writes, while free.
    std::atomic<std::uint64_t> segment_epoch;  // of the lend
    std::atomic<std::uint64_t> kind;
    std::atomic<std::uint64_t> offset;         // bytes
    std::atomic<std::uint64_t> bytes;
    std::atomic<std::uint64_t> next;           // of the same segment: index + 1; 0: none
    std::atomic<std::uint64_t> unlisted;       // 1: it stands in no list, as its borrower made it (L7)
};
static_assert(sizeof(LeaseRow) == 64);

// What a name stands for. It is bound to its name for the life of the session; the fields after `name` are written by
// the actor that publishes, while the word says publishing(me).
struct NameRow {
    static constexpr std::size_t bytes = 512;

    std::atomic<std::uint64_t> word;
    std::atomic<std::uint64_t> next;         // of the same bucket: index + 1; 0: none
    std::atomic<std::uint64_t> name_bytes;
    std::atomic<std::uint64_t> name[limits::published_name_bytes_max / 8];
    std::atomic<std::uint64_t> kind;         // LeaseKind: read or shared
    std::atomic<std::uint64_t> lend;         // epoch
    std::atomic<std::uint64_t> bytes_leased;
    std::atomic<std::uint64_t> dimensions;
    std::atomic<std::uint64_t> shape[limits::shape_dimensions_max];
    std::atomic<std::uint64_t> type_bytes;
    std::atomic<std::uint64_t> type[limits::published_type_bytes_max / 8];
};
static_assert(sizeof(NameRow) == NameRow::bytes);

// What an actor that attaches is leased, as plain values.
struct Publication {
    LeaseKind kind = LeaseKind::read;
    Epoch lend = 0;
    std::uint64_t bytes = 0;
    std::string type;
    std::vector<std::uint64_t> shape;
};

enum class Transition : std::uint32_t {
    none = 0, create, offer, accept, withdraw, bounce, settle, lend, reclaim, retire, recycle,  // T1 to T10
    grant, claim, lease_withdraw, drop, lease_settle,                                           // L1 to L5, L6
    publish, unpublish,                                                                         // N1, N2
    attach,                                                                                     // L7
};
// "T1 create", "L4 drop", ... for people.
[[nodiscard]] std::string_view name_of(Transition transition) noexcept;

struct RingEntry {
    std::atomic<std::int64_t> at;         // steady clock, nanoseconds
    std::atomic<std::uint64_t> what;      // Transition in the high half, slot in the low one
    std::atomic<std::uint64_t> epoch;     // after it
    std::atomic<std::uint64_t> partner;   // the other actor's number; 0: none
};

// Counts for the balance of a session: created + taken in (imported) = released + handed out (exported) + alive.
struct Counts {
    std::uint64_t created = 0;
    std::uint64_t released = 0;
    std::uint64_t handed_out = 0;   // by name, to outlive the session
    std::uint64_t taken_in = 0;     // by name, from outside
    std::uint64_t refused = 0;      // handles: forged, stale, repeated or misdirected
};
enum class Count : std::uint64_t { created = 0, released = 1, handed_out = 2, taken_in = 3 };

// Written by its actor alone, which it outlives. What the coordinator needs to finish what a dead actor had begun.
struct ActorRow {
    static constexpr std::size_t bytes = 4096;

    std::atomic<std::uint64_t> counts[4];         // by Count
    std::atomic<std::uint64_t> refused;
    // What is about to be counted: 1 + Count in `intent`, 0 when nothing is.
    std::atomic<std::uint64_t> intent;
    std::atomic<std::uint64_t> intent_slot;
    std::atomic<std::uint64_t> intent_word;       // before the transition
    std::atomic<std::uint64_t> intent_count;      // before it was counted
    std::atomic<std::uint64_t> ring_next;         // entries ever written
    std::uint64_t reserved[6];
    RingEntry ring[limits::ring_entries];
};
static_assert(sizeof(ActorRow) <= ActorRow::bytes);

class Ledger {
public:
    // Makes the pages of [offset, offset + bytes) of the region usable; `overloaded` if memory is short.
    using Commit = std::function<Result<void>(std::size_t offset, std::size_t bytes)>;

    [[nodiscard]] static std::size_t region_bytes() noexcept;
    // `memory`: region_bytes() of them, page-aligned, zero when new. It outlives the ledger.
    Ledger(std::span<std::byte> memory, Commit commit);
    // The coordinator, once, before anybody else maps the region.
    [[nodiscard]] Result<void> format(std::uint64_t session_budget_bytes);
    // `corrupt` for a region of another version.
    [[nodiscard]] Result<void> check_format() const;

    // ---- lives: the coordinator gives and takes them
    [[nodiscard]] Result<void> give_life(ActorId actor, std::uint64_t budget_bytes);
    void take_life(ActorId actor) noexcept;
    void clear_life(ActorNumber number) noexcept;  // whatever stands there
    // Sequentially consistent with offer() and grant(): if a sender sees a life after its offer, a coordinator that
    // takes the life later sees that offer.
    [[nodiscard]] bool is_alive(ActorId actor) const noexcept;
    [[nodiscard]] ActorId life_of(ActorNumber number) const noexcept;

    // ---- blocks: rows are taken into use only by their home
    // The first row of a fresh block of 64, `me` being its home; `overloaded` when all are claimed.
    [[nodiscard]] Result<Slot> claim_segment_block(ActorNumber me);
    [[nodiscard]] Result<Slot> claim_lease_block(ActorNumber me);
    [[nodiscard]] ActorNumber home_of(Slot slot) const noexcept;
    [[nodiscard]] ActorNumber lease_home_of(Slot lease) const noexcept;
    // The coordinator: all blocks of a dead home become its own.
    void adopt_blocks(ActorNumber dead, ActorNumber coordinator) noexcept;
    void adopt_all_blocks(ActorNumber coordinator) noexcept;  // of whomever
    // The coordinator: gives back the blocks of its own in which every row is free.
    void release_empty_blocks(ActorNumber coordinator) noexcept;
    // Rows below these have ever been in use.
    [[nodiscard]] Slot segments_used() const noexcept;
    [[nodiscard]] Slot leases_used() const noexcept;

    // ---- T1 to T10
    [[nodiscard]] std::optional<Epoch> create(Slot slot, ActorNumber me) noexcept;
    // From here until T3, T4, T5 or T6 nobody may touch the bytes; `heir` alone may accept (I4: not while lent).
    [[nodiscard]] std::optional<Epoch> offer(Slot slot, Epoch epoch, ActorNumber me, ActorNumber heir) noexcept;
    [[nodiscard]] std::optional<Epoch> accept(Slot slot, Epoch epoch, ActorNumber from, ActorNumber me) noexcept;
    [[nodiscard]] std::optional<Epoch> withdraw(Slot slot, Epoch epoch, ActorNumber me, ActorNumber heir) noexcept;
    [[nodiscard]] std::optional<Epoch> bounce(Slot slot, SegmentWord offered) noexcept;
    [[nodiscard]] std::optional<Epoch> settle(Slot slot, SegmentWord offered) noexcept;
    [[nodiscard]] std::optional<Epoch> lend(Slot slot, Epoch epoch, ActorNumber me) noexcept;
    // Returns nothing as well while a lease lives.
    [[nodiscard]] std::optional<Epoch> reclaim(Slot slot, Epoch epoch, ActorNumber me) noexcept;
    // From owned or lent.
    [[nodiscard]] std::optional<Epoch> retire(Slot slot, Epoch epoch, ActorNumber owner) noexcept;
    // Returns nothing as well while a lease lives (I5). The only way to end memory or to reuse it.
    [[nodiscard]] std::optional<Epoch> recycle(Slot slot, SegmentWord retired) noexcept;
    // For callers that recycle many; has_live_lease() explains `steps_left`.
    [[nodiscard]] std::optional<Epoch> recycle(Slot slot, SegmentWord retired, std::uint32_t& steps_left) noexcept;
    // For callers that have seen `retired` first and then that no lease of it lives: no new one can have been granted
    // since.
    [[nodiscard]] std::optional<Epoch> recycle_unleased(Slot slot, SegmentWord retired) noexcept;

    // ---- words that no transition has written (words.hpp, is_sound): any process of the session can
    // The coordinator: replaces such a word. False if it has changed in the meantime.
    [[nodiscard]] bool mend(Slot slot, SegmentWord from, SegmentWord to) noexcept;
    [[nodiscard]] bool free_lease(Slot lease, LeaseWord word) noexcept;

    // ---- leases and slices: rows of the same kind
    struct Range {
        LeaseKind kind = LeaseKind::read;
        std::uint64_t offset = 0;
        std::uint64_t bytes = 0;
    };
    // Writes what will be leased into a free row of a home of mine and, if it is to, adds the row to the segment's.
    // Nothing can be claimed before grant().
    enum class Listing { joins, stands, none };  // in the list of the segment's leases
    void describe_lease(Slot lease, Slot segment, Epoch lend_epoch, Range range, Listing listing) noexcept;
    [[nodiscard]] std::optional<Epoch> grant(Slot lease, ActorNumber me, ActorNumber borrower) noexcept;
    [[nodiscard]] std::optional<Epoch> claim(Slot lease, Epoch epoch, ActorNumber lender, ActorNumber me) noexcept;
    [[nodiscard]] std::optional<Epoch> withdraw_lease(Slot lease, Epoch epoch, ActorNumber me,
                                                      ActorNumber borrower) noexcept;
    [[nodiscard]] std::optional<Epoch> drop(Slot lease, Epoch epoch, ActorNumber lender, ActorNumber me) noexcept;
    [[nodiscard]] std::optional<Epoch> settle_lease(Slot lease, LeaseWord word) noexcept;
    // True if a granted or claimed lease of the segment's present lend (of the last one, if retired) is left.
    [[nodiscard]] bool has_live_lease(Slot segment) const noexcept;
    // For callers that look at many: reduces `steps_left` by the rows that it looks at, and if that is not enough, it
    // answers as if a lease were left.
    [[nodiscard]] bool has_live_lease(Slot segment, std::uint32_t& steps_left) const noexcept;
    // A free row that still stands in the list of a lend: it serves no other segment until that has ended, since
    // somebody may just be walking the list.
    [[nodiscard]] bool is_parked(Slot lease) const noexcept;
    // How many.
    [[nodiscard]] std::uint32_t live_leases(Slot segment) const noexcept;
    // Returns this by slot for all segments. Looks once at each row of leases, whatever their lists say.
    [[nodiscard]] std::vector<std::uint32_t> live_leases_of_all() const;

    // L7, by an actor that found the segment published: a row of its own blocks, described and in no list. It then
    // checks that the word of the name and that of the segment have not changed; if they have, it drops the lease, and
    // nothing has happened.
    [[nodiscard]] std::optional<Epoch> attach(Slot lease, ActorNumber lender, ActorNumber me) noexcept;

    // ---- names: a row each, found by the name's hash, and bound to it for the life of the session
    using NameSlot = std::uint32_t;
    [[nodiscard]] std::optional<NameSlot> find_name(std::string_view name) const;
    // Finds the row of a name, and adds one if there is none; if two actors add one name at once, both get the same
    // row.
    [[nodiscard]] Result<NameSlot> bind_name(std::string_view name);
    [[nodiscard]] NameWord name_word_of(NameSlot row) const noexcept;
    [[nodiscard]] std::string name_of_row(NameSlot row) const;  // bounded, whatever stands there
    [[nodiscard]] NameSlot names_used() const noexcept;
    // N1, of a segment that is lent by me: free -> publishing(me) -> published(me). Nothing: somebody has it.
    [[nodiscard]] std::optional<NameWord> begin_publishing(NameSlot row, ActorNumber me, Slot slot) noexcept;
    void describe_publication(NameSlot row, const Publication& what) noexcept;
    [[nodiscard]] std::optional<NameWord> publish(NameSlot row, NameWord publishing) noexcept;
    // N2, from either. Sequentially consistent with attach(): a process that looks at the leases after it sees each
    // lease whose borrower has seen the name after making the lease.
    bool unpublish(NameSlot row, NameWord word) noexcept;
    // What is published under a word that the caller reads before and after; nothing if it makes no sense.
    [[nodiscard]] std::optional<Publication> publication_of(NameSlot row) const;

    // ---- looking
    [[nodiscard]] bool is_slot(std::uint64_t slot) const noexcept { return slot < segments_used(); }
    [[nodiscard]] bool is_lease(std::uint64_t lease) const noexcept { return lease < leases_used(); }
    [[nodiscard]] SegmentWord word_of(Slot slot) const noexcept;
    [[nodiscard]] LeaseWord lease_word_of(Slot lease) const noexcept;
    [[nodiscard]] SegmentRow& segment(Slot slot) const noexcept { return segments_[slot]; }
    [[nodiscard]] LeaseRow& lease(Slot lease) const noexcept { return leases_[lease]; }
    [[nodiscard]] NameRow& name_row(NameSlot row) const noexcept { return names_[row]; }

    // ---- bytes: each home says how many it has claimed; nobody adds to another's number
    // False, and nothing is claimed, if the session's or the actor's budget would be exceeded.
    [[nodiscard]] bool claim_bytes(ActorNumber me, std::uint64_t bytes) noexcept;
    void add_bytes(ActorNumber me, std::uint64_t bytes) noexcept;  // without asking
    void return_bytes(ActorNumber me, std::uint64_t bytes) noexcept;
    [[nodiscard]] std::uint64_t bytes_of_home(ActorNumber number) const noexcept;
    [[nodiscard]] std::uint64_t bytes_in_session() const noexcept;
    [[nodiscard]] std::uint64_t session_budget_bytes() const noexcept;
    [[nodiscard]] std::uint64_t budget_bytes_of(ActorNumber number) const noexcept;
    // The coordinator: the home of that dead actor holds nothing any more.
    void forget_bytes(ActorNumber dead) noexcept;

    // ---- counting: exact even when the counter's process dies between two instructions
    // Says what is about to be counted; then comes the transition, then count().
    void intend(ActorNumber me, Count what, Slot slot) noexcept;
    void count(ActorNumber me, Count what) noexcept;
    void forget_intent(ActorNumber me) noexcept;
    void count_refused(ActorNumber me) noexcept;
    // The coordinator: what a dead actor had begun to count is counted if its transition was made; then its
    // counts are added to the coordinator's, and the row is empty.
    void take_over_counts(ActorNumber dead, ActorNumber coordinator) noexcept;
    void settle_intent(ActorNumber dead) noexcept;
    [[nodiscard]] Counts counts_of(ActorNumber number) const noexcept;

    // ---- the ring: what an actor did last, for post-mortems
    void note(ActorNumber me, Transition transition, Slot slot, Epoch epoch, ActorNumber partner,
              std::int64_t now) noexcept;
    [[nodiscard]] const ActorRow& actor(ActorNumber number) const noexcept { return actors_[number]; }

private:
    struct Header;
    template <class Look>
    [[nodiscard]] bool walk_leases(Slot segment, std::uint32_t& steps_left, const Look& look) const noexcept;
    [[nodiscard]] bool was_published(Slot segment) const noexcept;
    [[nodiscard]] std::uint32_t live_leases_in_table(Slot segment) const noexcept;
    [[nodiscard]] std::optional<NameSlot> find_name(std::string_view name, std::uint64_t first) const;
    [[nodiscard]] Result<NameSlot> fresh_name();
    [[nodiscard]] bool is_of_last_lend(Slot lease, SegmentWord segment) const noexcept;
    [[nodiscard]] Header& header() const noexcept;
    [[nodiscard]] ActorRow& own(ActorNumber number) const noexcept { return actors_[number]; }
    [[nodiscard]] std::optional<Epoch> change(Slot slot, SegmentWord from, SegmentWord to) noexcept;
    [[nodiscard]] std::optional<Epoch> change(Slot lease, LeaseWord from, LeaseWord to) noexcept;
    [[nodiscard]] Result<Slot> claim_block(ActorNumber me, std::atomic<std::uint64_t>* homes, std::uint32_t rows_max,
                                           std::size_t rows_offset, std::atomic<std::uint64_t>& used,
                                           std::string_view limit);

    std::span<std::byte> memory_;
    Commit commit_;
    ActorRow* actors_;
    SegmentRow* segments_;
    LeaseRow* leases_;
    NameRow* names_;
    std::optional<NameSlot> spare_name_;  // taken by this process and bound to no name yet
};

}  // namespace baton::detail
