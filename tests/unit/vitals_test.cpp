#include "runtime/vitals/vitals.hpp"

#include "tests/catch.hpp"
#include "tests/unit/vitals_fixture.hpp"

namespace {

using namespace baton;
using namespace baton::detail;
using baton_test::TestVitals;

constexpr ActorId alice{3, 1};
constexpr ActorId bob{4, 1};

void send(OwnVitals& own, ActorId to, std::uint64_t count) {
    own.traffic_with(to)->sent_commands.fetch_add(count);
}
void take(OwnVitals& own, ActorId from, std::uint64_t count) {
    own.traffic_with(from)->taken_commands.fetch_add(count);
}

}  // namespace

TEST_CASE("a region of vitals is made once and removed by name", "[vitals]") {
    std::string id;
    {
        TestVitals vitals;
        id = vitals.id();
        CHECK(Vitals::create(id).error().kind == ErrorKind::refused);
        CHECK(Vitals::open(id).ok());
    }
    CHECK(Vitals::open(id).error().kind == ErrorKind::refused);
}

TEST_CASE("a region of another size is corrupt, not read", "[vitals]") {
    TestVitals vitals;
    const std::string id = vitals.id() + "-small";
    const std::string name = "baton-" + id + "-vitals";
    remove_shared_object(name);
    const Result<SharedObject> object = SharedObject::create(name, 4096);
    REQUIRE(object.ok());
    const Result<Vitals> opened = Vitals::open(id);
    remove_shared_object(name);
    REQUIRE_FALSE(opened.ok());
    CHECK(opened.error().kind == ErrorKind::corrupt);
}

TEST_CASE("a row is of one life only", "[vitals]") {
    TestVitals vitals;
    CHECK(vitals->row_of(alice) == nullptr);
    REQUIRE(vitals->prepare(alice).ok());
    CHECK(vitals->row_of(alice) != nullptr);
    CHECK(vitals->row_of(bob) == nullptr);
    REQUIRE(vitals->prepare({3, 2}).ok());
    CHECK(vitals->row_of(alice) == nullptr);
    CHECK(vitals->row_of({3, 2}) != nullptr);
    CHECK(OwnVitals::open(*vitals, alice).error().kind == ErrorKind::gone);
}

TEST_CASE("numbers outside the region have no row, and one too many is overloaded", "[vitals]") {
    TestVitals vitals;
    CHECK(vitals->prepare({limits::actors_max, 1}).ok());
    CHECK(vitals->prepare({limits::actors_max + 1, 1}).error().kind == ErrorKind::overloaded);
    CHECK(vitals->prepare({0, 1}).error().kind == ErrorKind::overloaded);
    CHECK(vitals->row_of({limits::actors_max + 1, 1}) == nullptr);
    CHECK(vitals->row_of({}) == nullptr);
}

TEST_CASE("what an actor writes is read by those who opened the region, also after its end", "[vitals]") {
    TestVitals vitals;
    const Vitals other = Vitals::open(vitals.id()).value();
    {
        OwnVitals own = vitals.own(alice);
        own.begin("HoldThis", 123);
        const VitalsRow* row = other.row_of(alice);
        REQUIRE(row != nullptr);
        CHECK(std::string(row->in_hand) == "HoldThis");
        CHECK(row->in_hand_since.load() == 123);
        CHECK(row->handled.load() == 0);
        own.end();
        CHECK(row->in_hand_since.load() == 0);
        CHECK(row->handled.load() == 1);
        own.begin("Drown", 456);
        own.keep_last_words("check failed: the water is deep");
    }
    const VitalsRow* row = other.row_of(alice);
    REQUIRE(row != nullptr);
    CHECK(std::string(row->in_hand) == "Drown");
    CHECK(row->in_hand_since.load() == 456);
    CHECK(std::string(row->last_words) == "check failed: the water is deep");
}

TEST_CASE("a new life begins with an empty row", "[vitals]") {
    TestVitals vitals;
    OwnVitals old = vitals.own(alice);
    old.begin("HoldThis", 1);
    old.keep_last_words("oh");
    send(old, bob, 5);
    REQUIRE(vitals->prepare({3, 2}).ok());
    const VitalsRow* row = vitals->row_of({3, 2});
    REQUIRE(row != nullptr);
    CHECK(row->in_hand_since.load() == 0);
    CHECK(row->in_hand[0] == 0);
    CHECK(row->last_words[0] == 0);
    CHECK(row->peer_count.load() == 0);
    CHECK(row->is_kept.load() == 0);
    CHECK(find_traffic(*row, bob) == nullptr);
}

TEST_CASE("a text longer than its place is cut and still ends", "[vitals]") {
    TestVitals vitals;
    OwnVitals own = vitals.own(alice);
    own.begin(std::string(1000, 'x'), 1);
    own.keep_last_words(std::string(VitalsRow::text_bytes, 'y'));
    const VitalsRow* row = vitals->row_of(alice);
    CHECK(std::string(row->in_hand) == std::string(VitalsRow::text_bytes - 1, 'x'));
    CHECK(std::string(row->last_words) == std::string(VitalsRow::text_bytes - 1, 'y'));
}

TEST_CASE("what waits is what was sent and not taken", "[vitals]") {
    TestVitals vitals;
    OwnVitals sender = vitals.own(alice);
    CHECK(vitals->waiting(alice, bob) == 0);  // nobody there yet
    OwnVitals receiver = vitals.own(bob);
    CHECK(vitals->waiting(alice, bob) == 0);
    send(sender, bob, 5);
    CHECK(vitals->waiting(alice, bob) == 5);
    CHECK(vitals->waiting(bob, alice) == 0);
    take(receiver, alice, 3);
    CHECK(vitals->waiting(alice, bob) == 2);
    take(receiver, alice, 3);  // the sender's figure is older than the receiver's
    CHECK(vitals->waiting(alice, bob) == 0);
}

TEST_CASE("of a receiver that keeps no row nothing is known to wait", "[vitals]") {
    TestVitals vitals;
    OwnVitals sender = vitals.own(alice);
    REQUIRE(vitals->prepare(bob).ok());  // and bob never opens it, as a foreign client does not
    send(sender, bob, 5);
    CHECK(vitals->waiting(alice, bob) == 0);
}

TEST_CASE("each peer has one entry, and beyond the table's end traffic goes uncounted", "[vitals]") {
    TestVitals vitals;
    OwnVitals own = vitals.own(alice);
    REQUIRE(vitals->prepare(bob).ok());
    REQUIRE(vitals->prepare({5, 2}).ok());
    for (std::uint32_t number = 10; number < 10 + VitalsRow::peers_max; ++number)
        REQUIRE(vitals->prepare({number, 1}).ok());
    Traffic* first = own.traffic_with(bob);
    REQUIRE(first != nullptr);
    CHECK(own.traffic_with(bob) == first);
    CHECK(own.traffic_with({5, 2}) != first);
    std::size_t count = 2;
    for (std::uint32_t number = 10; own.traffic_with({number, 1}) != nullptr; ++number) ++count;
    CHECK(count == VitalsRow::peers_max);
    CHECK(own.traffic_with(bob) == first);
    CHECK(vitals->row_of(alice)->peer_count.load() == VitalsRow::peers_max);
}

// Goal: an actor may live for years among clients that come and go, and still every living peer is counted.
TEST_CASE("when all entries are in use, one of a peer that has exited serves the next", "[vitals]") {
    TestVitals vitals;
    OwnVitals own = vitals.own(alice);
    constexpr std::uint32_t first = 10;
    for (std::uint32_t number = first; number < first + VitalsRow::peers_max; ++number) {
        REQUIRE(vitals->prepare({number, 1}).ok());
        take(own, {number, 1}, number);
    }
    REQUIRE(vitals->prepare(bob).ok());
    CHECK(own.traffic_with(bob) == nullptr);  // all of them are alive

    SECTION("one whose exit the coordinator has noted") { vitals->note_exit({first + 7, 1}); }
    SECTION("one whose row is another's by now") { REQUIRE(vitals->prepare({first + 7, 2}).ok()); }
    Traffic* fresh = own.traffic_with(bob);
    REQUIRE(fresh != nullptr);
    CHECK(is_of(*fresh, bob));
    CHECK_FALSE(is_of(*fresh, {first + 7, 1}));
    CHECK(fresh->taken_commands.load() == 0);
    CHECK(find_traffic(*vitals->row_of(alice), {first + 7, 1}) == nullptr);
    CHECK(find_traffic(*vitals->row_of(alice), {first + 8, 1})->taken_commands.load() == first + 8);
    CHECK(own.traffic_with(bob) == fresh);
    REQUIRE(vitals->prepare({5, 1}).ok());
    CHECK(own.traffic_with({5, 1}) == nullptr);
}

TEST_CASE("what the dead sent is no dead letter because its taker has forgotten it", "[vitals]") {
    TestVitals vitals;
    OwnVitals receiver = vitals.own(alice);
    OwnVitals sender = vitals.own(bob);
    send(sender, alice, 5);
    take(receiver, bob, 5);
    for (std::uint32_t number = 10; number < 9 + VitalsRow::peers_max; ++number) {
        REQUIRE(vitals->prepare({number, 1}).ok());
        REQUIRE(receiver.traffic_with({number, 1}) != nullptr);
    }
    vitals->note_exit(bob);
    CHECK(vitals->waiting(bob, alice) == 0);
    REQUIRE(vitals->prepare({5, 1}).ok());
    REQUIRE(receiver.traffic_with({5, 1}) != nullptr);
    CHECK(find_traffic(*vitals->row_of(alice), bob) == nullptr);
    CHECK(vitals->waiting(bob, alice) == 0);
}

TEST_CASE("a wait for room in a full inbox is part of a circle, until something is taken", "[vitals]") {
    TestVitals vitals;
    OwnVitals alices = vitals.own(alice);
    OwnVitals bobs = vitals.own(bob);
    Traffic* taken = bobs.traffic_with(alice);
    taken->taken_commands.store(7);
    alices.begin_room_wait({bob, 7});
    CHECK(vitals->circle_of(alice).empty());
    CHECK(vitals->room_wait_of(alice) == Vitals::Wait{bob, 7});
    CHECK_FALSE(vitals->wait_of(alice));

    SECTION("with another wait for room") {
        bobs.begin_room_wait({alice, 0});
        CHECK(vitals->circle_of(alice) == std::vector{alice, bob});
        CHECK(vitals->circle_of(bob) == std::vector{bob, alice});
        bobs.end_room_wait();
    }
    SECTION("with a wait for an answer") {
        send(bobs, alice, 1);
        bobs.begin_wait({alice, 1});
        CHECK(vitals->circle_of(alice) == std::vector{alice, bob});
        taken->taken_commands.store(8);  // and alice has not looked since
        bobs.end_wait();
    }
    CHECK(vitals->circle_of(alice).empty());
}

TEST_CASE("those are in a circle who wait for each other's answers, and nobody else", "[vitals]") {
    constexpr ActorId charlie{5, 1};
    TestVitals vitals;
    OwnVitals alices = vitals.own(alice);
    OwnVitals bobs = vitals.own(bob);
    OwnVitals charlies = vitals.own(charlie);
    const auto ask = [](OwnVitals& who, ActorId whom, std::uint64_t number) {
        send(who, whom, 1);
        who.begin_wait({whom, number});
    };
    CHECK(vitals->circle_of(alice).empty());
    ask(alices, bob, 1);
    CHECK(vitals->circle_of(alice).empty());
    ask(bobs, charlie, 7);
    CHECK(vitals->circle_of(alice).empty());

    SECTION("three of them, seen by each") {
        ask(charlies, alice, 1);
        CHECK(vitals->circle_of(alice) == std::vector{alice, bob, charlie});
        CHECK(vitals->circle_of(charlie) == std::vector{charlie, alice, bob});
        SECTION("until one goes on") {
            bobs.end_wait();
            CHECK(vitals->circle_of(alice).empty());
        }
        SECTION("until one dies") {
            REQUIRE(vitals->prepare({bob.number, 2}).ok());
            CHECK(vitals->circle_of(alice).empty());
        }
    }
    SECTION("two of them; who only waits for one of those is not in it") {
        ask(charlies, bob, 1);
        CHECK(vitals->circle_of(bob) == std::vector{bob, charlie});
        CHECK(vitals->circle_of(alice).empty());
    }
    SECTION("none while an answer is on its way") {
        bobs.count_answered(bobs.traffic_with(alice), alice);
        ask(charlies, alice, 1);
        CHECK(vitals->circle_of(alice).empty());
        alices.end_wait();
        alices.count_heard(alices.traffic_with(bob), bob);
        CHECK(vitals->circle_of(alice).empty());
        ask(alices, bob, 2);
        CHECK(vitals->circle_of(alice) == std::vector{alice, bob, charlie});
    }
    SECTION("none where answers were not counted") {
        bobs.count_answered(nullptr, alice);
        ask(charlies, alice, 1);
        CHECK(vitals->circle_of(alice).empty());
    }
    SECTION("none through who keeps no row") {
        constexpr ActorId client{6, 1};
        REQUIRE(vitals->prepare(client).ok());
        ask(charlies, client, 1);
        CHECK(vitals->circle_of(alice).empty());
    }
}

TEST_CASE("a circle of more than the limit ends by its deadlines", "[vitals]") {
    TestVitals vitals;
    std::vector<OwnVitals> all;
    const auto join = [&](std::uint32_t count) {
        while (all.size() < count) all.push_back(vitals.own({static_cast<std::uint32_t>(all.size()) + 10, 1}));
        for (std::uint32_t number = 0; number < count; ++number) {
            const ActorId next{(number + 1) % count + 10, 1};
            send(all[number], next, 1);
            all[number].begin_wait({next, count});
        }
        return vitals->circle_of({10, 1}).size();
    };
    CHECK(join(limits::circle_actors_max) == limits::circle_actors_max);
    CHECK(join(limits::circle_actors_max + 1) == 0);
}
