#include "actors/column_reader/row_index.hpp"

#include <algorithm>
#include <bit>

#include "actors/column_reader/byte_masks.hpp"
#include "actors/column_reader/quotes.hpp"

namespace column_reader {
namespace {

std::size_t count_bits(std::uint64_t bits) { return static_cast<std::size_t>(std::popcount(bits)); }

}  // namespace

std::size_t RowIndex::read(std::string_view text, bool is_all) {
    text_ = text.data();
    find_ends(text, is_all);
    if (row_ends_.empty()) return 0;
    size_ = std::min<std::size_t>(ends_[row_ends_.back()] + std::size_t{1}, text.size());
    sort_out_rows();
    return size_;
}

std::size_t RowIndex::lines() const noexcept {
    if (!has_newlines_in_quotes_) return row_ends_.size();
    return static_cast<std::size_t>(std::count(text_, text_ + size_, '\n'));
}

void RowIndex::find_ends(std::string_view text, bool is_all) {
    Quotes quotes{Quotes::Start::row};
    std::uint64_t not_ascii = 0;
    std::uint64_t newlines_in_quotes = 0;
    std::size_t offset = 0;
    ends_count_ = 0;
    row_ends_.clear();

    while (offset < text.size() && (offset < block_bytes || row_ends_.empty())) {
        const ByteMasks bytes{text.data() + offset};
        const std::size_t size = text.size() - offset;
        const std::uint64_t there = size < mask_bytes ? first_bits(size) : ~std::uint64_t{0};
        const std::uint64_t newlines = bytes.equal('\n') & there;
        std::uint64_t ends = newlines | (bytes.equal(delimiter_) & there);
        ends &= ~quotes.inside(bytes.equal('"') & there, ends);
        not_ascii |= bytes.not_ascii() & there;

        newlines_in_quotes |= newlines & ~ends;

        if (ends_.size() < ends_count_ + mask_bytes) ends_.resize(2 * (ends_count_ + mask_bytes));
        for (std::uint64_t left = newlines & ends; left != 0; left &= left - 1)
            row_ends_.push_back(static_cast<std::uint32_t>(ends_count_ + count_bits(ends & ~left & (left - 1))));
        std::uint32_t* out = &ends_[ends_count_];
        ends_count_ += count_bits(ends);
        // Eight at a time, even if fewer are left: a loop of the exact length is mispredicted.
        for (; ends != 0; out += 8)
            for (std::size_t i = 0; i < 8; ++i, ends &= ends - 1)
                out[i] = static_cast<std::uint32_t>(offset) + static_cast<std::uint32_t>(std::countr_zero(ends));
        offset += mask_bytes;
    }
    const bool is_at_end = is_all && offset >= text.size();
    is_last_unclosed_ = is_at_end && quotes.is_inside();
    if (is_last_unclosed_ || (is_at_end && !text.ends_with('\n'))) {
        ends_.resize(std::max(ends_.size(), ends_count_ + 1));
        row_ends_.push_back(static_cast<std::uint32_t>(ends_count_));
        ends_[ends_count_++] = static_cast<std::uint32_t>(text.size());
    }
    is_ascii_ = not_ascii == 0;
    has_newlines_in_quotes_ = newlines_in_quotes != 0;
}

void RowIndex::sort_out_rows() {
    row_begins_.clear();
    bad_rows_.clear();
    std::size_t first = 0;
    std::uint32_t begin = 0;
    std::size_t good_ends = 0;
    for (const std::uint32_t last : row_ends_) {
        const std::uint32_t newline = ends_[last];
        const std::uint32_t end = newline - std::uint32_t{newline > begin && text_[newline - 1] == '\r'};
        const std::size_t fields = last - first + 1;
        const bool is_unclosed = is_last_unclosed_ && last == row_ends_.back();
        if (end == begin) {
            // A blank line.
        } else if (fields == columns_ && !is_unclosed) {
            if (good_ends != first) std::copy(&ends_[first], &ends_[last] + 1, &ends_[good_ends]);
            good_ends += columns_;
            ends_[good_ends - 1] = end;
            row_begins_.push_back(begin);
        } else {
            bad_rows_.push_back({begin, fields, is_unclosed});
        }
        begin = newline + 1;
        first = std::size_t{last} + 1;
    }
}

}  // namespace column_reader
