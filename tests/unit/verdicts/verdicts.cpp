// Test cases of which verdicts_test.py knows how they have to end.
#include "tests/catch.hpp"

TEST_CASE("passes", "[.]") { CHECK(1 + 1 == 2); }

TEST_CASE("skips", "[.]") { SKIP_TEST("there is nothing to skip"); }

TEST_CASE("skips in one of two sections", "[.]") {
    SECTION("one") { SKIP_TEST("this part can't run"); }
    SECTION("two") { CHECK(1 + 1 == 2); }
}

TEST_CASE("fails and skips", "[.]") {
    CHECK(1 + 1 == 3);
    SKIP_TEST("too late");
}

TEST_CASE("fails as often as the exit code of skipped says", "[.]") {
    for (int i = 0; i < 77; ++i) CHECK(i < 0);
}
