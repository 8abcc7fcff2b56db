// Actors that are started again when they have failed: each policy and strategy, with real deaths of actors and of the
// coordinator.
#include <csignal>

#include "runtime/process/process_facts.hpp"
#include "runtime/roster/roster.hpp"
#include "tests/process/process_world.hpp"

using namespace std::chrono_literals;
using baton::Ended;
using baton::ErrorKind;
using baton::ExitKind;
using baton::Restart;
using baton::RosterRow;
using baton::detail::RoleView;
using ProbeName = baton::Named<probe::Protocol>;

namespace {

// Longer than a debug machine under load needs.
constexpr auto patience = 60s;

// At once, and as often as it takes.
Restart often(Restart::Policy policy = Restart::Policy::on_failure) {
    return {.policy = policy, .restarts_max = 32, .period = 1h, .back_off_first = 0s, .back_off_most = 0s};
}

Restart in_group(Restart::Strategy strategy) {
    Restart how = often();
    how.group = "stages";
    how.strategy = strategy;
    return how;
}

struct Family {
    explicit Family(const std::string& crash_at = {}) {
        if (!crash_at.empty()) ::setenv("BATON_CRASH_AT", crash_at.c_str(), 1);
        world.session();
        ::unsetenv("BATON_CRASH_AT");
        world.session().context().on_exited([this](const Ended& ended) { exits.push_back(ended); });
    }
    ProbeRef spawn(const std::string& name, const Restart& how, std::vector<std::string> arguments = {}) {
        return world.scenario().spawn<probe::Protocol>(
            {.program = "probe", .name = name, .arguments = std::move(arguments), .timeout = patience, .restart = how})
            .value();
    }
    std::string echo(const std::string& name) {
        ProbeName actor{name};
        return world.scenario().ask(actor, probe::Echo{name}, patience).value();
    }
    std::optional<RosterRow> row_of(const std::string& name) {
        for (const RosterRow& row : world.session().roster(false).value())
            if (row.name == name) return row;
        return std::nullopt;
    }
    // The life that has the name, ready.
    baton::ActorId life_of(const std::string& name) {
        return world.session().find(name, in(patience)).value().actor.id;
    }
    baton::Deadline in(baton::Duration time) { return baton::Deadline::in(world.session().loop().clock(), time); }
    void kill(const std::string& name) {
        const auto pid = static_cast<pid_t>(world.session().find(name, in(patience)).value().pid);
        const auto end = baton::detail::open_pidfd(pid).value();
        REQUIRE(::kill(pid, SIGKILL) == 0);
        REQUIRE(baton::detail::has_exited_by(end.get(), in(patience)));
    }
    void wait_for(const std::function<bool()>& done) {
        const baton::Deadline end = in(patience);
        while (!done()) {
            REQUIRE_FALSE(end.has_passed(world.session().loop().clock()));
            static_cast<void>(world.session().look());
        }
    }
    void wait_for_life(const std::string& name, std::uint32_t incarnation) {
        wait_for([&] {
            const std::optional<RosterRow> row = row_of(name);
            return row && row->actor.id.incarnation >= incarnation && row->state == "ready";
        });
    }
    std::size_t exits_of(const std::string& name) {
        return static_cast<std::size_t>(std::ranges::count(exits, name, &Ended::name));
    }
    void kill_coordinator() {
        const RoleView view = RoleView::open(world.session().id()).value();
        const auto pid = static_cast<pid_t>(view.holder().pid);
        const std::uint64_t before = view.holder().generation;
        REQUIRE(::kill(pid, SIGKILL) == 0);
        while (view.holder().generation <= before) {
        }
    }
    bool is_failed() {
        return baton::detail::RosterRegion::open(world.session().id(), baton::detail::RosterRegion::Use::reads)
                   .value()
                   .header()
                   .has_failed.load() != 0;
    }
    // Ends a session that says of itself that it has failed.
    void close_failed() {
        const auto closed = world.session().close();
        REQUIRE_FALSE(closed.ok());
        CHECK(closed.error().text.find("failed more often than it may be restarted") != std::string::npos);
    }

    ProcessWorld world;
    std::vector<Ended> exits;
};

}  // namespace

// ---- policies --------------------------------------------------------------------------------------

TEST_CASE("an actor that is killed is restarted under its name and number, with its arguments", "[process][restarts]") {
    Family family;
    const ProbeRef first = family.spawn("alice", often(), {"some", "arguments"});
    family.kill("alice");
    family.wait_for_life("alice", 2);
    const baton::ActorId next = family.life_of("alice");
    CHECK(next.number == first.id.number);
    CHECK(next.incarnation == first.id.incarnation + 1);
    CHECK(family.echo("alice") == "alice");
    // The one that it was is over.
    CHECK(family.world.scenario().ask(first, probe::Echo{"?"}).error().kind == ErrorKind::gone);
    const RosterRow row = family.row_of("alice").value();
    REQUIRE(row.restarts);
    CHECK(row.restarts->restarts == 1);
    CHECK(row.restarts->policy == Restart::Policy::on_failure);
    CHECK(row.restarts->failure == "signal -9 (Killed)");
    CHECK(family.world.close().size() == 2);
}

TEST_CASE("each life's exit is told, and that there will be another one", "[process][restarts]") {
    Family family;
    static_cast<void>(family.spawn("alice", often()));
    for (std::uint32_t life = 2; life <= 4; ++life) {
        family.kill("alice");
        family.wait_for_life("alice", life);
    }
    family.wait_for([&] { return family.exits_of("alice") == 3; });
    for (const Ended& exit : family.exits) {
        CHECK(exit.exit.kind == ExitKind::signalled);
        CHECK(exit.exit.restarts_in.has_value());
    }
    CHECK(family.exits[0].actor != family.exits[1].actor);
}

TEST_CASE("on failure: one that fails a check or returns a code is restarted, one that ends in good order is not",
          "[process][restarts]") {
    Family family;
    static_cast<void>(family.spawn("alice", often()));
    ProbeName alice{"alice"};
    CHECK(family.world.scenario().ask(alice, probe::ExitWith{3}, patience).error().kind == ErrorKind::gone);
    family.wait_for_life("alice", 2);
    CHECK(family.world.scenario().ask(alice, probe::FailCheck{"two is three"}, patience).error().kind ==
          ErrorKind::gone);
    family.wait_for_life("alice", 3);
    REQUIRE(family.world.scenario().send(alice, probe::StopYourself{}, patience).ok());
    family.wait_for([&] { return family.exits_of("alice") == 3; });
    CHECK_FALSE(family.exits.back().exit.restarts_in.has_value());
    CHECK_FALSE(family.row_of("alice").has_value());
    CHECK(family.world.scenario().ask(alice, probe::Echo{"?"}, patience).error().kind == ErrorKind::gone);
}

TEST_CASE("always: one that ends by itself is restarted, one that is stopped is not", "[process][restarts]") {
    Family family;
    const ProbeRef first = family.spawn("alice", often(Restart::Policy::always));
    ProbeName alice{"alice"};
    REQUIRE(family.world.scenario().send(alice, probe::StopYourself{}, patience).ok());
    family.wait_for_life("alice", 2);
    // Whichever of its lives is named, the actor is stopped.
    REQUIRE(family.world.scenario().stop(first, patience).ok());
    CHECK_FALSE(family.row_of("alice").has_value());
    CHECK(family.world.close().size() == 2);
}

TEST_CASE("one that has not been ready once is not restarted: its spawn has failed", "[process][restarts]") {
    Family family;
    const auto spawned = family.world.scenario().spawn<probe::Protocol>(
        {.program = "probe", .name = "alice", .arguments = {"exit-early"}, .timeout = patience, .restart = often()});
    CHECK(spawned.error().kind == ErrorKind::failed);
    CHECK_FALSE(family.row_of("alice").has_value());
    static_cast<void>(family.spawn("alice", often()));  // its name is free
}

TEST_CASE("what no restart can be is refused, and the error says why", "[process][restarts]") {
    Family family;
    const auto text_of = [&](baton::SpawnOptions options) {
        options.program = "probe";
        const auto spawned = family.world.scenario().spawn<probe::Protocol>(options);
        CHECK(spawned.error().kind == ErrorKind::refused);
        return spawned.error().text;
    };
    using Catch::Contains;
    CHECK_THAT(text_of({.program = "", .restart = Restart{.restarts_max = 33}}), Contains("limits::restarts_max"));
    CHECK_THAT(text_of({.program = "", .restart = Restart{.period = 0s}}), Contains("longer than 0"));
    CHECK_THAT(text_of({.program = "", .restart = Restart{.back_off_first = 2s, .back_off_most = 1s}}),
               Contains("back-off"));
    CHECK_THAT(text_of({.program = "", .hung_after = 0s}), Contains("hung_after"));
    CHECK_THAT(text_of({.program = "", .kill_hung = true}), Contains("after how long"));
    static_cast<void>(family.spawn("alice", in_group(Restart::Strategy::one_for_all)));
    CHECK_THAT(text_of({.program = "", .restart = in_group(Restart::Strategy::rest_for_one)}),
               Contains("another strategy"));
}

// ---- between two lives -----------------------------------------------------------------------------

TEST_CASE("between two lives the roster says so, the name is taken, and a stop is the end of it",
          "[process][restarts]") {
    Family family;
    Restart how = often();
    how.back_off_first = how.back_off_most = 1h;
    const ProbeRef alice = family.spawn("alice", how);
    family.kill("alice");
    family.wait_for([&] { return family.row_of("alice") && family.row_of("alice")->state == "restarting"; });
    const RosterRow row = family.row_of("alice").value();
    CHECK(row.restarts->due_in.value() > 30min);
    CHECK(row.restarts->recent == 1);
    CHECK(family.world.scenario()
              .spawn<probe::Protocol>({.program = "probe", .name = "alice"})
              .error()
              .kind == ErrorKind::refused);
    ProbeName name{"alice"};
    CHECK(family.world.scenario().send(name, probe::Count{}, 100ms).error().kind == ErrorKind::timed_out);
    REQUIRE(family.world.scenario().stop(alice, patience).ok());
    CHECK_FALSE(family.row_of("alice").has_value());
    CHECK(family.world.scenario().send(name, probe::Count{}, patience).error().kind == ErrorKind::gone);
}

TEST_CASE("a session that is closed waits for nobody's next life", "[process][restarts]") {
    Family family;
    Restart how = often();
    how.back_off_first = how.back_off_most = 1h;
    static_cast<void>(family.spawn("alice", how));
    family.kill("alice");
    family.wait_for([&] { return family.row_of("alice") && family.row_of("alice")->state == "restarting"; });
    CHECK(family.world.close().size() == 1);
}

TEST_CASE("an actor that stops takes the next lives of its children along", "[process][restarts]") {
    Family family;
    const ProbeRef parent = family.spawn("parent", often());
    CHECK(family.world.scenario().ask(parent, probe::SpawnSupervised{"child", 3'600'000, 32}, patience).value() ==
          "parent/child");
    family.kill("parent/child");
    family.wait_for([&] {
        return family.row_of("parent/child") && family.row_of("parent/child")->state == "restarting";
    });
    family.kill("parent");
    family.wait_for_life("parent", 2);
    CHECK_FALSE(family.row_of("parent/child").has_value());
}

// ---- by name ---------------------------------------------------------------------------------------

TEST_CASE("an actor's name leads to it across its lives, and costs no message while it lives", "[process][restarts]") {
    Family family;
    static_cast<void>(family.spawn("alice", often()));
    ProbeName alice{"alice"};
    auto& scenario = family.world.scenario();
    CHECK(scenario.ask(alice, probe::Echo{"1"}, patience).value() == "1");
    // While the coordinator is frozen nobody could ask it anything.
    const pid_t coordinator = family.world.coordinator();
    REQUIRE(::kill(coordinator, SIGSTOP) == 0);
    for (int round = 0; round < 100; ++round) {
        CHECK(scenario.ask(alice, probe::Echo{"again"}, patience).value() == "again");
        CHECK(scenario.send(alice, probe::Count{}, patience).ok());
    }
    REQUIRE(::kill(coordinator, SIGCONT) == 0);
    CHECK(scenario.ask(alice, probe::HowMany{}, patience).value() == 100);
    for (int life = 2; life <= 4; ++life) {
        family.kill("alice");
        family.wait_for([&] { return family.exits_of("alice") == static_cast<std::size_t>(life - 1); });
        CHECK(scenario.ask(alice, probe::HowMany{}, patience).value() == 0);  // of the next life
        CHECK(scenario.send(alice, probe::Count{}, patience).ok());
    }
}

TEST_CASE("an ask in progress ends as gone with its life, once, and the next one never sees it",
          "[process][restarts]") {
    Family family;
    static_cast<void>(family.spawn("alice", often()));
    ProbeName alice{"alice"};
    auto& scenario = family.world.scenario();
    std::vector<baton::Pending<std::string>> asked;
    for (int index = 0; index < 10; ++index)
        asked.push_back(scenario.request(alice, probe::AnswerLater{}, patience).value());
    auto last = scenario.request(alice, probe::Abort{}, patience).value();
    CHECK(last.get(patience).error().kind == ErrorKind::gone);
    for (auto& one : asked) CHECK(one.get(patience).error().kind == ErrorKind::gone);
    family.wait_for_life("alice", 2);
    // Nothing waits there.
    CHECK(scenario.send(alice, probe::Release{}, patience).ok());
    CHECK(scenario.ask(alice, probe::Echo{"!"}, patience).value() == "!");
    const RosterRow row = family.row_of("alice").value();
    CHECK(row.handled == 2);
}

TEST_CASE("who asks by name while there is no life of it waits for the next one", "[process][restarts]") {
    Family family;
    Restart how = often();
    how.back_off_first = how.back_off_most = 300ms;
    static_cast<void>(family.spawn("alice", how));
    ProbeName alice{"alice"};
    CHECK(family.echo("alice") == "alice");
    CHECK(family.world.scenario().ask(alice, probe::Abort{}, patience).error().kind == ErrorKind::gone);
    CHECK(family.world.scenario().ask(alice, probe::Echo{"next"}, patience).value() == "next");
    CHECK(alice.last().id.incarnation == 2);
    CHECK(family.world.scenario().find<probe::Protocol>("nobody").error().kind == ErrorKind::gone);
    ProbeName nobody{"nobody"};
    CHECK(family.world.scenario().ask(nobody, probe::Echo{"?"}, patience).error().kind == ErrorKind::gone);
}

// ---- groups ----------------------------------------------------------------------------------------

TEST_CASE("one that is ended because its partner has ended has failed, and is restarted by its policy",
          "[process][restarts][links]") {
    Family family;
    const ProbeRef fixed = family.spawn("fixed", {.policy = Restart::Policy::never});
    const ProbeRef mortal = family.spawn("mortal", often());
    REQUIRE(family.world.scenario().link(fixed, mortal).ok());
    family.kill("fixed");
    family.wait_for_life("mortal", mortal.id.incarnation + 1);
    CHECK(family.echo("mortal") == "mortal");
    family.wait_for([&] { return family.exits_of("mortal") == 1; });
    // A link is of a life: the next one has none.
    CHECK(family.life_of("mortal").incarnation == mortal.id.incarnation + 1);
}

TEST_CASE("one for one, one for all and rest for one end and restart the actors that they say",
          "[process][restarts]") {
    const auto lives_after = [](Restart::Strategy strategy) {
        Family family;
        for (const char* name : {"a", "b", "c"}) static_cast<void>(family.spawn(name, in_group(strategy)));
        static_cast<void>(family.spawn("other", often()));
        family.kill("b");
        family.wait_for_life("b", 2);
        std::vector<std::uint32_t> lives;
        for (const char* name : {"a", "b", "c", "other"}) {
            CHECK(family.echo(name) == name);
            lives.push_back(family.life_of(name).incarnation);
        }
        return lives;
    };
    CHECK(lives_after(Restart::Strategy::one_for_one) == std::vector<std::uint32_t>{1, 2, 1, 1});
    CHECK(lives_after(Restart::Strategy::one_for_all) == std::vector<std::uint32_t>{2, 2, 2, 1});
    CHECK(lives_after(Restart::Strategy::rest_for_one) == std::vector<std::uint32_t>{1, 2, 2, 1});
}

// ---- intensity and escalation ----------------------------------------------------------------------

TEST_CASE("an actor that fails too often is given up, and the session says so when it is closed",
          "[process][restarts]") {
    Family family;
    Restart how = often();
    how.restarts_max = 2;
    static_cast<void>(family.spawn("alice", how));
    static_cast<void>(family.spawn("bob", often()));
    for (std::uint32_t life = 2; life <= 3; ++life) {
        family.kill("alice");
        family.wait_for_life("alice", life);
    }
    CHECK_FALSE(family.is_failed());
    family.kill("alice");
    family.wait_for([&] { return family.exits_of("alice") == 3; });
    CHECK_FALSE(family.exits.back().exit.restarts_in.has_value());
    CHECK(family.is_failed());
    CHECK_FALSE(family.row_of("alice").has_value());
    CHECK(family.echo("bob") == "bob");  // the session goes on until it is closed
    family.close_failed();
}

TEST_CASE("a child that is given up is the failure of its parent, which is restarted", "[process][restarts]") {
    Family family;
    const ProbeRef parent = family.spawn("parent", often());
    CHECK(family.world.scenario().ask(parent, probe::SpawnSupervised{"child", 0, 1}, patience).value() ==
          "parent/child");
    family.kill("parent/child");
    family.wait_for_life("parent/child", 2);
    CHECK(family.life_of("parent").incarnation == 1);
    family.kill("parent/child");
    family.wait_for_life("parent", 2);
    family.wait_for([&] { return family.exits_of("parent") == 1; });
    const auto exit = std::ranges::find(family.exits, "parent", &Ended::name)->exit;
    CHECK(exit.kind == ExitKind::children_failed);
    CHECK_THAT(exit.text, Catch::Contains("parent/child failed after 1 restarts"));
    CHECK(exit.restarts_in.has_value());
    CHECK_FALSE(family.is_failed());
    CHECK_FALSE(family.row_of("parent/child").has_value());
    CHECK(family.echo("parent") == "parent");
}

TEST_CASE("a failure that nobody restarts goes up to the session", "[process][restarts]") {
    Family family;
    const ProbeRef parent = family.world.spawn("parent");  // has no restarts
    CHECK(family.world.scenario().ask(parent, probe::SpawnSupervised{"child", 0, 0}, patience).value() ==
          "parent/child");
    family.kill("parent/child");
    family.wait_for([&] { return family.exits_of("parent") == 1; });
    CHECK(std::ranges::find(family.exits, "parent", &Ended::name)->exit.kind == ExitKind::children_failed);
    CHECK(family.is_failed());
    family.close_failed();
}

// ---- hung ------------------------------------------------------------------------------------------

TEST_CASE("an actor that handles one command for too long is hung, and the roster says so until it goes on",
          "[process][restarts]") {
    Family family;
    const std::string fifo = family.world.make_fifo("hung");
    const ProbeRef alice = family.world.scenario()
                               .spawn<probe::Protocol>({.program = "probe", .name = "alice", .hung_after = 100ms})
                               .value();
    auto blocked = family.world.scenario().request(alice, probe::Block{fifo}).value();
    family.world.wait_for_state("alice", "hung");
    family.world.release(fifo);
    CHECK(blocked.get(patience).value() == "released");  // nobody has killed it
    family.world.wait_for_state("alice", "ready");
}

TEST_CASE("one that is hung is killed if its spawner wants that, and restarted as after any failure",
          "[process][restarts]") {
    Family family;
    static_cast<void>(family.world.scenario()
                          .spawn<probe::Protocol>({.program = "probe",
                                                   .name = "alice",
                                                   .restart = often(),
                                                   .hung_after = 200ms,
                                                   .kill_hung = true})
                          .value());
    ProbeName alice{"alice"};
    CHECK(family.world.scenario().ask(alice, probe::Hang{}, patience).error().kind == ErrorKind::gone);
    family.wait_for_life("alice", 2);
    family.wait_for([&] { return family.exits_of("alice") == 1; });
    CHECK(family.exits.front().exit.code == SIGKILL);
    CHECK_THAT(family.exits.front().exit.text, Catch::Contains("hung: it has handled Hang for"));
    CHECK(family.world.scenario().ask(alice, probe::Echo{"!"}, patience).value() == "!");
}

// ---- the coordinator dies --------------------------------------------------------------------------

TEST_CASE("the next coordinator restarts what died while there was none, and knows how often it had been restarted",
          "[process][restarts][takeover]") {
    Family family;
    Restart how = often();
    how.restarts_max = 3;
    static_cast<void>(family.spawn("alice", how, {"some", "arguments"}));
    for (std::uint32_t life = 2; life <= 4; ++life) {
        const auto pid = static_cast<pid_t>(family.world.session().find("alice", family.in(patience)).value().pid);
        const RoleView view = RoleView::open(family.world.session().id()).value();
        REQUIRE(::kill(static_cast<pid_t>(view.holder().pid), SIGKILL) == 0);
        REQUIRE(::kill(pid, SIGKILL) == 0);
        family.wait_for_life("alice", life);
    }
    CHECK(family.row_of("alice")->restarts->restarts == 3);
    family.kill("alice");
    family.wait_for([&] { return family.is_failed(); });
    family.close_failed();
}

TEST_CASE("a back-off goes on across coordinators", "[process][restarts][takeover]") {
    Family family;
    Restart how = often();
    how.back_off_first = how.back_off_most = 1500ms;
    static_cast<void>(family.spawn("alice", how));
    family.kill("alice");
    family.wait_for([&] { return family.row_of("alice") && family.row_of("alice")->state == "restarting"; });
    family.kill_coordinator();
    CHECK(family.row_of("alice")->state == "restarting");
    family.wait_for_life("alice", 2);
    CHECK(family.echo("alice") == "alice");
}

TEST_CASE("the coordinator may die at any step of a restart: there is one next life, and one exit of each",
          "[process][restarts][takeover]") {
    for (const char* point : {"exit.recorded", "lanes.removed", "settle.told", "restart.recorded", "restart.begun",
                              "spawn.started", "life.taken"}) {
        INFO(point);
        // The first two spawns start processes, too.
        const std::string passing = std::string_view{point} == "spawn.started" ? ":3" : ":1";
        Family family{point + passing};
        static_cast<void>(family.spawn("a", in_group(Restart::Strategy::one_for_all)));
        static_cast<void>(family.spawn("b", in_group(Restart::Strategy::one_for_all)));
        family.kill("a");
        family.wait_for_life("a", 2);
        family.wait_for_life("b", 2);
        CHECK(RoleView::open(family.world.session().id()).value().holder().generation == 2);
        CHECK(family.echo("a") == "a");
        CHECK(family.echo("b") == "b");
        CHECK(family.row_of("a")->restarts->recent == 1);
        CHECK(family.row_of("b")->restarts->recent == 0);
        family.wait_for([&] { return family.exits_of("a") == 1 && family.exits_of("b") == 1; });
        const std::vector<Ended> all = family.world.close();
        CHECK(std::ranges::count(all, "a", &Ended::name) == 2);
        CHECK(std::ranges::count(all, "b", &Ended::name) == 2);
    }
}

TEST_CASE("a coordinator that dies as it gives somebody up leaves no failure untold", "[process][restarts][takeover]") {
    for (const char* point : {"exit.recorded:1", "lanes.removed:1", "settle.told:1", "stop.recorded:1"}) {
        INFO(point);
        Family family{point};
        const ProbeRef parent = family.spawn("parent", often());
        CHECK(family.world.scenario().ask(parent, probe::SpawnSupervised{"child", 0, 0}, patience).value() ==
              "parent/child");
        family.kill("parent/child");
        family.wait_for_life("parent", 2);
        CHECK(family.echo("parent") == "parent");
        CHECK_FALSE(family.row_of("parent/child").has_value());
        CHECK(family.row_of("parent")->restarts->recent == 1);
    }
}
