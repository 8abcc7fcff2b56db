#pragma once
// Layout: the offsets in the region of a ledger. For the files of Ledger alone; docs/wire/ledger.md has the tables.

#include <cstddef>
#include <cstdint>

#include "runtime/ledger/ledger.hpp"

namespace baton::detail {

namespace layout {

inline constexpr std::uint64_t magic_number = 0x4e4f544142ULL;  // "BATON"
inline constexpr std::uint64_t version = 2;
inline constexpr std::size_t page = 4096;
inline constexpr std::uint32_t segment_blocks_max = limits::segments_max / limits::rows_per_block;
inline constexpr std::uint32_t lease_blocks_max = limits::leases_max / limits::rows_per_block;
inline constexpr std::size_t block_bytes = limits::rows_per_block * sizeof(SegmentRow);
static_assert(block_bytes == page, "a block of rows is a page, so that it is committed alone");
static_assert(sizeof(LeaseRow) == sizeof(SegmentRow));

inline constexpr std::size_t actors_bytes = (limits::actors_max + 1) * ActorRow::bytes;
inline constexpr std::size_t segments_bytes = segment_blocks_max * block_bytes;
inline constexpr std::size_t leases_bytes = lease_blocks_max * block_bytes;
inline constexpr std::size_t names_bytes = limits::names_max * NameRow::bytes;
inline constexpr std::size_t name_buckets = 1024;

constexpr std::size_t in_pages(std::size_t bytes) { return (bytes + page - 1) / page * page; }

inline constexpr auto relaxed = std::memory_order_relaxed;
inline constexpr auto sequential = std::memory_order_seq_cst;

}  // namespace layout

struct Ledger::Header {
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
    std::atomic<std::uint64_t> segment_homes[layout::segment_blocks_max];
    std::atomic<std::uint64_t> lease_homes[layout::lease_blocks_max];
    // Of names.
    std::atomic<std::uint64_t> names_used;                       // rows that have ever been taken
    std::atomic<std::uint64_t> buckets[layout::name_buckets];    // by hash: index of the first name + 1; 0: none
};

}  // namespace baton::detail
