#include <baton/progress.hpp>

#include "tests/catch.hpp"

#include "tests/captured_stderr.hpp"

TEST_CASE("progress says the count that it was told, also where that is more than the whole", "[base]") {
    const baton_test::CapturedStderr captured;
    {
        baton::Progress right{"right", 3, "steps"};
        right.reach(3);
        baton::Progress wrong{"wrong", 3, "steps"};
        wrong.reach(4);
    }
    const std::string said = captured.text();
    CHECK_THAT(said, Catch::Contains("right: 3 of 3 steps"));
    CHECK_THAT(said, Catch::Contains("wrong: 4 of 3 steps"));
}
