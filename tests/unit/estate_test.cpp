// The coordinator's side of the ledger over rows that no actor can have written so: it goes on, whatever stands there.
#include "actors/coordinator/estate.hpp"
#include "runtime/memory/private_memory.hpp"
#include "tests/unit/ledger_fixture.hpp"

#include <fmt/format.h>
#include <unistd.h>

using namespace ledger_test;
using coordinator::Estate;

namespace {

constexpr ActorId alice_id{alice, 1};
constexpr ActorId bob_id{bob, 1};
constexpr Epoch at = 7;

// An estate over a ledger on the heap, in which alice and bob live.
struct HeapEstate {
    std::unique_ptr<void, decltype(&std::free)> memory{std::calloc(LedgerLayout::region_bytes() + HeapLedger::page, 1),
                                                       &std::free};
    std::string id = fmt::format("unit-estate{}", ::getpid());
    ManualClock clock;
    Ledger* ledger = nullptr;  // that the estate has
    std::unique_ptr<Estate> estate;

    HeapEstate() {
        LedgerRegion ours = LedgerRegion::within(region(), ~std::uint64_t{0}).value();
        ledger = &ours.ledger();
        estate = std::make_unique<Estate>(Estate::over(std::move(ours), id, clock).value());
        for (const ActorId one : {alice_id, bob_id}) estate->give_life(one, 0).value();
    }
    std::span<std::byte> region() {
        const auto start = reinterpret_cast<std::uintptr_t>(memory.get());
        return {reinterpret_cast<std::byte*>((start + HeapLedger::page - 1) / HeapLedger::page * HeapLedger::page),
                LedgerLayout::region_bytes()};
    }
    [[nodiscard]] coordinator::SegmentList list() const {
        return estate->list(limits::segments_listed_max, [](ActorId one) { return to_string(one); });
    }
    void write(Slot slot, SegmentWord word) { write_marked(*ledger, slot, word); }
    void write(Slot lease, LeaseWord word) { write_marked(*ledger, lease, word); }
};

SegmentWord segment_of(unsigned phase, ActorNumber owner, ActorNumber heir) {
    return {static_cast<Phase>(phase), owner, heir, at};
}
LeaseWord lease_of(unsigned phase, ActorNumber lender, ActorNumber borrower) {
    return {static_cast<LeasePhase>(phase), lender, borrower, at};
}

}  // namespace

// Goal: no word of 64 bits keeps the coordinator from settling a death, or from ending the session.
// Method: every phase that the bits can say, with every kind of actor in both places; alice dies, and then all end.
TEST_CASE("whatever stands in a row of the ledger, a death is settled and the session ends", "[estate][I6][I7][I8]") {
    HeapEstate world;
    const ActorNumber whom[]{0, coordinator_id.number, alice, bob, 77, 1024, 2047};
    Slot slot = world.ledger->segment_blocks.claim(alice).value();
    Slot lease = world.ledger->lease_blocks.claim(bob).value();
    std::size_t rows = 0;
    for (unsigned phase = 0; phase < 8; ++phase)
        for (const ActorNumber holder : whom)
            for (const ActorNumber other : whom) {
                if (rows > 0 && rows % limits::rows_per_block == 0) {
                    slot = world.ledger->segment_blocks.claim(rows % 128 == 0 ? alice : bob).value();
                    lease = world.ledger->lease_blocks.claim(rows % 128 == 0 ? bob : alice).value();
                }
                const auto row = static_cast<Slot>(rows++ % limits::rows_per_block);
                world.write(slot + row, segment_of(phase, holder, other));
                world.write(lease + row, lease_of(phase, holder, other));
                world.ledger->leases.row(lease + row).segment.store(slot + row);
                world.ledger->segments.row(slot + row).since.store(std::numeric_limits<std::int64_t>::min());
            }

    const Estate::Settled settled = world.estate->settle(alice_id);
    CHECK(settled.to_drain == std::vector<ActorId>{coordinator_id, bob_id});
    for (const ActorId heir : settled.to_drain) world.estate->drained(heir, alice_id);
    CHECK_FALSE(world.estate->is_settling(alice));
    for (Slot one = 0; one < world.ledger->segment_blocks.rows_used(); ++one) {
        const SegmentWord word = world.ledger->segments.word_of(one);
        INFO("segment " << one << " is " << Catch::StringMaker<SegmentWord>::convert(word));
        CHECK(word.is_sound());
        CHECK_FALSE((word.is_live() && (word.owner == alice || word.heir == alice)));
    }
    const Estate::Mended mended = world.estate->take_mended();
    CHECK(mended.rows > 0);
    CHECK_FALSE(mended.texts.empty());
    CHECK(mended.texts.size() <= mended.rows);
    while (world.estate->collect()) {
    }
    CHECK(world.list().alive > 0);  // bob's are bob's

    CHECK(world.estate->close().findings.empty());
    CHECK(audit_end(*world.ledger).empty());
}

TEST_CASE("a row in which somebody set the bits of an heir is its owner's as before, whoever the heir was",
          "[estate][I1]") {
    HeapEstate world;
    const Slot slot = world.ledger->segment_blocks.claim(bob).value();
    world.write(slot, segment_of(1, bob, alice));
    world.write(slot + 1, segment_of(3, bob, alice));
    static_cast<void>(world.estate->settle(alice_id));
    CHECK(world.ledger->segments.word_of(slot) == SegmentWord{Phase::owned, bob, 0, at});
    CHECK(world.ledger->segments.word_of(slot + 1) == SegmentWord{Phase::lent, bob, 0, at});
    CHECK(world.ledger->segments.retire(slot, at, bob));
}

TEST_CASE("a row of no phase stays with an owner that lives, and ends with it", "[estate][I1][I6]") {
    HeapEstate world;
    const Slot slot = world.ledger->segment_blocks.claim(bob).value();
    world.write(slot, segment_of(5, bob, alice));
    static_cast<void>(world.estate->settle(alice_id));
    CHECK(world.ledger->segments.word_of(slot) == SegmentWord{Phase::owned, bob, 0, at + 1});
    CHECK(world.estate->settle(bob_id).held.segments == 1);
    CHECK(world.ledger->segments.word_of(slot).phase == Phase::retired);
}

TEST_CASE("a lease of no phase is freed when its borrower has died, and stays while that may map it", "[estate][I5]") {
    HeapEstate world;
    const Slot lease = world.ledger->lease_blocks.claim(alice).value();
    world.write(lease, lease_of(6, alice, bob));
    static_cast<void>(world.estate->settle(alice_id));
    CHECK(static_cast<unsigned>(world.ledger->leases.word_of(lease).phase) == 6);
    static_cast<void>(world.estate->settle(bob_id));
    CHECK(world.ledger->leases.word_of(lease).phase == LeasePhase::free);
}

TEST_CASE("who lives is known to the coordinator, whatever the ledger says", "[estate][I6]") {
    HeapEstate world;
    const Slot slot = world.ledger->segment_blocks.claim(alice).value();
    REQUIRE(world.ledger->segments.create(slot, alice));
    world.ledger->lives.clear(alice);  // anybody can
    CHECK(world.estate->settle(alice_id).held.segments == 1);
    CHECK(world.ledger->segments.word_of(slot).phase == Phase::retired);
}

// Goal: lists of leases that somebody has closed to a ring cost the coordinator no more than the tables are long.
// Method: all rows of both tables; each lend's list is one ring through all leases. Looked at one by one that were
// seventeen thousand million steps, so ctest's TIMEOUT is the assertion.
TEST_CASE("a table full of lists that are closed to a ring is looked at once a turn", "[estate][I8]") {
    HeapEstate world;
    for (std::uint32_t block = 0; block < limits::segments_max / limits::rows_per_block; ++block)
        static_cast<void>(world.ledger->segment_blocks.claim(alice).value());
    for (std::uint32_t block = 0; block < limits::leases_max / limits::rows_per_block; ++block)
        static_cast<void>(world.ledger->lease_blocks.claim(alice).value());
    for (Slot row = 0; row < limits::segments_max; ++row) {
        world.write(row, segment_of(4, alice, 0));
        world.ledger->segments.row(row).first_lease.store(1);
    }
    for (Slot row = 0; row < limits::leases_max; ++row)
        world.ledger->leases.row(row).next.store((row + 1) % limits::leases_max + 1);
    world.write(Slot{3}, lease_of(2, alice, bob));
    world.ledger->leases.row(3).segment.store(9);
    world.ledger->leases.row(3).segment_epoch.store(at - 1);
    static_cast<void>(world.estate->settle(alice_id));
    while (world.estate->collect()) {
    }
    const coordinator::SegmentList left = world.list();
    REQUIRE(left.alive == 1);  // bob has a lease of it
    CHECK(left.rows[0].slot == 9);
    CHECK(world.estate->close().findings.empty());
}

// Goal: a death costs what the dead one had to do with, not what the session holds.
// Method: rows of other blocks name it, and no mark says so; no transition can have written them. They are not met
// before the session ends, and end then.
TEST_CASE("a death is settled where the dead one is at home and where marks say that rows may name it",
          "[estate][I6][I7][I9]") {
    HeapEstate world;
    const Slot own = world.ledger->segment_blocks.claim(alice).value();
    const Slot marked = world.ledger->segment_blocks.claim(bob).value();
    const Slot other = world.ledger->segment_blocks.claim(bob).value();
    const Slot lease = world.ledger->lease_blocks.claim(bob).value();
    const Slot other_lease = world.ledger->lease_blocks.claim(bob).value();
    const auto word = [](SegmentWord one) { return one.packed(); };
    world.ledger->segments.row(own).word.store(word({Phase::owned, alice, 0, at}));
    REQUIRE(world.ledger->segments.create(marked, bob));
    REQUIRE(world.ledger->segments.offer(marked, 1, bob, alice));
    REQUIRE(world.ledger->leases.grant(lease, bob, alice));
    world.ledger->segments.row(other).word.store(word({Phase::owned, alice, 0, at}));
    world.ledger->leases.row(other_lease).word.store(LeaseWord{LeasePhase::claimed, bob, alice, at}.packed());
    CHECK(std::ranges::count(invariants(world.estate->audit()), 9) == 2);

    static_cast<void>(world.estate->settle(alice_id));
    CHECK(world.ledger->segments.word_of(own).phase == Phase::retired);
    CHECK((world.ledger->segments.word_of(marked) == SegmentWord{Phase::owned, bob, 0, 3}));
    CHECK(world.ledger->leases.word_of(lease).phase == LeasePhase::free);
    CHECK(world.ledger->segments.word_of(other).phase == Phase::owned);
    CHECK(world.ledger->leases.word_of(other_lease).phase == LeasePhase::claimed);
    static_cast<void>(world.estate->close());
    CHECK(audit_end(*world.ledger).empty());
}

TEST_CASE("a row that is mended for an owner that lives is met again when that has died", "[estate][I6][I9]") {
    HeapEstate world;
    const Slot slot = world.ledger->segment_blocks.claim(alice).value();
    world.ledger->segments.row(slot).word.store(segment_of(1, bob, alice).packed());
    static_cast<void>(world.estate->settle(alice_id));
    REQUIRE(world.ledger->segments.word_of(slot) == SegmentWord{Phase::owned, bob, 0, at});
    static_cast<void>(world.estate->settle(bob_id));
    CHECK(world.ledger->segments.word_of(slot).phase == Phase::retired);
}

TEST_CASE("Drained ends what the dead one had in transit to that heir, but for what it took, and nothing else",
          "[estate][T6]") {
    HeapEstate world;
    const ActorId carol_id{carol, 1};
    world.estate->give_life(carol_id, 0).value();
    const Slot slot = world.ledger->segment_blocks.claim(alice).value();
    const Slot lease = world.ledger->lease_blocks.claim(alice).value();
    for (const Slot row : {0U, 1U}) world.write(slot + row, segment_of(2, alice, bob));
    world.write(slot + 2, segment_of(2, alice, carol));
    world.write(slot + 3, segment_of(2, bob, carol));
    for (const Slot row : {0U, 1U}) world.write(lease + row, lease_of(1, alice, bob));
    world.write(lease + 2, lease_of(1, alice, carol));
    CHECK(world.estate->settle(alice_id).to_drain == std::vector<ActorId>{bob_id, carol_id});
    REQUIRE(world.ledger->segments.accept(slot + 1, at, alice, bob));
    REQUIRE(world.ledger->leases.claim(lease + 1, at, alice, bob));

    world.estate->drained(bob_id, alice_id);
    CHECK(world.ledger->segments.word_of(slot).phase == Phase::retired);
    CHECK(world.ledger->segments.word_of(slot + 1) == SegmentWord{Phase::owned, bob, 0, at + 1});
    CHECK(world.ledger->segments.word_of(slot + 2) == segment_of(2, alice, carol));
    CHECK(world.ledger->segments.word_of(slot + 3) == segment_of(2, bob, carol));
    CHECK(world.ledger->leases.word_of(lease).phase == LeasePhase::free);
    CHECK((world.ledger->leases.word_of(lease + 1) == LeaseWord{LeasePhase::claimed, alice, bob, at + 1}));
    CHECK((world.ledger->leases.word_of(lease + 2) == lease_of(1, alice, carol)));
    CHECK(world.estate->is_settling(alice));
    world.estate->drained(bob_id, alice_id);  // it has said so before
    CHECK(world.estate->is_settling(alice));
    world.estate->drained(carol_id, alice_id);
    CHECK(world.ledger->segments.word_of(slot + 2).phase == Phase::retired);
    CHECK(world.ledger->leases.word_of(lease + 2).phase == LeasePhase::free);
    CHECK_FALSE(world.estate->is_settling(alice));
}

// Goal: what a Drained costs depends on what was in transit, not on how long the tables are.
// Method: 400 die of whom each has something in transit to 200 others, and each of these says Drained of each. If all
// rows are looked at for every one of them, 80,000 times 200,000 words are read, and ctest's TIMEOUT is the assertion.
// Goal: what a dead actor had on its way is not forgotten with the coordinator that settled it.
// Method: one coordinator settles alice as far as it can and ends; the next one begins anew over the same ledger.
TEST_CASE("who was to be drained is asked again by the coordinator that takes over", "[estate][I3][I6]") {
    const std::string id = fmt::format("unit-estate{}", ::getpid());
    const PrivateMemory memory{fmt::format("baton-{}-", id)};
    const ManualClock clock;
    LedgerRegion region = LedgerRegion::create(id, ~std::uint64_t{0}).value();
    Ledger& ledger = region.ledger();
    Slot slot = 0;
    Slot lease = 0;
    {
        Estate first = Estate::over(LedgerRegion::open(id).value(), id, clock).value();
        for (const ActorId one : {alice_id, bob_id}) first.give_life(one, 0).value();
        slot = ledger.segment_blocks.claim(alice).value();
        lease = ledger.lease_blocks.claim(alice).value();
        // In blocks of alice, which are marked for bob alone.
        ledger.marks.mark_segment(bob, slot);
        ledger.marks.mark_lease(bob, lease);
        ledger.segments.row(slot).word.store(SegmentWord{Phase::offered, alice, bob, at}.packed());
        ledger.leases.row(lease).word.store(LeaseWord{LeasePhase::granted, alice, bob, at}.packed());
        REQUIRE(first.settle(alice_id).to_drain == std::vector<ActorId>{bob_id});
    }
    Estate next = Estate::resume(LedgerRegion::open(id).value(), id, clock, {{bob_id}, {alice_id}, bob, 0, 0});
    CHECK(next.settle(alice_id).to_drain == std::vector<ActorId>{bob_id});
    CHECK(next.is_settling(alice));
    CHECK(next.drained(bob_id, alice_id));
    CHECK_FALSE(next.is_settling(alice));
    CHECK(ledger.segments.word_of(slot).phase == Phase::retired);
    CHECK(ledger.leases.word_of(lease).phase == LeasePhase::free);
}

TEST_CASE("many that die with much in transit to many are settled, one Drained after the other", "[estate][I8]") {
    constexpr ActorNumber heirs = 200;
    constexpr ActorNumber dying = 400;
    HeapEstate world;
    const auto life_of = [](ActorNumber number) { return ActorId{number, 1}; };
    for (ActorNumber number = carol; number < alice + heirs + dying; ++number)
        world.estate->give_life(life_of(number), 0).value();
    std::uint32_t rows = 0;
    Slot slot = 0;
    Slot lease = 0;
    for (ActorNumber dead = alice + heirs; dead < alice + heirs + dying; ++dead)
        for (ActorNumber heir = alice; heir < alice + heirs; ++heir, ++rows) {
            const Slot row = rows % limits::rows_per_block;
            if (row == 0) slot = world.ledger->segment_blocks.claim(dead).value();
            if (row == 0) lease = world.ledger->lease_blocks.claim(dead).value();
            world.write(slot + row, segment_of(2, dead, heir));
            world.write(lease + row, lease_of(1, dead, heir));
        }
    for (ActorNumber dead = alice + heirs; dead < alice + heirs + dying; ++dead)
        CHECK(world.estate->settle(life_of(dead)).to_drain.size() == heirs);
    for (ActorNumber heir = alice; heir < alice + heirs; ++heir)
        for (ActorNumber dead = alice + heirs; dead < alice + heirs + dying; ++dead)
            world.estate->drained(life_of(heir), life_of(dead));
    for (ActorNumber dead = alice + heirs; dead < alice + heirs + dying; ++dead)
        CHECK_FALSE(world.estate->is_settling(dead));
    CHECK(world.estate->take_mended().rows == 0);
    CHECK(audit(*world.ledger).empty());
    CHECK(world.estate->close().findings.size() <= 1);  // these rows were written by hand, and nobody counted them
}

// Goal: a claimer that dies between the two steps of its claim leaves no block that nobody looks at. Method: the second
// step, the number of blocks in use, is taken back by hand: word 3 and 4 of the header (docs/wire/ledger.md).
TEST_CASE("a block whose claimer died in the middle of its claim is not lost", "[estate][I6]") {
    HeapEstate world;
    const Slot slot = world.ledger->segment_blocks.claim(alice).value();
    const Slot lease = world.ledger->lease_blocks.claim(alice).value();
    auto* const header = reinterpret_cast<std::uint64_t*>(world.region().data());
    REQUIRE(header[3] == 1);
    REQUIRE(header[4] == 1);
    header[3] = header[4] = 0;
    static_cast<void>(world.estate->settle(alice_id));
    CHECK(world.ledger->segment_blocks.home_of(slot) == coordinator_id.number);
    CHECK(world.ledger->lease_blocks.home_of(lease) == coordinator_id.number);
    CHECK(world.ledger->segment_blocks.claim(bob).value() != slot);
}
