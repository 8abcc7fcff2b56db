// What a giver had brought on its way before it died: all of it arrives, wherever its heir was waiting at that time.
#include "tests/process/vault_world.hpp"

using namespace std::chrono_literals;

namespace {

constexpr std::uint64_t given_while_waiting = 50;

// What the giver has sent is in the kernel's hands: its connection stands since the first gift, and the thread that
// wrote its answer to us had written the gifts before.
void give_and_die(VaultWorld& world, vault::Address giver, vault::Address heir) {
    REQUIRE(world.scenario().ask(giver, vault::Make{heir, given_while_waiting, 100, ""}).value() ==
            given_while_waiting);
    world.kill(giver);
    // The heir has some turns in which it could say too soon that all has come.
    for (int round = 0; round < 200; ++round) static_cast<void>(world.segments());
}

}  // namespace

// Goal: none of a dead giver's gifts is settled while it lies in its heir's inbox.
// Method: the heir waits, in its own code and on purpose, from before the gifts came until the giver has been settled
// as far as possible.
TEST_CASE("all gifts of a giver that is killed arrive, wherever its heir waits meanwhile", "[process][T6][I3]") {
    VaultWorld world;
    const vault::Address giver = world.spawn("giver");
    const vault::Address heir = world.spawn("heir");
    const vault::Address other = world.spawn("other");
    const vault::Address about = world.spawn("about");
    REQUIRE(world.scenario().ask(giver, vault::Make{heir, 1, 100, ""}).value() == 1);
    world.wait_for_kept(heir, 1);
    const std::string fifo = world.world.make_fifo("fifo");

    std::string place;
    std::string how = "ask";
    SECTION("in a handler") { place = "on"; }
    SECTION("in on_deadline(), for an answer") { place = "deadline"; }
    SECTION("in on_deadline(), until something is so") {
        place = "deadline";
        how = "wait_for";
    }
    SECTION("in on_deadline(), for its leases") {
        place = "deadline";
        how = "reclaim";
    }
    SECTION("while it is told of an exit") { place = "exit"; }
    SECTION("while it is given back a gift") { place = "bounce"; }

    const std::string blocks_about = world.world.make_fifo("about");
    std::optional<baton::Pending<std::string>> blocked;
    if (place == "bounce") {  // it reads nothing any more, so what it is given comes back
        blocked.emplace(world.scenario().request(about, vault::Block{blocks_about}).value());
        world.world.wait_for_state("about", "busy");
    }
    auto waiting = world.scenario().request(heir, vault::WaitIn{place, other, fifo, about, how}).value();
    if (place != "on") CHECK(waiting.get(5s).ok());
    if (place == "exit" || place == "bounce") world.kill(about);
    world.world.wait_for_state("other", "busy");
    give_and_die(world, giver, heir);
    world.world.release(fifo);
    world.wait_for_none_offered();
    const vault::Summary all = world.report(heir);
    const std::uint64_t came_back = place == "bounce" ? 1 : 0;
    CHECK(all.kept == 1 + given_while_waiting + came_back);
    CHECK(all.torn == 0);
    CHECK(world.audit().empty());
}
