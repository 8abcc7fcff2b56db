#pragma once
// Holdings: the memory of the session that this actor holds, and everything that it may do with it.
//
// The actor's side of docs/ownership.md: it makes the transitions in which this actor is named, maps the memory they
// open, and finishes each before the next one. It sends nothing: a transfer begins in transfers() and the inbox's loop
// carries it. Segment, Loan, Lease and Slice (runtime/segment.cpp) are its faces.
//
// Its parts stand on each other: the book of what is held, the home of the memory, the endings; and on these what is
// lent, what is published and what travels. The bytes of a segment begin and end here.
//
// One thread, the actor's. Lives as long as its last handle, so that one which outlives the session is only empty.

#include <memory>
#include <string>

#include "runtime/holdings/heirs.hpp"
#include "runtime/holdings/lending.hpp"
#include "runtime/holdings/publications.hpp"
#include "runtime/holdings/transfers.hpp"

namespace baton::detail {

class Holdings : public std::enable_shared_from_this<Holdings> {
public:
    // Held by a shared_ptr, from which every handle takes its part.
    Holdings(LedgerRegion region, std::string session_id, ActorId me, const Clock& clock, Store::Idle idle);
    ~Holdings();
    Holdings(const Holdings&) = delete;
    Holdings& operator=(const Holdings&) = delete;

    // ---- T1, T9, T10
    // `overloaded` when memory, budget or rows are short. The bytes are not cleared.
    [[nodiscard]] Result<Holding*> create(Layout layout);
    // The segment outlives the session as /dev/shm/<name>; it is no longer ours.
    [[nodiscard]] Result<void> hand_out(Holding& holding, const std::string& name);
    [[nodiscard]] Result<Holding*> take_in(const std::string& name, Layout layout);
    // As Endings has it.
    void release(Holding& holding) noexcept { endings_.release(holding); }
    void release_all() noexcept { endings_.release_all(); }
    // As Home has it.
    void trim() noexcept { home_.trim(); }
    [[nodiscard]] bool has_pooled() const noexcept { return home_.has_pooled(); }

    [[nodiscard]] Heirs& heirs() noexcept { return heirs_; }
    [[nodiscard]] Lending& lending() noexcept { return lending_; }
    [[nodiscard]] Publications& publications() noexcept { return publications_; }
    [[nodiscard]] Transfers& transfers() noexcept { return transfers_; }

    [[nodiscard]] SessionTag session() const noexcept { return holder_.session(); }

    // ---- the book: as Book has it
    void invalidate(Holding& holding) noexcept { book_.invalidate(holding); }
    void drop(Holding& holding) noexcept { book_.drop(holding); }
    [[nodiscard]] Result<std::byte*> map(Holding& holding) { return book_.map(holding); }
    [[nodiscard]] std::string to_text(const Holding& holding) const { return book_.to_text(holding); }

    [[nodiscard]] Ledger& ledger() noexcept { return holder_.ledger(); }
    [[nodiscard]] const Ledger& ledger() const noexcept { return holder_.ledger(); }

private:
    [[nodiscard]] Holding& owned_from_now(Slot slot, Count what, Layout layout, std::uint64_t capacity,
                                          std::byte* data);
    [[nodiscard]] Result<void> make_memory(Holding& holding);
    [[nodiscard]] Result<void> copy_out(Holding& holding, const std::string& name);
    void end_handed_out(Holding& holding);

    Holder holder_;
    Book book_{holder_};
    Home home_{holder_};
    LeaseRows lease_rows_{holder_};
    Heirs heirs_{holder_};
    Endings endings_{holder_, book_, home_};
    Lending lending_{holder_, book_, heirs_, endings_};
    Publications publications_{holder_, book_, lease_rows_, endings_, lending_};
    Transfers transfers_{holder_, book_, heirs_, lease_rows_, endings_};
};

}  // namespace baton::detail
