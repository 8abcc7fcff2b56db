#include "actors/column_reader/part_parser.hpp"

#include <algorithm>
#include <utility>

#include "actors/column_reader/cell.hpp"
#include "actors/column_reader/number.hpp"
#include "actors/column_reader/utf8.hpp"
#include <baton/check.hpp>

namespace column_reader {
namespace {

using baton::Error;
using baton::ErrorKind;
using baton::Result;

constexpr std::size_t first_room_bytes = 8 * block_bytes;  // of a text column, before more of it has been seen
constexpr std::string_view more_rows =
    "there are more rows than before: the file changed while it was being read; read it again";

std::uint64_t newlines_in(std::string_view text) { return static_cast<std::uint64_t>(std::ranges::count(text, '\n')); }

}  // namespace

PartParser::PartParser(const TextFile& file, Part part, char delimiter, std::vector<std::span<Slot>> slots,
                       TextRoom& room)
    : file_(&file),
      part_(part),
      room_(&room),
      window_(file, part.begin, part.end),
      index_(delimiter, slots.size()),
      line_(part.first_line) {
    columns_.resize(slots.size());
    for (std::size_t number = 0; number < slots.size(); ++number) {
        baton::check(slots[number].size() >= part.rows_max, "a column has room for all rows of its part");
        columns_[number].slots = slots[number];
    }
}

Kinds PartParser::kinds() const {
    Kinds kinds;
    for (const Column& column : columns_) kinds.push_back(column.kind);
    return kinds;
}

Result<void> PartParser::parse(std::uint64_t bytes) {
    const std::uint64_t end = position() + std::min(part_.end - position(), bytes);
    while (position() < end) {
        if (auto found = next_block(); !found) return found;
        note_bad_rows();
        for (std::size_t number = 0; number < columns_.size(); ++number)
            if (auto stored = store(number); !stored) return stored;
        leave_block();
    }
    return {};
}

Result<void> PartParser::next_block() {
    std::size_t used = 0;
    for (std::size_t wanted = 1; used == 0; wanted = std::min(2 * window_.view().size(), row_bytes_max)) {
        if (window_.view().size() >= row_bytes_max)
            return error_at(0, "a row of more than " + std::to_string(row_bytes_max >> 20) +
                                   " MiB begins here: is a quote opened and never closed?");
        if (auto filled = window_.fill(wanted); !filled) return filled;
        used = index_.read(window_.view(), window_.reaches_end());
    }
    block_ = window_.view().substr(0, used);
    window_.skip(used);
    if (!index_.is_ascii())
        if (const std::size_t place = find_not_utf8(block_); place != std::string_view::npos)
            return error_at(place, "this is not UTF-8; first: iconv -f LATIN1 -t UTF-8");
    if (index_.rows() > part_.rows_max - rows_) return error_at(0, more_rows);
    return {};
}

void PartParser::leave_block() {
    rows_ += index_.rows();
    line_ += index_.lines();
}

Error PartParser::error_at(std::size_t offset, std::string_view what) const {
    const std::uint64_t line = line_ + newlines_in(block_.substr(0, offset));
    return Error{ErrorKind::refused,
                 "'" + file_->path() + "', line " + std::to_string(line) + ": " + std::string{what}};
}

void PartParser::note_bad_rows() {
    for (const RowIndex::BadRow& row : index_.bad_rows()) {
        ++bad_rows_count_;
        const bool is_kept = bad_rows_.size() < bad_rows_kept_max;
        if (!is_kept && !row.is_unclosed) continue;
        const std::uint64_t line = line_ + newlines_in(block_.substr(0, row.begin));
        if (row.is_unclosed) unclosed_line_ = line;
        if (!is_kept) continue;
        std::string reason = std::to_string(row.fields) + (row.fields == 1 ? " field" : " fields") + " instead of " +
                             std::to_string(columns_.size());
        if (row.is_unclosed) reason = "a quote is opened and never closed";
        bad_rows_.push_back({line, std::move(reason)});
    }
}

Result<void> PartParser::store(std::size_t number) {
    Column& column = columns_[number];
    for (std::size_t row = 0; row < index_.rows();) {
        Kind needed = column.kind;
        switch (column.kind) {
            case Kind::empty: row = store_nothing(number, row, needed); break;
            case Kind::integer: row = store_integers(number, row, needed); break;
            case Kind::real: row = store_reals(number, row, needed); break;
            case Kind::text:
                if (column.is_to_be_read_again) return {};
                return store_text(number, row);
        }
        if (needed == column.kind) continue;
        if (needed == Kind::text && column.kind != Kind::empty && rows_ == 0) {
            // Numbers can't become text again, but here their text is still in hand.
            column.kind = Kind::text;
            row = 0;
        } else {
            widen(column, needed, rows_ + row);
        }
    }
    return {};
}

std::size_t PartParser::store_nothing(std::size_t number, std::size_t row, Kind& needed) {
    Slot* const slots = columns_[number].slots.data() + rows_;
    for (; row < index_.rows(); ++row) {
        slots[row] = slot_of(missing_integer);
        const std::string_view cell = unquoted(index_.field(row, number), scratch_);
        if (cell.empty()) continue;
        // A cell that means missing in a column of numbers, like "NA", is still something that text would keep.
        Slot ignored = 0;
        needed = std::max(Kind::integer, read_number(cell, ignored));
        break;
    }
    return row;
}

std::size_t PartParser::store_integers(std::size_t number, std::size_t row, Kind& needed) {
    Slot* const slots = columns_[number].slots.data() + rows_;
    for (; row < index_.rows(); ++row) {
        const std::string_view field = index_.field(row, number);
        std::int64_t integer = missing_integer;
        if (field.empty() || read_integer_fast(field, integer)) {
            slots[row] = slot_of(integer);
            continue;
        }
        slots[row] = slot_of(missing_integer);
        const Kind kind = read_number(unquoted(field, scratch_), slots[row]);
        if (kind > Kind::integer) {
            needed = kind;
            break;
        }
    }
    return row;
}

std::size_t PartParser::store_reals(std::size_t number, std::size_t row, Kind& needed) {
    Slot* const slots = columns_[number].slots.data() + rows_;
    for (; row < index_.rows(); ++row) {
        const std::string_view field = index_.field(row, number);
        double real = missing_real;
        if (field.empty() || read_real(field, real)) {
            slots[row] = slot_of(real);
            continue;
        }
        slots[row] = slot_of(missing_real);
        const Kind kind = read_number(unquoted(field, scratch_), slots[row]);
        if (kind == Kind::integer) slots[row] = slot_of(static_cast<double>(integer_in(slots[row])));
        if (kind == Kind::text) {
            needed = kind;
            break;
        }
    }
    return row;
}

Result<void> PartParser::store_text(std::size_t number, std::size_t row) {
    if (auto made = make_room(number); !made) return made;
    Column& column = columns_[number];
    Slot* const slots = column.slots.data() + rows_;
    char* end = column.text.data() + column.text_bytes;
    for (; row < index_.rows(); ++row) {
        slots[row] = static_cast<Slot>(end - column.text.data());
        const std::string_view cell = unquoted(index_.field(row, number), scratch_);
        end = std::copy(cell.begin(), cell.end(), end);
    }
    column.text_bytes = static_cast<std::size_t>(end - column.text.data());
    return {};
}

// For all cells that the block may hold of this column.
Result<void> PartParser::make_room(std::size_t number) {
    Column& column = columns_[number];
    const std::size_t bytes_min = column.text_bytes + block_.size();
    if (column.text.size() >= bytes_min) return {};
    std::size_t bytes_likely = bytes_min + first_room_bytes;
    if (column.text_bytes > 0) {
        const double read = static_cast<double>(position() - block_.size() - part_.begin);
        const double all = static_cast<double>(part_.end - part_.begin);
        bytes_likely += static_cast<std::size_t>(1.05 * static_cast<double>(column.text_bytes) * (all / read - 1));
    }
    auto room = room_->grow(number, column.text_bytes, bytes_min, bytes_likely);
    if (!room) return std::move(room.error());
    baton::check(room->size() >= bytes_min, "a text column gets the room that it needs");
    column.text = *room;
    return {};
}

// The first `rows` slots.
void PartParser::widen(Column& column, Kind kind, std::uint64_t rows) {
    const std::span<Slot> slots = column.slots.first(rows);
    if (kind == Kind::real && column.kind < Kind::real) {
        for (Slot& slot : slots) {
            const std::int64_t integer = integer_in(slot);
            slot = slot_of(integer == missing_integer ? missing_real : static_cast<double>(integer));
        }
    }
    if (kind == Kind::text && column.kind == Kind::empty) std::ranges::fill(slots, Slot{0});
    if (kind == Kind::text && (column.kind == Kind::integer || column.kind == Kind::real))
        column.is_to_be_read_again = true;
    column.kind = kind;
}

Result<void> PartParser::settle(const Kinds& kinds) {
    baton::check(is_at_end() && kinds.size() == columns_.size(), "a part settles when it has been parsed");
    bool has_text_to_read = false;
    for (std::size_t number = 0; number < columns_.size(); ++number) {
        baton::check(kinds[number] >= columns_[number].kind,
                             "a column settles for what all of its parts can be");
        widen(columns_[number], kinds[number], rows_);
        has_text_to_read = has_text_to_read || columns_[number].is_to_be_read_again;
    }
    if (!has_text_to_read) return {};

    const std::uint64_t rows = std::exchange(rows_, 0);
    line_ = part_.first_line;
    window_ = Window{*file_, part_.begin, part_.end};
    while (!is_at_end()) {
        if (auto found = next_block(); !found) return found;
        for (std::size_t number = 0; number < columns_.size(); ++number)
            if (columns_[number].is_to_be_read_again)
                if (auto stored = store_text(number, 0); !stored) return stored;
        leave_block();
    }
    if (rows_ != rows) return Error{ErrorKind::refused, "'" + file_->path() + "': " + std::string{more_rows}};
    for (Column& column : columns_) column.is_to_be_read_again = false;
    return {};
}

}  // namespace column_reader
