#pragma once
// WordTable: lines, words and bytes of ranges of text files, and how often each word stands in them.
//
// The pure part of a word count: it reads files and counts; it knows nothing of actors, messages or logs.
// Many tables may count disjoint ranges of one file (cut_into_ranges) and their results add up.
//
// What always holds:
//   The totals of ranges from cut_into_ranges add up to what `LC_ALL=C.UTF-8 wc` of coreutils 9.1 says of the file.
//   Memory is bounded by the limits below, however large the file, a range or a single word.
//   A count that ends in an Error has added nothing, so the range can be counted again, here or elsewhere.
//
// Words are what wc 9.1 calls words: what stands between white space (ASCII, Unicode, and the non-breaking
// spaces U+00A0, U+2007, U+202F, U+2060) and holds at least one printable character. Bytes that are not
// UTF-8, control characters and unassigned code points neither start nor end a word, and nor do U+0085
// and U+2028, which C.UTF-8 does not call printable. (Another version of wc may see these otherwise.)
//
// In the table a word is ASCII-lowercased and stripped of ASCII punctuation at both ends; a word of
// nothing but punctuation is in the totals and not in the table. A byte that is not UTF-8 stands as
// U+FFFD, so a word of the table is always valid UTF-8 and may travel as a string.
//
// Thread rule: one thread; while it counts, the thread's locale is C.UTF-8.

#include "actors/word_counter/word_counter.hpp"
#include <baton/result.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace word_counter {

inline constexpr std::size_t block_bytes = 256 * 1024;       // what one pread asks for
inline constexpr std::size_t word_bytes_max = 256;           // of a word in the table; the rest of it is cut off
inline constexpr std::uint64_t range_count_max = 1'000'000;  // of one file
inline constexpr std::uint64_t vocabulary_bytes_max = std::uint64_t{1} << 30;
inline constexpr std::uint64_t entry_bytes = 64;            // what an entry costs in memory beside its word, about
inline constexpr std::uint64_t page_entry_bytes = 16;       // what an entry costs in a page beside its word, at most

struct Range {
    std::uint64_t begin = 0;
    std::uint64_t end = 0;  // one past the last byte

    bool operator==(const Range&) const = default;
};

// Ranges that follow each other without a gap from the file's first byte to its last, each of about `piece_bytes` and
// ending right after an ASCII white-space byte or at the file's end, so that no word is cut. An empty file has none.
// Looks at a few KiB per cut, not at the whole file: if there is no white space for long, the cut is left out and
// looked for one piece further on. Refused if `path` is not a regular file that can be read, or if it would take more
// than range_count_max.
[[nodiscard]] baton::Result<std::vector<Range>> cut_into_ranges(const std::string& path, std::uint64_t piece_bytes);

// Words and their counts as rows in the order of first sight, with a hash index. Flat, because frequent words
// come early and so lie together in the cache: std::unordered_map took half as long again for a whole count.
class Vocabulary {
public:
    void add(std::string_view word, std::uint64_t count);

    [[nodiscard]] std::size_t size() const noexcept { return rows_.size(); }
    [[nodiscard]] std::string_view word(std::size_t row) const noexcept;
    [[nodiscard]] std::uint64_t count(std::size_t row) const noexcept { return rows_[row].count; }
    // What it takes in memory, about.
    [[nodiscard]] std::uint64_t bytes() const noexcept { return letters_.size() + rows_.size() * entry_bytes; }

private:
    struct Row {
        std::uint64_t begin;  // of the word in letters_; it ends where the next one begins
        std::uint64_t count;
    };
    struct Slot {
        std::uint32_t hash = 0;
        std::uint32_t row_plus_one = 0;  // 0: empty
    };
    // The slot of the word, or the empty one to put it in.
    [[nodiscard]] Slot& find(std::string_view word, std::uint32_t hash) noexcept;
    void double_slots();

    std::string letters_;
    std::vector<Row> rows_;
    std::vector<Slot> slots_;  // a power of two of them, at most half of them used
};

class WordTable {
public:
    // Counting ends in `overloaded` if the words of the table and of the range in hand would take more
    // memory than this. No more than vocabulary_bytes_max.
    explicit WordTable(std::uint64_t bytes_max = vocabulary_bytes_max)
        : bytes_max_(std::min(bytes_max, vocabulary_bytes_max)) {}

    // Adds the bytes from `begin` up to `end` as if they were a file of their own, and returns their totals. Refused if
    // `path` is not a regular file that can be read, ends before `end` or holds a NUL byte there.
    [[nodiscard]] baton::Result<Totals> count(const std::string& path, std::uint64_t begin, std::uint64_t end);

    [[nodiscard]] const Totals& totals() const noexcept { return totals_; }
    [[nodiscard]] std::size_t distinct_words() const noexcept { return words_.size(); }

    // The entries after `after_word` ("" for the first page) in bytewise order of their words: at most
    // `words_max` of them and `bytes_max` bytes, each taken as its word and page_entry_bytes. One entry is
    // given in any case if there is one, so that asking on with the last word of each page always ends.
    // The first page after a new word sorts the table.
    [[nodiscard]] Page page(std::string_view after_word, std::size_t words_max, std::size_t bytes_max);

private:
    class Scanner;

    Totals totals_;
    Vocabulary words_;
    std::uint64_t bytes_max_;
    std::vector<std::size_t> sorted_;  // the rows of words_ in order of their words, or out of date if it has fewer
};

}  // namespace word_counter
