#pragma once
// PartParser: the cells of one part of a CSV file as columns in memory that was given from outside.
//
// How several parsers agree on the kinds of the columns, of which each sees its part only:
//   1. parse() tries for each column the narrowest kind that holds what has come so far, and widens it in place:
//      empty, integer, real, text. Only what was stored as numbers can't become text again.
//   2. The collector of all kinds() merges them (columns.hpp), and settle() brings this part to the result:
//      integers become reals in place; a column that is text elsewhere, or became text late, is read once more.
// The result does not depend on how the file was cut.
//
// Slots are filled from the front; a row that is blank or bad takes none. The bytes of text go where TextRoom says,
// because nobody knows how many there are before they have been read. Memory beside these: a window (text_file.hpp)
// and an index of one block (row_index.hpp). One thread at a time.

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "actors/column_reader/columns.hpp"
#include "actors/column_reader/parts.hpp"
#include "actors/column_reader/row_index.hpp"
#include "actors/column_reader/text_file.hpp"
#include <baton/result.hpp>

namespace column_reader {

inline constexpr std::size_t bad_rows_kept_max = 100;  // of one part, with line and reason; more are counted

// A row that is in no column, because it has more or fewer fields than the file has columns.
struct BadRow {
    std::uint64_t line = 0;  // on which it begins
    std::string reason;

    bool operator==(const BadRow&) const = default;
};

// Gives memory for the bytes of text columns.
class TextRoom {
public:
    virtual ~TextRoom() = default;
    // More room for the column, at least `bytes_min`, that begins with the first `bytes_used` bytes of what it had.
    // `bytes_likely`, which is more, is enough if the rest of the part is like what has been seen of it.
    [[nodiscard]] virtual baton::Result<std::span<char>> grow(std::size_t column, std::size_t bytes_used,
                                                              std::size_t bytes_min, std::size_t bytes_likely) = 0;
};

class PartParser {
public:
    // `file`, `room` and the slots, at least part.rows_max of them for each column, outlive this.
    PartParser(const TextFile& file, Part part, char delimiter, std::vector<std::span<Slot>> slots, TextRoom& room);

    // Parses some rows more: `bytes` of text or a little more. Refused, with the line, if the text is not UTF-8, a
    // row is longer than row_bytes_max or there are more rows than part.rows_max: the file has been written since.
    [[nodiscard]] baton::Result<void> parse(std::uint64_t bytes);
    [[nodiscard]] bool is_at_end() const noexcept { return position() == part_.end; }
    [[nodiscard]] std::uint64_t position() const noexcept { return window_.position(); }  // in the file
    [[nodiscard]] std::uint64_t rows() const noexcept { return rows_; }                   // good ones, up to here
    [[nodiscard]] Kinds kinds() const;
    [[nodiscard]] const std::vector<BadRow>& bad_rows() const noexcept { return bad_rows_; }
    [[nodiscard]] std::uint64_t bad_rows_count() const noexcept { return bad_rows_count_; }
    // Where the last row of the file begins, if it opens a quote that nothing closes; else 0. It is a bad row, too.
    [[nodiscard]] std::uint64_t unclosed_line() const noexcept { return unclosed_line_; }

    // At the end of the part, once: makes the columns of these kinds, of which none is narrower than its own.
    [[nodiscard]] baton::Result<void> settle(const Kinds& kinds);

    // The bytes of a text column, in the room that was given.
    [[nodiscard]] std::string_view text_of(std::size_t column) const noexcept {
        return {columns_[column].text.data(), columns_[column].text_bytes};
    }

private:
    struct Column {
        Kind kind = Kind::empty;
        bool is_to_be_read_again = false;  // text, of which nothing is stored
        std::span<Slot> slots;
        std::span<char> text;
        std::size_t text_bytes = 0;
    };
    // Makes index_ one of the next rows, of which there is at least one, and skips them in the window.
    [[nodiscard]] baton::Result<void> next_block();
    void leave_block();
    void note_bad_rows();
    [[nodiscard]] baton::Error error_at(std::size_t offset_in_block, std::string_view what) const;

    // Stores the cells of the block, as far as they are of the column's kind; then widens it and goes on.
    [[nodiscard]] baton::Result<void> store(std::size_t number);
    // Each stores from `row` of the block on and returns the row of the first cell that needs another kind.
    [[nodiscard]] std::size_t store_nothing(std::size_t number, std::size_t row, Kind& needed);
    [[nodiscard]] std::size_t store_integers(std::size_t number, std::size_t row, Kind& needed);
    [[nodiscard]] std::size_t store_reals(std::size_t number, std::size_t row, Kind& needed);
    [[nodiscard]] baton::Result<void> store_text(std::size_t number, std::size_t row);
    [[nodiscard]] baton::Result<void> make_room(std::size_t number);
    static void widen(Column& column, Kind kind, std::uint64_t rows);

    const TextFile* file_;
    Part part_;
    TextRoom* room_;
    std::vector<Column> columns_;
    Window window_;
    RowIndex index_;
    std::string_view block_;  // of which index_ is
    std::uint64_t rows_ = 0;  // before the block in hand
    std::uint64_t line_;      // on which the block in hand begins
    std::vector<BadRow> bad_rows_;
    std::uint64_t bad_rows_count_ = 0;
    std::uint64_t unclosed_line_ = 0;
    std::string scratch_;
};

}  // namespace column_reader
