#pragma once
// Holding: one thing of the session that this actor holds, or has on its way, and what is known of it.
//
// A row of this process's own book. It is handed out with a ticket; raising the ticket invalidates older handles, so a
// Segment that was sent is empty, wherever it is. What a Holding is for stands in its state, and each state has what it
// needs and nothing else: the others' fields do not exist. Plain data; one thread, the actor's.

#include <optional>
#include <variant>
#include <vector>

#include "runtime/ledger/names.hpp"
#include "runtime/memory/store.hpp"
#include "runtime/wire/handle.hpp"

namespace baton::detail {

struct Holding;

// The memory of a segment, and where this process has it mapped.
struct Memory {
    std::uint64_t generation = 0;
    std::uint64_t capacity = 0;     // bytes
    std::uint64_t place_bytes = 0;  // of each place of the shelf that it lies on; 0: an object of its own
    std::byte* data = nullptr;      // of the first byte that is held; nullptr while it is not mapped

    // As the row says, not mapped.
    [[nodiscard]] static Memory of(const SegmentRow& row) noexcept {
        constexpr auto relaxed = std::memory_order_relaxed;
        return {row.generation.load(relaxed), row.bytes.load(relaxed), row.place_bytes.load(relaxed)};
    }
    [[nodiscard]] Store::Block block(Slot slot) const noexcept { return {slot, generation, place_bytes}; }
};

// A Segment.
struct Owned {
    Memory memory;
};

// A Loan. Its epoch is that of the lend.
struct LentOut {
    // The name under which it is published, and how. Each actor that attaches takes a lease row of its own.
    struct Name {
        NameSlot row = 0;
        NameWord word;
        LeaseKind kind = LeaseKind::read;
    };
    Memory memory;
    std::optional<Name> name;
    bool was_published = false;      // in this lend
    bool was_sliced = false;         // a slice of it has been made
    std::vector<Slot> lease_rows;    // in its list
    std::vector<Holding*> pledges;   // made of it and not sent
};

// A Lease or Slice that has been claimed.
struct Borrowed {
    HandleKind kind = HandleKind::lease;
    Memory memory;
    Slot lease = 0;
    Epoch lease_epoch = 0;
    ActorNumber lender = 0;
};

// A Lease or Slice that its lender, this actor, has made and not sent yet. It has no row and no memory of its own: it
// lies where the Loan has it mapped, unless that has ended since.
struct Pledge {
    LeaseKind kind = LeaseKind::read;
    Holding* loan = nullptr;
    std::uint32_t loan_ticket = 0;

    // nullptr if it is not lent any more.
    [[nodiscard]] LentOut* lender() const noexcept;
};

// A Segment on its way to another.
struct Offered {
    Memory memory;  // not mapped
    ActorNumber heir = 0;
};

// A Lease or Slice on its way to another.
struct Granted {
    Pledge pledge;
    Slot lease = 0;
    Epoch lease_epoch = 0;
    ActorNumber borrower = 0;
};

// What a message's handle claims, before the ledger has been asked.
struct Arriving {
    HandleKind kind = HandleKind::segment;
    Slot lease = 0;
    Epoch lease_epoch = 0;
    ActorNumber sender = 0;
};

// The same when the ledger has confirmed it and it is mapped, and before it is accepted.
struct Confirmed {
    Arriving handle;
    Memory memory;
};

struct Holding {
    // The first alternative: a row of the book that is not in use.
    std::variant<std::monostate, Owned, LentOut, Borrowed, Pledge, Offered, Granted, Arriving, Confirmed> state;
    std::uint32_t ticket = 0;
    std::uint32_t will = 0;       // the place with the heirs that this actor has named since it got it; 0: none
    std::uint32_t exports = 0;    // views that somebody outside C++ holds (NumPy): it can't go while there are any
    // Which bytes of which segment.
    Slot slot = 0;
    Epoch epoch = 0;              // of the segment's word; of the lend, if it is lent
    std::uint64_t offset = 0;     // of a lease or slice
    std::uint64_t bytes = 0;      // that the layout takes
    Layout layout;

    template <class State>
    [[nodiscard]] bool is() const noexcept {
        return std::holds_alternative<State>(state);
    }
    // nullptr if it is in another state.
    template <class State>
    [[nodiscard]] State* as() noexcept {
        return std::get_if<State>(&state);
    }
    template <class State>
    [[nodiscard]] const State* as() const noexcept {
        return std::get_if<State>(&state);
    }
    [[nodiscard]] bool is_in_use() const noexcept { return !is<std::monostate>(); }
    // Sent, and not decided yet.
    [[nodiscard]] bool is_in_transit() const noexcept { return is<Offered>() || is<Granted>(); }
    // Come in a message, and not accepted yet.
    [[nodiscard]] bool is_arriving() const noexcept { return is<Arriving>() || is<Confirmed>(); }

    [[nodiscard]] HandleKind kind() const noexcept;
    // nullptr in states that have no memory of their own.
    [[nodiscard]] Memory* memory() noexcept;
    [[nodiscard]] const Memory* memory() const noexcept;
    // Of its first byte; nullptr while it may not be touched, or is not mapped yet.
    [[nodiscard]] std::byte* data() const noexcept;
    [[nodiscard]] Handle handle() const;
};

[[nodiscard]] constexpr HandleKind handle_kind_of(LeaseKind kind) noexcept {
    return kind == LeaseKind::read ? HandleKind::lease : HandleKind::slice;
}

}  // namespace baton::detail
