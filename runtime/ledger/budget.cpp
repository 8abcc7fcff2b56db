#include "runtime/ledger/budget.hpp"

#include <algorithm>

namespace baton::detail {

using namespace layout;

bool Budget::claim(ActorNumber me, std::uint64_t bytes) noexcept {
    // First said, then looked: of two that would exceed the budget together at least one sees it.
    std::atomic<std::uint64_t>& mine = header_->home_bytes[me];
    const std::uint64_t before = mine.load(relaxed);
    // What alone is too much is not said: a sum must not overflow, nor others be refused for it.
    const std::uint64_t most = std::min(limit_of(me), session_limit());
    if (bytes > most || before > most - bytes) return false;
    mine.store(before + bytes, sequential);
    const bool fits = bytes_in_session() <= session_limit();
    if (!fits) mine.store(before, sequential);
    return fits;
}
void Budget::add(ActorNumber me, std::uint64_t bytes) noexcept {
    std::atomic<std::uint64_t>& mine = header_->home_bytes[me];
    mine.store(mine.load(relaxed) + bytes, sequential);
}
void Budget::give_back(ActorNumber me, std::uint64_t bytes) noexcept {
    std::atomic<std::uint64_t>& mine = header_->home_bytes[me];
    const std::uint64_t before = mine.load(relaxed);
    mine.store(before - std::min(before, bytes), sequential);
}
void Budget::forget(ActorNumber dead) noexcept { header_->home_bytes[dead].store(0, sequential); }

std::uint64_t Budget::bytes_of(ActorNumber home) const noexcept { return header_->home_bytes[home].load(relaxed); }
std::uint64_t Budget::bytes_in_session() const noexcept {
    std::uint64_t sum = 0;
    for (const auto& bytes : header_->home_bytes) sum += bytes.load(sequential);
    return sum;
}
std::uint64_t Budget::session_limit() const noexcept { return header_->session_budget.load(relaxed); }
std::uint64_t Budget::limit_of(ActorNumber home) const noexcept { return header_->budget[home].load(relaxed); }

}  // namespace baton::detail
