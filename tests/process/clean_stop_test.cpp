// A stop is said of all or of nobody: the coordinator is killed between its steps, and the next one goes on with a stop
// that counts, in its waves, and knows nothing of one that does not.
#include <spawn.h>
#include <sys/wait.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>

#include "runtime/process/process_facts.hpp"
#include "runtime/roster/roster.hpp"
#include "tests/process/process_world.hpp"

using namespace std::chrono_literals;
using baton::ExitKind;
using baton::detail::MemberRecord;
using baton::detail::RoleView;
using baton::detail::RosterEntry;
using baton::detail::RosterRegion;

namespace {

// A session whose first coordinator freezes at that point, and is killed by the test.
class Stopped {
public:
    explicit Stopped(const std::string& point) {
        ::setenv("BATON_CRASH_AT", (point + ":1:freeze").c_str(), 1);
        world.scenario();
        ::unsetenv("BATON_CRASH_AT");
        view_.emplace(RoleView::open(world.session().id()).value());
        roster_.emplace(RosterRegion::open(world.session().id(), RosterRegion::Use::reads).value());
    }
    // Asks for it in a process of its own; that is killed when the coordinator has come to the point.
    void stop_and_die(const std::vector<std::string>& names) {
        const std::string baton = std::string(std::getenv("BATON_PROGRAMS"));
        std::vector<std::string> words{"baton", "stop", "--session", world.session().id(), "--timeout", "60"};
        words.insert(words.end(), names.begin(), names.end());
        std::vector<char*> arguments;
        for (std::string& word : words) arguments.push_back(word.data());
        arguments.push_back(nullptr);
        pid_t asker = 0;
        const std::string program = baton.substr(0, baton.find(':')) + "/baton";
        REQUIRE(::posix_spawn(&asker, program.c_str(), nullptr, nullptr, arguments.data(), environ) == 0);
        wait_for_frozen();
        ::kill(asker, SIGKILL);
        ::waitpid(asker, nullptr, 0);
    }
    // ctest's TIMEOUT is the watchdog.
    void wait_for_frozen() {
        const auto pid = static_cast<pid_t>(view_->holder().pid);
        for (;;)
            if (const auto facts = baton::detail::facts_of(pid); facts && facts->state == 'T') return;
    }
    void replace() {
        const std::uint64_t before = view_->holder().generation;
        ::kill(static_cast<pid_t>(view_->holder().pid), SIGKILL);
        while (view_->holder().generation <= before) {
        }
    }
    [[nodiscard]] RosterEntry entry_of(const ProbeRef& actor) const { return roster_->read(actor.id.number).value(); }
    [[nodiscard]] std::uint64_t committed() const { return roster_->header().stop_committed.load(); }
    [[nodiscard]] bool lives(const ProbeRef& actor) const { return entry_of(actor).is_alive(); }
    void wait_for_end(const ProbeRef& actor) const {
        while (lives(actor)) {
        }
    }

    ProcessWorld world;

private:
    std::optional<RoleView> view_;
    std::optional<RosterRegion> roster_;
};

}  // namespace

TEST_CASE("a stop that was not said of all before its coordinator died is none, if nobody asks again",
          "[process][takeover][stop]") {
    const std::string point = GENERATE("stop.said", "stop.recorded");
    INFO(point);
    Stopped session{point};
    const ProbeRef alice = session.world.spawn("Alice");
    const ProbeRef bob = session.world.spawn("Bob");
    session.stop_and_die({"Alice", "Bob"});
    CHECK((session.entry_of(alice).stop > 0 || session.entry_of(bob).stop > 0));
    CHECK(session.committed() == 0);
    session.replace();
    for (const ProbeRef& one : {alice, bob}) {
        CHECK(session.world.scenario().ask(one, probe::Echo{"here"}).value() == "here");
        CHECK(session.world.session().roster(false).ok());  // the coordinator has come to this by now
        CHECK(session.entry_of(one).state == MemberRecord::ready);
        CHECK(session.entry_of(one).stop == 0);
        CHECK(session.entry_of(one).stop_until == 0);
    }
    // Another stop gets the same number, and is one of Alice alone.
    const auto exit = session.world.scenario().stop(alice, 20s);
    REQUIRE(exit.ok());
    CHECK(exit->exit.kind == ExitKind::stopped);
    session.replace();
    CHECK(session.world.scenario().ask(bob, probe::Echo{"still"}).value() == "still");
    CHECK(session.entry_of(bob).stop_until == 0);
}

TEST_CASE("a stop that counts goes on without its asker when the coordinator dies", "[process][takeover][stop]") {
    Stopped session{"stop.committed"};
    const ProbeRef alice = session.world.spawn("Alice");
    const ProbeRef bob = session.world.spawn("Bob");
    const ProbeRef carol = session.world.spawn("Carol");
    session.stop_and_die({"Alice", "Bob"});
    CHECK(session.committed() == 1);
    CHECK((session.lives(alice) && session.lives(bob)));
    session.replace();
    for (const ProbeRef& one : {alice, bob})
        CHECK(session.world.scenario().join(one, 30s).value().exit.kind == ExitKind::stopped);
    CHECK(session.world.scenario().ask(carol, probe::Echo{"here"}).value() == "here");
}

TEST_CASE("the next coordinator goes on with the waves of a stop: nobody is asked while one of a later wave lives",
          "[process][takeover][stop]") {
    Stopped session{"stop.asked"};
    const ProbeRef first = session.world.spawn("first");
    const ProbeRef second = session.world.spawn("second");
    const pid_t sleeping = session.world.pid_of(second);
    REQUIRE(::kill(sleeping, SIGSTOP) == 0);  // it is asked and cannot leave
    session.stop_and_die({"first", "second"});
    session.replace();
    CHECK(session.world.session().roster(false).ok());
    CHECK(session.world.scenario().ask(first, probe::Echo{"waiting"}).value() == "waiting");
    CHECK(session.lives(second));
    CHECK_FALSE(session.entry_of(first).has(MemberRecord::was_asked_to_stop));
    CHECK(session.entry_of(second).has(MemberRecord::was_asked_to_stop));
    REQUIRE(::kill(sleeping, SIGCONT) == 0);
    CHECK(session.world.scenario().join(second, 30s).value().exit.kind == ExitKind::stopped);
    CHECK(session.world.scenario().join(first, 30s).value().exit.kind == ExitKind::stopped);
}

TEST_CASE("an actor that has begun to stop when the coordinator dies has the time that is left, and is not forced",
          "[process][takeover][stop]") {
    Stopped session{"stop.asked"};
    const ProbeRef busy = session.world.spawn("busy");
    const std::string fifo = session.world.make_fifo("fifo");
    auto blocked = session.world.scenario().request(busy, probe::Block{fifo}, 60s).value();
    session.world.wait_until_in_hand("busy", "Block");
    session.stop_and_die({"busy"});
    session.replace();
    CHECK(session.world.session().roster(false).ok());
    CHECK(session.lives(busy));
    session.world.release(fifo);
    CHECK(blocked.get(30s).ok());  // what it has in its hand is handled and answered
    CHECK(session.world.scenario().join(busy, 30s).value().exit.kind == ExitKind::stopped);
}
