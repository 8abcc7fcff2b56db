// The ledger's rows, word by word: what each transition needs, makes and refuses, and what an audit sees.
#include "tests/unit/ledger_fixture.hpp"

#include <functional>
#include <map>
#include <thread>

using namespace ledger_test;

namespace {

constexpr Epoch at = 7;  // the epoch that rows of these tables start from

struct Start {
    std::string name;
    SegmentWord word;
};
const std::vector<Start> starts{
    {"free", {Phase::free, 0, 0, at}},
    {"owned", {Phase::owned, alice, 0, at}},
    {"offered", {Phase::offered, alice, bob, at}},
    {"lent", {Phase::lent, alice, 0, at}},
    {"retired", {Phase::retired, alice, 0, at}},
};

using Made = std::optional<Epoch>;
struct Step {
    std::string name;
    std::function<Made(Ledger&, Slot)> make;
    // By the name of the start: the word after it. From all others it does nothing.
    std::map<std::string, SegmentWord> succeeds;
};
SegmentWord next(Phase phase, ActorNumber owner, ActorNumber heir = 0) { return {phase, owner, heir, at + 1}; }

const std::vector<Step> steps{
    {"T1 create", [](Ledger& l, Slot s) { return l.segments.create(s, alice); }, {{"free", next(Phase::owned, alice)}}},
    {"T2 offer",
     [](Ledger& l, Slot s) { return l.segments.offer(s, at, alice, bob); },
     {{"owned", next(Phase::offered, alice, bob)}}},
    {"T3 accept",
     [](Ledger& l, Slot s) { return l.segments.accept(s, at, alice, bob); },
     {{"offered", next(Phase::owned, bob)}}},
    {"T4 withdraw",
     [](Ledger& l, Slot s) { return l.segments.withdraw(s, at, alice, bob); },
     {{"offered", next(Phase::owned, alice)}}},
    {"T5 bounce",
     [](Ledger& l, Slot s) { return l.segments.bounce(s, l.segments.word_of(s)); },
     {{"offered", next(Phase::owned, alice)}}},
    {"T6 settle",
     [](Ledger& l, Slot s) { return l.segments.settle(s, l.segments.word_of(s)); },
     {{"offered", next(Phase::retired, alice)}}},
    {"T7 lend", [](Ledger& l, Slot s) { return l.segments.lend(s, at, alice); }, {{"owned", next(Phase::lent, alice)}}},
    {"T8 reclaim",
     [](Ledger& l, Slot s) { return l.segments.reclaim(s, at, alice); },
     {{"lent", next(Phase::owned, alice)}}},
    {"T9 retire",
     [](Ledger& l, Slot s) { return l.segments.retire(s, at, alice); },
     {{"owned", next(Phase::retired, alice)}, {"lent", next(Phase::retired, alice)}}},
    {"T10 recycle",
     [](Ledger& l, Slot s) { return l.segments.recycle(s, l.segments.word_of(s)); },
     {{"retired", next(Phase::free, 0)}}},
};

struct LeaseStart {
    std::string name;
    LeaseWord word;
};
const std::vector<LeaseStart> lease_starts{
    {"free", {LeasePhase::free, 0, 0, at}},
    {"granted", {LeasePhase::granted, alice, bob, at}},
    {"claimed", {LeasePhase::claimed, alice, bob, at}},
};
struct LeaseStep {
    std::string name;
    std::function<Made(Ledger&, Slot)> make;
    std::map<std::string, LeaseWord> succeeds;
};
const LeaseWord freed{LeasePhase::free, 0, 0, at + 1};
const std::vector<LeaseStep> lease_steps{
    {"L1 grant",
     [](Ledger& l, Slot s) { return l.leases.grant(s, alice, bob); },
     {{"free", {LeasePhase::granted, alice, bob, at + 1}}}},
    {"L2 claim",
     [](Ledger& l, Slot s) { return l.leases.claim(s, at, alice, bob); },
     {{"granted", {LeasePhase::claimed, alice, bob, at + 1}}}},
    {"L3 withdraw", [](Ledger& l, Slot s) { return l.leases.withdraw(s, at, alice, bob); }, {{"granted", freed}}},
    {"L4 drop", [](Ledger& l, Slot s) { return l.leases.drop(s, at, alice, bob); }, {{"claimed", freed}}},
    {"L5, L6 settle",
     [](Ledger& l, Slot s) { return l.leases.settle(s, l.leases.word_of(s)); },
     {{"granted", freed}, {"claimed", freed}}},
};

// Describes and grants a lease of all of a segment of 100 bytes.
Slot lease_of(HeapLedger& heap, Slot lease, Slot slot, LeaseTable::Range range = {LeaseKind::read, 0, 100}) {
    heap.ledger.leases.describe(lease, slot, heap.ledger.segments.word_of(slot).epoch, range,
                                LeaseTable::Listing::joins);
    REQUIRE(heap.ledger.leases.grant(lease, alice, bob));
    return lease;
}

}  // namespace

TEST_CASE("every transition starts from the phases of the document, bumps the epoch, and changes nothing elsewhere",
          "[ledger][I1][I3][I4]") {
    HeapLedger heap;
    const Slot slot = heap.row({});
    for (const Step& step : steps) {
        for (const Start& start : starts) {
            INFO(step.name << " from " << start.name);
            heap.write(slot, start.word);
            const Made made = step.make(heap.ledger, slot);
            const auto expected = step.succeeds.find(start.name);
            CHECK(made.has_value() == (expected != step.succeeds.end()));
            if (made) CHECK(*made == at + 1);
            CHECK(heap.ledger.segments.word_of(slot) ==
                  (expected == step.succeeds.end() ? start.word : expected->second));
        }
    }
}

TEST_CASE("every lease transition starts from the phases of the document, and changes nothing elsewhere", "[ledger]") {
    HeapLedger heap;
    const Slot lease = heap.lease_row({});
    for (const LeaseStep& step : lease_steps) {
        for (const LeaseStart& start : lease_starts) {
            INFO(step.name << " from " << start.name);
            heap.write(lease, start.word);
            const Made made = step.make(heap.ledger, lease);
            const auto expected = step.succeeds.find(start.name);
            CHECK(made.has_value() == (expected != step.succeeds.end()));
            CHECK((heap.ledger.leases.word_of(lease) ==
                   (expected == step.succeeds.end() ? start.word : expected->second)));
        }
    }
}

TEST_CASE("a transition by somebody else, or at another epoch, changes nothing", "[ledger][I3]") {
    HeapLedger heap;
    Ledger& ledger = heap.ledger;
    const auto refuses = [&](SegmentWord word, const std::function<Made(Slot)>& make) {
        const Slot slot = heap.row(word);
        CHECK_FALSE(make(slot).has_value());
        CHECK(ledger.segments.word_of(slot) == word);
    };
    const SegmentWord owned{Phase::owned, alice, 0, at};
    const SegmentWord offered{Phase::offered, alice, bob, at};
    const SegmentWord lent{Phase::lent, alice, 0, at};
    for (const Epoch other : {at - 1, at + 1, words::epoch_max}) {
        refuses(owned, [&](Slot slot) { return ledger.segments.offer(slot, other, alice, bob); });
        refuses(owned, [&](Slot slot) { return ledger.segments.lend(slot, other, alice); });
        refuses(owned, [&](Slot slot) { return ledger.segments.retire(slot, other, alice); });
        refuses(offered, [&](Slot slot) { return ledger.segments.accept(slot, other, alice, bob); });
        refuses(offered, [&](Slot slot) { return ledger.segments.withdraw(slot, other, alice, bob); });
        refuses(lent, [&](Slot slot) { return ledger.segments.reclaim(slot, other, alice); });
    }
    refuses(owned, [&](Slot slot) { return ledger.segments.offer(slot, at, bob, carol); });
    refuses(owned, [&](Slot slot) { return ledger.segments.lend(slot, at, bob); });
    refuses(owned, [&](Slot slot) { return ledger.segments.retire(slot, at, bob); });
    refuses(offered, [&](Slot slot) { return ledger.segments.accept(slot, at, alice, carol); });   // misdirected
    refuses(offered, [&](Slot slot) { return ledger.segments.accept(slot, at, carol, bob); });     // forged
    refuses(offered, [&](Slot slot) { return ledger.segments.withdraw(slot, at, carol, bob); });
    refuses(offered, [&](Slot slot) { return ledger.segments.withdraw(slot, at, alice, carol); });
    refuses(lent, [&](Slot slot) { return ledger.segments.reclaim(slot, at, bob); });
    // The coordinator's, with a word that has moved on since it looked.
    const SegmentWord seen{Phase::offered, alice, bob, at - 1};
    refuses(offered, [&](Slot slot) { return ledger.segments.bounce(slot, seen); });
    refuses(offered, [&](Slot slot) { return ledger.segments.settle(slot, seen); });
    refuses({Phase::retired, alice, 0, at}, [&](Slot slot) {
        return ledger.segments.recycle(slot, {Phase::retired, alice, 0, at - 1});
    });
}

TEST_CASE("of accept and each end of a transfer one comes first and the other finds nothing", "[ledger][I3]") {
    using End = std::function<Made(Ledger&, Slot)>;
    const std::vector<End> ends{
        [](Ledger& l, Slot s) { return l.segments.withdraw(s, at, alice, bob); },
        [](Ledger& l, Slot s) { return l.segments.bounce(s, {Phase::offered, alice, bob, at}); },
        [](Ledger& l, Slot s) { return l.segments.settle(s, {Phase::offered, alice, bob, at}); },
    };
    for (const End& end : ends) {
        HeapLedger heap;
        const Slot taken = heap.row({Phase::offered, alice, bob, at});
        CHECK(heap.ledger.segments.accept(taken, at, alice, bob));
        CHECK_FALSE(end(heap.ledger, taken));
        CHECK_FALSE(heap.ledger.segments.accept(taken, at, alice, bob));  // repeated
        const Slot ended = heap.row({Phase::offered, alice, bob, at});
        CHECK(end(heap.ledger, ended));
        CHECK_FALSE(heap.ledger.segments.accept(ended, at, alice, bob));
        CHECK_FALSE(end(heap.ledger, ended));
    }
}

// Goal: I3 holds when both parties move at the same moment.
// Method: accept and withdraw of the same offer race from two threads, many times.
TEST_CASE("accept and withdraw race, and exactly one of them wins", "[ledger][I3]") {
    HeapLedger heap;
    const Slot slot = heap.row({Phase::owned, alice, 0, 0});
    constexpr int rounds = 2000;
    std::atomic<int> round = 0;
    std::atomic<int> done = 0;
    std::atomic<Epoch> epoch = 0;
    std::vector<char> accepted(rounds);
    std::thread receiver{[&] {
        for (int mine = 1; mine <= rounds; ++mine) {
            while (round.load() != mine) std::this_thread::yield();
            accepted[static_cast<std::size_t>(mine - 1)] =
                heap.ledger.segments.accept(slot, epoch.load(), alice, bob).has_value();
            done.store(mine);
        }
    }};
    int doubled = 0;
    for (int now = 1; now <= rounds; ++now) {
        heap.write(slot, SegmentWord{Phase::owned, alice, 0, static_cast<Epoch>(now) * 4});
        epoch.store(*heap.ledger.segments.offer(slot, static_cast<Epoch>(now) * 4, alice, bob));
        round.store(now);
        const bool is_back = heap.ledger.segments.withdraw(slot, epoch.load(), alice, bob).has_value();
        while (done.load() != now) std::this_thread::yield();
        if (is_back == static_cast<bool>(accepted[static_cast<std::size_t>(now - 1)])) ++doubled;
    }
    receiver.join();
    CHECK(doubled == 0);
}

TEST_CASE("an epoch that has come to its end begins again at zero", "[ledger]") {
    HeapLedger heap;
    const Slot slot = heap.row({Phase::owned, alice, 0, words::epoch_max});
    CHECK(heap.ledger.segments.offer(slot, words::epoch_max, alice, bob) == Epoch{0});
    CHECK(heap.ledger.segments.word_of(slot) == SegmentWord{Phase::offered, alice, bob, 0});
}

TEST_CASE("a word holds the largest actor number and epoch without mixing them", "[ledger]") {
    const SegmentWord largest{Phase::offered, limits::actors_max, limits::actors_max - 1, words::epoch_max};
    CHECK(SegmentWord::of(largest.packed()) == largest);
}

// ---- leases ----------------------------------------------------------------------------------------

TEST_CASE("neither reclaim nor recycle while a lease is granted or claimed", "[ledger][I5]") {
    HeapLedger heap;
    Ledger& ledger = heap.ledger;
    const Slot slot = heap.row({Phase::owned, alice, 0, at});
    const Epoch lend = *ledger.segments.lend(slot, at, alice);
    const Slot first = lease_of(heap, ledger.lease_blocks.claim(alice).value(), slot);
    const Slot second = lease_of(heap, first + 1, slot);
    CHECK(ledger.segment_leases.live(slot) == 2);
    CHECK_FALSE(ledger.segments.reclaim(slot, lend, alice));
    CHECK(ledger.leases.claim(first, 1, alice, bob));
    CHECK(ledger.leases.withdraw(second, 1, alice, bob));
    CHECK(ledger.segment_leases.live(slot) == 1);
    CHECK_FALSE(ledger.segments.reclaim(slot, lend, alice));
    // Its owner may release it, but the memory stays.
    REQUIRE(ledger.segments.retire(slot, lend, alice));
    CHECK(ledger.segment_leases.has_live(slot));
    CHECK_FALSE(ledger.segments.recycle(slot, ledger.segments.word_of(slot)));
    CHECK(invariants(audit(ledger)).empty());
    CHECK(ledger.leases.drop(first, 2, alice, bob));
    CHECK(ledger.segments.recycle(slot, ledger.segments.word_of(slot)));
}

TEST_CASE("a free lease is parked as long as the list that it stands in may be walked", "[ledger][I5]") {
    HeapLedger heap;
    Ledger& ledger = heap.ledger;
    const Slot slot = heap.row({Phase::owned, alice, 0, at});
    const Epoch lend = *ledger.segments.lend(slot, at, alice);
    const Slot lease = ledger.lease_blocks.claim(alice).value();
    CHECK_FALSE(ledger.segment_leases.is_parked(lease + 1));  // in no list yet, though its row names slot 0
    lease_of(heap, lease, slot);
    REQUIRE(ledger.leases.withdraw(lease, 1, alice, bob));
    CHECK(ledger.segment_leases.is_parked(lease));
    SECTION("until reclaim") {
        REQUIRE(ledger.segments.reclaim(slot, lend, alice));
        CHECK_FALSE(ledger.segment_leases.is_parked(lease));
        // The next lend of the segment begins a list of its own.
        REQUIRE(ledger.segments.lend(slot, lend + 1, alice));
        CHECK_FALSE(ledger.segment_leases.is_parked(lease));
        CHECK(ledger.segment_leases.live(slot) == 0);
    }
    SECTION("until recycle") {
        REQUIRE(ledger.segments.retire(slot, lend, alice));
        CHECK(ledger.segment_leases.is_parked(lease));
        REQUIRE(ledger.segments.recycle(slot, ledger.segments.word_of(slot)));
        CHECK_FALSE(ledger.segment_leases.is_parked(lease));
    }
}

TEST_CASE("a lease of an earlier lend does not hold the memory of a later life", "[ledger][I5]") {
    HeapLedger heap;
    Ledger& ledger = heap.ledger;
    const Slot slot = heap.row({Phase::owned, alice, 0, at});
    const Slot other = slot + 1;
    const Epoch lend = *ledger.segments.lend(slot, at, alice);
    const Slot lease = lease_of(heap, ledger.lease_blocks.claim(alice).value(), slot);
    REQUIRE(ledger.leases.withdraw(lease, 1, alice, bob));
    const Epoch back = *ledger.segments.reclaim(slot, lend, alice);
    // The row serves another segment now; the first one's list still begins there.
    heap.write(other, SegmentWord{Phase::owned, alice, 0, at});
    REQUIRE(ledger.segments.lend(other, at, alice));
    lease_of(heap, lease, other);
    REQUIRE(ledger.segments.retire(slot, back, alice));
    CHECK(ledger.segments.recycle(slot, ledger.segments.word_of(slot)));
    CHECK(ledger.segment_leases.has_live(other));
}

TEST_CASE("a chain of leases that somebody closed to a ring, or led out of the table, is walked to an end",
          "[ledger]") {
    HeapLedger heap;
    Ledger& ledger = heap.ledger;
    const Slot slot = heap.row({Phase::lent, alice, 0, at});
    const Slot lease = lease_of(heap, ledger.lease_blocks.claim(alice).value(), slot);
    REQUIRE(ledger.leases.withdraw(lease, 1, alice, bob));
    ledger.leases.row(lease).next.store(lease + 1);
    CHECK_FALSE(ledger.segment_leases.has_live(slot));
    ledger.leases.row(lease).next.store(~std::uint64_t{0});
    CHECK_FALSE(ledger.segment_leases.has_live(slot));
    ledger.segments.row(slot).first_lease.store(ledger.lease_blocks.rows_used() + 1);
    CHECK(ledger.segment_leases.live(slot) == 0);
}

// ---- the audit -------------------------------------------------------------------------------------

TEST_CASE("an audit of a sound ledger finds nothing", "[ledger][audit]") {
    HeapLedger heap;
    const Slot slot = heap.row({Phase::owned, alice, 0, at});
    heap.write(slot + 1, SegmentWord{Phase::offered, alice, bob, at});
    heap.write(slot + 2, SegmentWord{Phase::lent, alice, 0, at});
    heap.write(slot + 3, SegmentWord{Phase::retired, alice, 0, at});
    const Slot lease = heap.ledger.lease_blocks.claim(alice).value();
    lease_of(heap, lease, slot + 2, {LeaseKind::slice, 0, 50});
    lease_of(heap, lease + 1, slot + 2, {LeaseKind::slice, 50, 50});
    CHECK(invariants(audit(heap.ledger)).empty());
    CHECK(invariants(audit_end(heap.ledger)) == std::vector<int>{7, 7, 7, 7, 7, 7});
}

TEST_CASE("an audit names the invariant of each damaged segment row", "[ledger][audit]") {
    struct Damage {
        std::string name;
        SegmentWord word;
        int invariant;
    };
    const std::vector<Damage> damages{
        {"free with an owner", {Phase::free, alice, 0, at}, 1},
        {"free with an heir", {Phase::free, 0, bob, at}, 1},
        {"owned by nobody", {Phase::owned, 0, 0, at}, 1},
        {"lent by nobody", {Phase::lent, 0, 0, at}, 1},
        {"owned with an heir", {Phase::owned, alice, bob, at}, 1},
        {"lent with an heir", {Phase::lent, alice, bob, at}, 1},
        {"offered to nobody", {Phase::offered, alice, 0, at}, 1},
        {"offered to its owner", {Phase::offered, alice, alice, at}, 3},
        {"owned by the dead", {Phase::owned, 99, 0, at}, 6},
        {"offered by the dead", {Phase::offered, 99, bob, at}, 6},
        {"offered to the dead", {Phase::offered, alice, 99, at}, 6},
        {"lent by the dead", {Phase::lent, 99, 0, at}, 6},
        {"of a phase that is none", {static_cast<Phase>(6), alice, 0, at}, 1},
    };
    for (const Damage& damage : damages) {
        INFO(damage.name);
        HeapLedger heap;
        heap.row(damage.word);
        CHECK(invariants(audit(heap.ledger)) == std::vector<int>{damage.invariant});
    }
}

TEST_CASE("an audit knows the dead whose last transfers are at rest", "[ledger][audit][I6]") {
    HeapLedger heap;
    heap.row({Phase::offered, 99, bob, at});
    CHECK(invariants(audit(heap.ledger, {99})).empty());
}

TEST_CASE("an audit finds a live row in a block without a home", "[ledger][audit][I1]") {
    HeapLedger heap;
    const Slot slot = heap.row({});
    heap.ledger.adopt_blocks(alice, coordinator_id.number);
    heap.ledger.release_empty_blocks(coordinator_id.number);
    REQUIRE(heap.ledger.segment_blocks.home_of(slot) == 0);
    heap.write(slot, SegmentWord{Phase::owned, alice, 0, at});
    CHECK(invariants(audit(heap.ledger)) == std::vector<int>{1});
}

TEST_CASE("an audit names the invariant of each damaged lease", "[ledger][audit]") {
    HeapLedger heap;
    Ledger& ledger = heap.ledger;
    const Slot slot = heap.row({Phase::lent, alice, 0, at});
    const Slot lease = ledger.lease_blocks.claim(alice).value();
    SECTION("of a segment that is no row") {
        lease_of(heap, lease, slot);
        ledger.leases.row(lease).segment.store(ledger.segment_blocks.rows_used());
        CHECK(invariants(audit(ledger)) == std::vector<int>{5});
    }
    SECTION("of a segment that is owned") {
        lease_of(heap, lease, slot);
        heap.write(slot, SegmentWord{Phase::owned, alice, 0, at});
        CHECK(invariants(audit(ledger)) == std::vector<int>{5});
    }
    SECTION("of a segment that is free") {
        lease_of(heap, lease, slot);
        heap.write(slot, SegmentWord{Phase::free, 0, 0, at});
        CHECK(invariants(audit(ledger)) == std::vector<int>{5});
    }
    SECTION("of another lend") {
        lease_of(heap, lease, slot);
        heap.write(slot, SegmentWord{Phase::lent, alice, 0, at + 2});
        CHECK(invariants(audit(ledger)) == std::vector<int>{5});
    }
    SECTION("to the dead") {
        lease_of(heap, lease, slot);
        heap.write(lease, LeaseWord{LeasePhase::claimed, alice, 99, 3});
        CHECK(invariants(audit(ledger)) == std::vector<int>{6});
    }
    SECTION("granted by the dead") {
        lease_of(heap, lease, slot);
        heap.write(lease, LeaseWord{LeasePhase::granted, 99, bob, 3});
        CHECK(invariants(audit(ledger)) == std::vector<int>{6});
    }
    SECTION("claimed from the dead: it may stay, as long as its borrower wants") {
        lease_of(heap, lease, slot);
        heap.write(slot, SegmentWord{Phase::retired, alice, 0, at + 1});
        heap.write(lease, LeaseWord{LeasePhase::claimed, 99, bob, 3});
        CHECK(invariants(audit(ledger)).empty());
    }
    SECTION("a lease of no known kind") {
        lease_of(heap, lease, slot, {static_cast<LeaseKind>(7), 0, 1});
        CHECK(invariants(audit(ledger)) == std::vector<int>{2});
    }
}

TEST_CASE("an audit names each slice that meets another slice or a lease", "[ledger][audit]") {
    HeapLedger heap;
    Ledger& ledger = heap.ledger;
    const Slot slot = heap.row({Phase::lent, alice, 0, at});
    const Slot lease = ledger.lease_blocks.claim(alice).value();
    SECTION("slices that overlap") {
        lease_of(heap, lease, slot, {LeaseKind::slice, 0, 60});
        lease_of(heap, lease + 1, slot, {LeaseKind::slice, 50, 50});
        CHECK(invariants(audit(ledger)) == std::vector<int>{2});
    }
    SECTION("a slice under a lease") {
        lease_of(heap, lease, slot, {LeaseKind::read, 0, 100});
        lease_of(heap, lease + 1, slot, {LeaseKind::slice, 50, 50});
        CHECK(invariants(audit(ledger)) == std::vector<int>{2});
    }
    SECTION("a slice beside leases, which overlap each other") {
        lease_of(heap, lease, slot, {LeaseKind::slice, 40, 20});
        lease_of(heap, lease + 1, slot, {LeaseKind::read, 30, 10});
        lease_of(heap, lease + 2, slot, {LeaseKind::read, 60, 40});
        lease_of(heap, lease + 3, slot, {LeaseKind::read, 60, 1});
        CHECK(invariants(audit(ledger)).empty());
    }
    SECTION("a slice whose last byte is leased") {
        lease_of(heap, lease, slot, {LeaseKind::slice, 40, 20});
        lease_of(heap, lease + 1, slot, {LeaseKind::read, 59, 10});
        CHECK(invariants(audit(ledger)) == std::vector<int>{2});
    }
    SECTION("a slice within another and one behind it: the long one meets both") {
        lease_of(heap, lease, slot, {LeaseKind::slice, 0, 100});
        lease_of(heap, lease + 1, slot, {LeaseKind::read, 10, 10});
        lease_of(heap, lease + 2, slot, {LeaseKind::read, 50, 10});
        CHECK(invariants(audit(ledger)) == std::vector<int>{2, 2});
    }
    SECTION("a slice under a long lease, behind a short one that begins later") {
        lease_of(heap, lease, slot, {LeaseKind::read, 0, 100});
        lease_of(heap, lease + 1, slot, {LeaseKind::read, 10, 10});
        lease_of(heap, lease + 2, slot, {LeaseKind::slice, 50, 10});
        CHECK(invariants(audit(ledger)) == std::vector<int>{2});
    }
    SECTION("shared slices may overlap each other, and no other slice") {
        lease_of(heap, lease, slot, {LeaseKind::shared, 0, 60});
        lease_of(heap, lease + 1, slot, {LeaseKind::shared, 50, 50});
        CHECK(invariants(audit(ledger)).empty());
        lease_of(heap, lease + 2, slot, {LeaseKind::slice, 99, 1});
        CHECK(invariants(audit(ledger)) == std::vector<int>{2});
    }
    SECTION("leases may overlap") {
        lease_of(heap, lease, slot);
        lease_of(heap, lease + 1, slot);
        CHECK(invariants(audit(ledger)).empty());
    }
}

// ---- counting --------------------------------------------------------------------------------------

// Goal: the balance is exact wherever the counting process dies.
// Method: make the steps of a counted transition one by one, and settle the intent as the coordinator would after each.
TEST_CASE("an intent is settled at each of its steps, and counted once", "[ledger][balance]") {
    for (int made = 0; made <= 3; ++made) {
        INFO(made << " steps");
        HeapLedger heap;
        Ledger& ledger = heap.ledger;
        const Slot slot = heap.row({Phase::owned, alice, 0, at});
        if (made >= 1) ledger.counters.intend(alice, Count::released, slot);
        if (made >= 2) REQUIRE(ledger.segments.retire(slot, at, alice));
        if (made >= 3) ledger.counters.count(alice, Count::released);
        ledger.counters.settle_intent(alice);
        const std::uint64_t expected = made >= 2 ? 1 : 0;
        CHECK(ledger.counters.of(alice).released == expected);
        ledger.counters.settle_intent(alice);
        CHECK(ledger.counters.of(alice).released == expected);
        // The next life of the number counts on.
        REQUIRE(ledger.lives.give({alice, 2}, 0));
        CHECK(ledger.counters.of(alice).released == expected);
    }
}

TEST_CASE("an intent is counted once when who settles it dies in the middle, too", "[ledger][balance]") {
    HeapLedger heap;
    Ledger& ledger = heap.ledger;
    const Slot slot = heap.row({Phase::owned, alice, 0, at});
    ledger.counters.intend(alice, Count::released, slot);
    REQUIRE(ledger.segments.retire(slot, at, alice));
    auto& row = ledger.layout.actors()[alice];
    const std::uint64_t intent = row.intent.load();
    ledger.counters.settle_intent(alice);
    row.intent.store(intent);  // as it is between the count and the end of settle_intent()
    ledger.counters.settle_intent(alice);
    CHECK(ledger.counters.of(alice).released == 1);
    CHECK(row.intent.load() == 0);
}

TEST_CASE("an intent is counted once when it died between counting and forgetting", "[ledger][balance]") {
    HeapLedger heap;
    Ledger& ledger = heap.ledger;
    const Slot slot = heap.row({});
    ledger.counters.intend(alice, Count::created, slot);
    REQUIRE(ledger.segments.create(slot, alice));
    // As count() does, up to the middle.
    ledger.layout.actors()[alice].counts[0].store(1);
    ledger.counters.settle_intent(alice);
    CHECK(ledger.counters.of(alice).created == 1);
}

TEST_CASE("an intent that was given up, or that nobody could have written, counts nothing", "[ledger][balance]") {
    HeapLedger heap;
    Ledger& ledger = heap.ledger;
    const Slot slot = heap.row({});
    ledger.counters.intend(alice, Count::created, slot);
    ledger.counters.forget_intent(alice);
    REQUIRE(ledger.segments.create(slot, alice));
    ledger.counters.settle_intent(alice);
    CHECK(ledger.counters.of(alice).created == 0);
    auto& row = ledger.layout.actors()[alice];
    row.intent.store(77);
    ledger.counters.settle_intent(alice);
    row.intent.store(1);
    row.intent_slot.store(~std::uint64_t{0});
    ledger.counters.settle_intent(alice);
    CHECK(ledger.counters.of(alice).created == 0);
}

// ---- bytes -----------------------------------------------------------------------------------------

TEST_CASE("bytes are claimed within the session's and the actor's budget", "[ledger]") {
    HeapLedger heap{1000};
    Ledger& ledger = heap.ledger;
    ledger.lives.give({bob, 2}, 300).value();
    CHECK(ledger.budget.claim(alice, 600));
    CHECK_FALSE(ledger.budget.claim(bob, 301));
    CHECK(ledger.budget.claim(bob, 300));
    CHECK_FALSE(ledger.budget.claim(alice, 101));
    CHECK(ledger.budget.bytes_in_session() == 900);
    ledger.budget.give_back(bob, 300);
    CHECK(ledger.budget.claim(alice, 400));
    CHECK(ledger.budget.bytes_of(alice) == 1000);
    ledger.budget.give_back(alice, 5000);
    CHECK(ledger.budget.bytes_in_session() == 0);
    ledger.budget.add(alice, 2000);
    CHECK_FALSE(ledger.budget.claim(bob, 1));
    ledger.budget.forget(alice);
    CHECK(ledger.budget.claim(bob, 1));
    CHECK_FALSE(ledger.budget.claim(bob, ~std::uint64_t{0}));  // a sum that overflows is not a small one
    CHECK(ledger.budget.bytes_of(bob) == 1);
}

TEST_CASE("two that claim at once never exceed the budget together", "[ledger]") {
    HeapLedger heap{100};
    Ledger& ledger = heap.ledger;
    std::atomic<bool> is_over = false;
    std::atomic<std::uint64_t> held = 0;
    const auto claim = [&](ActorNumber me) {
        for (int round = 0; round < 20'000; ++round) {
            if (!ledger.budget.claim(me, 60)) continue;
            if (held.fetch_add(60) + 60 > 100) is_over = true;
            held.fetch_sub(60);
            ledger.budget.give_back(me, 60);
        }
    };
    std::thread other{claim, bob};
    claim(alice);
    other.join();
    CHECK_FALSE(is_over);
    CHECK(ledger.budget.bytes_in_session() == 0);
}

// ---- blocks and lives ------------------------------------------------------------------------------

TEST_CASE("a block has one home, and rows of it come back when it has died", "[ledger]") {
    HeapLedger heap;
    Ledger& ledger = heap.ledger;
    const Slot mine = ledger.segment_blocks.claim(alice).value();
    const Slot hers = ledger.segment_blocks.claim(bob).value();
    CHECK(hers == mine + limits::rows_per_block);
    CHECK(ledger.segment_blocks.home_of(mine + limits::rows_per_block - 1) == alice);
    CHECK(ledger.segment_blocks.home_of(hers) == bob);
    ledger.adopt_blocks(alice, coordinator_id.number);
    CHECK(ledger.segment_blocks.home_of(mine) == coordinator_id.number);
    CHECK(ledger.segment_blocks.home_of(hers) == bob);
    heap.write(mine + 5, SegmentWord{Phase::owned, bob, 0, at});
    ledger.release_empty_blocks(coordinator_id.number);
    CHECK(ledger.segment_blocks.home_of(mine) == coordinator_id.number);
    heap.write(mine + 5, SegmentWord{Phase::free, 0, 0, at});
    ledger.segments.row(mine + 5).bytes.store(4096);  // its memory is still there
    ledger.release_empty_blocks(coordinator_id.number);
    CHECK(ledger.segment_blocks.home_of(mine) == coordinator_id.number);
    ledger.segments.row(mine + 5).bytes.store(0);
    ledger.segments.row(mine + 6).place_bytes.store(4096);  // its shelf may still be there
    ledger.release_empty_blocks(coordinator_id.number);
    CHECK(ledger.segment_blocks.home_of(mine) == coordinator_id.number);
    ledger.segments.row(mine + 6).place_bytes.store(0);
    ledger.release_empty_blocks(coordinator_id.number);
    CHECK(ledger.segment_blocks.home_of(mine) == 0);
    CHECK(ledger.segment_blocks.claim(carol).value() == mine);
}

// It is only where a search begins: any process of the session can write there.
TEST_CASE("a free block is found whatever the ledger says of where it could be", "[ledger]") {
    HeapLedger heap;
    Ledger& ledger = heap.ledger;
    const Slot mine = ledger.segment_blocks.claim(alice).value();
    const std::uint64_t said = GENERATE(0ULL, 1ULL, 7ULL, segment_blocks_max - 1ULL, segment_blocks_max + 0ULL, ~0ULL);
    ledger.layout.header().segment_blocks_free.store(said);
    const Slot next = ledger.segment_blocks.claim(bob).value();
    CHECK(next != mine);
    CHECK(next < limits::segments_max);
    CHECK(ledger.segment_blocks.home_of(next) == bob);
    CHECK(ledger.segment_blocks.rows_used() >= next + limits::rows_per_block);
}

TEST_CASE("blocks run out as overloaded, with the limit's name", "[ledger]") {
    HeapLedger heap;
    for (std::uint32_t rows = 0; rows < limits::segments_max; rows += limits::rows_per_block)
        REQUIRE(heap.ledger.segment_blocks.claim(alice));
    const Result<Slot> last = heap.ledger.segment_blocks.claim(alice);
    REQUIRE_FALSE(last);
    CHECK(last.error().kind == ErrorKind::overloaded);
    CHECK_THAT(last.error().text, Catch::Contains("limits::segments_max"));
    for (std::uint32_t rows = 0; rows < limits::leases_max; rows += limits::rows_per_block)
        REQUIRE(heap.ledger.lease_blocks.claim(alice));
    CHECK(heap.ledger.lease_blocks.claim(alice).error().kind == ErrorKind::overloaded);
}

TEST_CASE("a life is one incarnation of a number", "[ledger][I6]") {
    HeapLedger heap;
    Ledger& ledger = heap.ledger;
    CHECK(ledger.lives.is_alive({alice, 1}));
    CHECK_FALSE(ledger.lives.is_alive({alice, 2}));
    CHECK_FALSE(ledger.lives.is_alive({0, 0}));
    CHECK_FALSE(ledger.lives.is_alive({limits::actors_max + 1, 1}));
    ledger.lives.take({alice, 2});  // not the one that lives
    CHECK(ledger.lives.is_alive({alice, 1}));
    ledger.counters.count_refused(alice);
    ledger.lives.take({alice, 1});
    CHECK_FALSE(ledger.lives.of(alice).is_somebody());
    ledger.lives.give({alice, 2}, 0).value();
    CHECK(ledger.lives.of(alice) == ActorId{alice, 2});
    CHECK(ledger.counters.of(alice).refused == 1);  // of all lives, for the balance of the session
}

TEST_CASE("T2 and L1 mark the block for whom they name, and a new life begins without marks", "[ledger][I9]") {
    HeapLedger heap;
    Ledger& ledger = heap.ledger;
    const Slot slot = ledger.segment_blocks.claim(alice).value() + 7;
    const Slot far = slot + 70 * limits::rows_per_block;
    const Slot lease = ledger.lease_blocks.claim(alice).value();
    REQUIRE(ledger.segments.create(slot, alice));
    CHECK_FALSE(ledger.marks.has_segment(bob, slot));
    REQUIRE(ledger.segments.offer(slot, 1, alice, bob));
    REQUIRE(ledger.leases.grant(lease, alice, carol));
    ledger.marks.mark_segment(bob, far);
    CHECK(ledger.marks.has_segment(bob, slot));
    CHECK(ledger.marks.has_segment(bob, slot - 7));  // one for the block
    CHECK(ledger.marks.has_segment(bob, far));
    CHECK_FALSE(ledger.marks.has_segment(bob, slot + limits::rows_per_block));
    CHECK_FALSE(ledger.marks.has_segment(carol, slot));
    CHECK(ledger.marks.has_lease(carol, lease));
    CHECK_FALSE(ledger.marks.has_lease(bob, lease));
    // An offer that fails leaves a mark, which does no harm.
    CHECK_FALSE(ledger.segments.offer(slot, 1, alice, carol));
    CHECK(ledger.marks.has_segment(carol, slot));
    ledger.lives.give({bob, 2}, 0).value();
    CHECK_FALSE(ledger.marks.has_segment(bob, slot));
    CHECK_FALSE(ledger.marks.has_segment(bob, far));
    ledger.lives.give({carol, 2}, 0).value();
    CHECK_FALSE(ledger.marks.has_lease(carol, lease));
}

TEST_CASE("a region of another version is corrupt", "[ledger]") {
    HeapLedger heap;
    CHECK(heap.ledger.layout.check_format().ok());
    std::fill_n(heap.region().data(), 8, std::byte{0});
    CHECK(heap.ledger.layout.check_format().error().kind == ErrorKind::corrupt);
}

TEST_CASE("the ring keeps an actor's last transitions", "[ledger]") {
    HeapLedger heap;
    for (std::uint32_t number = 0; number < limits::ring_entries + 3; ++number)
        heap.ledger.rings.note(alice, Transition::offer, number, number + 1, bob, 5);
    const ActorRow& row = heap.ledger.layout.actors()[alice];
    CHECK(row.ring_next.load() == limits::ring_entries + 3);
    CHECK(static_cast<std::uint32_t>(row.ring[2].what.load()) == limits::ring_entries + 2);
    CHECK(name_of(static_cast<Transition>(row.ring[2].what.load() >> 32)) == "T2 offer");
    CHECK(static_cast<std::uint32_t>(row.ring[3].what.load()) == 3);
}
