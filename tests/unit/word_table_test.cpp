#include "actors/word_counter/word_table.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <random>
#include <sstream>
#include <string>
#include <vector>

#include "tests/catch.hpp"

namespace {

using baton::ErrorKind;
using Catch::Matchers::Contains;
using word_counter::cut_into_ranges;
using word_counter::Entry;
using word_counter::Page;
using word_counter::Range;
using word_counter::Totals;
using word_counter::WordTable;
using namespace std::string_literals;

class Folder {
public:
    Folder() {
        std::string path = (std::filesystem::temp_directory_path() / "word_table_test.XXXXXX").string();
        REQUIRE(::mkdtemp(path.data()) != nullptr);
        path_ = path;
    }
    Folder(const Folder&) = delete;
    Folder& operator=(const Folder&) = delete;
    ~Folder() { std::filesystem::remove_all(path_); }

    [[nodiscard]] std::string path(const std::string& name) const { return (path_ / name).string(); }

    [[nodiscard]] std::string write(const std::string& text, const std::string& name = "text") const {
        std::ofstream file{path(name), std::ios::binary | std::ios::trunc};
        file << text;
        REQUIRE(file.flush());
        return path(name);
    }

private:
    std::filesystem::path path_;
};

std::string output_of(const std::string& command) {
    FILE* pipe = ::popen(command.c_str(), "r");
    REQUIRE(pipe != nullptr);
    std::string output;
    for (int c = std::fgetc(pipe); c != EOF; c = std::fgetc(pipe)) output += static_cast<char>(c);
    REQUIRE(::pclose(pipe) == 0);
    return output;
}

Totals wc(const std::string& path) {
    std::istringstream output{output_of("env -u POSIXLY_CORRECT LC_ALL=C.UTF-8 wc < '" + path + "'")};
    Totals totals;
    REQUIRE(output >> totals.lines >> totals.words >> totals.bytes);
    return totals;
}

// Another version of wc may count words without a printable character; it is not compared on such texts.
bool wc_wants_printable_words() { return output_of(R"(printf '\001' | LC_ALL=C.UTF-8 wc -w)") == "0\n"; }

std::string utf8(char32_t c) {
    const auto byte = [](char32_t bits) { return static_cast<char>(static_cast<unsigned char>(bits)); };
    if (c < 0x80) return {byte(c)};
    if (c < 0x800) return {byte(0xc0 | c >> 6), byte(0x80 | (c & 0x3f))};
    if (c < 0x10000) return {byte(0xe0 | c >> 12), byte(0x80 | (c >> 6 & 0x3f)), byte(0x80 | (c & 0x3f))};
    return {byte(0xf0 | c >> 18), byte(0x80 | (c >> 12 & 0x3f)), byte(0x80 | (c >> 6 & 0x3f)), byte(0x80 | (c & 0x3f))};
}

std::vector<Entry> everything(WordTable& table, std::size_t words_max = 1000, std::size_t bytes_max = 100'000) {
    std::vector<Entry> all;
    for (bool is_last = false; !is_last;) {
        const Page page = table.page(all.empty() ? "" : all.back().word, words_max, bytes_max);
        all.insert(all.end(), page.entries.begin(), page.entries.end());
        is_last = page.is_last;
    }
    return all;
}

WordTable counted_at_once(const std::string& path) {
    WordTable table;
    const Totals totals = table.count(path, 0, std::filesystem::file_size(path)).value();
    CHECK(totals == table.totals());
    return table;
}

std::vector<Entry> words_of(const Folder& folder, const std::string& text) {
    WordTable table = counted_at_once(folder.write(text));
    return everything(table);
}

// A text of `bytes` or a little more, of words and white space of all kinds.
std::string random_text(std::uint32_t seed, std::size_t bytes) {
    static const std::vector<std::string> pieces{
        "the", "The", "THE,", "owl",  "owl's", "\"quoted\"", "--", "...", "na\u00efve", "\u00e9t\u00e9", "\u8a9e\u8a00",
        "\U0001f989", "caf\xe9", "\xff\xfe", "\xe2\x80", "\x01", "\u200b", "\u0085", " ", "  ", "\t", "\n", "\r\n",
        "\v", "\f", "\u00a0", "\u2003", "\u2007", "\u2028", "\u202f", "\u2060", "\u3000"};
    std::mt19937 random{seed};
    std::string text;
    while (text.size() < bytes) {
        text += pieces[random() % pieces.size()];
        if (random() % 2 == 0) text += ' ';
        if (random() % 1000 == 0) text += std::string(random() % 600, 'w');
    }
    return text;
}

}  // namespace

TEST_CASE("lines, words and bytes are those of wc", "[unit]") {
    const std::vector<std::string> printable{
        "",
        "\n",
        " ",
        "word",
        "two words\n",
        "no final newline\nhere",
        "\n\n\n",
        "  leading and trailing  \n",
        "CR\r\nLF\r\nand\ra lone one\r\n",
        "tab\tfeed\fvertical\vend",
        "-- ... !!! don't \"stop\" -- (now)",
        "$ @ ` ^ ~ are not in the basic character set",
        "na\u00efve \u00e9t\u00e9 \u00dcber",
        "\u4e2d\u6587 \u65e5\u672c\u8a9e \ud55c\uad6d\uc5b4",
        "em\u2003space, thin\u2009space, ideographic\u3000space, ogham\u1680space",
        "no\u00a0break, figure\u2007space, narrow\u202fno-break, word\u2060joiner",
        "\U0001f989 \U0001f1e9\U0001f1ea e\u0301 combining",
        std::string(1'000'000, 'x'),
        std::string(1'000'000, ' '),
        std::string(1'000'000, '!') + " " + std::string(300'000, '\n'),
    };
    const std::vector<std::string> not_printable{
        "\x01", "a\x01" "b \x02 \x7f c", "\x1b[1mbold\x1b[0m",
        "\u0085 next\u0085line \u2028 line\u2028separator \u2029",
        "zero\u200bwidth \u200b \u00ad \ufeffmark \ufeff",
        "private \ue000 unassigned \u0378 noncharacter \uffff \U0010ffff",
        "\xff", "\xff\xfe \xfd", "caf\xe9 \xe9t\xe9", "\xe9",
        "\x80 lone continuation \xbf", "\xc0\xaf overlong \xe0\x80\xaf \xf0\x80\x80\xaf",
        "surrogate \xed\xa0\x80 \xed\xbf\xbf", "beyond \xf4\x90\x80\x80 \xf8\x88\x80\x80\x80 \xfc\x84\x80\x80\x80\x80",
        "cut at the end \xe2\x80", "\xe2\x80", "\xf0\x9f\xa6", "cut in the middle \xe2\x80 \xf0\x9f\xa6 \xc3x",
        "\xe2\x80\xe2\x80\x83x \xc3\xc3\xa9",
    };
    const Folder folder;
    std::vector<std::string> texts = printable;
    if (wc_wants_printable_words()) {
        texts.insert(texts.end(), not_printable.begin(), not_printable.end());
        for (std::uint32_t seed = 1; seed <= 5; ++seed) texts.push_back(random_text(seed, 700'000));
    }
    for (const std::string& text : texts) {
        CAPTURE(text.substr(0, 100));
        const std::string path = folder.write(text);
        const Totals totals = counted_at_once(path).totals();
        const Totals expected = wc(path);
        CHECK(totals.lines == expected.lines);
        CHECK(totals.words == expected.words);
        CHECK(totals.bytes == expected.bytes);
    }
}

// Goal: every code point parts words, makes a word or does neither as in wc.
// Method: a file for each plane of 65536 code points, each between letters and each alone on its line.
TEST_CASE("every Unicode code point is what it is for wc", "[unit]") {
    if (!wc_wants_printable_words()) return;
    const Folder folder;
    for (char32_t first = 0; first < 0x110000; first += 0x10000) {
        std::string text;
        for (char32_t c = std::max<char32_t>(first, 1); c < first + 0x10000; ++c) {
            text += "a" + utf8(c) + "b\n" + utf8(c) + "\n";
        }
        const std::string path = folder.write(text);
        CAPTURE(static_cast<std::uint32_t>(first));
        CHECK(counted_at_once(path).totals() == wc(path));
    }
}

TEST_CASE("a character cut by the end of a block is still one character", "[unit]") {
    const Folder folder;
    for (std::size_t before = word_counter::block_bytes - 5; before <= word_counter::block_bytes; ++before) {
        for (const std::string character : {"\u2003", "\U0001f989", "\u00e9", "\xe2\x80", "\xff"}) {
            const std::string path = folder.write(std::string(before - 2, '.') + " x" + character + "y\n");
            CAPTURE(before, character);
            WordTable table = counted_at_once(path);
            const std::string valid = character == "\xe2\x80" ? "\ufffd\ufffd"
                                      : character == "\xff"   ? "\ufffd"
                                                              : character;
            CHECK(everything(table) == (character == "\u2003" ? std::vector<Entry>{{"x", 1}, {"y", 1}}
                                                              : std::vector<Entry>{{"x" + valid + "y", 1}}));
        }
    }
}

// Goal: it does not matter how a file is divided.
// Method: cut random texts into pieces of many sizes, count the ranges in one table in reverse order, and
// compare with the table of the whole file.
TEST_CASE("counting in ranges gives what counting at once gives", "[unit]") {
    const Folder folder;
    for (std::uint32_t seed = 1; seed <= 3; ++seed) {
        const std::string text = random_text(seed, 300'000);
        const std::string path = folder.write(text);
        WordTable whole = counted_at_once(path);
        const std::vector<Entry> expected = everything(whole);
        for (const std::uint64_t piece_bytes : {50U, 777U, 4096U, 65'536U, 100'000U, 262'144U, 1'000'000U}) {
            CAPTURE(seed, piece_bytes);
            std::vector<Range> ranges = cut_into_ranges(path, piece_bytes).value();
            std::uint64_t end = 0;
            for (const Range& range : ranges) {
                REQUIRE(range.begin == end);
                REQUIRE(range.end > range.begin);
                end = range.end;
                if (end < text.size()) REQUIRE(" \t\n\v\f\r"s.find(text[end - 1]) != std::string::npos);
            }
            REQUIRE(end == text.size());

            WordTable table;
            std::reverse(ranges.begin(), ranges.end());
            for (const Range& range : ranges) REQUIRE(table.count(path, range.begin, range.end).ok());
            CHECK(table.totals() == whole.totals());
            CHECK(everything(table) == expected);
        }
    }
}

TEST_CASE("a file is cut at the first white space after each piece", "[unit]") {
    const Folder folder;
    CHECK(cut_into_ranges(folder.write(""), 10).value().empty());
    CHECK(cut_into_ranges(folder.write("one"), 10).value() == std::vector<Range>{{0, 3}});
    CHECK(cut_into_ranges(folder.write("one two"), 1).value() == std::vector<Range>{{0, 4}, {4, 7}});
    CHECK(cut_into_ranges(folder.write("one two\n"), 4).value() == std::vector<Range>{{0, 4}, {4, 8}});
    CHECK(cut_into_ranges(folder.write("a b c"), 1).value() == std::vector<Range>{{0, 2}, {2, 4}, {4, 5}});
    CHECK(cut_into_ranges(folder.write("longer words"), UINT64_MAX).value() == std::vector<Range>{{0, 12}});
}

TEST_CASE("a word longer than a piece moves the cut behind it", "[unit]") {
    const Folder folder;
    const std::string path = folder.write("a " + std::string(10'000, 'x') + " b " + std::string(200'000, 'y') + "\nc");
    CHECK(cut_into_ranges(path, 100).value() == std::vector<Range>{{0, 10'003}, {10'003, 210'006}, {210'006, 210'007}});
    CHECK(cut_into_ranges(path, 2).value().front() == Range{0, 2});
}

TEST_CASE("a huge file is cut without being read", "[unit]") {
    // Sparse, and without white space: it would take minutes to read.
    const Folder folder;
    const std::string path = folder.write("");
    constexpr std::uint64_t huge = std::uint64_t{1} << 40;
    std::filesystem::resize_file(path, huge);
    CHECK(cut_into_ranges(path, std::uint64_t{1} << 30).value() == std::vector<Range>{{0, huge}});
}

TEST_CASE("pieces of no bytes, or too many of them, are refused", "[unit]") {
    const Folder folder;
    const std::string path = folder.write("text");
    CHECK(cut_into_ranges(path, 0).error().kind == ErrorKind::refused);
    std::filesystem::resize_file(path, word_counter::range_count_max * 10);
    const auto ranges = cut_into_ranges(path, 10);
    REQUIRE(!ranges.ok());
    CHECK(ranges.error().kind == ErrorKind::refused);
    CHECK_THAT(ranges.error().text, Contains("ask for bigger pieces"));
}

TEST_CASE("words are lowercased and stripped of punctuation in the table", "[unit]") {
    const Folder folder;
    CHECK(words_of(folder, "The owl's \"THE\" (the) -- well-known, ... don't! '' 3.14 --x--") ==
          std::vector<Entry>{{"3.14", 1}, {"don't", 1}, {"owl's", 1}, {"the", 3}, {"well-known", 1}, {"x", 1}});
    CHECK(words_of(folder, "\u00dcBER \u00fcber").size() == 2);  // only ASCII has cases here
    CHECK(words_of(folder, "no\u00a0break em\u2003space") ==
          std::vector<Entry>{{"break", 1}, {"em", 1}, {"no", 1}, {"space", 1}});
    CHECK(words_of(folder, "caf\xe9 \xff \x01 -- caf\xe9\xc3") ==
          std::vector<Entry>{{"caf\ufffd", 1}, {"caf\ufffd\ufffd", 1}});
}

TEST_CASE("a large vocabulary keeps every word and its count", "[unit]") {
    const Folder folder;
    std::mt19937 random{7};
    std::map<std::string, std::uint64_t> expected;
    std::string text;
    for (int i = 0; i < 200'000; ++i) {
        const std::string word = std::to_string(random() % 50'000);
        ++expected[word];
        text += word + ' ';
    }
    WordTable table = counted_at_once(folder.write(text));
    const std::vector<Entry> entries = everything(table);
    REQUIRE(entries.size() == expected.size());
    CHECK(std::equal(entries.begin(), entries.end(), expected.begin(),
                     [](const Entry& a, const auto& b) { return a.word == b.first && a.count == b.second; }));
}

TEST_CASE("a long word is one word and stands cut off in the table", "[unit]") {
    const Folder folder;
    const std::size_t limit = word_counter::word_bytes_max;
    CHECK(words_of(folder, std::string(limit, 'X')) == std::vector<Entry>{{std::string(limit, 'x'), 1}});
    CHECK(words_of(folder, std::string(2'000'000, 'X') + " " + std::string(limit + 1, 'x')) ==
          std::vector<Entry>{{std::string(limit, 'x'), 2}});
    // Punctuation before it takes no room, and punctuation behind it is stripped.
    CHECK(words_of(folder, std::string(2'000'000, '(') + "word" + std::string(2'000'000, '!')) ==
          std::vector<Entry>{{"word", 1}});
    // A character is kept whole or not at all, and nothing behind it takes its place.
    CHECK(words_of(folder, std::string(limit - 1, 'x') + "\u00e9" + "z") ==
          std::vector<Entry>{{std::string(limit - 1, 'x'), 1}});
}

TEST_CASE("pages hold the words in bytewise order within their bounds", "[unit]") {
    const Folder folder;
    WordTable table = counted_at_once(folder.write("b \u00e9 a zz b c ca"));
    const std::vector<Entry> expected{{"a", 1}, {"b", 2}, {"c", 1}, {"ca", 1}, {"zz", 1}, {"\u00e9", 1}};
    CHECK(table.distinct_words() == 6);
    for (const std::size_t words_max : {0U, 1U, 2U, 5U, 6U, 7U}) CHECK(everything(table, words_max) == expected);
    for (const std::size_t bytes_max : {0U, 1U, 17U, 35U, 1000U}) CHECK(everything(table, 1000, bytes_max) == expected);

    CHECK(table.page("", 2, 1000).entries == std::vector<Entry>{{"a", 1}, {"b", 2}});
    CHECK_FALSE(table.page("", 5, 1000).is_last);
    CHECK(table.page("", 6, 1000).is_last);
    CHECK(table.page("bb", 1, 1000).entries == std::vector<Entry>{{"c", 1}});
    CHECK(table.page("", 1000, 2 * (1 + word_counter::page_entry_bytes)).entries.size() == 2);
    CHECK(table.page("", 1000, 2 * (1 + word_counter::page_entry_bytes) - 1).entries.size() == 1);
    CHECK(table.page("\xff", 10, 1000).entries.empty());
    CHECK(table.page("\xff", 10, 1000).is_last);

    WordTable empty;
    CHECK(empty.page("", 10, 1000).entries.empty());
    CHECK(empty.page("", 10, 1000).is_last);
}

TEST_CASE("a page sees what was counted after the page before", "[unit]") {
    const Folder folder;
    WordTable table = counted_at_once(folder.write("m n"));
    CHECK(everything(table).size() == 2);
    REQUIRE(table.count(folder.write("n", "more"), 0, 1).ok());
    CHECK(everything(table) == std::vector<Entry>{{"m", 1}, {"n", 2}});
    REQUIRE(table.count(folder.write("a z", "most"), 0, 3).ok());
    CHECK(everything(table) == std::vector<Entry>{{"a", 1}, {"m", 1}, {"n", 2}, {"z", 1}});
}

TEST_CASE("a binary file is refused with the place of its first NUL byte", "[unit]") {
    const Folder folder;
    const std::size_t place = word_counter::block_bytes + 17;
    const std::string path = folder.write(std::string(place, 'x') + "\0 after"s);
    WordTable table;
    const auto totals = table.count(path, 10, place + 3);
    REQUIRE(!totals.ok());
    CHECK(totals.error().kind == ErrorKind::refused);
    CHECK(totals.error().text == "'" + path + "' holds a NUL byte at offset " + std::to_string(place) +
                                     ": it looks like a binary file, not text");
    CHECK(table.count(path, 0, place).ok());
}

TEST_CASE("what cannot be read is refused with its path, the reason and a remedy", "[unit]") {
    const Folder folder;
    const auto refusal = [](const std::string& path, std::uint64_t begin = 0, std::uint64_t end = 1) {
        WordTable table;
        const auto totals = table.count(path, begin, end);
        REQUIRE(!totals.ok());
        CHECK(totals.error().kind == ErrorKind::refused);
        CHECK_THAT(totals.error().text, Contains("'" + path + "'"));
        if (begin == 0 && end == 1) {
            const auto ranges = cut_into_ranges(path, 10);
            REQUIRE(!ranges.ok());
            CHECK(ranges.error().text == totals.error().text);
        }
        return totals.error().text;
    };
    CHECK_THAT(refusal(folder.path("missing")), Contains("No such file") && Contains("check the path"));
    CHECK_THAT(refusal(folder.path("")), Contains("is a directory"));
    CHECK_THAT(refusal("/dev/null"), Contains("not a regular file"));
    REQUIRE(::mkfifo(folder.path("fifo").c_str(), 0600) == 0);
    CHECK_THAT(refusal(folder.path("fifo")), Contains("not a regular file"));

    const std::string path = folder.write("words");
    CHECK_THAT(refusal(path, 0, 6), Contains("up to byte 6: it ends at byte 5") && Contains("shrunk"));
    CHECK_THAT(refusal(path, 0, UINT64_MAX), Contains("shrunk"));
    CHECK_THAT(refusal(path, 3, 2), Contains("end before it begins"));
    if (::geteuid() != 0) {  // root may read everything
        REQUIRE(::chmod(path.c_str(), 0) == 0);
        CHECK_THAT(refusal(path), Contains("Permission denied") && Contains("let the user"));
    }
}

TEST_CASE("a count that is refused adds nothing to the table", "[unit]") {
    const Folder folder;
    WordTable table = counted_at_once(folder.write("one two"));
    const std::string text = "two three" + std::string(word_counter::block_bytes, ' ') + '\0';
    const std::string binary = folder.write(text, "binary");
    REQUIRE(!table.count(binary, 0, std::filesystem::file_size(binary)).ok());
    CHECK(table.totals() == Totals{.lines = 0, .words = 2, .bytes = 7});
    CHECK(everything(table) == std::vector<Entry>{{"one", 1}, {"two", 1}});
}

TEST_CASE("a table that would outgrow its memory is overloaded and keeps what it has", "[unit]") {
    const Folder folder;
    WordTable table{4 * (1 + word_counter::entry_bytes)};
    const std::string path = folder.write("a b c d");
    REQUIRE(table.count(path, 0, 3).ok());
    for (int round = 0; round < 10; ++round) REQUIRE(table.count(path, 0, 3).ok());
    REQUIRE(table.count(path, 4, 7).ok());
    const auto totals = table.count(path, 0, 7);
    REQUIRE(!totals.ok());
    CHECK(totals.error().kind == ErrorKind::overloaded);
    CHECK(table.distinct_words() == 4);
}

TEST_CASE("an empty range adds nothing", "[unit]") {
    const Folder folder;
    WordTable table;
    CHECK(table.count(folder.write(""), 0, 0).value() == Totals{});
    CHECK(table.count(folder.write("word"), 2, 2).value() == Totals{});
    CHECK(table.distinct_words() == 0);
}
