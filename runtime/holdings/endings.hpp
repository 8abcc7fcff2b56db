#pragma once
// Endings: how each kind of holding ends (T9, L4, N2). One thread, the actor's.

#include "runtime/holdings/book.hpp"
#include "runtime/holdings/home.hpp"

namespace baton::detail {

class Endings {
public:
    Endings(Holder& holder, Book& book, Home& home) : holder_(holder), book_(book), home_(home) {}
    Endings(const Endings&) = delete;
    Endings& operator=(const Endings&) = delete;

    // Ends a Segment, Loan, Lease, Slice or pledge.
    void release(Holding& holding) noexcept;
    // Ends everything that is held; existing handles are empty afterwards. Memory that is exported to views remains in
    // place, as private memory, until the book ends.
    void release_all() noexcept;
    // N2: nobody can attach any more; actors that have attached keep what they have. Does nothing if it is not
    // published.
    void unpublish(Holding& holding) noexcept;

private:
    [[nodiscard]] Ledger& ledger() noexcept { return holder_.ledger(); }
    void retire(Holding& holding) noexcept;
    void return_lease(Holding& holding, const Borrowed& borrowed) noexcept;

    Holder& holder_;
    Book& book_;
    Home& home_;
};

}  // namespace baton::detail
