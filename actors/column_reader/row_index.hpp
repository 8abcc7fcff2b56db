#pragma once
// RowIndex: where the fields of the next few rows of a CSV text lie.
//
// It looks at a block of rows that fits into the cache, so that what parses the columns one after the other finds the
// text there. Rows with another number of fields than the file has columns are put aside; blank lines are
// skipped. Memory is bounded by block_bytes, or by a row that is larger. One thread at a time.

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace column_reader {

inline constexpr std::size_t block_bytes = std::size_t{64} << 10;  // of text in one block, about
inline constexpr std::size_t row_bytes_max = std::size_t{16} << 20;

class RowIndex {
public:
    RowIndex(char delimiter, std::size_t columns) : delimiter_(delimiter), columns_(columns) {}

    // Looks at the rows at the front of `text`, which begins with a row, and returns how many bytes they take: 0 if
    // none is whole. The end of the text ends a row if `is_all`. The text stays where it is while the fields are used,
    // and Window::padding bytes before and behind it may be read.
    [[nodiscard]] std::size_t read(std::string_view text, bool is_all);

    [[nodiscard]] std::size_t rows() const noexcept { return row_begins_.size(); }
    // As it stands in the file, with its quotes.
    [[nodiscard]] std::string_view field(std::size_t row, std::size_t column) const noexcept {
        const std::uint32_t* ends = &ends_[row * columns_ + column];
        const std::uint32_t begin = column == 0 ? row_begins_[row] : ends[-1] + 1;
        return {text_ + begin, *ends - begin};
    }

    // That the rows take, as an editor counts them.
    [[nodiscard]] std::size_t lines() const noexcept;

    struct BadRow {
        std::size_t begin;  // in the text
        std::size_t fields;
        bool is_unclosed;  // the text ends in a quoted field of this row
    };
    [[nodiscard]] const std::vector<BadRow>& bad_rows() const noexcept { return bad_rows_; }
    [[nodiscard]] bool is_ascii() const noexcept { return is_ascii_; }  // if true, so are all bytes of the rows

private:
    void find_ends(std::string_view text, bool is_all);
    void sort_out_rows();

    char delimiter_;
    std::size_t columns_;
    const char* text_ = nullptr;
    std::size_t size_ = 0;  // of the rows
    bool is_ascii_ = true;
    bool has_newlines_in_quotes_ = false;
    bool is_last_unclosed_ = false;
    // While a block is read: all ends of fields. Then those of the good rows, `columns_` each.
    std::vector<std::uint32_t> ends_;
    std::size_t ends_count_ = 0;
    std::vector<std::uint32_t> row_ends_;  // which of ends_ end a row
    std::vector<std::uint32_t> row_begins_;
    std::vector<BadRow> bad_rows_;
};

}  // namespace column_reader
