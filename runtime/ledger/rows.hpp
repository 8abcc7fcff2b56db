#pragma once
// Rows: what stands in each row of the ledger's tables, and in its header. docs/wire/ledger.md has the offsets.
//
// Every number is an atomic of 64 bits, because other processes read it at any time. Indexes that stand here are
// bounded before they are used: any process of the session can write anything. Plain data.

#include <atomic>
#include <cstddef>
#include <cstdint>

#include <baton/limits.hpp>

namespace baton::detail {

struct SegmentRow {
    std::atomic<std::uint64_t> word;
    std::atomic<std::uint64_t> bytes;        // of its memory; 0: there is none. Its home writes it, and an owner that
                                             // exports the memory
    std::atomic<std::uint64_t> generation;   // of its memory; with session and slot it is the memory's name
    std::atomic<std::uint64_t> first_lease;  // of its lend: index + 1; 0: none. Its owner writes it.
    std::atomic<std::int64_t> since;         // when the word last changed, steady clock; for people
    std::atomic<std::uint64_t> used_bytes;   // what its owner asked for; for people
    std::atomic<std::uint64_t> published;    // 1 + the epoch of the lend that was last published; its owner writes it
    // 0: its memory is an object of its own. Otherwise the block is a shelf with places of this size, and all its rows
    // say the same, and the same generation. Its home writes it while all of them are free.
    std::atomic<std::uint64_t> place_bytes;
};
static_assert(sizeof(SegmentRow) == 64);

// In used_bytes of a row whose memory has left the session by name: its home has that number of bytes less.
inline constexpr std::uint64_t handed_out_mark = std::uint64_t{1} << 63;

// shared: a slice that may overlap others of its kind, for words that several change by atomic operations.
enum class LeaseKind : std::uint32_t { read = 0, slice = 1, shared = 2 };

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

// The heirs of the segment of the same slot, written by its owner. Its page comes into use with the first will in it;
// `will_pages` of the header says so, and then nobody looks at a row in another.
struct WillPlace {
    std::atomic<std::uint64_t> heirs[limits::heirs_max];  // ActorId packed, the first one first; next_life_heir
    std::atomic<std::uint64_t> sizes;  // heirs in bits 0 to 7, bytes of the label 8 to 15 and of the type 16 to 23,
                                       // dimensions 24 to 31
    std::atomic<std::uint64_t> shape[limits::shape_dimensions_max];
    std::atomic<std::uint64_t> label[limits::heir_label_bytes_max / 8];
    std::atomic<std::uint64_t> type[limits::heir_type_bytes_max / 8];  // empty: the heirs get bytes
};
struct WillRow {
    static constexpr std::size_t bytes = 512;

    std::atomic<std::uint64_t> word;         // WillWord
    // The coordinator, before it becomes the owner (T11).
    std::atomic<std::uint64_t> was_written;  // 1: the last owner died while it could write
    std::atomic<std::uint64_t> listed;       // how many of the heirs have been passed over, or have refused
    std::atomic<std::uint64_t> left_by;      // the last owner, packed
    WillPlace places[2];
};
static_assert(sizeof(WillRow) == WillRow::bytes);

// In a list of heirs: the life with which the owner's number goes on.
inline constexpr std::uint64_t next_life_heir = ~std::uint64_t{0};

// One of an actor's last transitions.
struct RingEntry {
    std::atomic<std::int64_t> at;         // steady clock, nanoseconds
    std::atomic<std::uint64_t> what;      // Transition in the high half, slot in the low one
    std::atomic<std::uint64_t> epoch;     // after it
    std::atomic<std::uint64_t> partner;   // the other actor's number; 0: none
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

inline constexpr std::uint32_t segment_blocks_max = limits::segments_max / limits::rows_per_block;
inline constexpr std::uint32_t lease_blocks_max = limits::leases_max / limits::rows_per_block;
inline constexpr std::size_t name_buckets = 1024;
inline constexpr std::size_t wills_per_page = 4096 / WillRow::bytes;
inline constexpr std::size_t will_pages_max = limits::segments_max / wills_per_page;

// In which blocks rows may name an actor, beside those whose home it is: a bit for each block, the first block in the
// lowest bit of the first word. Whoever puts the actor's number into such a row sets the bit first (T2, L1). Bits are
// cleared when the number is given to another life.
struct MarkRow {
    static constexpr std::size_t bytes = (segment_blocks_max + lease_blocks_max) / 8;

    std::atomic<std::uint64_t> segments[segment_blocks_max / 64];
    std::atomic<std::uint64_t> leases[lease_blocks_max / 64];
};
static_assert(sizeof(MarkRow) == MarkRow::bytes);

struct LedgerHeader {
    std::atomic<std::uint64_t> magic;
    std::atomic<std::uint64_t> version;
    std::atomic<std::uint64_t> session_budget;
    std::atomic<std::uint64_t> segment_blocks_used;
    std::atomic<std::uint64_t> lease_blocks_used;
    // By number of the actor.
    std::atomic<std::uint64_t> life[limits::actors_max + 1];       // ActorId packed; 0: nobody
    std::atomic<std::uint64_t> home_bytes[limits::actors_max + 1];
    std::atomic<std::uint64_t> budget[limits::actors_max + 1];
    // By block: the number of its home; 0: nobody's.
    std::atomic<std::uint64_t> segment_homes[segment_blocks_max];
    std::atomic<std::uint64_t> lease_homes[lease_blocks_max];
    // No block below this one was free when it was last written: where a search begins. It may lag behind.
    std::atomic<std::uint64_t> segment_blocks_free;
    std::atomic<std::uint64_t> lease_blocks_free;
    // Of names.
    std::atomic<std::uint64_t> names_used;               // rows that have ever been taken
    std::atomic<std::uint64_t> buckets[name_buckets];    // by hash: index of the first name + 1; 0: none
    // A bit for each page of wills that is in use; the first page in the lowest bit of the first word.
    std::atomic<std::uint64_t> will_pages[will_pages_max / 64];
};

}  // namespace baton::detail
