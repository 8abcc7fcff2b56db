#include "actors/sync/cells.hpp"

#include <algorithm>

namespace baton::sync {

Result<Cells::Cell> Cells::fresh() {
    if (pages_.empty() || pages_.back().used == page_words) {
        Result<Segment> page = context_->create_array<std::uint64_t>({page_words});
        if (!page) return page.error();
        std::ranges::fill(page->as<std::uint64_t>(), 0);
        Result<Lent> lent = context_->lend(std::move(*page));
        if (!lent) return lent.error();
        Result<Slice> own = lent->share(0, page_words);
        if (!own) return own.error();
        pages_.push_back({std::move(*lent), std::move(*own)});
    }
    Page& page = pages_.back();
    const Cell cell{pages_.size() - 1, page.used};
    page.used += cell_words;
    return cell;
}

Word Cells::word(Cell cell, std::uint64_t place) {
    return Word{pages_[cell.page].own.as<std::uint64_t>()[cell.place + place]};
}

}  // namespace baton::sync
