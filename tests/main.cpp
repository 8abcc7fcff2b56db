// The main() of all test programs: what Catch2 does, exit codes that tell skipped from failed, and a last line that
// counts the test cases for tests/summary.py.
//
// 0: all that ran has passed. 77: nothing failed, and every test case that ran was skipped. 1: something failed. Catch2
// itself returns the number of failed assertions, which may be any.

#define CATCH_CONFIG_RUNNER
#include "tests/catch.hpp"

#if __has_include(<catch2/catch_session.hpp>)
#include <catch2/catch_session.hpp>
#include <catch2/reporters/catch_reporter_event_listener.hpp>
#include <catch2/reporters/catch_reporter_registrars.hpp>
#define BATON_CATCH2_IS_3
#endif

#include <cstdio>
#include <utility>

namespace {

constexpr int exit_skipped = 77;  // SKIP_RETURN_CODE in tests/CMakeLists.txt

bool is_skipped = false;  // the test case that runs
int cases_run = 0;
int cases_failed = 0;
int cases_skipped = 0;

#ifdef BATON_CATCH2_IS_3
using Listener = Catch::EventListenerBase;
#else
using Listener = Catch::TestEventListenerBase;
#endif

struct Counting : Listener {
    using Listener::Listener;
    void testCaseStarting(const Catch::TestCaseInfo& info) override {
        Listener::testCaseStarting(info);
        is_skipped = false;
    }
    void testCaseEnded(const Catch::TestCaseStats& stats) override {
        Listener::testCaseEnded(stats);
        ++cases_run;
        if (stats.totals.testCases.failed > 0) ++cases_failed;
        else if (is_skipped) ++cases_skipped;
    }
};

}  // namespace

CATCH_REGISTER_LISTENER(Counting)

namespace baton::tests {

void note_skipped(std::string_view reason) {
    if (std::exchange(is_skipped, true)) return;  // one line per test case
    std::printf("skipped: %.*s\n", static_cast<int>(reason.size()), reason.data());
    std::fflush(stdout);
}

}  // namespace baton::tests

int main(int argc, char* argv[]) {
    Catch::Session session;
#ifndef BATON_CATCH2_IS_3
    // a name that matches nothing is an error; in 3.x it is anyway
    session.configData().warnings = Catch::WarnAbout::NoTests;
#endif
    const int result = session.run(argc, argv);
    if (cases_run == 0) return result;  // listed, helped, or found none
    std::printf("cases: %d passed, %d failed, %d skipped\n", cases_run - cases_failed - cases_skipped, cases_failed,
                cases_skipped);
    if (result != 0) return 1;
    return cases_skipped == cases_run ? exit_skipped : 0;
}
