// Heirs: an owner dies, and what it has left is received by the first of its heirs that lives and wants it, with its
// content; or it is released, and the owner's exit says so.
#include <algorithm>
#include <csignal>

#include "tests/process/family_world.hpp"

using namespace std::chrono_literals;
using namespace family;
using baton::ErrorKind;

TEST_CASE("an heir receives a segment whose owner was killed, with its content, label and shape", "[process][heirs]") {
    FamilyWorld world;
    const Address owner = world.spawn("owner");
    const Address heir = world.spawn("heir");
    CHECK(world.ask(owner, Own{7, {heir}, "table"}) == "");
    world.kill(owner);
    const Item item = world.wait_for(heir, "table");
    CHECK(item.value == 7);
    CHECK(item.is_whole);
    CHECK(item.was_written);  // it was its owner's to write when that died
    CHECK(item.owner == "owner");
    CHECK(world.scenario().exit_of(owner).value().unclaimed.empty());
    world.check_end({heir});
}

TEST_CASE("a scenario receives what it is an heir of, and waits for it no longer than it says", "[process][heirs]") {
    FamilyWorld world;
    TestScenario& scenario = world.scenario();
    const Address owner = world.spawn("owner");
    const baton::Result<baton::Inherited> nothing = scenario.inherited("table", 10ms);
    CHECK(nothing.error().kind == ErrorKind::timed_out);
    CHECK_THAT(nothing.error().text, Catch::Matchers::Contains("nobody has left 'table'"));
    CHECK(world.ask(owner, Own{3, {world.self()}, "table"}) == "");
    CHECK(world.ask(owner, Own{4, {world.self()}, "index"}) == "");
    world.kill(owner);
    baton::Inherited index = scenario.inherited("index", 20s).value();
    baton::Inherited table = scenario.inherited({}, 20s).value();
    CHECK(table.label == "table");
    CHECK(table.owner == baton::AnyRef{owner});
    CHECK(table.segment.layout() == baton::layout_of<std::int64_t>({elements}));
    CHECK(table.segment.as<std::int64_t>()[0] == 3);
    CHECK(index.segment.as<std::int64_t>()[elements - 1] == 4);
    index = {};
    table = {};
    world.check_end({});
}

TEST_CASE("of several heirs the first that lives and wants it receives a segment", "[process][heirs]") {
    FamilyWorld world;
    const Address owner = world.spawn("owner");
    const Address dead = world.spawn("dead");
    const Address unwilling = world.spawn("unwilling", {"declines"});
    const Address heir = world.spawn("heir");
    const Address late = world.spawn("late");
    CHECK(world.ask(owner, Own{7, {dead, unwilling, heir, late}, "table"}) == "");
    world.kill(dead);
    world.kill(owner);
    CHECK(world.wait_for(heir, "table").is_whole);
    CHECK(world.ask(late, Has{}).empty());
    CHECK(world.ask(unwilling, Has{}).empty());
    world.check_end({unwilling, heir, late});
}

TEST_CASE("if no heir lives the segment is released, and the owner's exit says what nobody has inherited",
          "[process][heirs]") {
    FamilyWorld world;
    const Address owner = world.spawn("owner");
    const Address dead = world.spawn("dead");
    const Address unwilling = world.spawn("unwilling", {"declines"});
    CHECK(world.ask(owner, Own{7, {dead}, "table"}) == "");
    CHECK(world.ask(owner, Own{7, {unwilling}, "table"}) == "");
    CHECK(world.ask(owner, Own{7, {dead, unwilling}, "index"}) == "");
    world.kill(dead);
    world.kill(owner);
    world.wait_for_alive(0);
    std::vector<baton::detail::Unclaimed> unclaimed = world.scenario().exit_of(owner).value().unclaimed;
    std::ranges::sort(unclaimed, {}, &baton::detail::Unclaimed::label);
    REQUIRE(unclaimed.size() == 2);
    CHECK(unclaimed[0].label == "index");
    CHECK(unclaimed[0].segments == 1);
    CHECK(unclaimed[1].label == "table");
    CHECK(unclaimed[1].segments == 2);
    CHECK(unclaimed[1].bytes == 2 * elements * sizeof(std::int64_t));
    world.check_end({unwilling});
}

TEST_CASE("leases of what is inherited stay valid, and the heir has it when they are returned", "[process][heirs]") {
    FamilyWorld world;
    const Address owner = world.spawn("owner");
    const Address heir = world.spawn("heir");
    const Address reader = world.spawn("reader");
    CHECK(world.ask(owner, Own{7, {heir}, "table"}) == "");
    CHECK(world.ask(owner, Lend{"table", reader}) == "");
    world.wait_for_lease(reader, 7);
    world.kill(owner);
    CHECK(world.audit().empty());
    CHECK(world.ask(reader, Read{}) == 7);
    CHECK(world.ask(heir, Has{}).empty());
    CHECK(world.segments().rows.at(0).leases == 1);
    CHECK(world.segments().rows.at(0).heirs == std::vector<std::string>{"heir"});
    CHECK(world.ask(reader, LetGo{}) == 1);
    const Item item = world.wait_for(heir, "table");
    CHECK(item.is_whole);
    CHECK_FALSE(item.was_written);  // its owner could only read it
    world.check_end({heir, reader});
}

// With lanes: over ZeroMQ the gift may still be in its giver's process, and is the heir's then.
TEST_CASE("a gift whose giver dies goes where it was sent, and to the heir only if nobody takes it",
          "[process][lanes][heirs]") {
    FamilyWorld world;
    const Address owner = world.spawn("owner");
    const Address heir = world.spawn("heir");
    const Address taker = world.spawn("taker");
    const Address sleeper = world.spawn("sleeper");
    CHECK(world.ask(owner, Own{7, {heir}, "taken"}) == "");
    CHECK(world.ask(owner, Own{8, {heir}, "left"}) == "");
    world.freeze(taker);
    world.freeze(sleeper);
    CHECK(world.ask(owner, GiveTo{"taken", taker}) == "");
    CHECK(world.ask(owner, GiveTo{"left", sleeper}) == "");
    world.kill(owner);
    world.kill(sleeper);
    world.wake(taker);
    const Item left = world.wait_for(heir, "left");
    CHECK(left.value == 8);
    CHECK(left.is_whole);
    CHECK_FALSE(left.was_written);
    const Item taken = world.wait_for(taker, "taken");
    CHECK(taken.value == 7);
    CHECK(taken.owner.empty());
    CHECK(world.ask(heir, Has{}).size() == 1);
    world.check_end({heir, taker});
}

// Goal: heirs that were named once do not rise again.
// Method: the owner names an heir, gives the segment away and gets it back; another names one and withdraws it; a third
// one names another heir instead.
TEST_CASE("heirs count only for the time in which they were named, and the last ones count", "[process][heirs]") {
    FamilyWorld world;
    const Address owner = world.spawn("owner");
    const Address heir = world.spawn("heir");
    const Address other = world.spawn("other");
    const Address visited = world.spawn("visited");
    CHECK(world.ask(owner, Own{1, {heir}, "returned"}) == "");
    CHECK(world.ask(owner, Own{2, {heir}, "withdrawn"}) == "");
    CHECK(world.ask(owner, Own{3, {heir}, "renamed"}) == "");
    CHECK(world.ask(owner, GiveTo{"returned", visited}) == "");
    world.wait_for(visited, "returned");
    CHECK(world.ask(visited, GiveTo{"returned", owner}) == "");
    world.wait_for(owner, "returned");
    CHECK(world.ask(owner, Rename{"withdrawn", {}}) == "");
    CHECK(world.ask(owner, Rename{"renamed", {other}}) == "");
    world.kill(owner);
    CHECK(world.wait_for(other, "renamed").value == 3);
    world.wait_for_alive(1);
    CHECK(world.ask(heir, Has{}).empty());
    CHECK(world.scenario().exit_of(owner).value().unclaimed.empty());
    world.check_end({heir, other});
}

TEST_CASE("heirs that cannot be are refused, with the reason", "[process][heirs]") {
    FamilyWorld world;
    const Address owner = world.spawn("owner");
    const Address heir = world.spawn("heir");
    CHECK_THAT(world.ask(owner, Own{1, {owner}, "own"}), Catch::Matchers::Contains("its own heir"));
    CHECK_THAT(world.ask(owner, Own{1, {baton::AnyRef{}}, "nobody"}), Catch::Matchers::Contains("no actor"));
    CHECK_THAT(world.ask(owner, Own{1, {baton::AnyRef{baton::detail::coordinator_id}}, "coordinator"}),
               Catch::Matchers::Contains("no actor"));
    CHECK_THAT(world.ask(owner, Own{1, std::vector<baton::AnyRef>(5, baton::AnyRef{heir}), "many"}),
               Catch::Matchers::Contains("limits::heirs_max"));
    CHECK_THAT(world.ask(owner, Own{1, {heir}, std::string(49, 'x')}),
               Catch::Matchers::Contains("limits::heir_label_bytes_max"));
    world.check_end({owner, heir});
}

TEST_CASE("the next life of an owner inherits what was left to it, before it is ready", "[process][heirs][restarts]") {
    FamilyWorld world;
    baton::Restart at_once{.restarts_max = 2, .period = 1h, .back_off_first = 0s, .back_off_most = 0s};
    const Address owner = world.scenario()
                              .spawn<Protocol>({.program = "family",
                                                .name = "owner",
                                                .arguments = {"wants=table"},
                                                .timeout = FamilyWorld::patience,
                                                .restart = at_once})
                              .value();
    CHECK(world.ask(owner, Own{7, {}, "table", true}) == "");
    baton::Named<Protocol> name{"owner"};
    const auto has = [&] { return world.scenario().ask(name, Has{}, FamilyWorld::patience).value(); };
    world.kill(owner);
    REQUIRE(has().size() == 1);
    CHECK(has()[0].value == 7);
    CHECK(has()[0].is_whole);
    CHECK(has()[0].owner == "owner");
    CHECK(name.last().id != owner.id);

    SECTION("which names its next life in its turn, or it ends there") {
        world.kill(name.last());
        CHECK(has().empty());
        world.check_end({name.last()});
    }
    SECTION("and if it is not restarted any more, what waits for a next life is released and reported") {
        world.kill(name.last());
        REQUIRE(has().empty());
        const Address third = name.last();
        CHECK(world.ask(third, Own{8, {}, "index", true}) == "");
        world.kill(third);
        world.wait_for_alive(0);
        const auto unclaimed = world.scenario().exit_of(third).value().unclaimed;
        REQUIRE(unclaimed.size() == 1);
        CHECK(unclaimed[0].label == "index");
        CHECK(world.world.session().close().error().kind == ErrorKind::failed);  // it was given up
    }
}

TEST_CASE("an heir that ends before it has accepted passes the segment on to the next one", "[process][heirs]") {
    FamilyWorld world;
    const Address owner = world.spawn("owner");
    const Address first = world.spawn("first");
    const Address second = world.spawn("second");
    CHECK(world.ask(owner, Own{7, {first, second}, "table"}) == "");
    world.freeze(first);
    world.kill(owner);
    world.wait_for_state("table", "offered");
    world.kill(first);
    CHECK(world.wait_for(second, "table").is_whole);
    world.check_end({second});
}

TEST_CASE("what an heir has inherited is its own: it names heirs of its own, or it ends with it", "[process][heirs]") {
    FamilyWorld world;
    const Address owner = world.spawn("owner");
    const Address child = world.spawn("child");
    const Address grandchild = world.spawn("grandchild");
    CHECK(world.ask(owner, Own{7, {child}, "named"}) == "");
    CHECK(world.ask(owner, Own{8, {child}, "unnamed"}) == "");
    world.kill(owner);
    world.wait_for(child, "named");
    world.wait_for(child, "unnamed");
    CHECK(world.ask(child, Rename{"named", {grandchild}}) == "");
    world.kill(child);
    const Item item = world.wait_for(grandchild, "named");
    CHECK(item.value == 7);
    CHECK(item.owner == "child");
    world.wait_for_alive(1);
    world.check_end({grandchild});
}

TEST_CASE("an owner that stops by itself leaves nothing to its heirs: it has released what it had",
          "[process][heirs]") {
    FamilyWorld world;
    const Address owner = world.spawn("owner");
    const Address heir = world.spawn("heir");
    CHECK(world.ask(owner, Own{7, {heir}, "table"}) == "");
    world.scenario().stop(owner, 10s).value();
    world.wait_for_alive(0);
    CHECK(world.ask(heir, Has{}).empty());
    CHECK(world.scenario().exit_of(owner).value().unclaimed.empty());
    world.check_end({heir});
}

// Goal: across coordinators, each heir receives what is left to it, once.
// Method: the heirs sleep; the owner dies; the coordinator dies with everything offered; then the heirs wake up.
TEST_CASE("the coordinator is killed while segments are on their way to heirs, and the next one goes on",
          "[process][heirs][takeover]") {
    FamilyWorld world;
    const Address owner = world.spawn("owner");
    const Address heir = world.spawn("heir");
    const Address dead = world.spawn("dead");
    const Address reader = world.spawn("reader");
    CHECK(world.ask(owner, Own{7, {heir}, "table"}) == "");
    CHECK(world.ask(owner, Own{8, {dead}, "unclaimed"}) == "");
    CHECK(world.ask(owner, Own{9, {heir}, "lent"}) == "");
    CHECK(world.ask(owner, Lend{"lent", reader}) == "");
    world.wait_for_lease(reader, 9);
    world.kill(dead);
    world.freeze(heir);
    world.kill(owner);
    world.wait_for_state("table", "offered");
    world.kill_coordinator();
    CHECK(world.ask(reader, Read{}) == 9);
    CHECK(world.ask(reader, LetGo{}) == 1);
    world.wake(heir);
    CHECK(world.wait_for(heir, "table").value == 7);
    CHECK(world.wait_for(heir, "lent").value == 9);
    CHECK(world.ask(heir, Has{}).size() == 2);
    const std::vector<baton::detail::Unclaimed> unclaimed = world.scenario().exit_of(owner).value().unclaimed;
    REQUIRE(unclaimed.size() == 1);
    CHECK(unclaimed[0].label == "unclaimed");
    CHECK(unclaimed[0].segments == 1);
    world.check_end({heir, reader});
}
