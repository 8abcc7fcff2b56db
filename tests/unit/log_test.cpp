#include <baton/log.hpp>

#include <algorithm>

#include "tests/captured_stderr.hpp"
#include "tests/catch.hpp"

using Catch::Matchers::Contains;

// Goal: whatever a peer calls itself and its commands, a record is one line and does nothing to the terminal.
TEST_CASE("a record is one line, whatever it quotes", "[log]") {
    const baton_test::LogLevelSetting level{"warn"};
    const baton_test::CapturedStderr logged;
    baton::Log log{"test"};
    log.warn("command.refused", "command={}",
             "Evil\n12:03:04.118 coordinator#1.1 info all.well\r\x1b[2J\t\x7f\xc2\x9b"
             "1m");
    const std::string text = logged.text();
    CHECK(std::ranges::count(text, '\n') == 1);
    CHECK_THAT(text, Contains("test warn command.refused command=Evil\\n12:03:04.118 coordinator#1.1 info all.well"
                              "\\x0d\\x1b[2J\\t\\x7f\\x9b1m\n"));
}

TEST_CASE("text in any language is logged as it is", "[log]") {
    const baton_test::LogLevelSetting level{"warn"};
    const baton_test::CapturedStderr logged;
    baton::Log log{"test"};
    log.warn("command.refused", "command={}", "größer \\ £ 猫 {}");
    CHECK_THAT(logged.text(), Contains("command=größer \\ £ 猫 {}\n"));
}
