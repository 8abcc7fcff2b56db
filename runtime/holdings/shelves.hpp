#pragma once
// Shelves: the blocks of this home whose rows share one object, and which of their places have memory (decision 0026).
//
// A shelf is made in a block whose rows are all free, and removed when they are free again. Its places get memory in
// pieces, as they are needed, and may lose it again by whole pages. It does not know who holds a place, and claims no
// bytes: that is its home's business. One thread, the actor's.

#include <unordered_map>
#include <vector>

#include "runtime/holdings/holder.hpp"

namespace baton::detail {

class Shelves {
public:
    explicit Shelves(Holder& holder) : holder_(holder) {}
    Shelves(const Shelves&) = delete;
    Shelves& operator=(const Shelves&) = delete;

    // How large the places of that row's shelf are; 0: it has an object of its own, if it has memory. As we have made
    // it, whatever the row says.
    [[nodiscard]] std::uint64_t place_bytes_at(Slot slot) const noexcept;
    // True if there is a shelf with places of that size of which some have no memory.
    [[nodiscard]] bool has_room(std::uint64_t place_bytes) const noexcept;
    // Makes one out of the block of free rows that begins with `first`. If that fails, nothing has changed.
    [[nodiscard]] Result<void> make(Slot first, std::uint64_t place_bytes);

    // Places that are to get memory.
    struct Piece {
        Slot first = 0;  // of the block
        shelf::Run run;
    };
    // What to fill next: one step, or more the more there is already, so that what lies there in advance is a quarter.
    // There is room.
    enum class Appetite { usual, least };
    [[nodiscard]] Piece next_piece(std::uint64_t place_bytes, Appetite appetite) const noexcept;
    [[nodiscard]] Result<void> fill(const Piece& piece);

    // Returns the memory of the places in `set`, all of them free, of that block: by whole pages, and all of the shelf
    // if no other place of it has any. Says which places have none any more.
    struct Emptied {
        std::uint64_t places = 0;
        bool is_gone = false;  // the block is as it was before it became a shelf
    };
    Emptied empty(Slot first, std::uint64_t set) noexcept;
    // Ends those that were made when there was no memory for a place; says which blocks are as before.
    [[nodiscard]] std::vector<Slot> end_unfilled();
    // Somebody has removed or cut its shelf: this free place has no memory any more, and no place of it gets any. True
    // if it was the last one that had, so that the shelf is gone and the block as it was before.
    bool lose(Slot slot) noexcept;

private:
    struct Shelf {
        std::uint64_t place_bytes = 0;
        std::uint64_t generation = 0;
        std::uint64_t filled = 0;   // places that have memory, as bits
        bool is_abandoned = false;
    };
    struct Class {
        std::vector<Slot> with_room;   // first rows
        std::uint64_t steps_filled = 0;
    };
    [[nodiscard]] Ledger& ledger() noexcept { return holder_.ledger(); }
    [[nodiscard]] Store::Block block_of(Slot first, const Shelf& shelf) const noexcept {
        return {first, shelf.generation, shelf.place_bytes};
    }
    void say(Slot first, std::uint64_t place_bytes) noexcept;
    void abandon(Slot first) noexcept;
    void end(Slot first) noexcept;

    Holder& holder_;
    std::unordered_map<Slot, Shelf> shelves_;           // by the first row of their blocks
    std::unordered_map<std::uint64_t, Class> classes_;  // by the size of their places
};

}  // namespace baton::detail
