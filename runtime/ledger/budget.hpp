#pragma once
// Budget: how many bytes of memory each home has claimed, and how many it and the session may (decision 0009).
//
// Each home writes its own number and nobody adds to another's, so no number needs a compare-and-swap and no death
// leaves one half changed. A view of the ledger's header. Thread-safe as long as each number has one writer.

#include "runtime/ledger/layout.hpp"

namespace baton::detail {

class Budget {
public:
    explicit Budget(const LedgerLayout& layout) : header_(&layout.header()) {}

    // False, and nothing is claimed, if the session's or the actor's budget would be exceeded.
    [[nodiscard]] bool claim(ActorNumber me, std::uint64_t bytes) noexcept;
    void add(ActorNumber me, std::uint64_t bytes) noexcept;  // without asking
    void give_back(ActorNumber me, std::uint64_t bytes) noexcept;
    // The coordinator: the home of that dead actor holds nothing any more.
    void forget(ActorNumber dead) noexcept;

    [[nodiscard]] std::uint64_t bytes_of(ActorNumber home) const noexcept;
    [[nodiscard]] std::uint64_t bytes_in_session() const noexcept;
    [[nodiscard]] std::uint64_t session_limit() const noexcept;
    [[nodiscard]] std::uint64_t limit_of(ActorNumber home) const noexcept;

private:
    LedgerHeader* header_;
};

}  // namespace baton::detail
