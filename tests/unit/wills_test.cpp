// Wills: which list of heirs counts for a word, what stands in the rows, and what the coordinator does with it.
#include <fmt/format.h>
#include <unistd.h>

#include "actors/coordinator/estate.hpp"
#include "tests/unit/holdings_fixture.hpp"

using namespace holdings_test;
using coordinator::Estate;
using coordinator::HeirStanding;
using coordinator::LeftSegments;

namespace {

constexpr std::uint64_t packed_id(ActorId id) { return std::uint64_t{id.number} << 32 | id.incarnation; }
constexpr ActorId carol_id{carol, 1};
constexpr std::uint64_t to_bob = packed_id(bob_id);
constexpr std::uint64_t to_carol = packed_id(carol_id);

// An estate over a ledger on the heap, and a coordinator that writes down what it does.
struct WillsWorld {
    std::unique_ptr<void, decltype(&std::free)> memory{std::calloc(LedgerLayout::region_bytes() + HeapLedger::page, 1),
                                                       &std::free};
    std::string id = fmt::format("unit-wills{}", ::getpid());
    ManualClock clock;
    Ledger* ledger = nullptr;  // that the estate has
    std::unique_ptr<Estate> estate;
    std::map<std::uint64_t, HeirStanding> heirs{{to_bob, {HeirStanding::Kind::here, bob_id}},
                                                {to_carol, {HeirStanding::Kind::here, carol_id}}};
    std::vector<LeftSegments::Offer> told;
    std::vector<LeftSegments::Unclaimed> unclaimed;

    WillsWorld() {
        const auto start = reinterpret_cast<std::uintptr_t>(memory.get());
        const std::span<std::byte> region{
            reinterpret_cast<std::byte*>((start + HeapLedger::page - 1) / HeapLedger::page * HeapLedger::page),
            LedgerLayout::region_bytes()};
        LedgerRegion ours = LedgerRegion::within(region, ~std::uint64_t{0}).value();
        ledger = &ours.ledger();
        estate = std::make_unique<Estate>(Estate::over(std::move(ours), id, clock).value());
        for (const ActorId one : {alice_id, bob_id, carol_id}) estate->give_life(one, 0).value();
    }
    // One that alice owns, with those heirs.
    Slot left_by_alice(const std::vector<std::uint64_t>& named) {
        const Slot slot = first++;
        if (slot == 0) static_cast<void>(ledger->segment_blocks.claim(alice).value());
        ledger->counters.intend(alice, Count::created, slot);
        const Epoch epoch = ledger->segments.create(slot, alice).value();
        ledger->counters.count(alice, Count::created);
        ledger->segments.row(slot).bytes.store(4096);
        ledger->segments.row(slot).used_bytes.store(800);
        ledger->wills.prepare(slot).value();
        ledger->wills.write(slot, 1, {named, "table", {"<i8", {100}}});
        ledger->wills.store(slot, {1, alice, epoch});
        return slot;
    }
    void carry_out() {
        estate->carry_out_wills(
            [this](ActorId, std::uint64_t heir) {
                const auto found = heirs.find(heir);
                return found == heirs.end() ? HeirStanding{} : found->second;
            },
            [this](const LeftSegments::Offer& offer) { told.push_back(offer); },
            [this](const LeftSegments::Unclaimed& one) { unclaimed.push_back(one); });
    }
    SegmentWord word(Slot slot) { return ledger->segments.word_of(slot); }
    bool accept(const LeftSegments::Offer& offer) {
        return ledger->segments.accept(offer.slot, offer.epoch, coordinator_id.number, offer.heir.number).has_value();
    }
    void check_end() {
        CHECK(invariants(estate->audit()).empty());
        const Estate::Balance balance = estate->close();
        for (const Finding& finding : balance.findings) FAIL_CHECK(finding.text);
        CHECK(balance.mended == 0);
    }

    Slot first = 0;
};

}  // namespace

TEST_CASE("heirs count for the word of the one that named them, and at most two transitions of it later",
          "[ledger][heirs]") {
    const WillWord will{2, alice, 40};
    CHECK(WillWord::of(will.packed()) == will);
    CHECK(will.counts_for({Phase::owned, alice, 0, 40}));
    CHECK(will.counts_for({Phase::offered, alice, bob, 41}));
    CHECK(will.counts_for({Phase::owned, alice, 0, 42}));  // it came back
    CHECK_FALSE(will.counts_for({Phase::owned, alice, 0, 43}));
    CHECK_FALSE(will.counts_for({Phase::owned, alice, 0, 39}));
    CHECK_FALSE(will.counts_for({Phase::owned, bob, 0, 40}));
    CHECK_FALSE(WillWord{0, alice, 40}.counts_for({Phase::owned, alice, 0, 40}));
    CHECK_FALSE(WillWord{3, alice, 40}.counts_for({Phase::owned, alice, 0, 40}));
}

TEST_CASE("what stands in a will is read as it was written, and bounded whatever stands there", "[ledger][heirs]") {
    HeapLedger world;
    Wills& wills = world.ledger.wills;
    CHECK(wills.word_of(9) == WillWord{});
    CHECK_FALSE(wills.read(9, 1));
    const std::size_t before = world.commits;
    wills.prepare(9).value();
    wills.prepare(9).value();
    CHECK(world.commits == before + 1);
    wills.write(9, 2, {{to_bob, next_life_heir}, "table", {"<f4", {480, 640}}});
    wills.store(9, {2, alice, 3});
    CHECK(wills.word_of(9) == WillWord{2, alice, 3});
    const Will will = wills.read(9, 2).value();
    CHECK(will.heirs == std::vector<std::uint64_t>{to_bob, next_life_heir});
    CHECK(will.label == "table");
    CHECK(will.layout == Layout{"<f4", {480, 640}});
    wills.write(9, 1, {{to_bob}, "long", {std::string(limits::heir_type_bytes_max + 1, 'x'), {3}}});
    CHECK(wills.read(9, 1).value().layout == Layout{"", {}});
    for (std::uint64_t sizes : {std::uint64_t{0xFFFFFFFF}, ~std::uint64_t{0}}) {
        world.ledger.layout.wills()[9].places[0].sizes.store(sizes);
        const Will hostile = wills.read(9, 1).value();
        CHECK(hostile.heirs.size() == limits::heirs_max);
        CHECK(hostile.label.size() == limits::heir_label_bytes_max);
        CHECK(hostile.layout.shape.size() == limits::shape_dimensions_max);
    }
}

TEST_CASE("naming heirs anew writes the list into the place that does not count", "[holdings][heirs]") {
    Pair pair;
    Holding& holding = *pair.a->create(bytes(100)).value();
    const std::uint64_t heirs[]{to_bob};
    pair.a->heirs().name(holding, heirs, "first").value();
    const std::uint32_t place = pair.ledger().wills.word_of(holding.slot).place;
    pair.a->heirs().name(holding, heirs, "second").value();
    const std::uint32_t other = pair.ledger().wills.word_of(holding.slot).place;
    CHECK(place + other == 3);
    CHECK(pair.ledger().wills.read(holding.slot, place)->label == "first");
    CHECK(pair.ledger().wills.read(holding.slot, other)->label == "second");
    pair.a->heirs().name(holding, {}, "").value();
    CHECK(pair.ledger().wills.word_of(holding.slot).place == 0);
}

// Goal: heirs count as long as their owner has the segment, and not longer (H2).
// Method: the transitions of an owner, with a look at the word after each.
TEST_CASE("heirs count through lending, a gift that comes back and naming anew, and not after it was another's",
          "[holdings][heirs][T2][T7][T8]") {
    Pair pair;
    Holding& holding = *pair.a->create(bytes(100)).value();
    const Slot slot = holding.slot;
    const auto counts = [&] {
        return pair.ledger().wills.word_of(slot).counts_for(pair.ledger().segments.word_of(slot));
    };
    const std::uint64_t heirs[]{to_bob};
    pair.a->heirs().name(holding, heirs, "").value();
    for (int round = 0; round < 3; ++round) {
        pair.a->lending().lend(holding).value();
        CHECK(counts());
        REQUIRE(pair.a->lending().try_reclaim(holding));
        CHECK(counts());
        static_cast<void>(pair.offer(holding));
        CHECK(counts());
        Parcel parcel{"", {&holding}};
        REQUIRE(pair.a->transfers().take_back(parcel));
        CHECK(counts());
    }
    Holding* bobs = nullptr;
    pair.accept(pair.offer(holding), &bobs).value();
    CHECK_FALSE(counts());
    Holding* const back[]{bobs};
    pair.b->transfers().depart(back, alice_id).value();
    Holding* const mine[]{&pair.a->transfers().expect(bobs->handle(), bob)};
    pair.a->transfers().accept(mine).value();
    CHECK_FALSE(counts());
    pair.a->lending().lend(*mine[0]).value();  // stamps nothing
    CHECK_FALSE(counts());
}

TEST_CASE("a dead owner's segment becomes the coordinator's, and is offered to the first heir that lives",
          "[estate][heirs][T11]") {
    WillsWorld world;
    const Slot slot = world.left_by_alice({packed_id({77, 1}), to_bob, to_carol});
    static_cast<void>(world.estate->settle(alice_id));
    CHECK(world.word(slot).owner == coordinator_id.number);
    CHECK(world.word(slot).phase == Phase::owned);
    CHECK(invariants(world.estate->audit()).empty());
    world.carry_out();
    REQUIRE(world.told.size() == 1);
    CHECK(world.told[0].heir == bob_id);
    CHECK(world.told[0].label == "table");
    CHECK(world.told[0].layout == Layout{"<i8", {100}});
    CHECK(world.told[0].notes == WillNotes{true, 0, alice_id});
    CHECK(world.accept(world.told[0]));
    world.carry_out();
    CHECK(world.told.size() == 1);
    CHECK_FALSE(world.estate->has_open_wills());
    world.check_end();
}

TEST_CASE("an heir that declines or dies is passed over, and nobody gets it twice", "[estate][heirs][T4][T5]") {
    WillsWorld world;
    const Slot declined = world.left_by_alice({to_bob, to_carol});
    const Slot bounced = world.left_by_alice({to_bob});
    static_cast<void>(world.estate->settle(alice_id));
    world.carry_out();
    REQUIRE(world.told.size() == 2);
    CHECK_FALSE(world.estate->decline(carol_id, declined, world.told[0].epoch));
    CHECK_FALSE(world.estate->decline(bob_id, declined, world.told[0].epoch + 1));
    REQUIRE(world.estate->decline(bob_id, declined, world.told[0].epoch));
    CHECK_FALSE(world.accept(world.told[0]));
    world.carry_out();
    REQUIRE(world.told.size() == 3);
    CHECK(world.told[2].heir == carol_id);
    world.heirs.erase(to_bob);
    const Estate::Settled settled = world.estate->settle(bob_id);
    CHECK(settled.concerned.empty());
    world.carry_out();
    REQUIRE(world.unclaimed.size() == 1);
    CHECK(world.unclaimed[0].slot == bounced);
    CHECK(world.unclaimed[0].owner == alice_id);
    CHECK(world.unclaimed[0].bytes == 800);
    CHECK(world.word(bounced).phase == Phase::retired);
    CHECK(world.accept(world.told[2]));
    world.check_end();
}

TEST_CASE("an heir that is to come is waited for", "[estate][heirs]") {
    WillsWorld world;
    const Slot slot = world.left_by_alice({next_life_heir, to_bob});
    world.heirs[next_life_heir] = {HeirStanding::Kind::to_come, {}};
    static_cast<void>(world.estate->settle(alice_id));
    world.carry_out();
    CHECK(world.told.empty());
    CHECK(world.estate->has_open_wills());
    CHECK(world.word(slot).phase == Phase::owned);
    const ActorId next{alice, 2};
    world.estate->give_life(next, 0).value();
    world.heirs[next_life_heir] = {HeirStanding::Kind::here, next};
    world.carry_out();
    REQUIRE(world.told.size() == 1);
    CHECK(world.told[0].heir == next);
    CHECK(world.accept(world.told[0]));
    world.check_end();
}

// Goal: leases of what is inherited stay valid (I5), whether the coordinator knows them or not.
TEST_CASE("what a dead owner had lent stays lent until no lease of it is left", "[estate][heirs][I5][T8][T11]") {
    WillsWorld world;
    const Slot slot = world.left_by_alice({to_bob});
    Ledger& ledger = *world.ledger;
    ledger.wills.store(slot, {1, alice, world.word(slot).epoch});
    const Epoch lend = ledger.segments.lend(slot, world.word(slot).epoch, alice).value();
    const Slot lease = ledger.lease_blocks.claim(alice).value();
    ledger.leases.describe(lease, slot, lend, {LeaseKind::read, 0, 800}, LeaseTable::Listing::joins);
    ledger.marks.mark_lease(carol, lease);
    const Epoch granted = ledger.leases.grant(lease, alice, carol).value();
    const Epoch claimed = ledger.leases.claim(lease, granted, alice, carol).value();
    static_cast<void>(world.estate->settle(alice_id));
    CHECK(world.word(slot).phase == Phase::lent);
    CHECK(world.word(slot).owner == coordinator_id.number);
    CHECK(ledger.segment_leases.live_of_all().at(slot) == 1);
    CHECK(ledger.segment_leases.has_live(slot));
    CHECK(invariants(world.estate->audit()).empty());
    world.carry_out();
    CHECK(world.told.empty());
    REQUIRE(ledger.leases.drop(lease, claimed, alice, carol));
    world.carry_out();
    REQUIRE(world.told.size() == 1);
    CHECK_FALSE(world.told[0].notes.was_written);
    CHECK(world.accept(world.told[0]));
    world.check_end();
}

TEST_CASE("what was on its way to somebody who does not take it is the heirs'", "[estate][heirs][T6][T11]") {
    WillsWorld world;
    const Slot slot = world.left_by_alice({to_bob});
    static_cast<void>(world.ledger->segments.offer(slot, world.word(slot).epoch, alice, carol).value());
    const Estate::Settled settled = world.estate->settle(alice_id);
    CHECK(settled.to_drain == std::vector<ActorId>{carol_id});
    CHECK(world.word(slot).owner == alice);  // carol may still take it
    REQUIRE(world.estate->drained(carol_id, alice_id));
    CHECK(world.word(slot).owner == coordinator_id.number);
    world.carry_out();
    REQUIRE(world.told.size() == 1);
    CHECK_FALSE(world.told[0].notes.was_written);
    world.check_end();
}

TEST_CASE("a coordinator that takes over takes back what the last one has offered, and offers it anew",
          "[estate][heirs][takeover]") {
    WillsWorld world;
    const Slot offered = world.left_by_alice({to_bob});
    static_cast<void>(world.estate->settle(alice_id));
    world.carry_out();
    REQUIRE(world.told.size() == 1);
    world.estate->take_back_offers();  // as the next one does
    CHECK(world.word(offered).phase == Phase::owned);
    CHECK_FALSE(world.accept(world.told[0]));
    world.carry_out();
    REQUIRE(world.told.size() == 2);
    CHECK(world.told[1].slot == offered);
    CHECK(world.accept(world.told[1]));
}

TEST_CASE("what heirs have not received when the session ends is released with it, and the balance is right",
          "[estate][heirs][I7]") {
    WillsWorld world;
    static_cast<void>(world.left_by_alice({to_bob}));
    static_cast<void>(world.left_by_alice({next_life_heir}));
    static_cast<void>(world.left_by_alice({to_carol}));
    world.heirs[next_life_heir] = {HeirStanding::Kind::to_come, {}};
    static_cast<void>(world.estate->settle(alice_id));
    world.carry_out();
    CHECK(world.told.size() == 2);
    world.check_end();
}
