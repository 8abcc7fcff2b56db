#include "runtime/process/signals.hpp"

#include "runtime/base/check.hpp"
#include "tests/unit/process_fixture.hpp"

#include <poll.h>

namespace {

using namespace process_test;
using baton::detail::StopSignals;
using Second = baton::detail::StopSignals::Second;

bool is_readable(int fd, int wait_milliseconds = 0) {
    pollfd watched{.fd = fd, .events = POLLIN, .revents = 0};
    return ::poll(&watched, 1, wait_milliseconds) == 1;
}

auto handler_of(int signal) {
    struct sigaction now {};
    REQUIRE(::sigaction(signal, nullptr, &now) == 0);
    return now.sa_handler;
}

TEST_CASE("the first stop signal can be polled, counted and taken once", "[unit][process]") {
    const NothingLeft nothing_left;
    StopSignals signals = StopSignals::install(Second::exits_now).value();
    CHECK_FALSE(is_readable(signals.fd()));
    CHECK(signals.count() == 0);
    CHECK(signals.take() == 0);

    const int signal = GENERATE(SIGINT, SIGTERM, SIGHUP);
    ::raise(signal);
    CHECK(is_readable(signals.fd()));
    CHECK(signals.count() == 1);
    CHECK(signals.take() == signal);
    CHECK_FALSE(is_readable(signals.fd()));
    CHECK(signals.take() == 0);
    CHECK(signals.count() == 1);
}

TEST_CASE("a SIGHUP that is ignored, as nohup does, stays ignored", "[unit][process]") {
    const NothingLeft nothing_left;
    const auto before = std::signal(SIGHUP, SIG_IGN);
    {
        const StopSignals signals = StopSignals::install(Second::exits_now).value();
        ::raise(SIGHUP);
        CHECK(signals.count() == 0);
    }
    CHECK(handler_of(SIGHUP) == SIG_IGN);
    std::signal(SIGHUP, before);
}

TEST_CASE("a stop signal from another process wakes a wait", "[unit][process]") {
    const NothingLeft nothing_left;
    StopSignals signals = StopSignals::install(Second::is_counted).value();
    baton::detail::ChildSpec spec;
    spec.program = "/bin/sh";
    spec.arguments = {"-c", "kill -TERM " + std::to_string(::getpid())};
    baton::detail::Child child = baton::detail::Child::start(spec).value();
    // The signal itself may interrupt the first poll.
    while (signals.count() == 0) is_readable(signals.fd(), 1000);
    CHECK(is_readable(signals.fd()));
    CHECK(signals.take() == SIGTERM);
    CHECK(child.reap_within(watchdog).has_value());
}

TEST_CASE("of several stop signals the latest is taken and all are counted", "[unit][process]") {
    const NothingLeft nothing_left;
    StopSignals signals = StopSignals::install(Second::is_counted).value();
    ::raise(SIGINT);
    ::raise(SIGINT);
    ::raise(SIGTERM);
    CHECK(signals.count() == 3);
    CHECK(signals.take() == SIGTERM);
    CHECK(signals.take() == 0);
}

TEST_CASE("the second SIGINT exits at once where that was asked for", "[unit][process]") {
    const NothingLeft nothing_left;
    Forked impatient{[] {
        const StopSignals signals = StopSignals::install(Second::exits_now).value();
        ::raise(SIGINT);
        if (signals.count() != 1) return 1;
        ::raise(SIGINT);
        return 0;
    }};
    CHECK(impatient.exit_code() == 130);
}

TEST_CASE("SIGTERM does not count towards the second SIGINT", "[unit][process]") {
    const NothingLeft nothing_left;
    Forked patient{[] {
        const StopSignals signals = StopSignals::install(Second::exits_now).value();
        ::raise(SIGTERM);
        ::raise(SIGINT);
        ::raise(SIGTERM);
        return signals.count() == 3 ? 0 : 1;
    }};
    CHECK(patient.exit_code() == 0);
}

TEST_CASE("what a signal did before comes back when StopSignals ends", "[unit][process]") {
    const NothingLeft nothing_left;
    const auto interrupt_before = std::signal(SIGINT, SIG_IGN);
    const auto terminate_before = handler_of(SIGTERM);
    {
        StopSignals signals = StopSignals::install(Second::is_counted).value();
        const StopSignals moved = std::move(signals);
        CHECK(handler_of(SIGINT) != SIG_IGN);
        ::raise(SIGINT);
        CHECK(moved.count() == 1);
    }
    CHECK(handler_of(SIGINT) == SIG_IGN);
    CHECK(handler_of(SIGTERM) == terminate_before);

    const StopSignals again = StopSignals::install(Second::is_counted).value();
    CHECK(again.count() == 0);
    ::raise(SIGINT);
    CHECK(is_readable(again.fd()));
    std::signal(SIGINT, interrupt_before);
}

TEST_CASE("a signal leaves the interrupted code's errno as it was", "[unit][process]") {
    const NothingLeft nothing_left;
    const StopSignals signals = StopSignals::install(Second::is_counted).value();
    // More than the pipe takes, so that the handler's write fails too.
    errno = ENOTTY;
    for (int count = 0; count < 70'000; ++count) ::raise(SIGTERM);
    CHECK(errno == ENOTTY);
    CHECK(signals.count() == 70'000);
}

TEST_CASE("a second StopSignals at the same time is a broken promise", "[unit][process]") {
    const NothingLeft nothing_left;
    Forked twice{[] {
        ::close(STDERR_FILENO);
        const StopSignals one = StopSignals::install(Second::is_counted).value();
        const auto two = StopSignals::install(Second::is_counted);
        return 0;
    }};
    CHECK(twice.exit_code() == baton::detail::check_exit_code);
}

}  // namespace
