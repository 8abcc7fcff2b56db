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

// The actors of the circle in which that one is.
std::vector<ActorId> circle_of(TestVitals& vitals, ActorId one) {
    std::vector<ActorId> actors;
    for (const WaitEdge& wait : vitals->circle_of(one)) actors.push_back(wait.who);
    return actors;
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

TEST_CASE("what is accounted for waits no more, and is accounted for once", "[vitals][stop]") {
    TestVitals vitals;
    OwnVitals of_alice = vitals.own(alice);
    OwnVitals of_bob = vitals.own(bob);
    account_for(*vitals, alice, bob);  // nothing was sent
    send(of_alice, bob, 5);
    take(of_bob, alice, 2);
    CHECK(vitals->waiting(alice, bob) == 3);
    vitals->note_exit(alice);
    account_for(*vitals, alice, bob);
    CHECK(vitals->waiting(alice, bob) == 0);
    account_for(*vitals, alice, bob);  // by a coordinator that takes over
    CHECK(vitals->waiting(alice, bob) == 0);
    CHECK(vitals->find_traffic(*vitals->row_of(alice), bob)->sent_commands.load() == 2);
    account_for(*vitals, alice, {4, 2});  // another life
    account_for(*vitals, {9, 1}, bob);
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
        CHECK(row->work.in_hand_since.load() == 123);
        CHECK(row->work.handled.load() == 0);
        own.end();
        CHECK(row->work.in_hand_since.load() == 0);
        CHECK(row->work.handled.load() == 1);
        own.begin("Drown", 456);
        own.keep_last_words("check failed: the water is deep");
    }
    const VitalsRow* row = other.row_of(alice);
    REQUIRE(row != nullptr);
    CHECK(std::string(row->in_hand) == "Drown");
    CHECK(row->work.in_hand_since.load() == 456);
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
    CHECK(row->work.in_hand_since.load() == 0);
    CHECK(row->in_hand[0] == 0);
    CHECK(row->last_words[0] == 0);
    CHECK(row->peers.pages.load() == 0);
    CHECK(row->life.is_kept.load() == 0);
    CHECK(vitals->find_traffic(*row, bob) == nullptr);

    // Nor does it find what the last one has left beside what it writes itself.
    OwnVitals next = OwnVitals::open(*vitals, {3, 2}).value();
    REQUIRE(next.traffic_with({bob.number + 1, 1}) != nullptr);
    CHECK(vitals->find_traffic(*row, bob) == nullptr);
    CHECK(next.traffic_with(bob)->sent_commands.load() == 0);
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

// Goal: windows, counts and dead letters are right however many talk to one actor.
TEST_CASE("there is a place for each peer that a session can have", "[vitals]") {
    TestVitals vitals;
    OwnVitals own = vitals.own(alice);
    Traffic* const first = own.traffic_with(bob);
    REQUIRE(first != nullptr);
    for (std::uint32_t number = 1; number <= limits::actors_max; ++number) {
        if (number == alice.number) continue;
        REQUIRE(vitals->prepare({number, 1}).ok());
        REQUIRE(own.traffic_with({number, 1}) != nullptr);
        take(own, {number, 1}, number);
    }
    CHECK(own.traffic_with(bob) == first);
    const Vitals other = Vitals::open(vitals.id()).value();
    std::uint64_t wrong = 0;
    for (std::uint32_t number = 1; number <= limits::actors_max; ++number) {
        const Traffic* const traffic = other.find_traffic(*other.row_of(alice), {number, 1});
        if (number == alice.number ? traffic != nullptr : traffic->taken_commands.load() != number) ++wrong;
    }
    CHECK(wrong == 0);
    CHECK(own.traffic_with({limits::actors_max + 1, 1}) == nullptr);
    CHECK(own.traffic_with({}) == nullptr);
    CHECK(vitals->find_traffic(*vitals->row_of(alice), {limits::actors_max + 1, 1}) == nullptr);
}

// Goal: an actor may live for years among clients that come and go, and still every living peer is counted.
TEST_CASE("a new life of a peer's number is counted from nothing", "[vitals]") {
    TestVitals vitals;
    OwnVitals own = vitals.own(alice);
    REQUIRE(vitals->prepare(bob).ok());
    take(own, bob, 7);
    vitals->note_exit(bob);
    CHECK(vitals->find_traffic(*vitals->row_of(alice), bob)->taken_commands.load() == 7);  // of use until then
    const ActorId next{bob.number, 2};
    REQUIRE(vitals->prepare(next).ok());
    CHECK(vitals->find_traffic(*vitals->row_of(alice), next) == nullptr);
    Traffic* const fresh = own.traffic_with(next);
    REQUIRE(fresh != nullptr);
    CHECK(is_of(*fresh, next));
    CHECK_FALSE(is_of(*fresh, bob));
    CHECK(fresh->taken_commands.load() == 0);
    CHECK(vitals->find_traffic(*vitals->row_of(alice), bob) == nullptr);
    CHECK(own.traffic_with(bob) == nullptr);  // what comes late of the last one is not counted for this one
    CHECK(is_of(*fresh, next));
}

TEST_CASE("whoever speaks under an id that is no member's takes no member's place", "[vitals]") {
    TestVitals vitals;
    OwnVitals own = vitals.own(alice);
    const ActorId forged{bob.number, 9};
    REQUIRE(own.traffic_with(forged) != nullptr);
    REQUIRE(vitals->prepare(bob).ok());
    REQUIRE(own.traffic_with(bob) != nullptr);
    take(own, bob, 3);
    CHECK(own.traffic_with(forged) == nullptr);
    CHECK(vitals->find_traffic(*vitals->row_of(alice), bob)->taken_commands.load() == 3);
}

TEST_CASE("what the dead sent is no dead letter because its taker has met many since", "[vitals]") {
    TestVitals vitals;
    OwnVitals receiver = vitals.own(alice);
    OwnVitals sender = vitals.own(bob);
    send(sender, alice, 5);
    take(receiver, bob, 5);
    vitals->note_exit(bob);
    for (std::uint32_t number = 10; number < 1'010; ++number) {
        REQUIRE(vitals->prepare({number, 1}).ok());
        REQUIRE(receiver.traffic_with({number, 1}) != nullptr);
    }
    CHECK(vitals->waiting(bob, alice) == 0);
    CHECK(vitals->find_traffic(*vitals->row_of(alice), bob)->taken_commands.load() == 5);
}

TEST_CASE("the coordinator finds a thousand senders of one receiver, and nobody else", "[vitals]") {
    TestVitals vitals;
    OwnVitals receiver = vitals.own(alice);
    std::vector<ActorId> senders;
    for (std::uint32_t number = 1'000; number < 2'000; ++number) {
        senders.push_back({number, 1});
        OwnVitals own = vitals.own(senders.back());
        REQUIRE(own.begin_sending(alice).ok());
        send(own, alice, 2);
        if (number < 1'900) static_cast<void>(vitals.own({number - 995, 1}));  // it is there, and sends nothing
    }
    CHECK(vitals->senders_to(alice) == senders);
    for (const ActorId sender : senders) REQUIRE(vitals->waiting(sender, alice) == 2);
    REQUIRE(vitals->prepare({alice.number, 2}).ok());
    CHECK(vitals->senders_to(alice).empty());
    CHECK(vitals->senders_to({alice.number, 2}).empty());
}

TEST_CASE("who sends to an actor makes the place in which that one counts it", "[vitals]") {
    TestVitals vitals;
    OwnVitals receiver = vitals.own(alice);
    OwnVitals sender = vitals.own({1'000, 1});
    REQUIRE(sender.begin_sending(alice).ok());
    CHECK(sender.begin_sending({alice.number, 9}).ok());  // nobody: the message will say so
    CHECK(vitals->senders_to(alice) == std::vector<ActorId>{{1'000, 1}});
    // Its memory is there, whatever comes; that it has been used is for the receiver to say.
    const Result<SharedObject> object = SharedObject::open("baton-" + vitals.id() + "-vitals");
    REQUIRE(object.ok());
    const auto row = static_cast<std::size_t>(alice.number - 1) * VitalsRow::bytes;
    std::string place(8, 'x');
    CHECK(object->read(row + offsetof(VitalsRow, traffic) + 1'000 * sizeof(Traffic), place));
    CHECK(vitals->find_traffic(*vitals->row_of(alice), {1'000, 1}) == nullptr);
    REQUIRE(receiver.traffic_with({1'000, 1}) != nullptr);
}

TEST_CASE("a wait for room in a full inbox is part of a circle, until something is taken", "[vitals]") {
    TestVitals vitals;
    OwnVitals alices = vitals.own(alice);
    OwnVitals bobs = vitals.own(bob);
    Traffic* taken = bobs.traffic_with(alice);
    taken->taken_commands.store(7);
    alices.begin_room_wait({bob, 7});
    CHECK(circle_of(vitals, alice).empty());
    CHECK(vitals->room_wait_of(alice) == Vitals::Wait{bob, 7});
    CHECK_FALSE(vitals->wait_of(alice));

    SECTION("with another wait for room") {
        bobs.begin_room_wait({alice, 0});
        CHECK(circle_of(vitals, alice) == std::vector{alice, bob});
        CHECK(circle_of(vitals, bob) == std::vector{bob, alice});
        bobs.end_room_wait();
    }
    SECTION("with a wait for an answer") {
        send(bobs, alice, 1);
        bobs.begin_wait({alice, 1});
        CHECK(circle_of(vitals, alice) == std::vector{alice, bob});
        taken->taken_commands.store(8);  // and alice has not looked since
        bobs.end_wait();
    }
    CHECK(circle_of(vitals, alice).empty());
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
    CHECK(circle_of(vitals, alice).empty());
    ask(alices, bob, 1);
    CHECK(circle_of(vitals, alice).empty());
    ask(bobs, charlie, 7);
    CHECK(circle_of(vitals, alice).empty());

    SECTION("three of them, seen by each") {
        ask(charlies, alice, 1);
        CHECK(circle_of(vitals, alice) == std::vector{alice, bob, charlie});
        CHECK(circle_of(vitals, charlie) == std::vector{charlie, alice, bob});
        SECTION("until one goes on") {
            bobs.end_wait();
            CHECK(circle_of(vitals, alice).empty());
        }
        SECTION("until one dies") {
            REQUIRE(vitals->prepare({bob.number, 2}).ok());
            CHECK(circle_of(vitals, alice).empty());
        }
    }
    SECTION("two of them; who only waits for one of those is not in it") {
        ask(charlies, bob, 1);
        CHECK(circle_of(vitals, bob) == std::vector{bob, charlie});
        CHECK(circle_of(vitals, alice).empty());
    }
    SECTION("none while an answer is on its way") {
        bobs.count_answered(bobs.traffic_with(alice), alice);
        ask(charlies, alice, 1);
        CHECK(circle_of(vitals, alice).empty());
        alices.end_wait();
        alices.count_heard(alices.traffic_with(bob), bob);
        CHECK(circle_of(vitals, alice).empty());
        ask(alices, bob, 2);
        CHECK(circle_of(vitals, alice) == std::vector{alice, bob, charlie});
    }
    SECTION("none where answers were not counted") {
        bobs.count_answered(nullptr, alice);
        ask(charlies, alice, 1);
        CHECK(circle_of(vitals, alice).empty());
    }
    SECTION("none through who keeps no row") {
        constexpr ActorId client{6, 1};
        REQUIRE(vitals->prepare(client).ok());
        ask(charlies, client, 1);
        CHECK(circle_of(vitals, alice).empty());
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

// ---- answers that are kept ----------------------------------------------------------------------------

// Goal: such an answer is found in a circle, and no actor is taken for stuck while something is on its way that could
// end its wait.
TEST_CASE("an answer that is kept until another goes on is part of a circle", "[vitals]") {
    constexpr ActorId fork{5, 1};
    TestVitals vitals;
    OwnVitals alices = vitals.own(alice);
    OwnVitals bobs = vitals.own(bob);
    OwnVitals forks = vitals.own(fork);
    // Bob has the fork; alice has asked for it, and bob asks alice.
    const auto handle = [&](OwnVitals& who, ActorId from) {
        who.begin_taken();
        take(who, from, 1);
        who.end_taken();
    };
    send(bobs, fork, 1);
    handle(forks, bob);
    send(alices, fork, 1);
    handle(forks, alice);
    Traffic* const kept = forks.traffic_with(alice);
    alices.begin_wait({fork, 7});
    send(bobs, alice, 1);
    bobs.begin_wait({alice, 3});
    CHECK(circle_of(vitals, alice).empty());  // the fork may answer at any time, as far as is known
    forks.keep_answer(*kept, 7, bob);
    REQUIRE(circle_of(vitals, alice) == std::vector{alice, bob});
    const auto name_of = [&](ActorId one) { return one == fork ? "fork" : one == bob ? "bob" : "alice"; };
    CHECK(text_of_circle(vitals->circle_of(alice), name_of) ==
          "alice waits for an answer that fork keeps until bob goes on, bob waits for an answer of alice");

    SECTION("unless bob has told the fork something that it has not taken") { send(bobs, fork, 1); }
    SECTION("unless the fork is at something") { forks.begin_taken(); }
    SECTION("unless it is another ask that is kept") { forks.keep_answer(*kept, 6, bob); }
    SECTION("unless it is kept no longer") { forks.keep_answer(*kept, 7, {}); }
    SECTION("unless it is answered") { forks.count_answered(kept, alice); }
    SECTION("unless bob goes on") { bobs.end_wait(); }
    SECTION("unless an answer of bob to the fork is on its way") {
        static_cast<void>(forks.traffic_with(bob));
        bobs.count_answered(bobs.traffic_with(fork), fork);
    }
    CHECK(circle_of(vitals, alice).empty());
    CHECK(circle_of(vitals, bob).empty());
}

TEST_CASE("who keeps a lock finds the circle through asks, and nobody is in it who may have released it", "[vitals]") {
    constexpr ActorId keeper{5, 1};
    TestVitals vitals;
    OwnVitals alices = vitals.own(alice);
    OwnVitals bobs = vitals.own(bob);
    OwnVitals keepers = vitals.own(keeper);
    static_cast<void>(keepers.traffic_with(alice));
    static_cast<void>(keepers.traffic_with(bob));
    alices.begin_wait({keeper, 7});
    send(bobs, alice, 1);
    bobs.begin_wait({alice, 3});
    WaitEdge lock{.who = alice, .whom = {bob}, .what = WaitEdge::For::primitive, .turn = 7};
    const auto is_found = [&] { return vitals->find_deadlock({lock}, keeper).size() == 2; };
    CHECK(is_found());
    SECTION("bob's release is in the inbox") { send(bobs, keeper, 1); }
    SECTION("alice has given up and waits for something else") { alices.begin_wait({keeper, 8}); }
    SECTION("bob goes on") { bobs.end_wait(); }
    CHECK_FALSE(is_found());
}

// ---- asks that are given up ----------------------------------------------------------------------------

TEST_CASE("a receiver finds what an asker has withdrawn, until the asker takes the place back", "[vitals]") {
    TestVitals vitals;
    OwnVitals alices = vitals.own(alice);
    const VitalsRow& row = *vitals->row_of(alice);
    CHECK_FALSE(is_withdrawn(row, alice, 7));
    REQUIRE(alices.withdraw(7, bob));
    REQUIRE(alices.withdraw(9, {5, 1}));
    CHECK(is_withdrawn(row, alice, 7));
    CHECK(is_withdrawn(row, alice, 9));
    CHECK_FALSE(is_withdrawn(row, alice, 8));
    CHECK_FALSE(is_withdrawn(row, {3, 2}, 7));  // of another life of that number

    alices.end_withdrawal(8);  // of which nothing is known
    alices.end_withdrawal(7);
    CHECK_FALSE(is_withdrawn(row, alice, 7));
    CHECK(is_withdrawn(row, alice, 9));
    alices.end_withdrawals_to(bob);
    CHECK(is_withdrawn(row, alice, 9));
    alices.end_withdrawals_to({5, 1});
    CHECK_FALSE(is_withdrawn(row, alice, 9));
    CHECK(row.withdrawn.count.load() == 0);
}

TEST_CASE("when all places are in use nothing more is withdrawn, and a place that is free again serves the next",
          "[vitals]") {
    TestVitals vitals;
    OwnVitals alices = vitals.own(alice);
    const VitalsRow& row = *vitals->row_of(alice);
    for (std::uint64_t ask = 1; ask <= VitalsRow::withdrawn_max; ++ask) REQUIRE(alices.withdraw(ask, bob));
    CHECK_FALSE(alices.withdraw(1000, bob));
    CHECK_FALSE(is_withdrawn(row, alice, 1000));
    CHECK(is_withdrawn(row, alice, VitalsRow::withdrawn_max));
    alices.end_withdrawal(5);
    CHECK(alices.withdraw(1000, bob));
    CHECK(is_withdrawn(row, alice, 1000));
    CHECK_FALSE(is_withdrawn(row, alice, 5));
}

TEST_CASE("a new life has withdrawn nothing", "[vitals]") {
    TestVitals vitals;
    OwnVitals old = vitals.own(alice);
    REQUIRE(old.withdraw(1, bob));
    REQUIRE(vitals->prepare({3, 2}).ok());
    CHECK_FALSE(is_withdrawn(*vitals->row_of({3, 2}), {3, 2}, 1));
    CHECK_FALSE(is_withdrawn(*vitals->row_of({3, 2}), alice, 1));
}

TEST_CASE("an ask has begun when its receiver has taken as many commands of its asker", "[vitals]") {
    TestVitals vitals;
    OwnVitals alices = vitals.own(alice);
    CHECK(vitals->has_begun(bob, alice, 1) == Vitals::Begun::unknown);  // nobody there
    REQUIRE(vitals->prepare(bob).ok());
    CHECK(vitals->has_begun(bob, alice, 1) == Vitals::Begun::unknown);  // it does not count, as a foreign client
    OwnVitals bobs = OwnVitals::open(*vitals, bob).value();
    CHECK(vitals->has_begun(bob, alice, 1) == Vitals::Begun::no);
    take(bobs, alice, 2);
    CHECK(vitals->has_begun(bob, alice, 2) == Vitals::Begun::yes);
    CHECK(vitals->has_begun(bob, alice, 3) == Vitals::Begun::no);
    CHECK(vitals->has_begun({4, 2}, alice, 3) == Vitals::Begun::unknown);  // another life
}

TEST_CASE("of a receiver that lacked memory for a place nobody knows what has begun", "[vitals]") {
    TestVitals vitals;
    OwnVitals alices = vitals.own(alice);
    OwnVitals bobs = vitals.own(bob);
    CHECK(vitals->has_begun(bob, alice, 1) == Vitals::Begun::no);
    const_cast<VitalsRow*>(vitals->row_of(bob))->peers.lacking.store(1);
    CHECK(vitals->has_begun(bob, alice, 1) == Vitals::Begun::unknown);
    take(bobs, alice, 1);
    CHECK(vitals->has_begun(bob, alice, 1) == Vitals::Begun::yes);
}

// Goal: an asker that was told that its ask will not run can rely on it, even if it exits and its number is reused.
TEST_CASE("a row is kept for those who have not looked at what its last life had withdrawn", "[vitals]") {
    TestVitals vitals;
    OwnVitals bobs = vitals.own(bob);
    OwnVitals alices = vitals.own(alice);
    alices.traffic_with(bob)->sent_bytes.store(100);
    CHECK_FALSE(vitals->holds_withdrawn(alice.number));
    REQUIRE(alices.withdraw(1, bob));
    vitals->note_exit(alice);
    CHECK(vitals->holds_withdrawn(alice.number));
    bobs.traffic_with(alice)->taken_commands.store(1);
    CHECK(vitals->holds_withdrawn(alice.number));  // it has taken it, and is about to look
    SECTION("until all has been looked at") { bobs.traffic_with(alice)->taken_bytes.store(100); }
    SECTION("until that one has exited") { vitals->note_exit(bob); }
    CHECK_FALSE(vitals->holds_withdrawn(alice.number));
}
