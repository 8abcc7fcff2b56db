#include "actors/column_reader/parts.hpp"

#include <random>

#include "tests/catch.hpp"
#include "tests/unit/columns/folder.hpp"
#include "tests/unit/columns/reference.hpp"

namespace {

using column_reader::Part;
using column_reader::Stretch;
using column_reader::Survey;
using column_reader::TextFile;
using columns_test::Folder;
using columns_test::ReferenceRow;

std::vector<Part> parts(const TextFile& file, std::size_t count, std::uint64_t begin = 0) {
    std::vector<Survey> surveys;
    for (const Stretch& stretch : column_reader::stretches_of(file, begin, count).value())
        surveys.push_back(column_reader::survey(file, stretch, ',').value());
    return column_reader::parts_of(surveys, 1);
}

// That the parts hold every row once, begin where rows do and know their lines and how many there are.
void check_parts(const std::vector<Part>& parts, const std::vector<ReferenceRow>& rows, std::size_t bytes) {
    std::uint64_t end = 0;
    std::size_t next = 0;
    for (const Part& part : parts) {
        REQUIRE(part.begin == end);
        end = part.end;
        std::uint64_t count = 0;
        if (part.begin < part.end) {
            REQUIRE(next < rows.size());
            CHECK(rows[next].begin == part.begin);
            CHECK(rows[next].line == part.first_line);
        }
        for (; next < rows.size() && rows[next].begin < part.end; ++next) ++count;
        // A row that is never closed ends in no newline.
        CHECK(part.rows_max + std::uint64_t{next == rows.size() && !rows.empty() && rows.back().is_unclosed} >= count);
        CHECK(part.rows_max <= count);
    }
    CHECK(end == bytes);
    CHECK(next == rows.size());
}

}  // namespace

TEST_CASE("stretches follow each other and are cut after newlines", "[unit]") {
    const Folder folder;
    std::string text = "head\n";
    for (int i = 0; i < 1000; ++i) text += std::to_string(i * i) + "\n";
    const TextFile file = TextFile::open(folder.write(text)).value();
    for (const std::size_t count : {1U, 2U, 3U, 7U, 64U}) {
        const auto stretches = column_reader::stretches_of(file, 5, count).value();
        REQUIRE(stretches.size() == count);
        std::uint64_t end = 5;
        for (const Stretch& stretch : stretches) {
            CHECK(stretch.begin == end);
            CHECK(text[stretch.end - 1] == '\n');
            CHECK(stretch.end - stretch.begin <= text.size() / count + 10);
            end = stretch.end;
        }
        CHECK(end == text.size());
    }
}

TEST_CASE("a line longer than a stretch leaves stretches empty", "[unit]") {
    const Folder folder;
    const std::string text = "short\n" + std::string(1'000'000, 'x') + "\nend";
    const TextFile file = TextFile::open(folder.write(text)).value();
    const auto stretches = column_reader::stretches_of(file, 0, 4).value();
    const std::uint64_t end = text.size();
    CHECK(stretches == std::vector<Stretch>{{0, end - 3}, {end - 3, end - 3}, {end - 3, end - 3}, {end - 3, end}});
    const std::vector<Part> found = parts(file, 4);
    CHECK(found[0] == Part{0, end - 3, 1, 2});
    CHECK(found[1].begin == found[2].end);
    CHECK(found[3] == Part{end - 3, end, 3, 1});
}

TEST_CASE("a cut inside of a quoted field moves to the end of its row", "[unit]") {
    const Folder folder;
    const std::string letter = "1,\"Dear Ada,\n\nthank you.\n\nYours, \"\"B\"\"\n\",x\n";
    std::string text;
    for (int i = 0; i < 50; ++i) text += letter;
    const TextFile file = TextFile::open(folder.write(text)).value();
    for (std::size_t count = 1; count < 120; ++count)
        check_parts(parts(file, count), columns_test::rows_of(text), text.size());
}

TEST_CASE("a file whose quotes stand in the middle of fields is cut where rows begin", "[unit]") {
    const Folder folder;
    std::string text;
    for (int i = 0; i < 50; ++i) text += "5\" pipe,a\"\"b\n\"x\"y\"z,\"two\nlines\"\n";
    const TextFile file = TextFile::open(folder.write(text)).value();
    for (std::size_t count = 1; count < 60; ++count)
        check_parts(parts(file, count), columns_test::rows_of(text), text.size());
}

TEST_CASE("a quoted field that fills several stretches leaves their parts empty", "[unit]") {
    const Folder folder;
    std::string text = "a,b\n1,\"";
    for (int i = 0; i < 1000; ++i) text += "line\n";
    text += "\"\n2,c\n";
    const TextFile file = TextFile::open(folder.write(text)).value();
    const std::vector<Part> found = parts(file, 10);
    check_parts(found, columns_test::rows_of(text), text.size());
    CHECK(found[0] == Part{0, text.size() - 4, 1, 2});
    CHECK(found[9] == Part{text.size() - 4, text.size(), 1003, 1});
    for (std::size_t i = 1; i < 9; ++i) CHECK(found[i].begin == found[i].end);
}

TEST_CASE("a row whose quote is never closed counts in the part that it begins in", "[unit]") {
    const Folder folder;
    const std::string text = "1,\"x\n2,y\n3,z\n";
    const TextFile file = TextFile::open(folder.write(text)).value();
    for (const std::size_t count : {1U, 3U}) {
        const std::vector<Part> found = parts(file, count);
        CHECK(found[0] == Part{0, text.size(), 1, 1});
    }
}

TEST_CASE("parts of any text hold every row once, for any number of them", "[unit]") {
    const Folder folder;
    std::mt19937 random{3};
    for (int round = 0; round < 400; ++round) {
        const std::string text = columns_test::random_csv(random, 1 + random() % 600);
        const TextFile file = TextFile::open(folder.write(text)).value();
        const auto rows = columns_test::rows_of(text);
        INFO(text);
        for (const std::size_t count : {1U, 2U, 3U, 5U, 13U}) check_parts(parts(file, count), rows, text.size());
    }
}
