// Crash anywhere: a process is killed, or frozen for longer than every deadline, at each numbered step of a hand-over
// (runtime/base/crash_point.hpp), in each role that passes there. After that the ledger's audit is clean, nothing of
// the others is lost, nothing is left, and nobody was declared dead by a timer. The table in docs/ownership.md says
// which role passes which point.
#include <fmt/core.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <regex>

#include "runtime/base/crash_point.hpp"
#include "runtime/inbox/call.hpp"
#include "runtime/process/process_facts.hpp"
#include "tests/process/crash_heirs.hpp"
#include "tests/process/crash_story.hpp"
#include "tests/process/process_world.hpp"

using namespace std::chrono_literals;
using namespace crash_story;
using baton::detail::coordinator_id;
using baton::ErrorKind;

namespace {

enum class Mode { kill, freeze };
// The role that passes the point: giver, taker, given back, newcomer, leaver, coordinator, or the owner and the heir of
// what is left, as the document calls them.
enum class Role { giver, taker, bounced, newcomer, leaver, coordinator, owner, heir };
constexpr std::string_view name_of(Role role) {
    constexpr std::string_view names[]{"giver", "taker", "given back", "newcomer", "leaver", "coordinator", "owner",
                                        "heir"};
    return names[static_cast<std::size_t>(role)];
}

// Longer than the deadlines inside of the story.
constexpr baton::Duration longer_than_every_deadline = 400ms;

class CrashWorld {
public:
    // The coordinator reads where to end when it starts; its actors do not pass its points.
    explicit CrashWorld(const std::string& coordinator_crashes_at = {}) {
        // Of some 200 sessions most processes are killed; to look for leaks at the end of the others took half of the
        // time.
        ::setenv("ASAN_OPTIONS", "detect_leaks=0", 1);
        if (!coordinator_crashes_at.empty()) ::setenv("BATON_CRASH_AT", coordinator_crashes_at.c_str(), 1);
        scenario();
        ::unsetenv("BATON_CRASH_AT");
    }
    TestScenario& scenario() { return world.scenario(); }
    Address spawn(const std::string& name, const std::string& crash_at = {}) {
        std::vector<std::string> arguments;
        if (!crash_at.empty()) arguments.push_back("crash-at=" + crash_at);
        return scenario().spawn<Protocol>({"crash_story", name, arguments}).value();
    }
    baton::Result<std::vector<std::string>> audit() {
        return baton::detail::call(world.session().loop(), baton::detail::coordinator::Audit{}, 5s);
    }
    baton::Result<std::uint64_t> alive() {
        baton::Result<baton::detail::coordinator::SegmentList> list =
            baton::detail::call(world.session().loop(), baton::detail::coordinator::Segments{}, 5s);
        if (!list) return list.error();
        return list->alive;
    }
    bool is_frozen(pid_t pid) {
        return baton::detail::facts_of(pid).value_or(baton::detail::ProcessFacts{}).state == 'T';
    }

    // What is true in the end, no matter which process died or slept: the survivors answer and their data are whole;
    // they release it, and then nothing is alive and the audit is clean.
    void check_end(const std::vector<Address>& survivors) {
        for (const Address& one : survivors) {
            const Held held = scenario().ask(one, Report{}, 5s).value();
            CHECK(held.is_intact);
        }
        // Nobody writes into what left the session, and nothing of the user's is gone.
        // (Only the first is asked to make some: another may still be armed.)
        scenario().ask(survivors.front(), MakeMore{4}, 5s).value();
        check_outside();
        for (const Address& one : survivors) scenario().ask(one, LetGo{}, 5s).value();
        // Late bounces and answers are released too. ctest's TIMEOUT is the watchdog.
        while (alive().value() > 0)
            for (const Address& one : survivors) scenario().ask(one, LetGo{}, 5s).value();
        while (!audit().value().empty()) {
        }
        CHECK_NOTHROW(world.close());  // the balance
    }

    // How many living actors have that name, or one that begins with it.
    std::ptrdiff_t count_of(const std::string& name) {
        const std::vector<baton::RosterRow> rows = scenario().roster().value();
        return std::ranges::count_if(rows, [&](const baton::RosterRow& row) { return row.name.starts_with(name); });
    }

    // What is outside of the session is whole; it is the user's, so it is removed here.
    void check_outside() {
        const std::pair<const char*, std::int64_t> names[]{{"-own", own_value},
                                                           {"-own-small", own_value},
                                                           {"-theirs", theirs_value},
                                                           {"-theirs-small", theirs_value}};
        for (const auto& [ending, expected] : names) {
            const std::int64_t value = expected;
            const std::string path = "/dev/shm/" + outside_name + ending;
            std::ifstream file{path, std::ios::binary};
            if (!file) continue;
            std::vector<std::int64_t> content(elements);
            file.read(reinterpret_cast<char*>(content.data()),
                      static_cast<std::streamsize>(elements * sizeof(std::int64_t)));
            INFO(path);
            CHECK(std::ranges::all_of(content, [value](std::int64_t one) { return one == value; }));
            is_outside = true;
            std::filesystem::remove(path);
        }
    }

    ProcessWorld world;
    std::string outside_name = fmt::format("crash-story-{}", ::getpid());  // of what is handed out
    bool is_outside = false;  // something was, in the end
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
    if (role == Role::giver) playing = world.scenario().request(victim, Play{peer, world.outside_name}).value();
    if (role == Role::taker) playing = world.scenario().request(peer, Play{victim, world.outside_name}).value();
    if (role == Role::bounced) {
        const Address third = world.spawn("third");
        ::kill(world.world.pid_of(third), SIGSTOP);
        playing = world.scenario().request(victim, Offer{third, 3}).value();
        const bool has_offered = playing->get(longer_than_every_deadline).ok();
        world.scenario().kill(third).value();
        static_cast<void>(world.scenario().join(third, 5s));
        // Until it has all back, sleeps, or has ended: its exit notice and a command come by different ways.
        while (has_offered && !world.is_frozen(pid)) {
            const auto held = world.scenario().ask(victim, Report{}, longer_than_every_deadline);
            if (held ? held->bounced == 3 : held.error().kind == ErrorKind::gone) break;
        }
        if (auto offering = world.scenario().request(victim, Offer{peer, 1}); offering) playing = std::move(*offering);
    }
    const baton::Result<std::string> outcome = playing->get(longer_than_every_deadline);

    bool was_passed = false;
    if (mode == Mode::kill) {
        // Its part ends by releasing what it holds, which has steps of its own.
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
    INFO("outcome of the story: " << (outcome ? *outcome : baton::to_text(outcome.error())));
    world.check_end(survivors);
    // If an actor dies before the memory is the session's, it remains the user's; so it does if the actor dies once it
    // has left.
    if (was_passed && mode == Mode::kill && role == Role::giver)
        CHECK(world.is_outside ==
              (point == "hand_out.renamed" || point == "hand_out.copied" || point == "take_in.made"));
    return was_passed;
}

// The processes that coordinate the session: one, or none.
std::vector<pid_t> coordinators_of(CrashWorld& world) {
    std::vector<pid_t> found;
    for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
        const std::string name = entry.path().filename().string();
        if (name.find_first_not_of("0123456789") != std::string::npos) continue;
        const auto environment = baton::detail::environment_of(std::stoi(name));
        if (!environment) continue;
        const auto has = [&](const std::string& variable) {
            return std::ranges::find(*environment, variable) != environment->end();
        };
        const auto is_ours = [&](const std::string& variable) {
            return variable.starts_with("BATON_SESSION=") && variable.ends_with(world.world.session().id());
        };
        if (has("BATON_ACTOR=1.1") && std::ranges::any_of(*environment, is_ours)) found.push_back(std::stoi(name));
    }
    return found;
}

// Until the coordinator that is there now sleeps.
pid_t wait_for_frozen_coordinator(CrashWorld& world) {
    for (;;)
        for (const pid_t pid : coordinators_of(world))
            if (world.is_frozen(pid)) return pid;
}

// A process that joins: it is killed, or sleeps for a while, before it is an actor.
bool run_newcomer(std::string_view point, Mode mode) {
    CrashWorld world;
    const Address peer = world.spawn("peer");
    const std::string crash_at = std::string(point) + ":1:" + (mode == Mode::kill ? "kill" : "freeze");
    const baton::detail::coordinator::Spawn spawn{
        {"crash_story", "victim", {"crash-at=" + crash_at}, 10s, 0, world.world.session().searched_folders()}};
    baton::detail::Loop& loop = world.world.session().loop();
    const auto ask = loop.request(coordinator_id, "Spawn", baton::detail::encoded_body(spawn), 10s).value();
    std::vector<Address> survivors{peer};
    if (mode == Mode::kill) {
        const auto spawned = baton::detail::decoded_reply<baton::detail::Spawned>(
            loop.await(ask, baton::Deadline::in(loop.clock(), 10s)));
        REQUIRE_FALSE(spawned.ok());
        CHECK(spawned.error().kind == ErrorKind::failed);
        CHECK_THAT(spawned.error().text, Catch::Matchers::Contains("signal -9"));
    } else {
        pid_t pid = 0;
        while (pid == 0 || !world.is_frozen(pid))
            for (const baton::RosterRow& row : world.scenario().roster().value())
                if (row.name == "victim") pid = static_cast<pid_t>(row.pid);
        CHECK(world.scenario().ask(peer, Report{}, 5s).ok());
        ::kill(pid, SIGCONT);
        const auto spawned = baton::detail::decoded_reply<baton::detail::Spawned>(
            loop.await(ask, baton::Deadline::in(loop.clock(), 10s)));
        REQUIRE(spawned.ok());
        survivors.push_back(Address{spawned->actor.id});
    }
    CHECK(world.scenario().ask(peer, MakeMore{2}, 5s).value() == 2);
    world.check_end(survivors);
    return true;
}

// An actor that holds something, has lent something and is told to stop.
bool run_leaver(std::string_view point, Mode mode) {
    CrashWorld world;
    const Address victim = world.spawn("victim", std::string(point) + ":1:" + (mode == Mode::kill ? "kill" : "freeze"));
    const Address peer = world.spawn("peer");
    const pid_t pid = world.world.pid_of(victim);
    CHECK(world.scenario().ask(victim, Offer{peer, 2}, 5s).value() == "offered");
    CHECK(world.scenario().ask(victim, MakeMore{2}, 5s).value() == 2);
    baton::detail::Loop& loop = world.world.session().loop();
    const auto stopping =
        loop.request(coordinator_id, "StopActors",
                     baton::detail::encoded_body(baton::detail::coordinator::StopActors{{victim}, 5s, false}), 10s)
            .value();
    if (mode == Mode::freeze) {
        while (!world.is_frozen(pid)) {
        }
        CHECK(world.scenario().ask(peer, Report{}, 5s).ok());
        CHECK_FALSE(world.scenario().join(victim, 1ms).ok());
        ::kill(pid, SIGCONT);
    }
    const auto ended = baton::detail::decoded_reply<std::vector<baton::Ended>>(
        loop.await(stopping, baton::Deadline::in(loop.clock(), 10s)));
    REQUIRE(ended.ok());
    REQUIRE(ended->size() == 1);
    CHECK(ended->front().exit.code == (mode == Mode::kill ? SIGKILL : 0));
    world.check_end({peer});
    return true;
}

// The coordinator ends, or sleeps, as it starts an actor.
bool run_spawn(std::string_view point, Mode mode) {
    // The scenario is given a number, and joins, too.
    const std::string nth = point == "join.recorded" || point == "spawn.recorded" ? ":3:" : ":2:";
    CrashWorld world{std::string(point) + nth + (mode == Mode::kill ? "kill" : "freeze")};
    const Address bystander = world.spawn("bystander");
    CHECK(world.scenario().ask(bystander, Report{}, 5s).ok());  // its address is known from here on
    const baton::detail::coordinator::Spawn spawn{
        {"crash_story", "late", {}, 10s, 0, world.world.session().searched_folders()}};
    baton::detail::Loop& loop = world.world.session().loop();
    const auto ask = loop.request(coordinator_id, "Spawn", baton::detail::encoded_body(spawn), 10s).value();
    if (mode == Mode::freeze) {
        const pid_t coordinator = wait_for_frozen_coordinator(world);
        CHECK(world.scenario().ask(bystander, Report{}, 5s).ok());
        ::kill(coordinator, SIGCONT);
    }
    // Whichever process coordinates: there is one actor of that name, and its spawner knows it.
    const auto spawned =
        baton::detail::decoded_reply<baton::detail::Spawned>(loop.await(ask, baton::Deadline::in(loop.clock(), 10s)));
    REQUIRE(spawned.ok());
    CHECK(world.count_of("late") == 1);
    world.check_end({bystander, Address{spawned->actor.id}});
    return true;
}

// The coordinator's own steps: it settles a giver with gifts and a lease under way to somebody who sleeps.
// `generation`: which coordinator of the session; a later one takes over first, with the giver dead.
bool run_coordinator(std::string_view point, Mode mode, int generation = 1) {
    const std::string crash_at =
        fmt::format("{}:1:{}@{}", point, mode == Mode::kill ? "kill" : "freeze", generation);
    CrashWorld world{crash_at};
    const Address giver = world.spawn("giver");
    const Address sleeper = world.spawn("sleeper");
    const Address bystander = world.spawn("bystander");
    const pid_t sleeping = world.world.pid_of(sleeper);
    const pid_t giving = world.world.pid_of(giver);
    CHECK(world.scenario().ask(bystander, Offer{giver, 2}, 5s).value() == "offered");
    ::kill(sleeping, SIGSTOP);
    CHECK(world.scenario().ask(giver, Offer{sleeper, 3}, 5s).value() == "offered");
    CHECK(world.scenario().ask(giver, Report{}, 5s).ok());
    if (generation > 1) ::kill(coordinators_of(world).at(0), SIGKILL);  // the next one has all to settle
    ::kill(giving, SIGKILL);
    ::kill(sleeping, SIGCONT);
    if (mode == Mode::kill) {
        // Actors talk to each other in the meantime, and the next one settles what is left, once.
        CHECK(world.scenario().ask(bystander, Report{}, 5s).ok());
        const auto ended = world.scenario().join(giver, 10s);
        REQUIRE(ended.ok());
        CHECK(ended->exit.code == SIGKILL);
        world.check_end({sleeper, bystander});
        return true;
    }
    // It sleeps: nothing is lost in that time, and actors talk to each other.
    const pid_t coordinator = wait_for_frozen_coordinator(world);
    CHECK(world.scenario().ask(bystander, Report{}, 5s).ok());
    CHECK(baton::detail::call(world.world.session().loop(), baton::detail::coordinator::Audit{},
                              longer_than_every_deadline)
              .error()
              .kind == ErrorKind::timed_out);
    ::kill(coordinator, SIGCONT);
    world.check_end({sleeper, bystander});
    return true;
}

// The coordinator notes that an actor is to stop, or has said goodbye.
bool run_stop(std::string_view point, Mode mode) {
    CrashWorld world{std::string(point) + ":1:" + (mode == Mode::kill ? "kill" : "freeze")};
    const Address leaver = world.spawn("leaver");
    const Address peer = world.spawn("peer");
    CHECK(world.scenario().ask(peer, Report{}, 5s).ok());
    baton::detail::Loop& loop = world.world.session().loop();
    const auto stopping =
        loop.request(coordinator_id, "StopActors",
                     baton::detail::encoded_body(baton::detail::coordinator::StopActors{{leaver}, 5s, false}), 10s)
            .value();
    if (mode == Mode::freeze) {
        const pid_t coordinator = wait_for_frozen_coordinator(world);
        CHECK(world.scenario().ask(peer, Report{}, 5s).ok());
        ::kill(coordinator, SIGCONT);
    }
    const auto ended = baton::detail::decoded_reply<std::vector<baton::Ended>>(
        loop.await(stopping, baton::Deadline::in(loop.clock(), 10s)));
    REQUIRE(ended.ok());
    REQUIRE(ended->size() == 1);
    CHECK(ended->front().exit.kind == baton::ExitKind::stopped);
    world.check_end({peer});
    return true;
}

// The coordinator notes that two actors end together, or that they do not any more.
bool run_link(std::string_view point, Mode mode) {
    CrashWorld world{std::string(point) + ":1:" + (mode == Mode::kill ? "kill" : "freeze")};
    const Address one = world.spawn("one");
    const Address other = world.spawn("other");
    const Address peer = world.spawn("peer");
    const bool undoes = point == "link.undone";
    if (undoes) REQUIRE(world.scenario().link(one, other).ok());
    baton::detail::Loop& loop = world.world.session().loop();
    const auto asked =
        undoes ? loop.request(coordinator_id, "UnlinkActors",
                              baton::detail::encoded_body(baton::detail::coordinator::UnlinkActors{other, one}), 10s)
               : loop.request(coordinator_id, "LinkActors",
                              baton::detail::encoded_body(baton::detail::coordinator::LinkActors{one, other}), 10s);
    if (mode == Mode::freeze) ::kill(wait_for_frozen_coordinator(world), SIGCONT);
    CHECK(loop.await(asked.value(), baton::Deadline::in(loop.clock(), 20s)).ok());
    REQUIRE(world.scenario().kill(one));
    CHECK(world.scenario().join(one, 20s).ok());
    if (undoes) {
        CHECK(world.scenario().ask(other, Report{}, 5s).ok());
        world.check_end({other, peer});
    } else {
        CHECK_THAT(world.scenario().join(other, 20s).value().exit.text, Catch::Contains("it was linked with one"));
        world.check_end({peer});
    }
    return true;
}

// The coordinator notes what was lost with a sender that was killed, whose receiver was asleep.
bool run_lost(std::string_view point, Mode mode) {
    ::setenv("BATON_LANES", "off", 1);
    CrashWorld world{std::string(point) + ":1:" + (mode == Mode::kill ? "kill" : "freeze")};
    const ProbeRef sender = world.world.spawn("sender");
    const ProbeRef receiver = world.world.spawn("receiver");
    ::unsetenv("BATON_LANES");
    CHECK(world.scenario().ask(receiver, probe::HowMany{}).value() == 0);
    const pid_t sleeping = world.world.pid_of(receiver);
    ::kill(sleeping, SIGSTOP);
    probe::Flood flood;
    flood.other = receiver;
    flood.count = 10;
    flood.ballast_bytes = 1'000'000;  // more than a socket holds
    flood.deadline_milliseconds = 60'000;
    CHECK(world.scenario().ask(sender, flood).value().taken == 10);
    ::kill(world.world.pid_of(sender), SIGKILL);
    CHECK(world.scenario().join(sender, 10s).ok());
    ::kill(sleeping, SIGCONT);
    if (mode == Mode::freeze) ::kill(wait_for_frozen_coordinator(world), SIGCONT);
    std::uint64_t lost = 0;
    while (lost == 0)  // ctest's TIMEOUT is the watchdog
        for (const baton::RosterRow& row : world.world.session().roster(true).value())
            if (row.name == "sender")
                for (const auto& [to, count] : row.exit.lost) {
                    CHECK(to == "receiver");
                    lost += count;
                }
    CHECK(lost + world.scenario().ask(receiver, probe::HowMany{}).value() == 10);
    const std::vector<baton::Ended> ended = world.world.close();
    CHECK(ended.size() == 2);
    for (const baton::Ended& one : ended) CHECK(one.exit.dead_letters.empty());  // not named again
    return true;
}

// What heirs are due, with everybody's part in it.
bool run_heirs(std::string_view point, Role role, Mode mode, int generation = 1) {
    const auto victim = role == Role::owner  ? crash_heirs::Victim::owner
                        : role == Role::heir ? crash_heirs::Victim::heir
                                             : crash_heirs::Victim::coordinator;
    const auto how = mode == Mode::kill ? crash_heirs::Mode::kill : crash_heirs::Mode::freeze;
    return crash_heirs::Story{point, victim, how, generation}.run();
}

// The coordinator restarts an actor that was killed; `generation` as in run_coordinator().
bool run_restart(std::string_view point, Mode mode, int generation = 1) {
    CrashWorld world{fmt::format("{}:1:{}@{}", point, mode == Mode::kill ? "kill" : "freeze", generation)};
    const baton::Restart at_once{.back_off_first = 0s, .back_off_most = 0s};
    const Address mortal =
        world.scenario().spawn<Protocol>({.program = "crash_story", .name = "mortal", .restart = at_once}).value();
    const Address bystander = world.spawn("bystander");
    const pid_t pid = world.world.pid_of(mortal);
    if (generation > 1) ::kill(coordinators_of(world).at(0), SIGKILL);
    ::kill(pid, SIGKILL);
    if (mode == Mode::freeze) {
        const pid_t coordinator = wait_for_frozen_coordinator(world);
        CHECK(world.scenario().ask(bystander, Report{}, 5s).ok());
        ::kill(coordinator, SIGCONT);
    }
    // What its last life has accepted ends with it, and is not asked again.
    CHECK(world.scenario().join(mortal, 60s).ok());
    baton::Named<Protocol> name{"mortal"};
    CHECK(world.scenario().ask(name, Report{}, 60s).ok());
    CHECK(world.count_of("mortal") == 1);
    CHECK(name.last().id.number == mortal.id.number);
    CHECK(name.last().id != mortal.id);
    world.check_end({name.last(), bystander});
    return true;
}

// The roles that can pass a point at all; the others are not tried.
std::vector<Role> candidates(std::string_view point) {
    using baton::detail::CrashPoint;
    const auto is_one_of = [point](CrashPoint first, CrashPoint last) {
        for (auto at = static_cast<std::size_t>(first); at <= static_cast<std::size_t>(last); ++at)
            if (baton::detail::crash_point_names[at] == point) return true;
        return false;
    };
    if (is_one_of(CrashPoint::life_taken, CrashPoint::drained_settled) ||
        is_one_of(CrashPoint::names_settled, CrashPoint::spawn_started) ||
        is_one_of(CrashPoint::lanes_removed, CrashPoint::lanes_removed) ||
        is_one_of(CrashPoint::shelf_left, CrashPoint::stop_lost) ||
        is_one_of(CrashPoint::restart_recorded, CrashPoint::restart_begun))
        return {Role::coordinator};
    if (is_one_of(CrashPoint::heir_listed, CrashPoint::heir_stamped)) return {Role::owner};
    if (is_one_of(CrashPoint::heir_came, CrashPoint::heir_came)) return {Role::heir};
    if (is_one_of(CrashPoint::heir_noted, CrashPoint::heir_reported)) return {Role::coordinator};
    if (is_one_of(CrashPoint::join_bound, CrashPoint::join_welcomed)) return {Role::newcomer};
    if (is_one_of(CrashPoint::leave_begun, CrashPoint::leave_answered)) return {Role::leaver};
    return {Role::giver, Role::taker, Role::bounced};
}

// The first coordinator of a session passes these with nobody there, or not at all.
bool is_of_taking_over(std::string_view point) {
    return point == "role.taken" || point == "takeover.settled" || point == "rejoin.answered";
}

bool run_as(Role role, std::string_view point, Mode mode) {
    INFO("point " << point << ", role " << name_of(role) << (mode == Mode::kill ? ", killed" : ", frozen"));
    if (point.starts_with("heir.")) return run_heirs(point, role, mode);
    switch (role) {
        case Role::newcomer: return run_newcomer(point, mode);
        case Role::leaver: return run_leaver(point, mode);
        case Role::coordinator:
            if (point.starts_with("spawn.") || point == "join.recorded") return run_spawn(point, mode);
            if (point.starts_with("link.")) return run_link(point, mode);
            if (point.starts_with("restart.")) return run_restart(point, mode);
            if (point == "stop.lost") return run_lost(point, mode);
            if (point.starts_with("stop.") || point == "leave.recorded") return run_stop(point, mode);
            return run_coordinator(point, mode, is_of_taking_over(point) ? 2 : 1);
        default: return run(point, role, mode);
    }
}

// The table of docs/ownership.md: what it says of each point, by its number and name.
std::map<std::string, std::string> documented(Mode mode) {
    std::ifstream document{"docs/ownership.md"};
    REQUIRE(document);
    const std::regex row{R"(\| (\d+) \| `([a-z_.]+)` \| [^|]+ \| ([^|]+) \| ([^|]+) \|)"};
    std::map<std::string, std::string> cells;
    std::smatch found;
    for (std::string line; std::getline(document, line);)
        if (std::regex_match(line, found, row))
            cells[found[1].str() + " " + found[2].str()] = found[mode == Mode::kill ? 3 : 4].str();
    return cells;
}

void run_all(Mode mode) {
    const std::string_view what = mode == Mode::kill ? "killed" : "frozen";
    const std::string_view outcome = mode == Mode::kill ? "settled" : "goes on";
    std::map<std::string, std::string> seen;
    fmt::print("\n{:>2} {:<18} {} there\n", "#", "point", what);
    for (std::size_t point = 0; point < baton::detail::crash_point_count; ++point) {
        const std::string_view name = baton::detail::crash_point_names[point];
        std::string cell;
        for (const Role role : candidates(name))
            if (run_as(role, name, mode)) cell += (cell.empty() ? "" : ", ") + std::string(name_of(role));
        cell += fmt::format(": {}", outcome);
        fmt::print("{:>2} {:<18} {}\n", point + 1, name, cell);
        std::fflush(stdout);
        seen[fmt::format("{} {}", point + 1, name)] = cell;
    }
    CHECK(seen == documented(mode));
}

}  // namespace

TEST_CASE("whoever is killed at any step of a hand-over, nothing is lost, doubled or left",
          "[crash][I1][I3][I5][I6][I7]") {
    run_all(Mode::kill);
}

TEST_CASE("whoever is frozen at any step of a hand-over is declared dead by nobody, and goes on when woken",
          "[crash][I8]") {
    run_all(Mode::freeze);
}

TEST_CASE("a coordinator that takes over may be killed at any step, and the next one settles what is left",
          "[crash][takeover]") {
    using baton::detail::CrashPoint;
    for (std::size_t point = 0; point < baton::detail::crash_point_count; ++point) {
        const std::string_view name = baton::detail::crash_point_names[point];
        const bool settles = candidates(name) == std::vector{Role::coordinator} && !name.starts_with("spawn.") &&
                             !name.starts_with("join.") && !name.starts_with("stop.") && !name.starts_with("leave.") &&
                             !name.starts_with("link.") && !is_of_taking_over(name);
        if (!settles) continue;
        INFO("point " << name);
        if (name.starts_with("heir.")) CHECK(run_heirs(name, Role::coordinator, Mode::kill, 2));
        else if (name.starts_with("restart.")) CHECK(run_restart(name, Mode::kill, 2));
        else CHECK(run_coordinator(name, Mode::kill, 2));
    }
}
