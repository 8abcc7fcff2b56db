// Crash anywhere: a process is killed, or frozen for longer than every deadline, at each numbered step of a
// hand-over (runtime/base/crash_point.hpp), in each role that passes there. After that the ledger's audit is
// clean, nothing of the others is lost, nothing is left, and nobody was declared dead by a timer.
#include <fmt/core.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>

#include "runtime/base/crash_point.hpp"
#include "runtime/inbox/call.hpp"
#include "runtime/process/process_facts.hpp"
#include "tests/process/crash_story.hpp"
#include "tests/process/process_world.hpp"

using namespace std::chrono_literals;
using namespace crash_story;
using baton::ErrorKind;

namespace {

enum class Mode { kill, freeze };
// Who passes the point: who gives and lends, who takes and borrows, who is given back, or the coordinator.
enum class Role { giver, taker, bounced, coordinator };
constexpr std::string_view name_of(Role role) {
    constexpr std::string_view names[]{"giver", "taker", "bounced", "coordinator"};
    return names[static_cast<std::size_t>(role)];
}

// Longer than the deadlines inside of the story.
constexpr baton::Duration longer_than_every_deadline = 400ms;

class CrashWorld {
public:
    // The coordinator reads where to end when it starts; its actors do not pass its points.
    explicit CrashWorld(const std::string& coordinator_crashes_at = {}) {
        if (!coordinator_crashes_at.empty()) ::setenv("BATON_CRASH_AT", coordinator_crashes_at.c_str(), 1);
        scenario();
        ::unsetenv("BATON_CRASH_AT");
    }
    baton::Scenario& scenario() { return world.scenario(); }
    Address spawn(const std::string& name, const std::string& crash_at = {}) {
        std::vector<std::string> arguments;
        if (!crash_at.empty()) arguments.push_back("crash-at=" + crash_at);
        return scenario().spawn<Protocol>({"crash_story", name, arguments}).value();
    }
    baton::Result<std::vector<std::string>> audit() {
        return baton::call(world.session().loop(), baton::coordinator::Audit{}, 5s);
    }
    baton::Result<std::uint64_t> alive() {
        baton::Result<baton::coordinator::SegmentList> list =
            baton::call(world.session().loop(), baton::coordinator::Segments{}, 5s);
        if (!list) return list.error();
        return list->alive;
    }
    bool is_frozen(pid_t pid) { return baton::facts_of(pid).value_or(baton::ProcessFacts{}).state == 'T'; }

    // What holds in the end, whoever died or slept: the survivors answer and their data are whole, they let go of it,
    // and then nothing is alive and the audit is clean.
    void check_end(const std::vector<Address>& survivors) {
        for (const Address& one : survivors) {
            const Held held = scenario().ask(one, Report{}, 5s).value();
            CHECK(held.is_intact);
        }
        for (const Address& one : survivors) scenario().ask(one, LetGo{}, 5s).value();
        // Late bounces and answers are let go of too. ctest's TIMEOUT is the watchdog.
        while (alive().value() > 0)
            for (const Address& one : survivors) scenario().ask(one, LetGo{}, 5s).value();
        while (!audit().value().empty()) {
        }
        CHECK_NOTHROW(world.close());  // the balance
    }

    ProcessWorld world;
};

// One run of the story. True if the victim passed the point in that role.
bool run(std::string_view point, Role role, Mode mode) {
    const std::string crash_at = std::string(point) + ":1:" + (mode == Mode::kill ? "kill" : "freeze");
    CrashWorld world;
    const Address victim = world.spawn("victim", crash_at);
    const Address peer = world.spawn("peer");
    const pid_t pid = world.world.pid_of(victim);
    std::vector<Address> survivors{peer};

    std::optional<baton::Pending<std::string>> playing;
    if (role == Role::giver) playing = world.scenario().request(victim, Play{peer}).value();
    if (role == Role::taker) playing = world.scenario().request(peer, Play{victim}).value();
    if (role == Role::bounced) {
        const Address third = world.spawn("third");
        ::kill(world.world.pid_of(third), SIGSTOP);
        playing = world.scenario().request(victim, Offer{third, 3}).value();
        static_cast<void>(playing->get(longer_than_every_deadline));
        world.scenario().kill(third).value();
        static_cast<void>(world.scenario().join(third, 5s));
        // The victim hears of the bounces before this, unless it is no more.
        if (auto offering = world.scenario().request(victim, Offer{peer, 1}); offering) playing = std::move(*offering);
    }
    const baton::Result<std::string> outcome = playing->get(longer_than_every_deadline);

    bool was_passed = false;
    if (mode == Mode::kill) {
        // Its part ends with letting go of what it holds, which has steps of its own.
        static_cast<void>(world.scenario().ask(victim, LetGo{}, 5s));
        const auto ended = world.scenario().join(victim, 50ms);
        was_passed = ended.ok();
        if (was_passed) {
            CHECK(ended->exit.code == SIGKILL);
        } else {
            survivors.push_back(victim);
        }
    } else {
        const bool answers = world.scenario().ask(victim, LetGo{}, longer_than_every_deadline).ok();
        was_passed = !answers && world.is_frozen(pid);
        // Nobody has been declared dead: it is asleep, and its rows are its own.
        if (was_passed) {
            CHECK_FALSE(world.scenario().join(victim, 1ms).ok());
            ::kill(pid, SIGCONT);
        }
        survivors.push_back(victim);
    }
    INFO("outcome of the story: " << (outcome ? *outcome : baton::describe(outcome.error())));
    world.check_end(survivors);
    return was_passed;
}

// The coordinator's own steps: it settles a giver with gifts and a lease under way to somebody who sleeps.
bool run_coordinator(std::string_view point, Mode mode) {
    const std::string crash_at = std::string(point) + ":1:" + (mode == Mode::kill ? "kill" : "freeze");
    CrashWorld world{crash_at};
    const Address giver = world.spawn("giver");
    const Address sleeper = world.spawn("sleeper");
    const Address bystander = world.spawn("bystander");
    const pid_t coordinator = static_cast<pid_t>(world.world.session().find("coordinator").value().pid);
    const pid_t sleeping = world.world.pid_of(sleeper);
    CHECK(world.scenario().ask(bystander, Offer{giver, 2}, 5s).value() == "offered");
    ::kill(sleeping, SIGSTOP);
    CHECK(world.scenario().ask(giver, Offer{sleeper, 3}, 5s).value() == "offered");
    CHECK(world.scenario().ask(giver, Report{}, 5s).ok());
    ::kill(world.world.pid_of(giver), SIGKILL);
    ::kill(sleeping, SIGCONT);

    if (mode == Mode::kill) {
        // Its actors end with it, and everybody who waits is told.
        for (;;) {
            const auto outcome = world.scenario().ask(bystander, Report{}, 5s);
            if (!outcome) {
                CHECK(outcome.error().kind == ErrorKind::gone);
                break;
            }
            static_cast<void>(world.alive());
        }
        CHECK_FALSE(baton::facts_of(coordinator).value_or(baton::ProcessFacts{.state = 'Z'}).state == 'R');
        world.world.session().kill_all();
        // The next start sweeps what it left; the world looks whether anything is there in the end.
        const auto next = baton::Session::enter({});
        REQUIRE(next.ok());
        world.world.watch((*next)->id());
        CHECK((*next)->close().ok());
        return true;
    }
    // It sleeps: nothing is lost meanwhile, actors talk to each other.
    while (!world.is_frozen(coordinator)) {
    }
    CHECK(world.scenario().ask(bystander, Report{}, 5s).ok());
    CHECK(baton::call(world.world.session().loop(), baton::coordinator::Audit{}, longer_than_every_deadline).error().kind ==
          ErrorKind::timed_out);
    ::kill(coordinator, SIGCONT);
    world.check_end({sleeper, bystander});
    return true;
}

bool is_coordinators(std::size_t point) { return point >= static_cast<std::size_t>(baton::CrashPoint::life_taken); }

void run_all(Mode mode) {
    const std::string_view what = mode == Mode::kill ? "killed" : "frozen";
    fmt::print("\n{:>2} {:<18} {:<8} {:<8} {:<8} {:<11}   {} there\n", "#", "point", "giver", "taker", "bounced", "coordinator", what);
    for (std::size_t point = 0; point < baton::crash_point_count; ++point) {
        const std::string_view name = baton::crash_point_names[point];
        std::string row = fmt::format("{:>2} {:<18}", point + 1, name);
        bool was_passed_by_any = false;
        for (const Role role : {Role::giver, Role::taker, Role::bounced, Role::coordinator}) {
            const bool applies = is_coordinators(point) == (role == Role::coordinator);
            bool was_passed = false;
            if (applies) {
                INFO("point " << name << ", role " << name_of(role) << ", " << what);
                was_passed = role == Role::coordinator ? run_coordinator(name, mode) : run(name, role, mode);
            }
            was_passed_by_any = was_passed_by_any || was_passed;
            row += fmt::format(" {:<8}", was_passed ? "settled" : "-");
        }
        fmt::print("{}\n", row);
        std::fflush(stdout);
        INFO("point " << name);
        CHECK(was_passed_by_any);
    }
}

}  // namespace

TEST_CASE("whoever is killed at any step of a hand-over, nothing is lost, doubled or left", "[crash][I1][I3][I5][I6][I7]") {
    run_all(Mode::kill);
}

TEST_CASE("whoever is frozen at any step of a hand-over is declared dead by nobody, and goes on when woken", "[crash][I8]") {
    run_all(Mode::freeze);
}
