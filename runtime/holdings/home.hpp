#pragma once
// Home: the rows of this actor's own blocks, and the memory behind them (T10 and what precedes T1).
//
// A block is a shelf of places of one size, or its rows have objects of their own. Only the home takes rows of its
// blocks into use, and only the home unlinks or reuses their memory. What comes back is kept in a pool, by its size, so
// that the steady state asks the kernel for nothing. One thread, the actor's.

#include <optional>
#include <unordered_map>
#include <vector>

#include "runtime/holdings/shelves.hpp"

namespace baton::detail {

class Home {
public:
    explicit Home(Holder& holder) : holder_(holder) {}
    Home(const Home&) = delete;
    Home& operator=(const Home&) = delete;

    struct Place {
        Slot slot = 0;
        std::byte* data = nullptr;  // of its memory, pinned; nullptr: it has none, and its bytes are claimed
    };
    // A free row, with memory of that size if the pool has some; `overloaded` when memory, budget or rows are short.
    [[nodiscard]] Result<Place> place_for(std::uint64_t capacity);
    // A free row without memory.
    [[nodiscard]] Result<Slot> empty_slot();
    // What this actor has just retired itself, if this is its home.
    void take_back(Slot slot) noexcept;
    // Returns pooled memory to the system, and recycles what others have retired.
    void trim() noexcept;
    // True if there is pooled memory that trim() could return to others; see MemoryShort in notices.hpp.
    [[nodiscard]] bool has_pooled() const noexcept { return pooled_bytes_ > 0; }

private:
    [[nodiscard]] Ledger& ledger() noexcept { return holder_.ledger(); }
    [[nodiscard]] bool claim_bytes(std::uint64_t bytes) noexcept;
    [[nodiscard]] Error no_room(std::uint64_t capacity);
    [[nodiscard]] Result<Slot> empty_block();
    [[nodiscard]] std::optional<Slot> pooled(std::uint64_t capacity);
    // From the pool; nothing: it has none of that size.
    [[nodiscard]] Result<std::optional<Place>> pooled_place(std::uint64_t capacity);
    [[nodiscard]] Result<Place> place_on_shelf(std::uint64_t capacity);
    [[nodiscard]] Result<void> add_places(std::uint64_t capacity, Shelves::Appetite appetite);
    [[nodiscard]] Result<void> fill_places(std::uint64_t capacity, Shelves::Appetite appetite);
    void put_in_pool(Slot slot, std::uint64_t bytes);
    void look_for_retired(std::uint32_t looks_max) noexcept;
    void recycle(Slot slot, std::uint32_t& steps_left) noexcept;
    void end_memory(Slot slot, std::uint64_t bytes) noexcept;
    void trim_places(std::uint64_t place_bytes, std::vector<Slot>& slots) noexcept;

    Holder& holder_;
    Shelves shelves_{holder_};
    std::vector<Slot> blocks_;
    std::vector<Slot> empty_blocks_;                                // their first rows; all of it is free
    std::vector<Slot> empty_;                                       // free, no memory, on no shelf
    std::unordered_map<std::uint64_t, std::vector<Slot>> pool_;     // free, by bytes of memory
    std::uint64_t pooled_bytes_ = 0;
    std::uint64_t cursor_ = 0;                                      // of look_for_retired(), in rows of blocks_
};

}  // namespace baton::detail
