#include "actors/column_reader/part_parser.hpp"

#include <cmath>
#include <cstdio>
#include <limits>
#include <random>

#include "actors/column_reader/number.hpp"
#include "tests/catch.hpp"
#include "tests/unit/columns/folder.hpp"
#include "tests/unit/columns/reference.hpp"
#include "tests/unit/columns/table.hpp"

namespace {

using Catch::Matchers::Contains;
using column_reader::BadRow;
using column_reader::block_bytes;
using column_reader::FirstRow;
using column_reader::Kind;
using column_reader::Kinds;
using column_reader::missing_integer;
using columns_test::Folder;
using columns_test::HeapRoom;
using columns_test::Table;

using Texts = std::vector<std::string>;
using Integers = std::vector<std::int64_t>;

// Equal to the last bit; all NaN are one.
bool same(double a, double b) {
    return (std::isnan(a) && std::isnan(b)) || std::bit_cast<std::uint64_t>(a) == std::bit_cast<std::uint64_t>(b);
}
bool same(const std::vector<double>& a, const std::vector<double>& b) {
    return a.size() == b.size() &&
           std::equal(a.begin(), a.end(), b.begin(), [](double x, double y) { return same(x, y); });
}
constexpr double absent = column_reader::missing_real;

Kind kind_of(const std::string& cells) {
    const Folder folder;
    return Table{folder.write("c,x\n" + cells), 1}.kinds[0];
}

std::string refusal(const std::string& path, std::size_t parts) {
    try {
        Table{path, parts};
    } catch (const baton::ErrorException& failure) {
        CHECK(failure.kind() == baton::ErrorKind::refused);
        return failure.error().text;
    }
    return "it was read";
}

// Enough rows of it to fill more than two blocks, which is where a column cannot start anew.
std::string many(const std::string& row) {
    std::string rows;
    while (rows.size() < 2 * block_bytes) rows += row;
    return rows;
}

}  // namespace

TEST_CASE("a column has the narrowest kind that holds all of its cells", "[unit]") {
    CHECK(kind_of("1,\n-2,\n+3,\n 4 ,\n\"5\",\n007,\n,\n") == Kind::integer);
    CHECK(kind_of("1,\n2.5,\n") == Kind::real);
    CHECK(kind_of("2.5,\n1,\n") == Kind::real);
    CHECK(kind_of("1e3,\n") == Kind::real);
    CHECK(kind_of("inf,\n") == Kind::real);
    CHECK(kind_of("9223372036854775807,\n") == Kind::integer);
    CHECK(kind_of("9223372036854775808,\n") == Kind::real);
    CHECK(kind_of("-9223372036854775808,\n") == Kind::real);  // means missing in a column of integers
    CHECK(kind_of(",\n,\n") == Kind::real);
    CHECK(kind_of("NA,\nnull,\n3,\n") == Kind::integer);
    CHECK(kind_of("NA,\nnull,\n3,\nx,\n") == Kind::text);
    for (const std::string text :
         {"a", "1a", "1 2", "--1", "+-1", "-", "+", ".", "1.2.3", "0x10", "1;5", "1_000", "e5", "nan(1)"})
        CHECK(kind_of("1,\n\"" + text + "\",\n") == Kind::text);
}

TEST_CASE("numbers are read to the last bit", "[unit]") {
    const Folder folder;
    const Table table{
        folder.write("i,r\n"
                     "0,0\n-0,-0\n9223372036854775807,-0.0\n-9223372036854775807,0.1\n00012345678901234,1e-320\n"
                     "12345678,1.7976931348623157e308\n-123456789,1e400\n1234567890123456,9007199254740993\n"
                     "\"+77\",\"+.5\"\n\t8 , 5. \n1,-1e400\n1,1e-400\n"),
        1};
    CHECK(table.integers(0) ==
          Integers{0, 0, INT64_MAX, -INT64_MAX, 12345678901234, 12345678, -123456789, 1234567890123456, 77, 8, 1, 1});
    CHECK(same(table.reals(1), {0.0, 0.0, -0.0, 0.1, 1e-320, 1.7976931348623157e308, HUGE_VAL, 9007199254740992, 0.5,
                                5.0, -HUGE_VAL, 0.0}));
}

TEST_CASE("every length of integer is read like the library reads it", "[unit]") {
    std::mt19937_64 random{2};
    for (int round = 0; round < 20'000; ++round) {
        std::string text = "12345678" + std::to_string(static_cast<std::int64_t>(random()) >> (random() % 64));
        if (round % 5 == 0) text[8 + random() % (text.size() - 8)] = static_cast<char>(random());
        const std::string_view cell = std::string_view{text}.substr(8);
        std::int64_t fast = 0;
        std::int64_t slow = 0;
        const bool is_integer = column_reader::read_integer(cell, slow);
        INFO(cell);
        REQUIRE(column_reader::read_integer_fast(cell, fast) == is_integer);
        if (is_integer) REQUIRE(fast == slow);
    }
}

TEST_CASE("reals are read like the C library reads them", "[unit]") {
    std::mt19937_64 random{4};
    for (int round = 0; round < 5'000; ++round) {
        char text[64];
        const double number = std::bit_cast<double>(random());
        if (!std::isfinite(number)) continue;
        std::snprintf(text, sizeof text, "%.*g", static_cast<int>(1 + random() % 20), number);
        double read = 0;
        REQUIRE(column_reader::read_real(text, read));
        REQUIRE(same(read, std::strtod(text, nullptr)));
    }
}

TEST_CASE("missing cells are NaN, the least integer, or no text", "[unit]") {
    const Folder folder;
    const Table table{folder.write("i,r,t\n1,1.5,a\n,,\n\"\",\"\",\"\"\nNA,nan,NA\n  , ,x y\n2,2.5,b\n"), 1};
    CHECK(table.kinds == Kinds{Kind::integer, Kind::real, Kind::text});
    CHECK(table.integers(0) == Integers{1, missing_integer, missing_integer, missing_integer, missing_integer, 2});
    CHECK(same(table.reals(1), {1.5, absent, absent, absent, absent, 2.5}));
    CHECK(table.texts(2) == Texts{"a", "", "", "NA", "x y", "b"});
}

TEST_CASE("texts keep what stands between their quotes", "[unit]") {
    const Folder folder;
    const Table table{
        folder.write("a,b\r\n\"x,y\",\"say \"\"hi\"\"\"\r\n\"two\r\nlines\",5\" pipe\r\n\"a\"b\"c\", space \r\n"), 1};
    CHECK(table.texts(0) == Texts{"x,y", "two\r\nlines", "ab\"c\""});
    CHECK(table.texts(1) == Texts{"say \"hi\"", "5\" pipe", " space "});
}

TEST_CASE("lines may end in either way, and the last one in none", "[unit]") {
    const Folder folder;
    for (const std::string text :
         {"a,b\n1,x\n2,y\n", "a,b\r\n1,x\r\n2,y\r\n", "a,b\n1,x\n2,y", "a,b\r\n1,x\n\n\r\n2,y\r",
          "\xef\xbb\xbf"
          "a,b\n\n1,x\n2,y\n\n\n"}) {
        for (const std::size_t parts : {1U, 2U, 5U}) {
            const Table table{folder.write(text), parts};
            CHECK(table.integers(0) == Integers{1, 2});
            CHECK(table.texts(1) == Texts{"x", "y"});
            CHECK(table.bad_rows_count == 0);
        }
    }
}

TEST_CASE("a file with nothing but a header has columns without rows", "[unit]") {
    const Folder folder;
    for (const std::string text : {"a,b", "a,b\n", "a,b\n\n\r\n"}) {
        const Table table{folder.write(text), 3};
        CHECK(table.rows == 0);
        CHECK(table.kinds == Kinds{Kind::real, Kind::real});
        CHECK(table.bad_rows_count == 0);
    }
}

TEST_CASE("a file of one column skips blank lines and keeps quoted nothing", "[unit]") {
    const Folder folder;
    const Table table{folder.write("a\n1\n\n\"\"\n2\n"), 1};
    CHECK(table.integers(0) == Integers{1, missing_integer, 2});
}

TEST_CASE("rows of another width are left out and told with their lines", "[unit]") {
    const Folder folder;
    const std::string path = folder.write("a,b\n1,x\n2\n\"3\n\n\",y,z\n\n4,w\n,,,\n5,\"v");
    for (const std::size_t parts : {1U, 2U, 3U, 8U}) {
        const Table table{path, parts};
        CHECK(table.integers(0) == Integers{1, 4});
        CHECK(table.texts(1) == Texts{"x", "w"});
        CHECK(table.bad_rows_count == 4);
        CHECK(table.bad_rows == std::vector<BadRow>{{3, "1 field instead of 2"},
                                                    {4, "3 fields instead of 2"},
                                                    {9, "4 fields instead of 2"},
                                                    {10, "a quote is opened and never closed"}});
    }
}

TEST_CASE("bad rows beyond a limit are counted only", "[unit]") {
    const Folder folder;
    std::string text = "a,b\n";
    for (int i = 0; i < 30'000; ++i) text += "1,2,3\n4,5\n";
    const Table table{folder.write(text), 2};
    CHECK(table.rows == 30'000);
    CHECK(table.bad_rows_count == 30'000);
    REQUIRE(table.bad_rows.size() == 2 * column_reader::bad_rows_kept_max);
    CHECK(table.bad_rows[1].line == 4);
    CHECK(table.bad_rows.back().line == table.parts()[1].part.first_line + 2 * column_reader::bad_rows_kept_max - 2);
}

// Goal: the kinds of the columns are those of the whole file, though each part sees its own rows only.
// Method: parts that for themselves would read a column as integer, real, text or nothing.
TEST_CASE("parts that see different kinds agree on one", "[unit]") {
    const Folder folder;
    const std::string text = "i,r,t,u\n" + std::string{"1,2,3,04\n"} + "5,6.5,7,\n" + "8,,x,+9\n" + ",,,NA\n";
    for (const std::size_t parts : {1U, 4U}) {
        const Table table{folder.write(text), parts};
        CHECK(table.kinds == Kinds{Kind::integer, Kind::real, Kind::text, Kind::integer});
        CHECK(table.integers(0) == Integers{1, 5, 8, missing_integer});
        CHECK(same(table.reals(1), {2, 6.5, absent, absent}));
        CHECK(table.texts(2) == Texts{"3", "7", "x", ""});
        CHECK(table.integers(3) == Integers{4, missing_integer, 9, missing_integer});
    }
}

// Goal: what was stored as numbers becomes the text that stood in the file, not that of the numbers.
// Method: thousands of rows of numbers in different spellings before the first text, in one part and in many.
TEST_CASE("a column that becomes text late has the cells as they are in the file", "[unit]") {
    const Folder folder;
    const std::string numbers = many("007,\"1,5\" , +1.50,7,\n");
    std::string text = "a,b,c,d,e\n" + numbers + "x,y,z,7,\n" + numbers + "7,7,7,7.5,\n";
    const auto rows = columns_test::rows_of(text);
    for (const std::size_t parts : {1U, 3U}) {
        const Table table{folder.write(text), parts};
        REQUIRE(table.kinds == Kinds{Kind::text, Kind::text, Kind::text, Kind::real, Kind::real});
        REQUIRE(table.rows + 1 == rows.size());
        for (const std::size_t column : {0U, 1U, 2U}) {
            const Texts texts = table.texts(column);
            bool is_same = true;
            for (std::size_t row = 0; row < texts.size(); ++row)
                is_same = is_same && texts[row] == rows[row + 1].cells[column];
            CHECK(is_same);
        }
        CHECK(table.reals(3).front() == 7);
        CHECK(table.reals(3).back() == 7.5);
    }
}

TEST_CASE("a column of nothing that becomes something late is as long as the others", "[unit]") {
    const Folder folder;
    const std::string nothing = many("1,,,\n");
    const Table table{folder.write("a,b,c,d\n" + nothing + "1,2,3.5,x\n"), 1};
    REQUIRE(table.kinds == Kinds{Kind::integer, Kind::integer, Kind::real, Kind::text});
    CHECK(table.integers(1).front() == missing_integer);
    CHECK(table.integers(1).back() == 2);
    CHECK(std::isnan(table.reals(2).front()));
    CHECK(table.reals(2).back() == 3.5);
    CHECK(table.texts(3).front() == "");
    CHECK(table.texts(3).back() == "x");
    CHECK(table.texts(3).size() == table.rows);
}

TEST_CASE("integers become reals with all the digits that a real has", "[unit]") {
    const Folder folder;
    const Table table{folder.write("a,b\n" + many("9007199254740993,-0\n") + "0.5,-0.0\n"), 1};
    CHECK(same(table.reals(0).front(), 9007199254740992.0));
    CHECK(same(table.reals(1).front(), 0.0));
    CHECK(same(table.reals(1).back(), -0.0));
}

TEST_CASE("text that is not UTF-8 is refused with its line", "[unit]") {
    const Folder folder;
    std::string text = "a,b\n" + many("1,\"caf\u00e9\n\u8a9e\"\n");
    const auto lines = static_cast<std::uint64_t>(std::ranges::count(text, '\n'));
    const std::string path = folder.write(text + "2,caf\xe9\n" + text);
    for (const std::size_t parts : {1U, 3U})
        CHECK_THAT(refusal(path, parts), Contains("'" + path + "', line " + std::to_string(lines + 1) + ":") &&
                                             Contains("not UTF-8") && Contains("iconv"));
    for (const std::string wrong : {"\xc3", "\xc0\xaf", "\xed\xa0\x80", "\xf5\x80\x80\x80", "\x80"})
        CHECK_THAT(refusal(folder.write("a\n" + wrong + "\n"), 1), Contains("line 2: this is not UTF-8"));
}

TEST_CASE("a row without an end is refused with its line", "[unit]") {
    const Folder folder;
    std::string text = "a,b\n1,2\n3,\"";
    text.append(column_reader::row_bytes_max, 'x');
    CHECK_THAT(refusal(folder.write(text), 1),
               Contains("line 3: a row of more than 16 MiB") && Contains("never closed"));
}

TEST_CASE("a row larger than a window is a row like any other", "[unit]") {
    const Folder folder;
    const std::string large(3 * column_reader::Window::bytes + 17, 'x');
    const Table table{folder.write("a,b\n1,y\n2,\"" + large + "\n\"\n3,z\n"), 2};
    CHECK(table.integers(0) == Integers{1, 2, 3});
    CHECK(table.texts(1) == Texts{"y", large + "\n", "z"});
}

TEST_CASE("room for text is asked for a few times only if it is given as is likely", "[unit]") {
    const Folder folder;
    std::string text = "a,b\n";
    for (int i = 0; i < 100'000; ++i) text += "some text of a row,7\n";
    const Table table{folder.write(text), 1, ',', FirstRow::names, HeapRoom::Grows::likely};
    CHECK(table.parts()[0].room->times_grown <= 2);
    CHECK(table.texts(0).back() == "some text of a row");
}

TEST_CASE("other delimiters leave commas alone", "[unit]") {
    const Folder folder;
    const Table table{folder.write("a;b\n1,5;\"x;y\"\n2,5;z\n"), 2, ';'};
    CHECK(table.texts(0) == Texts{"1,5", "2,5"});
    CHECK(table.texts(1) == Texts{"x;y", "z"});
}

TEST_CASE("without a header the first row is one of values", "[unit]") {
    const Folder folder;
    const Table table{folder.write("1,x\n2,y\n"), 2, ',', FirstRow::values};
    CHECK(table.header.names == Texts{"column_1", "column_2"});
    CHECK(table.integers(0) == Integers{1, 2});
}

// Goal: any text has the cells that the rule gives it, for any number of parts.
// Method: random texts made of what matters to the rule, read byte by byte by the reference and in parts by the parser.
// A first column of letters makes nothing a number, so that cells can be compared as text.
TEST_CASE("any file has the same cells as byte by byte, for any number of parts", "[unit]") {
    const Folder folder;
    std::mt19937 random{1};
    for (int round = 0; round < 500; ++round) {
        const std::size_t columns = 1 + random() % 3;
        std::string names = "name";
        std::string letters = "x";
        for (std::size_t i = 1; i < columns; ++i) {
            names += ",name";
            letters += ",x";
        }
        const std::string text = names + "\n" + letters + "\n" + columns_test::random_csv(random, 1 + random() % 800);
        std::vector<Texts> expected(columns);
        std::vector<std::uint64_t> bad_lines;
        auto rows = columns_test::rows_of(text);
        rows.erase(rows.begin());
        for (const auto& row : rows) {
            if (row.is_blank) continue;
            if (row.cells.size() != columns || row.is_unclosed) {
                bad_lines.push_back(row.line);
                continue;
            }
            for (std::size_t i = 0; i < columns; ++i) expected[i].push_back(row.cells[i]);
        }
        const std::string path = folder.write(text);
        INFO(text);
        for (const std::size_t parts : {1U, 2U, 3U, 7U}) {
            const Table table{path, parts};
            for (std::size_t i = 0; i < columns; ++i) REQUIRE(table.texts(i) == expected[i]);
            REQUIRE(table.bad_rows_count == bad_lines.size());
            for (std::size_t i = 0; i < table.bad_rows.size(); ++i) REQUIRE(table.bad_rows[i].line == bad_lines[i]);
        }
    }
}

// Goal: kinds and values do not depend on where the file is cut.
// Method: random columns that change their kind in the middle, in one part and in several.
TEST_CASE("any file has the same columns for any number of parts", "[unit]") {
    const Folder folder;
    static const Texts cells{"1",    "-7",  "12345678901", "0",   "-0",         "",
                             "NA",   "2.5", "1e3",         "+4",  " 5 ",        "\"6\"",
                             "-0.0", "nan", "x",           "abc", "\"q,\"\"\"", "99999999999999999999",
                             "\"\"", "  "};
    std::mt19937 random{9};
    for (int round = 0; round < 300; ++round) {
        std::string text = "a,b,c\n";
        std::vector<std::size_t> kinds(3);
        for (std::size_t& kind : kinds) kind = 1 + random() % cells.size();
        const std::size_t rows = 1 + random() % 60;
        for (std::size_t row = 0; row < rows; ++row) {
            for (std::size_t column = 0; column < 3; ++column)
                text += (column > 0 ? "," : "") +
                        cells[random() % (row < rows / 2 ? std::min<std::size_t>(kinds[column], 7) : kinds[column])];
            text += "\n";
        }
        const std::string path = folder.write(text);
        const Table whole{path, 1};
        INFO(text);
        for (const std::size_t parts : {2U, 3U, 9U}) {
            const Table table{path, parts};
            REQUIRE(table.kinds == whole.kinds);
            REQUIRE(table.rows == whole.rows);
            for (std::size_t column = 0; column < 3; ++column) {
                if (table.kinds[column] == Kind::integer) REQUIRE(table.integers(column) == whole.integers(column));
                if (table.kinds[column] == Kind::real) REQUIRE(same(table.reals(column), whole.reals(column)));
                if (table.kinds[column] == Kind::text) REQUIRE(table.texts(column) == whole.texts(column));
                REQUIRE(table.checksum(column) == whole.checksum(column));
            }
        }
    }
}
