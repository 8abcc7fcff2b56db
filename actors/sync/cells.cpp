#include "actors/sync/cells.hpp"

#include <algorithm>

namespace baton::sync {

Result<Cells::Cell> Cells::fresh() {
    if (const auto found = pages_.find(filling_); found == pages_.end() || found->second.used == page_words) {
        Result<Segment> page = context_->create_array<std::uint64_t>({page_words});
        if (!page) return page.error();
        std::ranges::fill(page->as<std::uint64_t>(), 0);
        Result<Loan> lent = context_->lend(std::move(*page));
        if (!lent) return lent.error();
        Result<Slice> own = lent->share(0, page_words);
        if (!own) return own.error();
        pages_.emplace(++filling_, Page{std::move(*lent), std::move(*own)});
    }
    Page& page = pages_.at(filling_);
    const Cell cell{filling_, page.used};
    page.used += cell_words;
    return cell;
}

Word Cells::word(Cell cell, std::uint64_t place) {
    return Word{pages_.at(cell.page).own.as<std::uint64_t>()[cell.place + place]};
}

void Cells::end(Cell cell) {
    Page& page = pages_.at(cell.page);
    page.ended += cell_words;
    if (page.ended == page_words) pages_.erase(cell.page);
}

}  // namespace baton::sync
