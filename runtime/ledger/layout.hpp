#pragma once
// LedgerLayout: where each table of the ledger lies in its region.
//
// One region of shared memory holds the header and six tables: actors, segments, leases, names, marks and wills. Its
// pages come into use one by one: commit() comes before a row is touched for the first time. The tables themselves are
// views of this layout (ledger.hpp). It has no state of its own, so that any number of threads may use it.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>

#include <baton/result.hpp>
#include "runtime/ledger/rows.hpp"
#include "runtime/ledger/words.hpp"

namespace baton::detail {

namespace layout {

inline constexpr std::uint64_t magic_number = 0x4e4f544142ULL;  // "BATON"
inline constexpr std::uint64_t version = 5;
inline constexpr std::size_t page = 4096;
inline constexpr std::size_t block_bytes = limits::rows_per_block * sizeof(SegmentRow);
static_assert(block_bytes == page, "a block of rows is a page, so that it is committed alone");
static_assert(sizeof(LeaseRow) == sizeof(SegmentRow));

inline constexpr std::size_t actors_bytes = (limits::actors_max + 1) * ActorRow::bytes;
inline constexpr std::size_t segments_bytes = segment_blocks_max * block_bytes;
inline constexpr std::size_t leases_bytes = lease_blocks_max * block_bytes;
inline constexpr std::size_t names_bytes = limits::names_max * NameRow::bytes;
inline constexpr std::size_t marks_bytes = ((limits::actors_max + 1) * MarkRow::bytes + page - 1) / page * page;

inline constexpr std::size_t wills_bytes = limits::segments_max * WillRow::bytes;
static_assert(page % WillRow::bytes == 0, "a will lies in one page");

inline constexpr auto relaxed = std::memory_order_relaxed;
inline constexpr auto sequential = std::memory_order_seq_cst;

}  // namespace layout

class LedgerLayout {
public:
    // Makes the pages of [offset, offset + bytes) of the region usable; `overloaded` if memory is short.
    using Commit = std::function<Result<void>(std::size_t offset, std::size_t bytes)>;

    [[nodiscard]] static std::size_t region_bytes() noexcept;
    // `memory`: region_bytes() of them, page-aligned, zero when new. It outlives the layout.
    LedgerLayout(std::span<std::byte> memory, Commit commit);
    LedgerLayout(const LedgerLayout&) = delete;
    LedgerLayout& operator=(const LedgerLayout&) = delete;

    // The coordinator, once, before anybody else maps the region.
    [[nodiscard]] Result<void> format(std::uint64_t session_budget_bytes);
    // `corrupt` for a region of another version.
    [[nodiscard]] Result<void> check_format() const;
    // All pages in which `bytes` from `first` on lie. Committing one again has no effect.
    [[nodiscard]] Result<void> commit(const void* first, std::size_t bytes) const;

    [[nodiscard]] LedgerHeader& header() const noexcept { return *header_; }
    [[nodiscard]] ActorRow* actors() const noexcept { return actors_; }      // by number
    [[nodiscard]] SegmentRow* segments() const noexcept { return segments_; }  // by slot
    [[nodiscard]] LeaseRow* leases() const noexcept { return leases_; }
    [[nodiscard]] NameRow* names() const noexcept { return names_; }
    [[nodiscard]] MarkRow* marks() const noexcept { return marks_; }         // by number
    [[nodiscard]] WillRow* wills() const noexcept { return wills_; }         // by slot

private:
    std::span<std::byte> memory_;
    Commit commit_;
    LedgerHeader* header_;
    ActorRow* actors_;
    SegmentRow* segments_;
    LeaseRow* leases_;
    NameRow* names_;
    MarkRow* marks_;
    WillRow* wills_;
};

}  // namespace baton::detail
