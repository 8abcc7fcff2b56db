#include "actors/column_reader/npy.hpp"

#include <sys/resource.h>
#include <unistd.h>

#include <csignal>
#include <cstring>
#include <fstream>
#include <sstream>

#include "actors/column_reader/text_file.hpp"
#include "tests/catch.hpp"
#include "tests/unit/columns/folder.hpp"

namespace {

using Catch::Matchers::Contains;
using column_reader::NpyElement;
using column_reader::write_npy;
using columns_test::Folder;

std::string content(const std::string& path) {
    std::ostringstream text;
    text << std::ifstream{path, std::ios::binary}.rdbuf();
    return text.str();
}

template <class T>
std::span<const std::byte> bytes(const std::vector<T>& values) {
    return std::as_bytes(std::span{values});
}

std::size_t files_in(const std::string& folder) {
    std::size_t count = 0;
    for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator{folder}) ++count;
    return count;
}

}  // namespace

TEST_CASE("an array is a file of format 1.0, aligned to 64 bytes", "[unit]") {
    const Folder folder;
    const std::string path = folder.path("a.npy");
    const std::vector<std::int64_t> first{1, -2};
    const std::vector<std::int64_t> second{3};
    const std::vector<std::span<const std::byte>> arrays{bytes(first), {}, bytes(second)};
    REQUIRE(write_npy(path, NpyElement::int64, arrays).ok());
    const std::string text = content(path);
    REQUIRE(text.size() == 128 + 24);
    CHECK(text.substr(0, 8) == std::string{"\x93NUMPY\x01\x00", 8});
    CHECK(text.substr(8, 2) == std::string{"\x76\x00", 2});
    CHECK_THAT(text.substr(10, 118), Contains("{'descr': '<i8', 'fortran_order': False, 'shape': (3,), }"));
    CHECK(text[127] == '\n');
    std::int64_t last = 0;
    std::memcpy(&last, text.data() + 128 + 16, 8);
    CHECK(last == 3);
}

TEST_CASE("NumPy reads what was written", "[unit]") {
    const Folder folder;
    const std::vector<double> reals{0.5, -0.0, std::numeric_limits<double>::infinity()};
    const std::vector<std::uint64_t> offsets{0, 3, 8};
    const std::string letters = "abccaf\u00e9";
    const auto one = [](std::span<const std::byte> array) { return std::vector<std::span<const std::byte>>{array}; };
    REQUIRE(write_npy(folder.path("r.npy"), NpyElement::float64, one(bytes(reals))).ok());
    REQUIRE(write_npy(folder.path("t.offsets.npy"), NpyElement::uint64, one(bytes(offsets))).ok());
    REQUIRE(write_npy(folder.path("t.bytes.npy"), NpyElement::uint8, one(std::as_bytes(std::span{letters}))).ok());
    REQUIRE(write_npy(folder.path("empty.npy"), NpyElement::int64, {}).ok());
    const std::string script = folder.write(R"(
import os, sys
import numpy
os.chdir(sys.argv[1])
reals, offsets, letters = numpy.load("r.npy"), numpy.load("t.offsets.npy"), numpy.load("t.bytes.npy", mmap_mode="r")
assert reals.dtype == numpy.float64 and reals.tolist() == [0.5, 0.0, float("inf")] and numpy.signbit(reals[1])
assert offsets.dtype == numpy.uint64 and letters.dtype == numpy.uint8
assert bytes(letters[offsets[1]:offsets[2]]).decode() == "caf\u00e9"
assert numpy.load("empty.npy").shape == (0,)
)",
                                            "check.py");
    CHECK(std::system(("env -u LD_PRELOAD /usr/bin/python3 " + script + " " + folder.path("")).c_str()) == 0);
}

TEST_CASE("a file that is overwritten is whole at any time", "[unit]") {
    const Folder folder;
    const std::string path = folder.path("a.npy");
    const std::vector<std::int64_t> values(1000, 7);
    const std::vector<std::span<const std::byte>> arrays{bytes(values)};
    REQUIRE(write_npy(path, NpyElement::int64, arrays).ok());
    const std::string before = content(path);

    // Files may not grow beyond 4 KiB: as on a disk that is full.
    rlimit limit{};
    REQUIRE(::getrlimit(RLIMIT_FSIZE, &limit) == 0);
    const rlimit small{4096, limit.rlim_max};
    const auto handler = std::signal(SIGXFSZ, SIG_IGN);
    REQUIRE(::setrlimit(RLIMIT_FSIZE, &small) == 0);
    const auto written = write_npy(path, NpyElement::int64, arrays);
    REQUIRE(::setrlimit(RLIMIT_FSIZE, &limit) == 0);
    std::signal(SIGXFSZ, handler);

    REQUIRE(!written.ok());
    CHECK_THAT(written.error().text, Contains("cannot write '" + path + "'") && Contains("File too large"));
    CHECK(content(path) == before);
    CHECK(files_in(folder.path("")) == 1);
}

TEST_CASE("a file that can't be written is refused with its path and the reason", "[unit]") {
    const Folder folder;
    const auto written = write_npy(folder.path("missing/a.npy"), NpyElement::int64, {});
    REQUIRE(!written.ok());
    CHECK(written.error().kind == baton::ErrorKind::refused);
    CHECK_THAT(written.error().text,
               Contains("missing/a.npy") && Contains("No such file") && Contains("check the path"));
    std::filesystem::create_directory(folder.path("folder.npy"));
    CHECK(!write_npy(folder.path("folder.npy"), NpyElement::int64, {}).ok());
    CHECK(files_in(folder.path("")) == 1);
    CHECK(column_reader::file_error(ENOSPC, "write", "x").kind == baton::ErrorKind::overloaded);
}

TEST_CASE("a column's name becomes a file's name that stays in its folder", "[unit]") {
    using column_reader::file_name_of;
    CHECK(file_name_of("unit_price-2") == "unit_price-2");
    CHECK(file_name_of("caf\u00e9") == "caf\u00e9");
    CHECK(file_name_of("../../etc/passwd") == "_._.._etc_passwd");
    CHECK(file_name_of("a b$(c)\n") == "a_b__c__");
    CHECK(file_name_of("") == "_");
    CHECK(file_name_of(std::string(1000, 'x')).size() == 200);
    CHECK(file_name_of(std::string(199, 'x') + "\u00e9") == std::string(199, 'x'));
}
