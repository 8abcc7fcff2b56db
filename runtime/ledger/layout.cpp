#include "runtime/ledger/layout.hpp"

#include "runtime/base/check.hpp"

namespace baton::detail {

using namespace layout;

namespace {

constexpr std::size_t in_pages(std::size_t bytes) { return (bytes + page - 1) / page * page; }

}  // namespace

std::size_t LedgerLayout::region_bytes() noexcept {
    return in_pages(sizeof(LedgerHeader)) + actors_bytes + segments_bytes + leases_bytes + names_bytes + marks_bytes +
           wills_bytes;
}

LedgerLayout::LedgerLayout(std::span<std::byte> memory, Commit commit) : memory_(memory), commit_(std::move(commit)) {
    check(memory.size() >= region_bytes(), "a ledger has all of its region");
    std::byte* at = memory.data();
    header_ = reinterpret_cast<LedgerHeader*>(at);
    at += in_pages(sizeof(LedgerHeader));
    actors_ = reinterpret_cast<ActorRow*>(at);
    at += actors_bytes;
    segments_ = reinterpret_cast<SegmentRow*>(at);
    at += segments_bytes;
    leases_ = reinterpret_cast<LeaseRow*>(at);
    at += leases_bytes;
    names_ = reinterpret_cast<NameRow*>(at);
    at += names_bytes;
    marks_ = reinterpret_cast<MarkRow*>(at);
    at += marks_bytes;
    wills_ = reinterpret_cast<WillRow*>(at);
}

Result<void> LedgerLayout::format(std::uint64_t session_budget_bytes) {
    if (Result<void> committed = commit(header_, sizeof(LedgerHeader)); !committed) return committed;
    header_->session_budget.store(session_budget_bytes, relaxed);
    header_->version.store(layout::version, relaxed);
    header_->magic.store(magic_number, std::memory_order_release);
    return {};
}

Result<void> LedgerLayout::check_format() const {
    if (header_->magic.load(std::memory_order_acquire) == magic_number &&
        header_->version.load(relaxed) == layout::version)
        return {};
    return Error{ErrorKind::corrupt, "the ledger of the session is of another version of Baton: build both anew"};
}

Result<void> LedgerLayout::commit(const void* first, std::size_t bytes) const {
    const auto offset = static_cast<std::size_t>(static_cast<const std::byte*>(first) - memory_.data());
    const std::size_t start = offset / page * page;
    return commit_(start, in_pages(offset + bytes) - start);
}

}  // namespace baton::detail
