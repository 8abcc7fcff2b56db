// How programs read their options, by <baton/command_line.hpp>.
#include <baton/command_line.hpp>

#include "tests/captured_stderr.hpp"
#include "tests/catch.hpp"

using Catch::Matchers::Contains;
using Catch::Matchers::StartsWith;

namespace {

struct Program {
    CLI::App app{"Counts the words of a file.", "word_count"};
    std::string path;
    double seconds = 1;

    Program() {
        app.add_option("file", path, "a text file")->required();
        app.add_option("--timeout", seconds, "how long to wait")
            ->check(baton::program::is_seconds(0.5, 60))
            ->type_name("SECONDS");
        app.add_flag("--secret")->group("");
    }
    std::optional<int> read(std::vector<const char*> words) {
        words.insert(words.begin(), "word_count");
        return baton::program::read_command_line(app, static_cast<int>(words.size()), words.data(), "word_count");
    }
};

}  // namespace

TEST_CASE("a program goes on when its options are right", "[program]") {
    Program program;
    CHECK_FALSE(program.read({"book.txt", "--timeout", "2"}).has_value());
    CHECK(program.path == "book.txt");
    CHECK(program.seconds == 2);
}

TEST_CASE("a usage error is one line on stderr that says what to do, and exit code 64", "[program]") {
    const auto complaint = [](const std::vector<const char*>& words) {
        const baton_test::CapturedStderr captured;
        Program program;
        CHECK(program.read(words) == baton::program::exit_usage);
        return captured.text();
    };
    CHECK(complaint({"book.txt", "--tmeout"}) ==
          "word_count: usage error: there is no option '--tmeout'; see `word_count --help`\n");
    CHECK_THAT(complaint({"book.txt", "another.txt"}), Contains("'another.txt' is one argument too many"));
    CHECK_THAT(complaint({"book.txt", "--timeout", "nan"}),
               Contains("'nan' is not a number of seconds from 0.5 to 60"));
    CHECK_THAT(complaint({"book.txt", "--timeout", "61"}), Contains("'61' is not a number of seconds"));
}

TEST_CASE("amounts of memory are read with their units, and nothing else is", "[program]") {
    using baton::program::bytes_of;
    CHECK(bytes_of("1") == 1U);
    CHECK(bytes_of("512M") == 512U << 20);
    CHECK(bytes_of("4GiB") == std::uint64_t{4} << 30);
    for (const char* wrong : {"", "0", "-1", "4X", "1.5G", "M", "99999999999G", "4 G"}) {
        CAPTURE(wrong);
        CHECK_FALSE(bytes_of(wrong).has_value());
    }
}

TEST_CASE("the manual page of a program has its options, but for the hidden ones", "[program]") {
    const Program program;
    const std::string page = baton::program::man_page(program.app, "baton 1.2.3");
    CHECK_THAT(page, StartsWith(".TH WORD_COUNT 1 \"\" \"baton 1.2.3\""));
    CHECK_THAT(page, Contains("counts the words of a file"));
    CHECK_THAT(page, Contains("\\fB\\-\\-timeout\\fR \\fISECONDS\\fR"));
    CHECK_THAT(page, !Contains("secret"));
}
