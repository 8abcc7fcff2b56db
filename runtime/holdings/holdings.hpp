#pragma once
// Holdings: the memory of the session that this actor holds, and everything that it may do with it.
//
// The actor's side of docs/ownership.md: it makes the transitions in which this actor is named, maps the
// memory they open, and finishes each before the next one. It sends nothing: a transfer begins here (depart)
// and the inbox's loop carries it. Segment, Loan, Lease and Slice (runtime/segment.hpp) are its faces.
//
// A Holding is a row of this process's own book. It is handed out with a ticket. Raising the ticket invalidates older
// handles, so a Segment that was sent is empty, wherever it is.
//
// One thread, the actor's. Lives as long as its last handle, so that one which outlives the session is only empty.

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include <baton/time.hpp>
#include "runtime/holdings/region.hpp"
#include "runtime/memory/store.hpp"
#include "runtime/wire/handle.hpp"

namespace baton::detail {

struct Holding {
    enum class State : std::uint8_t {
        none,      // not in use
        owned,     // a Segment
        lent,      // a Loan
        borrowed,  // a Lease or Slice that has been claimed
        pledge,    // a Lease or Slice that its lender has made and not sent yet
        departing, // offered or granted: on its way to another
        arriving,  // came in a message, is not accepted yet
    };
    State state = State::none;
    HandleKind kind = HandleKind::segment;
    std::uint32_t ticket = 0;
    Slot slot = 0;
    Epoch epoch = 0;              // of the segment's word; of the lend
    std::uint64_t generation = 0;
    std::uint64_t capacity = 0;   // bytes of the block of memory
    std::uint64_t offset = 0;     // of a lease or slice
    std::uint64_t bytes = 0;      // that the layout takes
    Layout layout;
    std::byte* data = nullptr;    // of the first byte; nullptr while it may not be touched
    Slot lease = 0;
    Epoch lease_epoch = 0;
    ActorNumber other = 0;        // heir or borrower while departing; lender of what is borrowed; sender while arriving
    Holding* lender = nullptr;    // of a pledge, and of a lease of ours on its way: the Loan, ...
    std::uint32_t lender_ticket = 0;  // ... unless it has been released since
    std::uint32_t exports = 0;    // views that somebody outside C++ holds (NumPy): it can't go while there are any
    bool was_sliced = false;      // of a Loan: a slice of it has been made
    // Of a Loan: the name under which it is published, and how; empty if it is not. Each actor that attaches takes a
    // lease row of its own.
    struct Publication {
        Ledger::NameSlot row = 0;
        NameWord word;
        LeaseKind kind = LeaseKind::read;
    };
    std::optional<Publication> published;
    bool was_published = false;   // in this lend
    bool is_shared = false;       // of a pledge: the slice may overlap its like
    std::vector<Slot> lease_rows; // of a Loan: rows in its list
    std::vector<Holding*> pledges;  // of a Loan: made and not sent

    [[nodiscard]] Handle handle() const;
    [[nodiscard]] Store::Block block() const noexcept { return {slot, generation}; }
    [[nodiscard]] LeaseKind lease_kind() const noexcept;  // of a pledge
};

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
    // Ends a Segment, Loan, Lease, Slice or pledge.
    void release(Holding& holding) noexcept;
    // Ends everything that is held; existing handles are empty afterwards. Memory that is exported to views remains in
    // place, as private memory, until this object ends.
    void release_all() noexcept;
    // Returns pooled memory to the system, and recycles what others have retired.
    void trim() noexcept;
    // True if there is pooled memory that trim() could return to others; see MemoryShort in notices.hpp.
    [[nodiscard]] bool has_pooled() const noexcept { return pooled_bytes_ > 0; }
    // The segment outlives the session as /dev/shm/<name>; it is no longer ours.
    [[nodiscard]] Result<void> hand_out(Holding& holding, const std::string& name);
    [[nodiscard]] Result<Holding*> take_in(const std::string& name, Layout layout);

    // ---- T7, T8, leases
    [[nodiscard]] Result<void> lend(Holding& holding);
    // False while a lease is out.
    [[nodiscard]] bool try_reclaim(Holding& holding) noexcept;
    [[nodiscard]] Holding* pledge(Holding& lent, LeaseKind kind, std::uint64_t offset, Layout layout);
    // True if a lease or slice that is out or pledged forbids one of this kind and range: where they overlap, a slice
    // tolerates none, a lease or a shared slice only others of its kind.
    [[nodiscard]] bool overlaps(const Holding& lent, LeaseKind kind, std::uint64_t offset,
                                std::uint64_t bytes) const noexcept;
    [[nodiscard]] std::uint32_t leases_out(const Holding& lent) const noexcept;

    // ---- names: N1, N2, L7 (names.cpp)
    // From then on others may attach to all of it: to read, or to change its words together (read or shared). `refused`
    // if another actor has that name, which the text names, or while a lease or slice of another kind is out.
    [[nodiscard]] Result<void> publish(Holding& lent, const std::string& name, LeaseKind kind);
    // Because others may attach at any moment, leases and slices of other kinds are forbidden from then on.
    [[nodiscard]] Result<void> check_published(const Holding& lent, LeaseKind kind) const;
    // Nobody can attach any more; actors that have attached keep what they have. Does nothing if it is not published.
    void unpublish(Holding& lent) noexcept;
    // A lease or slice of what is published under that name; nullptr if nothing is published at this moment. It may be
    // our own; then we borrow from ourselves.
    [[nodiscard]] Result<Holding*> attach(const std::string& name);

    // ---- transfers out: T2 and L1, T4 and L3
    // All of them or none, in their order; the first decides. `gone` if `to` is no longer alive. A segment that cannot
    // leave (lent, viewed, owned by another) is `refused` and named.
    [[nodiscard]] Result<void> depart(std::span<Holding* const> parcel, ActorId to);
    // A parcel in transit. Its first part decides: once that has been accepted, the rest is the receiver's to accept.
    // Checks whether the receiver has accepted the parcel; accepted parts leave the parcel and the book. True if
    // nothing of it is in transit any more. What the coordinator made ours again after the first was taken (T5, because
    // the receiver died between two of them) belongs to no message any more and is released.
    [[nodiscard]] bool is_taken(Parcel& parcel);
    // Takes the parcel back, whether we made it ours again (T4, L3) or the coordinator did (T5). False if the receiver
    // was first; then the parcel holds what is still in transit.
    [[nodiscard]] bool take_back(Parcel& parcel);

    // ---- transfers in: T3 and L2
    [[nodiscard]] Holding& expect(const Handle& handle, ActorNumber sender);
    // All or none. `refused`, and counted, if the ledger does not confirm it; `overloaded` if it cannot be mapped.
    [[nodiscard]] Result<void> accept(std::span<Holding* const> parcel);
    // For memory that cannot be mapped, or that nobody wants: accepted and ended at once.
    void accept_and_release(std::span<Holding* const> parcel) noexcept;
    void count_refused() noexcept { ledger().count_refused(me_.number); }

    // Raises the ticket: existing handles are empty from then on.
    void invalidate(Holding& holding) noexcept { ++holding.ticket; }
    void drop(Holding& holding) noexcept;  // out of the book, without a transition

    [[nodiscard]] ActorId me() const noexcept { return me_; }
    [[nodiscard]] Ledger& ledger() noexcept { return region_.ledger(); }
    [[nodiscard]] const Ledger& ledger() const noexcept { return const_cast<LedgerRegion&>(region_).ledger(); }
    [[nodiscard]] std::string to_text(const Holding& holding) const;
    // Maps its bytes, if they are not mapped yet.
    [[nodiscard]] Result<void> map(Holding& holding);

private:
    [[nodiscard]] Holding& fresh();
    void note(Transition transition, Slot slot, Epoch epoch, ActorNumber partner) noexcept;
    struct Place {
        Slot slot = 0;
        std::byte* data = nullptr;  // of its memory, pinned; nullptr: it has none
    };
    [[nodiscard]] Result<Place> place_of(std::uint64_t capacity);
    [[nodiscard]] Holding& owned_from_now(Slot slot, Count what, Layout layout);
    void end_memory(Slot slot, std::uint64_t bytes) noexcept;
    [[nodiscard]] Result<Slot> empty_slot();
    [[nodiscard]] std::optional<Slot> pooled(std::uint64_t capacity);
    void come_home(std::uint32_t looks_max) noexcept;
    void take_home(Slot slot, std::uint32_t& steps_left) noexcept;
    void take_home_if_ours(Slot slot) noexcept;
    [[nodiscard]] Result<Slot> free_lease(Holding& lent, bool& is_linked);
    [[nodiscard]] Result<Slot> unlinked_lease();
    [[nodiscard]] Result<Holding*> attach_to(Ledger::NameSlot row, NameWord word, Publication what);
    [[nodiscard]] Slot lease_row(std::uint64_t at) const noexcept;
    [[nodiscard]] Result<void> depart_one(Holding& holding, ActorId to);
    enum class Fate { under_way, ours, taken };
    [[nodiscard]] Fate fate_of(const Holding& holding) const noexcept;
    void undo_departure(Holding& holding) noexcept;
    [[nodiscard]] bool is_back(Holding& holding) noexcept;
    [[nodiscard]] Result<void> open(Holding& holding);
    void unmap(Holding& holding) noexcept;
    void keep_exported() noexcept;
    [[nodiscard]] bool claim_bytes(std::uint64_t bytes) noexcept;
    [[nodiscard]] Mapping::Access access_of(const Holding& holding) const noexcept;

    LedgerRegion region_;
    Store store_;
    ActorId me_;
    const Clock* clock_;
    std::deque<Holding> book_;
    std::vector<Holding*> unused_;

    // The home pool: rows of our blocks, by the memory behind them.
    std::vector<Slot> blocks_;
    std::vector<Slot> empty_;                                       // free, no memory
    std::unordered_map<std::uint64_t, std::vector<Slot>> pool_;     // free, by bytes of memory
    std::uint64_t pooled_bytes_ = 0;
    std::uint64_t cursor_ = 0;                                      // of come_home(), in rows of blocks_
    std::vector<Slot> lease_blocks_;
    std::uint64_t fresh_leases_ = 0;       // rows at the end of the last block that have never been used
    std::uint64_t lease_cursor_ = 0;       // in the rows of a lend
    std::uint64_t used_lease_cursor_ = 0;  // in those of all blocks that have been used
};

}  // namespace baton::detail
