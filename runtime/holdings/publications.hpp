#pragma once
// Publications: what this actor publishes under a name, and what it attaches to (N1, N2, L7).
//
// No other process is asked. An actor that attaches makes a lease of its own and then checks that the name is still
// valid; an actor that withdraws a name does so before it looks at the leases. At least one of the two sees the other
// (docs/ownership.md). One thread, the actor's.

#include <string>

#include "runtime/holdings/lease_rows.hpp"
#include "runtime/holdings/lending.hpp"

namespace baton::detail {

class Publications {
public:
    Publications(Holder& holder, Book& book, LeaseRows& lease_rows, Endings& endings, Lending& lending)
        : holder_(holder), book_(book), lease_rows_(lease_rows), endings_(endings), lending_(lending) {}
    Publications(const Publications&) = delete;
    Publications& operator=(const Publications&) = delete;

    // From then on others may attach to all of it: to read, or to change its words together (read or shared). `refused`
    // if another actor has that name, which the text names, or while a lease or slice of another kind is out.
    [[nodiscard]] Result<void> publish(Holding& loan, const std::string& name, LeaseKind kind);
    // As Endings has it.
    void unpublish(Holding& loan) noexcept { endings_.unpublish(loan); }
    // Because others may attach at any moment, leases and slices of other kinds are forbidden from then on.
    [[nodiscard]] Result<void> permits(const Holding& loan, LeaseKind kind) const;
    // A lease or slice of what is published under that name; nullptr if nothing is published at this moment. It may be
    // our own; then we borrow from ourselves.
    [[nodiscard]] Result<Holding*> attach(const std::string& name);

private:
    [[nodiscard]] Ledger& ledger() const noexcept { return holder_.ledger(); }
    [[nodiscard]] Result<void> check_publishable(const Holding& loan, LeaseKind kind) const;
    [[nodiscard]] Result<Holding*> attach_to(NameSlot row, NameWord word, Publication what);

    Holder& holder_;
    Book& book_;
    LeaseRows& lease_rows_;
    Endings& endings_;
    Lending& lending_;
};

}  // namespace baton::detail
