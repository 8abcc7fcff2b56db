#include "actors/column_reader/parts.hpp"

#include <algorithm>
#include <bit>
#include <utility>

#include "actors/column_reader/byte_masks.hpp"
#include "actors/column_reader/quotes.hpp"

namespace column_reader {
namespace {

using baton::Result;

// Behind the first newline at or after `wanted` - 1, or the end of the file.
Result<std::uint64_t> find_cut(const TextFile& file, std::uint64_t wanted) {
    for (Window window{file, wanted - 1, file.end()}; !window.is_at_end();) {
        if (auto filled = window.fill(1); !filled) return std::move(filled.error());
        const std::size_t newline = window.view().find('\n');
        if (newline != std::string_view::npos) return window.position() + newline + 1;
        window.skip(window.view().size());
    }
    return file.end();
}

// Reads the text as CSV from one of the two starts on and writes down where its rows end.
class Reader {
public:
    explicit Reader(Quotes::Start start) : quotes_(start) {}

    // The next 64 bytes, from `offset` on; `lines` is the number of newlines before them.
    void read(std::uint64_t quotes, std::uint64_t separators, std::uint64_t newlines, std::uint64_t offset,
              std::uint64_t lines) {
        const std::uint64_t row_ends = newlines & ~quotes_.inside(quotes, separators);
        if (row_ends == 0) return;
        if (reading_.rows == 0) {
            const int bit = std::countr_zero(row_ends);
            reading_.first_row_end = offset + static_cast<std::uint64_t>(bit) + 1;
            reading_.lines_to_row_end =
                lines + static_cast<std::uint64_t>(std::popcount(newlines & (row_ends ^ (row_ends - 1))));
        }
        reading_.rows += static_cast<std::uint64_t>(std::popcount(row_ends));
    }

    // From here on both end the same rows.
    [[nodiscard]] bool goes_on_like(const Reader& other) const { return quotes_ == other.quotes_ && reading_.rows > 0; }
    void follow(const Reader& other, std::uint64_t rows_since) {
        quotes_ = other.quotes_;
        reading_.rows += rows_since;
    }

    [[nodiscard]] Reading reading() const {
        Reading reading = reading_;
        reading.ends_in_quotes = quotes_.is_inside();
        return reading;
    }
    [[nodiscard]] std::uint64_t rows() const { return reading_.rows; }

private:
    Quotes quotes_;
    Reading reading_;
};

}  // namespace

Result<std::vector<Stretch>> stretches_of(const TextFile& file, std::uint64_t begin, std::size_t count) {
    std::vector<Stretch> stretches;
    const std::uint64_t step = (file.end() - begin) / count;
    std::uint64_t cut = begin;
    for (std::size_t number = 1; number <= count; ++number) {
        std::uint64_t end = std::max(cut, begin + step * number);
        if (number == count) end = file.end();
        if (end > cut) {  // else a long line reaches over this cut too
            auto found = find_cut(file, end);
            if (!found) return std::move(found.error());
            end = *found;
        }
        stretches.push_back({cut, end});
        cut = end;
    }
    return stretches;
}

Result<Survey> survey(const TextFile& file, Stretch stretch, char delimiter) {
    Survey survey{stretch, 0, {}, {}, false};
    Reader from_row{Quotes::Start::row};
    Reader from_quotes{Quotes::Start::quoted_field};
    std::uint64_t rows_at_agreement = 0;
    bool have_agreed = false;

    // Only the bytes that are set in `there` count.
    const auto read = [&](const ByteMasks& bytes, std::uint64_t there, std::uint64_t offset) {
        const std::uint64_t quotes = bytes.equal('"') & there;
        const std::uint64_t newlines = bytes.equal('\n') & there;
        const std::uint64_t separators = newlines | bytes.equal(delimiter);
        from_row.read(quotes, separators, newlines, offset, survey.lines);
        if (!have_agreed) {
            from_quotes.read(quotes, separators, newlines, offset, survey.lines);
            have_agreed = from_quotes.goes_on_like(from_row);
            rows_at_agreement = from_row.rows();
        }
        survey.lines += static_cast<std::uint64_t>(std::popcount(newlines));
    };
    for (Window window{file, stretch.begin, stretch.end}; !window.is_at_end();) {
        if (auto filled = window.fill(mask_bytes); !filled) return std::move(filled.error());
        const std::string_view text = window.view();
        const std::uint64_t position = window.position();
        std::size_t at = 0;
        for (; text.size() - at >= mask_bytes; at += mask_bytes)
            read(ByteMasks{text.data() + at}, ~std::uint64_t{0}, position + at);
        if (window.reaches_end() && at < text.size()) {
            read(ByteMasks{text.data() + at}, first_bits(text.size() - at), position + at);
            at = text.size();
        }
        if (window.reaches_end()) survey.ends_with_newline = text.ends_with('\n');
        window.skip(at);
    }
    if (have_agreed) from_quotes.follow(from_row, from_row.rows() - rows_at_agreement);
    survey.from_row = from_row.reading();
    survey.from_quotes = from_quotes.reading();
    return survey;
}

std::vector<Part> parts_of(std::span<const Survey> surveys, std::uint64_t first_line) {
    std::vector<Part> parts(surveys.size());
    std::vector<bool> begins_with_row(surveys.size());
    bool is_in_quotes = false;
    bool ends_with_newline = true;
    std::uint64_t line = first_line;
    std::size_t owner = 0;  // the part of the row that reaches into this stretch
    for (std::size_t i = 0; i < surveys.size(); ++i) {
        const Survey& survey = surveys[i];
        if (survey.stretch.begin == survey.stretch.end) continue;
        const Reading& reading = is_in_quotes ? survey.from_quotes : survey.from_row;
        Part& part = parts[i];
        part.begin = survey.stretch.begin;
        part.first_line = line;
        part.rows_max = reading.rows;
        begins_with_row[i] = !is_in_quotes || reading.rows > 0;
        if (is_in_quotes && reading.rows > 0) {
            part.begin = reading.first_row_end;
            part.first_line += reading.lines_to_row_end;
            --part.rows_max;
            ++parts[owner].rows_max;
        }
        if (begins_with_row[i]) owner = i;
        line += survey.lines;
        is_in_quotes = reading.ends_in_quotes;
        ends_with_newline = survey.ends_with_newline;
    }
    if (!ends_with_newline || is_in_quotes) ++parts[owner].rows_max;  // the last row has no end of its own

    std::uint64_t end = surveys.empty() ? 0 : surveys.back().stretch.end;
    for (std::size_t i = parts.size(); i-- > 0;) {
        if (!begins_with_row[i]) parts[i].begin = end;
        parts[i].end = end;
        end = parts[i].begin;
    }
    return parts;
}

}  // namespace column_reader
