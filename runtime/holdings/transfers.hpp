#pragma once
// Transfers: what departs to others, and what arrives from them (T2 to T4, L1 to L3).
//
// A transfer begins and ends here, in the ledger; the inbox's loop carries the message. One thread, the actor's.

#include <optional>
#include <span>
#include <vector>

#include <baton/detail/codec.hpp>

#include "runtime/holdings/endings.hpp"
#include "runtime/holdings/heirs.hpp"
#include "runtime/holdings/lease_rows.hpp"

namespace baton::detail {

class Transfers {
public:
    Transfers(Holder& holder, Book& book, Heirs& heirs, LeaseRows& lease_rows, Endings& endings)
        : holder_(holder), book_(book), heirs_(heirs), lease_rows_(lease_rows), endings_(endings) {}
    Transfers(const Transfers&) = delete;
    Transfers& operator=(const Transfers&) = delete;

    // ---- out: T2 and L1, T4 and L3
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

    // ---- in: T3 and L2
    [[nodiscard]] Holding& expect(const Handle& handle, ActorNumber sender);
    // All or none. `refused`, and counted, if the ledger does not confirm it; `overloaded` if it cannot be mapped.
    [[nodiscard]] Result<void> accept(std::span<Holding* const> parcel);
    // For memory that cannot be mapped, or that nobody wants: accepted and ended at once.
    void accept_and_release(std::span<Holding* const> parcel) noexcept;

private:
    [[nodiscard]] Ledger& ledger() const noexcept { return holder_.ledger(); }
    [[nodiscard]] Result<void> depart_one(Holding& holding, ActorId to);
    [[nodiscard]] Result<void> offer_one(Holding& holding, ActorId to);
    [[nodiscard]] Result<void> grant_one(Holding& holding, ActorId to);
    enum class Fate { under_way, ours, taken };
    [[nodiscard]] Fate fate_of(const Holding& holding) const noexcept;
    [[nodiscard]] std::optional<Epoch> end_offer(Slot slot, Epoch offered, ActorNumber heir) noexcept;
    [[nodiscard]] bool end_grant(Slot lease, Epoch granted, ActorNumber borrower) noexcept;
    [[nodiscard]] bool is_back(Holding& holding) noexcept;
    [[nodiscard]] Result<void> confirm(Holding& holding);
    [[nodiscard]] bool is_as_described(const Holding& holding, const Arriving& handle) const noexcept;
    [[nodiscard]] bool take(Holding& holding, const Arriving& handle, const Memory& memory) noexcept;

    Holder& holder_;
    Book& book_;
    Heirs& heirs_;
    LeaseRows& lease_rows_;
    Endings& endings_;
};

}  // namespace baton::detail
