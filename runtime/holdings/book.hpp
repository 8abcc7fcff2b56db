#pragma once
// Book: what this actor holds, row by row, and where each of it is mapped.
//
// It makes no transitions. One thread, the actor's. Rows stay where they are as long as the book lives, so that a
// handle that outlives its Holding can still see that its ticket is no longer valid.

#include <deque>
#include <string>
#include <vector>

#include "runtime/holdings/holder.hpp"
#include "runtime/holdings/holding.hpp"

namespace baton::detail {

class Book {
public:
    explicit Book(Holder& holder) : holder_(holder) {}
    Book(const Book&) = delete;
    Book& operator=(const Book&) = delete;

    // Which bytes of which segment.
    struct Place {
        Slot slot = 0;
        Epoch epoch = 0;
        Layout layout;
        std::uint64_t offset = 0;
    };
    template <class State>
    [[nodiscard]] Holding& add(State state, Place place) {
        Holding& holding = fresh(std::move(place));
        holding.state = std::move(state);
        return holding;
    }
    // Takes it out, without a transition.
    void drop(Holding& holding) noexcept;
    // Raises the ticket: existing handles are empty from then on.
    void invalidate(Holding& holding) noexcept { ++holding.ticket; }

    // Where its first byte is; maps it, if it is not mapped yet.
    [[nodiscard]] Result<std::byte*> map(Holding& holding);
    void unmap(Holding& holding) noexcept;
    // Memory that somebody outside C++ still looks at remains in place, as private memory, until the book ends.
    void keep_exported() noexcept;

    [[nodiscard]] std::deque<Holding>& rows() noexcept { return rows_; }
    [[nodiscard]] std::string to_text(const Holding& holding) const;

private:
    [[nodiscard]] Holding& fresh(Place place);

    Holder& holder_;
    std::deque<Holding> rows_;
    std::vector<Holding*> unused_;
};

}  // namespace baton::detail
