#pragma once
// What one may say to a word counter: it counts ranges of text files and hands its table over page by page.

#include <cstdint>
#include <string>
#include <vector>

#include <baton/protocol.hpp>

namespace word_counter {

// As `wc` counts them.
struct Totals {
    std::uint64_t lines = 0;
    std::uint64_t words = 0;
    std::uint64_t bytes = 0;

    bool operator==(const Totals&) const = default;
    Totals& operator+=(const Totals& other) noexcept;
};

// Adds the bytes [begin, end) of the file to the table; refused if the file is not text. Both ends lie at the end of a
// word, as cut_into_ranges() makes them.
struct CountRange {
    std::string path;
    std::uint64_t begin = 0;
    std::uint64_t end = 0;
    using Reply = Totals;
};

struct Entry {
    std::string word;
    std::uint64_t count = 0;

    bool operator==(const Entry&) const = default;
};
struct Page {
    std::vector<Entry> entries;  // in bytewise order of words
    bool is_last = true;
};
// The next entries behind `after`, as many as fit into one message.
struct ReadPage {
    std::string after;
    using Reply = Page;
};

using Protocol = baton::Protocol<CountRange, ReadPage>;

}  // namespace word_counter
