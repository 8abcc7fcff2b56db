// What a keeper keeps, without processes: what comes of each step.

#include <baton/deadlock.hpp>
#include "actors/sync/kept/barrier.hpp"
#include "actors/sync/kept/channel.hpp"
#include "actors/sync/kept/condition.hpp"
#include "actors/sync/kept/event.hpp"
#include "actors/sync/kept/latch.hpp"
#include "actors/sync/kept/queue.hpp"
#include "actors/sync/kept/semaphore.hpp"
#include "tests/catch.hpp"

using namespace baton;
using namespace baton::detail;
using namespace baton::sync;
using kept::Given;
using kept::Party;
using kept::Wakes;

namespace {

const Party alice{{5, 1}, "alice"};
const Party bob{{6, 1}, "bob"};
const Party carol{{7, 1}, "carol"};

std::string name_of(ActorId who) {
    return who == alice.id ? "alice" : who == bob.id ? "bob" : who == carol.id ? "carol" : "nobody";
}

// What came of a step, in one line: "alice, bob: refused ...".
std::string told(Wakes& wakes) {
    std::string all;
    for (const Wakes::Wake& wake : wakes.take()) {
        all += (all.empty() ? "" : "; ") + name_of(wake.who);
        if (!wake.outcome) {
            all += ": " + to_text(wake.outcome.error());
            continue;
        }
        if (!wake.outcome->dead_owner.empty()) all += " after " + wake.outcome->dead_owner;
        if (wake.outcome->index > 0) all += fmt::format(" {}", wake.outcome->index);
        if (wake.outcome->runs_action) all += " acts";
        for (const std::byte one : wake.outcome->item) all += fmt::format(" #{}", static_cast<int>(one));
    }
    return all;
}

Bytes item(int number) { return {std::byte{static_cast<unsigned char>(number)}}; }

struct LockWorld {
    std::uint64_t word = 0;
    std::vector<ActorId> alive{alice.id, bob.id, carol.id};
    int rests = 0;
    kept::Lock lock{"printer",
                    Word{word},
                    {[this](ActorId who) { return std::ranges::find(alive, who) != alive.end(); },
                     [this](kept::Lock&) { ++rests; }}};
    Wakes wakes;

    std::string acquire(const Party& who) { return lock.acquire(who.id, wakes), told(wakes); }
    std::string release(const Party& who) {
        const Result<void> released = lock.release(who.id, wakes);
        return released ? told(wakes) : to_text(released.error());
    }
    std::string withdraw(const Party& who, Given given) { return lock.withdraw(who, given, wakes), told(wakes); }
    std::string bury(const Party& who) {
        std::erase(alive, who.id);
        return lock.bury(who, "", wakes), told(wakes);
    }
    // As clients do, without the keeper.
    bool take_quickly(const Party& who) {
        std::uint64_t seen = lock_word::free;
        return Word{word}.compare_exchange_strong(seen, lock_word::of(who.id));
    }
    bool release_quickly(const Party& who) {
        std::uint64_t seen = lock_word::of(who.id);
        return Word{word}.compare_exchange_strong(seen, lock_word::free);
    }
};

}  // namespace

TEST_CASE("a lock is passed on in the order in which it was asked for", "[unit]") {
    LockWorld world;
    CHECK(world.acquire(alice) == "alice");
    CHECK(world.acquire(bob) == "");
    CHECK(world.acquire(carol) == "");
    CHECK_FALSE(world.release_quickly(alice));
    CHECK(world.release(alice) == "bob");
    CHECK(world.release(bob) == "carol");
    CHECK(world.release_quickly(carol));
    CHECK(world.word == lock_word::free);
}

TEST_CASE("a lock that was passed on may be released past the line, until it has rested", "[unit]") {
    LockWorld world;
    world.acquire(alice);
    world.acquire(bob);
    world.acquire(carol);
    world.rests = 0;
    CHECK(world.release(alice) == "bob");
    CHECK(world.rests == 1);
    CHECK(world.release_quickly(bob));
    CHECK(world.take_quickly(alice));
    world.lock.urge(world.wakes);
    CHECK(told(world.wakes) == "");
    CHECK_FALSE(world.release_quickly(alice));
    CHECK(world.release(alice) == "carol");
    CHECK(world.acquire(bob) == "");
    CHECK(world.release_quickly(carol));
    CHECK(world.acquire(alice) == "");
    world.lock.urge(world.wakes);
    CHECK(told(world.wakes) == "bob");
    CHECK(world.release_quickly(bob));
    world.lock.urge(world.wakes);
    CHECK(told(world.wakes) == "alice");
    world.lock.urge(world.wakes);
    CHECK(world.acquire(carol) == "");
    CHECK_FALSE(world.release_quickly(alice));
}

TEST_CASE("a lock is neither acquired twice nor released by somebody else", "[unit]") {
    LockWorld world;
    world.acquire(alice);
    CHECK_THAT(world.acquire(alice), Catch::StartsWith("alice: refused: lock 'printer' is held already"));
    CHECK_THAT(world.release(bob), Catch::StartsWith("refused: lock 'printer' is not held"));
    CHECK(world.release(alice) == "");
    CHECK_THAT(world.release(alice), Catch::StartsWith("refused"));
}

TEST_CASE("the lock of a dead owner goes to the next, who is told, or, with nobody there, to the next who comes",
          "[unit]") {
    LockWorld world;
    world.acquire(alice);
    SECTION("somebody waits") {
        world.acquire(bob);
        CHECK(world.bury(alice) == "bob after alice");
        CHECK(world.release(bob) == "");
        CHECK(world.acquire(carol) == "carol");
    }
    SECTION("nobody waits") {
        CHECK(world.bury(alice) == "");
        CHECK(lock_word::is_abandoned(world.word));
        CHECK(world.acquire(bob) == "bob after alice");
        CHECK(world.release_quickly(bob));
        CHECK(world.acquire(carol) == "carol");
    }
    SECTION("the next one dies too, before it knows") {
        world.acquire(bob);
        world.acquire(carol);
        CHECK(world.bury(alice) == "bob after alice");
        CHECK(world.bury(bob) == "carol after bob");
    }
    SECTION("who waits dies") {
        world.acquire(bob);
        world.acquire(carol);
        CHECK(world.bury(bob) == "");
        CHECK(world.release(alice) == "carol");
    }
}

TEST_CASE("a lock that was granted to who gives up at that moment goes to the next", "[unit]") {
    LockWorld world;
    world.acquire(alice);
    world.acquire(bob);
    world.acquire(carol);
    CHECK(world.withdraw(carol, Given::nothing) == "");
    CHECK(world.release(alice) == "bob");
    CHECK(world.acquire(carol) == "");
    CHECK(world.withdraw(bob, Given::grant) == "carol");
    CHECK(world.withdraw(carol, Given::grant) == "");
    CHECK(world.word == lock_word::free);
}

TEST_CASE("whatever is written over the word of a lock, who waits goes on", "[unit]") {
    LockWorld world;
    world.acquire(alice);
    world.acquire(bob);
    world.word = GENERATE(std::uint64_t{0}, std::uint64_t{1} << 62, 0xffffffffffffffffU, std::uint64_t{99} << 32 | 1);
    world.lock.look(world.wakes);
    CHECK_THAT(told(world.wakes), Catch::StartsWith("bob"));
    CHECK(lock_word::owner_of(world.word) == bob.id);
    CHECK_THAT(world.release(alice), Catch::StartsWith("refused"));
}

TEST_CASE("who is notified goes on when the lock is free, and a notice to who does not care any more is not lost",
          "[unit]") {
    LockWorld world;
    kept::Condition fed{"fed", world.lock};
    kept::Condition bored{"bored", world.lock};
    Wakes& wakes = world.wakes;
    for (const Party* one : {&alice, &bob}) {
        world.acquire(*one);
        fed.wait(one->id, wakes);
        CHECK(told(wakes) == "");
    }
    world.acquire(carol);
    CHECK(bored.notify(carol.id, 1, wakes).value() == 0);
    CHECK(fed.notify(carol.id, 1, wakes).value() == 1);
    CHECK(told(wakes) == "");
    CHECK(fed.waits_for(alice.id).whom == std::vector{carol.id});
    CHECK(fed.waits_for(bob.id).whom.empty());
    SECTION("the lock is released") {
        CHECK(world.release(carol) == "alice");
        CHECK(fed.notify(alice.id, UINT64_MAX, wakes).value() == 1);
        CHECK(world.release(alice) == "bob");
    }
    SECTION("it gave up") {
        fed.withdraw(alice, Given::nothing, wakes);
        CHECK(world.release(carol) == "bob");
    }
    SECTION("it gave up when it had the lock already") {
        CHECK(world.release(carol) == "alice");
        fed.withdraw(alice, Given::grant, wakes);
        CHECK(told(wakes) == "bob");
    }
    SECTION("it died when it had the lock already") {
        CHECK(world.release(carol) == "alice");
        std::erase(world.alive, alice.id);
        fed.bury(alice, "", wakes);
        world.lock.bury(alice, "", wakes);
        CHECK(told(wakes) == "bob after alice");
    }
    SECTION("it died") {
        std::erase(world.alive, alice.id);
        fed.bury(alice, "", wakes);
        world.lock.bury(alice, "", wakes);
        CHECK(told(wakes) == "");
        CHECK(world.release(carol) == "bob");
    }
}

TEST_CASE("a condition is waited for and notified by who holds its lock", "[unit]") {
    LockWorld world;
    kept::Condition fed{"fed", world.lock};
    fed.wait(alice.id, world.wakes);
    CHECK_THAT(told(world.wakes),
               Catch::Contains("condition 'fed' can only be waited for while holding its lock 'printer'"));
    CHECK(fed.notify(alice.id, 1, world.wakes).error().kind == ErrorKind::refused);
}

TEST_CASE("a condition that is removed leaves nobody in the line of its lock", "[unit]") {
    LockWorld world;
    kept::Condition fed{"fed", world.lock};
    REQUIRE(world.acquire(alice) == "alice");
    fed.wait(alice.id, world.wakes);
    REQUIRE(world.acquire(bob) == "bob");
    REQUIRE(fed.notify(bob.id, 1, world.wakes).value() == 1);
    CHECK(world.lock.has_in_line(alice.id));
    fed.forget_waits();
    CHECK_FALSE(world.lock.has_in_line(alice.id));
    CHECK(world.release(bob) == "");
    CHECK(world.acquire(carol) == "carol");
}

TEST_CASE("an event lets all go on that wait, and all that come later, until it is cleared", "[unit]") {
    kept::Event event{"rain"};
    Wakes wakes;
    event.wait(alice.id, wakes);
    event.wait(bob.id, wakes);
    event.wait(carol.id, wakes);
    event.withdraw(bob, Given::nothing, wakes);
    CHECK(told(wakes) == "");
    event.set(true, wakes);
    CHECK(told(wakes) == "alice; carol");
    event.wait(bob.id, wakes);
    CHECK(told(wakes) == "bob");
    event.set(false, wakes);
    event.wait(bob.id, wakes);
    CHECK(told(wakes) == "");
}

TEST_CASE("a latch lets go at nothing and is not counted down below it", "[unit]") {
    kept::Latch latch{"loaded", 3};
    Wakes wakes;
    latch.wait(alice.id, wakes);
    CHECK(latch.count_down(2, wakes).value() == 1);
    CHECK(latch.count_down(2, wakes).error().text == "latch 'loaded' can't be counted down by 2: 1 is left");
    CHECK(told(wakes) == "");
    CHECK(latch.count_down(1, wakes).value() == 0);
    CHECK(told(wakes) == "alice");
}

TEST_CASE("the permits of a dead holder come back, and more than were taken do not", "[unit]") {
    kept::Semaphore semaphore{"three", 2, true};
    Wakes wakes;
    semaphore.acquire(alice.id, wakes);
    semaphore.acquire(alice.id, wakes);
    semaphore.acquire(bob.id, wakes);
    semaphore.acquire(carol.id, wakes);
    CHECK(told(wakes) == "alice; alice");
    semaphore.bury(alice, "", wakes);
    CHECK(told(wakes) == "bob; carol");
    semaphore.withdraw(carol, Given::grant, wakes);
    CHECK(semaphore.count() == 1);
    CHECK(semaphore.release(alice.id, wakes));  // for bob
    CHECK_THAT(to_text(semaphore.release(bob.id, wakes).error()), Catch::Contains("has all of its 2 permits"));

    kept::Semaphore unbounded{"more", 0, false};
    CHECK(unbounded.release(alice.id, wakes));
    CHECK(unbounded.count() == 1);
}

TEST_CASE("a barrier opens when all have come, in rounds, and its action runs before anybody goes on", "[unit]") {
    Wakes wakes;
    kept::Barrier barrier{"start", 2, {}, true};
    for (int round = 0; round < 2; ++round) {
        barrier.arrive(alice, wakes);
        CHECK(told(wakes) == "");
        barrier.arrive(bob, wakes);
        CHECK(told(wakes) == "bob 1 acts");
        CHECK(barrier.action_done(alice, "", wakes).error().kind == ErrorKind::refused);
        CHECK(barrier.action_done(bob, "", wakes));
        CHECK(told(wakes) == "alice");
    }
    kept::Barrier plain{"plain", 2, {}, false};
    plain.arrive(alice, wakes);
    plain.arrive(bob, wakes);
    CHECK(told(wakes) == "alice; bob 1");
}

TEST_CASE("who comes early for the next round of a barrier counts there", "[unit]") {
    Wakes wakes;
    kept::Barrier barrier{"start", 2, {}, true};
    barrier.arrive(alice, wakes);
    barrier.arrive(bob, wakes);
    barrier.arrive(carol, wakes);
    CHECK(told(wakes) == "bob 1 acts");
    CHECK(barrier.action_done(bob, "", wakes));
    CHECK(told(wakes) == "alice");
    barrier.arrive(alice, wakes);
    CHECK(told(wakes) == "alice 1 acts");
}

TEST_CASE("a barrier breaks with the reason, and is mended for those who are alive", "[unit]") {
    Wakes wakes;
    kept::Barrier barrier{"start", 0, {alice, bob, carol}, true};
    const std::string broken = "refused: barrier 'start' is broken: ";
    barrier.arrive(alice, wakes);
    SECTION("a member dies before it came") {
        barrier.bury(carol, "carol has exited: signal -9 (Killed)", wakes);
        CHECK(told(wakes) == "alice: " + broken + "carol has exited: signal -9 (Killed)");
        barrier.arrive(bob, wakes);
        CHECK(told(wakes) == "bob: " + broken + "carol has exited: signal -9 (Killed)");
        barrier.reset(bob, wakes);
        barrier.arrive(bob, wakes);
        barrier.arrive(alice, wakes);
        CHECK(told(wakes) == "alice 1 acts");
    }
    SECTION("who has come gives up") {
        barrier.arrive(bob, wakes);
        barrier.withdraw(alice, Given::nothing, wakes);
        CHECK(told(wakes) == "bob: " + broken + "alice gave up waiting");
    }
    SECTION("somebody aborts it") {
        barrier.abort(bob, wakes);
        CHECK(told(wakes) == "alice: " + broken + "bob aborted it");
    }
    SECTION("somebody resets it") {
        barrier.reset(bob, wakes);
        CHECK(told(wakes) == "alice: refused: barrier 'start' was reset by bob");
    }
    SECTION("the action fails, or who runs it dies") {
        barrier.arrive(bob, wakes);
        barrier.arrive(carol, wakes);
        CHECK(told(wakes) == "carol 2 acts");
        if (GENERATE(true, false)) {
            CHECK(barrier.action_done(carol, "no paper", wakes));
            CHECK(told(wakes) == "alice: " + broken + "its action failed in carol: no paper; bob: " + broken +
                                     "its action failed in carol: no paper");
        } else {
            barrier.bury(carol, "carol has exited: stopped", wakes);
            CHECK(told(wakes) ==
                  "alice: " + broken + "carol has exited: stopped; bob: " + broken + "carol has exited: stopped");
        }
    }
    SECTION("a stranger comes") {
        barrier.arrive({{9, 1}, "dave"}, wakes);
        CHECK(told(wakes) == "nobody: refused: dave is not a member of barrier 'start'");
    }
    SECTION("it is known who is missing") {
        CHECK(barrier.waits_for(alice.id).whom == std::vector{bob.id, carol.id});
    }
}

TEST_CASE("a queue whose takers never finish says so to who puts, and goes on when they do", "[unit]") {
    Wakes wakes;
    kept::Queue queue{"jobs", 10};
    SECTION("by their number") {
        for (std::uint64_t number = 0; number < sync::limits::queue_items_max; ++number) {
            queue.put(alice.id, item(1), wakes);
            queue.get(bob, wakes);
        }
        told(wakes);
        queue.put(alice.id, item(2), wakes);
        CHECK_THAT(told(wakes),
                   Catch::StartsWith(
                       "alice: overloaded: queue 'jobs' takes nothing more: 65536 items of 65536 bytes have been "
                       "taken and not finished, 65536 of them by bob;") &&
                       Catch::Contains("task_done()"));
    }
    SECTION("by their bytes") {
        const Bytes large(1 << 20);
        for (std::uint64_t number = 0; number < sync::limits::queue_bytes_max >> 20; ++number) {
            queue.put(alice.id, large, wakes);
            queue.get(bob, wakes);
        }
        told(wakes);
        queue.put(alice.id, item(2), wakes);
        CHECK_THAT(told(wakes), Catch::StartsWith("alice: overloaded: queue 'jobs' takes nothing more: 64 items"));
    }
    // Bob's wait for more does not keep him from finishing one.
    queue.get(bob, wakes);
    REQUIRE(queue.task_done(bob, wakes));
    CHECK(told(wakes) == "");
    queue.put(alice.id, item(3), wakes);
    CHECK(told(wakes) == "alice; bob #3");
}

TEST_CASE("who puts waits for takers that have one item each, however large, and while there is something to take",
          "[unit]") {
    Wakes wakes;
    kept::Queue queue{"jobs", 100};
    const Bytes half(sync::limits::queue_bytes_max / 2);
    queue.put(alice.id, half, wakes);
    queue.put(alice.id, half, wakes);
    queue.get(bob, wakes);
    told(wakes);
    queue.put(alice.id, item(1), wakes);
    CHECK(told(wakes) == "");
    queue.get(carol, wakes);
    CHECK(told(wakes).starts_with("carol"));
    REQUIRE(queue.task_done(bob, wakes));
    CHECK(told(wakes) == "alice");
}

TEST_CASE("a queue gives items in order, is full at its bound, and is finished when every item is", "[unit]") {
    Wakes wakes;
    kept::Queue queue{"jobs", 2};
    for (int number = 1; number <= 3; ++number) queue.put(alice.id, item(number), wakes);
    CHECK(told(wakes) == "alice; alice");
    queue.join(carol.id, wakes);
    queue.get(bob, wakes);
    CHECK(told(wakes) == "bob #1; alice");
    queue.get(bob, wakes);
    queue.get(bob, wakes);
    queue.get(bob, wakes);
    CHECK(told(wakes) == "bob #2; bob #3");
    CHECK(queue.waits_for(carol.id).whom == std::vector{bob.id});
    for (int number = 0; number < 3; ++number) CHECK(queue.task_done(bob, wakes));
    CHECK(told(wakes) == "carol");
    CHECK_THAT(queue.task_done(bob, wakes).error().text, Catch::StartsWith("bob has no item of queue 'jobs'"));
    queue.put(alice.id, item(4), wakes);
    CHECK(told(wakes) == "alice; bob #4");
}

TEST_CASE("what a dead taker had is taken next, and what kills three takers is given up", "[unit]") {
    Wakes wakes;
    kept::Queue queue{"jobs", 10};
    for (int number = 1; number <= 3; ++number) queue.put(alice.id, item(number), wakes);
    queue.join(alice.id, wakes);
    for (int death = 1; death <= 3; ++death) {
        queue.get(bob, wakes);
        queue.get(bob, wakes);
        CHECK_THAT(told(wakes), Catch::EndsWith("bob #1; bob #2"));
        queue.bury(bob, "", wakes);
    }
    CHECK(queue.given_up() == 2);
    queue.get(carol, wakes);
    CHECK(told(wakes) == "carol #3");
    CHECK(queue.task_done(carol, wakes));
    CHECK(told(wakes) == "alice");
}

TEST_CASE("an item that was given to who gives up at that moment is the next to be taken", "[unit]") {
    Wakes wakes;
    kept::Queue queue{"jobs", 10};
    queue.get(bob, wakes);
    queue.put(alice.id, item(1), wakes);
    queue.put(alice.id, item(2), wakes);
    CHECK(told(wakes) == "alice; bob #1; alice");
    queue.withdraw(bob, Given::item, wakes);
    queue.get(carol, wakes);
    CHECK(told(wakes) == "carol #1");
}

TEST_CASE("the ends of a channel hear each other, in order, and of each other's end", "[unit]") {
    Wakes wakes;
    auto [left, right] = kept::ChannelEnd::make("talk", 2);
    right->poll(bob, wakes);
    CHECK(told(wakes) == "");
    for (int number = 1; number <= 3; ++number) left->send(alice, item(number), wakes);
    CHECK(told(wakes) == "alice; bob; alice");  // the third has no room yet
    right->receive(bob, wakes);
    CHECK(told(wakes) == "bob #1; alice");
    right->withdraw(bob, Given::item, wakes);
    right->receive(bob, wakes);
    CHECK(told(wakes) == "bob #1");
    right->send(bob, item(9), wakes);
    left->receive(alice, wakes);
    CHECK(told(wakes) == "bob; alice #9");
    left->receive(carol, wakes);
    CHECK(told(wakes) == "carol: refused: channel end 'talk' belongs to alice");
    left->bury(alice, "alice has exited: stopped", wakes);
    right->receive(bob, wakes);
    right->receive(bob, wakes);
    CHECK(told(wakes) == "bob #2; bob #3");
    right->receive(bob, wakes);
    CHECK_THAT(told(wakes), Catch::StartsWith("bob: gone") && Catch::EndsWith("alice has exited: stopped"));
    right->send(bob, item(1), wakes);
    CHECK_THAT(told(wakes), Catch::StartsWith("bob: gone"));
    CHECK(right->close(bob, wakes));
    CHECK(right->close(bob, wakes).error().kind == ErrorKind::refused);
}

TEST_CASE("those are deadlocked who wait for each other in a circle, and nobody else", "[unit]") {
    const auto wait = [](const Party& who, std::vector<Party> on) {
        WaitEdge one{.who = who.id, .whom = {}};
        for (const Party& party : on) one.whom.push_back(party.id);
        return one;
    };
    const auto circle = [](const std::vector<WaitEdge>& waits) {
        std::string names;
        for (const WaitEdge& one : find_circle(waits)) names += (names.empty() ? "" : " ") + name_of(one.who);
        return names;
    };
    CHECK(circle({}) == "");
    CHECK(circle({wait(alice, {bob})}) == "");
    CHECK(circle({wait(alice, {bob}), wait(bob, {carol})}) == "");
    CHECK(circle({wait(alice, {bob}), wait(bob, {})}) == "");
    CHECK(circle({wait(alice, {bob}), wait(bob, {alice})}) == "alice bob");
    CHECK(circle({wait(alice, {alice})}) == "alice");
    CHECK(circle({wait(alice, {bob}), wait(bob, {carol}), wait(carol, {bob})}) == "bob carol");
    // a barrier, of which carol will come
    CHECK(circle({wait(alice, {carol, bob}), wait(bob, {alice})}) == "alice bob");
}
