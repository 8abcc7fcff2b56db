// What becomes of segments that share an object when the home of their block has died.
#include "actors/coordinator/estate.hpp"
#include "runtime/memory/size_class.hpp"
#include "tests/unit/holdings_fixture.hpp"

#include <sys/stat.h>

using namespace holdings_test;
using coordinator::Estate;

namespace {

constexpr std::uint64_t page = page_bytes;

// A coordinator's estate over a real region, and two actors that hold what is in it. None of them dies in truth: what
// the dead one held stays as it was at that moment.
struct RealEstate {
    std::string id = fmt::format("unit-shelves{}-{}", ::getpid(), ++count_);
    ManualClock clock;
    Estate estate = Estate::create(id, ~std::uint64_t{0}, clock).value();
    std::unique_ptr<Holdings> alice_holds = joined(alice_id);
    std::unique_ptr<Holdings> bob_holds = joined(bob_id);

    ~RealEstate() {
        CHECK(estate.close().findings.empty());
        Estate::remove(id);
        CHECK(memories().empty());
    }
    std::unique_ptr<Holdings> joined(ActorId who) {
        estate.give_life(who, 0).value();
        return std::make_unique<Holdings>(LedgerRegion::open(id).value(), id, who, clock, Store::Idle::accessible);
    }
    Ledger& ledger() { return bob_holds->ledger(); }
    Holding* given(std::uint64_t size, int value) {
        Holding* const made[] = {alice_holds->create(bytes(size)).value()};
        fill(*made[0], value);
        alice_holds->transfers().depart(made, bob_id).value();
        Holding* const taken[] = {&bob_holds->transfers().expect(made[0]->handle(), alice)};
        bob_holds->transfers().accept(taken).value();
        return taken[0];
    }
    void collect() {
        while (estate.collect()) {
        }
    }
    [[nodiscard]] std::vector<std::string> memories() const {
        std::vector<std::string> names;
        for (const auto& entry : fs::directory_iterator("/dev/shm"))
            if (const std::string name = entry.path().filename();
                name.starts_with("baton-" + id) && !name.ends_with("ledger"))
                names.push_back(name);
        return names;
    }
    [[nodiscard]] static std::uint64_t committed(const std::string& name) {
        struct stat facts {};
        if (::stat(("/dev/shm/" + name).c_str(), &facts) != 0) return 0;
        return static_cast<std::uint64_t>(facts.st_blocks) * 512;
    }
    static inline int count_ = 0;
};

}  // namespace

TEST_CASE("a shelf outlives its home as long as somebody holds a place, and no other place has memory then",
          "[shelf][I5][I7]") {
    RealEstate world;
    std::vector<Holding*> own;
    for (int count = 0; count < 10; ++count) own.push_back(world.alice_holds->create(bytes(page)).value());
    Holding* const kept = world.given(page, 42);
    REQUIRE(world.memories().size() == 1);
    const std::string name = world.memories()[0];
    CHECK(world.estate.settle(alice_id).held.segments == 10);
    world.collect();
    CHECK(world.memories() == std::vector<std::string>{name});
    CHECK(RealEstate::committed(name) == page);
    CHECK(is_filled(*kept, 42));
    CHECK(world.ledger().budget.bytes_of(coordinator_id.number) == page);
    CHECK(world.ledger().segment_blocks.home_of(kept->slot) == coordinator_id.number);
    world.bob_holds->release(*kept);
    const Slot slot = kept->slot;
    world.collect();
    CHECK(world.memories().empty());
    CHECK(world.ledger().budget.bytes_in_session() == 0);
    CHECK(world.ledger().segment_blocks.home_of(slot) == 0);
    CHECK(world.ledger().segments.row(slot).place_bytes.load() == 0);
}

TEST_CASE("of places that share a page with one that is held, the memory stays", "[shelf][I5]") {
    RealEstate world;
    for (int count = 0; count < 30; ++count) static_cast<void>(world.alice_holds->create(bytes(1024)).value());
    Holding* const kept = world.given(1024, 42);
    const std::string name = world.memories().at(0);
    REQUIRE(RealEstate::committed(name) >= 8 * page);
    static_cast<void>(world.estate.settle(alice_id));
    world.collect();
    CHECK(RealEstate::committed(name) == page);
    CHECK(is_filled(*kept, 42));
}

// What a home leaves that has died between two steps of making a shelf.
TEST_CASE("a shelf that its home was only making is removed", "[shelf][I7]") {
    RealEstate world;
    const Slot first = world.ledger().segment_blocks.claim(alice).value();
    for (Slot slot = first; slot < first + shelf::places; ++slot) {
        world.ledger().segments.row(slot).generation.store(5);
        world.ledger().segments.row(slot).place_bytes.store(page);
    }
    Store store{world.id, Store::Idle::accessible};
    const Store::Block block{first, 5, page};
    SECTION("the rows say so, and it is not there") {}
    SECTION("it is there, and empty") { store.make_shelf(block).value(); }
    SECTION("places are filled, and no row says so") {
        store.make_shelf(block).value();
        store.fill(block, {0, 3}).value();
    }
    static_cast<void>(world.estate.settle(alice_id));
    world.collect();
    CHECK(world.memories().empty());
    CHECK(world.ledger().segment_blocks.home_of(first) == 0);
}

TEST_CASE("what is committed of a shelf and stands in no row is returned while another place is held", "[shelf][I7]") {
    RealEstate world;
    Holding* const kept = world.given(page, 42);
    const std::string name = world.memories().at(0);
    Store store{world.id, Store::Idle::accessible};
    store.fill({kept->slot, kept->memory()->generation, page}, {8, 4}).value();
    REQUIRE(RealEstate::committed(name) == 5 * page);
    static_cast<void>(world.estate.settle(alice_id));
    world.collect();
    CHECK(RealEstate::committed(name) == page);
    CHECK(is_filled(*kept, 42));
}

TEST_CASE("rows of a shelf that contradict each other keep nobody from giving the block up", "[shelf][I8]") {
    RealEstate world;
    for (int count = 0; count < 5; ++count) static_cast<void>(world.alice_holds->create(bytes(page)).value());
    SegmentRow* const rows = &world.ledger().segments.row(0);
    SECTION("of no shelf") { rows[0].place_bytes.store(0); }
    SECTION("of one that cannot be") { rows[0].place_bytes.store(~std::uint64_t{0}); }
    SECTION("of too many bytes") { rows[2].bytes.store(~std::uint64_t{0} >> 1); }
    static_cast<void>(world.estate.settle(alice_id));
    world.collect();
    CHECK(world.ledger().segment_blocks.home_of(0) == 0);
    CHECK(world.memories().empty());
}
