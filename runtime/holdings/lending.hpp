#pragma once
// Lending: what this actor lends, and the leases and slices that it makes of it (T7, T8). One thread, the actor's.

#include "runtime/holdings/endings.hpp"
#include "runtime/holdings/heirs.hpp"

namespace baton::detail {

class Lending {
public:
    Lending(Holder& holder, Book& book, Heirs& heirs, Endings& endings)
        : holder_(holder), book_(book), heirs_(heirs), endings_(endings) {}
    Lending(const Lending&) = delete;
    Lending& operator=(const Lending&) = delete;

    [[nodiscard]] Result<void> lend(Holding& holding);
    // False while a lease is out.
    [[nodiscard]] bool try_reclaim(Holding& holding) noexcept;
    // A lease or slice of what is lent, to be sent.
    [[nodiscard]] Holding* pledge(Holding& loan, LeaseKind kind, std::uint64_t offset, Layout layout);
    // True if a lease or slice that is out or pledged forbids one of this kind and range: where they overlap, a slice
    // tolerates none, a lease or a shared slice only others of its kind.
    [[nodiscard]] bool overlaps(const Holding& loan, LeaseKind kind, std::uint64_t offset,
                                std::uint64_t bytes) const noexcept;
    [[nodiscard]] std::uint32_t leases_out(const Holding& loan) const noexcept;

private:
    [[nodiscard]] Ledger& ledger() const noexcept { return holder_.ledger(); }

    Holder& holder_;
    Book& book_;
    Heirs& heirs_;
    Endings& endings_;
};

// What is known of a Loan. Only for what is lent.
[[nodiscard]] LentOut& lent(Holding& loan);
[[nodiscard]] const LentOut& lent(const Holding& loan);

}  // namespace baton::detail
