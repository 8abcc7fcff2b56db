#pragma once
// Cells: the keeper's shared memory for locks and values, page by page; 64 cells per page (words.hpp).
//
// A page is lent for as long as the keeper lives or one of its cells is in use. Each client that attaches gets a slice
// of one cell, which other clients have too. When a client dies, the ledger takes its slices back; when the keeper
// dies, the memory stays until the last client releases it.

#include <map>

#include <baton/sync/words.hpp>
#include <baton/context.hpp>

namespace baton::sync {

class Cells {
public:
    explicit Cells(Context& context) : context_(&context) {}

    struct Cell {
        std::size_t page = 0;
        std::uint64_t place = 0;  // of its first word
    };
    // All words of it zero. `overloaded` when memory is short.
    [[nodiscard]] Result<Cell> fresh();
    [[nodiscard]] Word word(Cell cell, std::uint64_t place);
    // For one client.
    [[nodiscard]] Result<Slice> share(Cell cell) { return pages_.at(cell.page).lent.share(cell.place, cell_words); }
    // No client attaches to it any more, and it is never used again, since a client may still look at it. A page all of
    // whose cells have ended is released; its memory goes with the last client that has one of them.
    void end(Cell cell);
    [[nodiscard]] std::size_t pages() const noexcept { return pages_.size(); }

private:
    static constexpr std::uint64_t page_words = 4096 / sizeof(std::uint64_t);
    struct Page {
        Loan lent;
        Slice own;  // never sent: the keeper's own view
        std::uint64_t used = 0;   // words that were ever given out
        std::uint64_t ended = 0;  // and of those, words that are kept no longer
    };
    Context* context_;
    std::map<std::size_t, Page> pages_;
    std::size_t filling_ = 0;  // the page that fresh cells come from
};

}  // namespace baton::sync
