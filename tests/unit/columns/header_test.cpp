#include "actors/column_reader/header.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include "tests/catch.hpp"
#include "tests/unit/columns/folder.hpp"

namespace {

using baton::ErrorKind;
using Catch::Matchers::Contains;
using column_reader::FirstRow;
using column_reader::Header;
using column_reader::TextFile;
using columns_test::Folder;
using namespace std::string_literals;

Header header(const Folder& folder, std::string_view text, char delimiter = ',', FirstRow first_row = FirstRow::names) {
    return column_reader::read_header(TextFile::open(folder.write(text)).value(), delimiter, first_row).value();
}

std::string refusal(const std::string& path, char delimiter = ',') {
    const auto file = TextFile::open(path);
    if (!file) return file.error().text;
    const auto header = column_reader::read_header(*file, delimiter, FirstRow::names);
    REQUIRE(!header.ok());
    CHECK(header.error().kind == ErrorKind::refused);
    CHECK_THAT(header.error().text, Contains("'" + path + "'"));
    return header.error().text;
}

}  // namespace

TEST_CASE("the first row names the columns", "[unit]") {
    const Folder folder;
    CHECK(header(folder, "a,b,c\n1,2,3\n") == Header{{"a", "b", "c"}, 6, 2});
    CHECK(header(folder, "a;b,c\r\n") == Header{{"a;b", "c"}, 7, 2});
    CHECK(header(folder, "a;b", ';') == Header{{"a", "b"}, 3, 1});
    CHECK(header(folder, "\"two\nlines\",\"say \"\"hi\"\"\"\n1,2\n") == Header{{"two\nlines", "say \"hi\""}, 25, 3});
    CHECK(header(folder, "\xef\xbb\xbfid\n7\n") == Header{{"id"}, 6, 2});
    CHECK(header(folder, "\n\r\na,b\n") == Header{{"a", "b"}, 7, 4});
    CHECK(header(folder, "caf\u00e9,\u8a9e\n").names == std::vector<std::string>{"caf\u00e9", "\u8a9e"});
}

TEST_CASE("each column has a name of its own", "[unit]") {
    const Folder folder;
    CHECK(header(folder, "a,,a,a,a_2,\n").names ==
          std::vector<std::string>{"a", "column_2", "a_2", "a_3", "a_2_2", "column_6"});
}

TEST_CASE("a file without names has numbered columns and loses no row", "[unit]") {
    const Folder folder;
    CHECK(header(folder, "1,x,2.5\n", ',', FirstRow::values) == Header{{"column_1", "column_2", "column_3"}, 0, 1});
    CHECK(header(folder, "\n1,x\n", ',', FirstRow::values) == Header{{"column_1", "column_2"}, 1, 2});
}

TEST_CASE("a first row that can't be one is refused with what to do", "[unit]") {
    const Folder folder;
    CHECK_THAT(refusal(folder.write("a;b;c\n1;2;3\n")),
               Contains("line 1") && Contains("holds no ',' but ';': try that as the delimiter"));
    CHECK_THAT(refusal(folder.write("a,b\n"), '\t'), Contains("holds no tab but ','"));
    CHECK_THAT(refusal(folder.write("\n\n\r\n")), Contains("nothing but blank lines"));
    CHECK_THAT(refusal(folder.write("\xef\xbb\xbf")), Contains("no column names"));
    CHECK_THAT(refusal(folder.write("\n\"a,b\n1,2\n")),
               Contains("line 2") && Contains("opens a quote and never closes it"));
    CHECK_THAT(refusal(folder.write("a,b\r1,2\r")), Contains("carriage return alone"));
    CHECK_THAT(refusal(folder.write("name,caf\xe9\n")), Contains("not UTF-8 at its byte 9") && Contains("iconv"));
    CHECK_THAT(refusal(folder.write(std::string(column_reader::columns_max, ',') + "\n")), Contains("4097 fields"));
    CHECK_THAT(refusal(folder.write("a," + std::string(column_reader::header_bytes_max, 'x') + "\n")),
               Contains("is longer than"));
}

TEST_CASE("the names of a header may take all that is allowed", "[unit]") {
    const Folder folder;
    CHECK(header(folder, std::string(column_reader::columns_max - 1, ',') + "\n").names.size() ==
          column_reader::columns_max);
    const std::string longest(column_reader::header_bytes_max - 1, 'x');
    CHECK(header(folder, longest + "\n1\n").names == std::vector<std::string>{longest});
    CHECK(header(folder, longest).names == std::vector<std::string>{longest});
}

TEST_CASE("a delimiter is a tab or a printable character other than a quote", "[unit]") {
    for (const char delimiter : {',', ';', '\t', '|', ' '}) CHECK(column_reader::is_delimiter(delimiter).ok());
    for (const char delimiter : {'"', '\n', '\r', '\0', '\x7f', '\xe9'})
        CHECK(!column_reader::is_delimiter(delimiter).ok());
}

TEST_CASE("a file that can't be read is refused with its path, the reason and a remedy", "[unit]") {
    const Folder folder;
    CHECK_THAT(refusal(folder.path("missing")),
               Contains("'" + folder.path("missing") + "'") && Contains("No such file") && Contains("check the path"));
    CHECK_THAT(refusal(folder.path("")), Contains("is a directory"));
    CHECK_THAT(refusal("/dev/null"), Contains("not a regular file"));
    REQUIRE(::mkfifo(folder.path("fifo").c_str(), 0600) == 0);
    CHECK_THAT(refusal(folder.path("fifo")), Contains("not a regular file"));
    CHECK_THAT(refusal(folder.write("")), Contains("it is empty"));
    if (::geteuid() != 0) {  // root may read everything
        REQUIRE(::chmod(folder.write("a\n", "secret").c_str(), 0) == 0);
        CHECK_THAT(refusal(folder.path("secret")), Contains("Permission denied") && Contains("permissions"));
    }
}

TEST_CASE("a file that is no text in UTF-8 is told what it is", "[unit]") {
    const Folder folder;
    CHECK_THAT(refusal(folder.write("\xff\xfe"s + "a\0,\0"s)), Contains("UTF-16") && Contains("iconv -f UTF-16"));
    CHECK_THAT(refusal(folder.write("\x1f\x8b\x08")), Contains("gzip") && Contains("gunzip"));
    CHECK_THAT(refusal(folder.write("PK\x03\x04...")), Contains("zip"));
    CHECK_THAT(refusal(folder.write("a,b\n1,\0002\n"s)), Contains("NUL byte at offset 6"));
}

TEST_CASE("a file that was written while it was read is noticed", "[unit]") {
    const Folder folder;
    const std::string path = folder.write("a\n1\n");
    const TextFile file = TextFile::open(path).value();
    CHECK(file.still_has(file.version()).ok());
    CHECK(TextFile::open(path).value().version() == file.version());
    static_cast<void>(folder.write("a\n1\n2\n"));
    CHECK(!file.still_has(file.version()).ok());
    CHECK(TextFile::open(path).value().version() != file.version());

    std::string bytes(10, ' ');
    std::filesystem::resize_file(path, 4);
    const auto read = file.read(0, bytes);
    REQUIRE(!read.ok());
    CHECK_THAT(read.error().text, Contains("beyond byte 4") && Contains("shrunk"));
}

TEST_CASE("a window shows the bytes of a file one after the other, however they are asked for", "[unit]") {
    const Folder folder;
    std::string text;
    while (text.size() < 3 * column_reader::Window::bytes) text += std::to_string(text.size()) + ",";
    const TextFile file = TextFile::open(folder.write(text)).value();
    for (const std::size_t wanted :
         {std::size_t{1}, std::size_t{1000}, column_reader::Window::bytes + 1, text.size() + 1}) {
        column_reader::Window window{file, 7, text.size() - 5};
        std::string seen;
        while (!window.is_at_end()) {
            REQUIRE(window.fill(wanted).ok());
            REQUIRE(window.position() == 7 + seen.size());
            const std::string_view view = window.view();
            REQUIRE((view.size() >= wanted || window.reaches_end()));
            const std::size_t some = (view.size() + 2) / 3;
            seen += view.substr(0, some);
            window.skip(some);
        }
        CHECK(seen == text.substr(7, text.size() - 12));
    }
}
