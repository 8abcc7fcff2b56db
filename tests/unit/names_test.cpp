// Names of segments: publishing, attaching, and what the ledger decides when several actors want the same name.
#include "tests/unit/holdings_fixture.hpp"

#include <atomic>
#include <set>
#include <thread>

using namespace holdings_test;

namespace {

Holding& lent(Holdings& holdings, std::uint64_t count, int value) {
    Holding& one = *holdings.create(bytes(count)).value();
    fill(one, value);
    holdings.lending().lend(one).value();
    return one;
}

}  // namespace

TEST_CASE("whoever knows the name reads what is published, and nobody is asked", "[names][N1][L7]") {
    Pair pair;
    CHECK(pair.b->publications().attach("board").value() == nullptr);
    Holding& board = lent(*pair.a, 5000, 3);
    REQUIRE(pair.a->publications().publish(board, "board", LeaseKind::read));
    Holding* const seen = pair.b->publications().attach("board").value();
    REQUIRE(seen != nullptr);
    CHECK(seen->kind() == HandleKind::lease);
    CHECK(seen->layout == board.layout);
    CHECK(is_filled(*seen, 3));
    CHECK(pair.a->lending().leases_out(board) == 1);
    CHECK(invariants(audit(pair.ledger())).empty());
    CHECK(pair.b->publications().attach("boar").value() == nullptr);
    CHECK(pair.b->publications().attach("boards").value() == nullptr);
    pair.b->release(*seen);
    CHECK(pair.a->lending().leases_out(board) == 0);
}

TEST_CASE("a reclaim withdraws the name first, and then waits for those who have attached", "[names][N2][T8]") {
    Pair pair;
    Holding& board = lent(*pair.a, 10, 1);
    REQUIRE(pair.a->publications().publish(board, "board", LeaseKind::read));
    Holding* const seen = pair.b->publications().attach("board").value();
    CHECK_FALSE(pair.a->lending().try_reclaim(board));
    CHECK(pair.b->publications().attach("board").value() == nullptr);
    CHECK(is_filled(*seen, 1));
    pair.b->release(*seen);
    CHECK(pair.a->lending().try_reclaim(board));
    CHECK(board.is<Owned>());
    // The name is free for the next actor.
    Holding& other = lent(*pair.b, 10, 2);
    CHECK(pair.b->publications().publish(other, "board", LeaseKind::read));
    CHECK(is_filled(*pair.a->publications().attach("board").value(), 2));
}

TEST_CASE("memory that somebody has attached to stays when its owner lets it go, until the last has left",
          "[names][I5]") {
    Pair pair;
    Holding& board = lent(*pair.a, 5000, 4);
    REQUIRE(pair.a->publications().publish(board, "board", LeaseKind::read));
    Holding* const seen = pair.b->publications().attach("board").value();
    pair.a->release(board);
    CHECK(pair.b->publications().attach("board").value() == nullptr);
    for (int count = 0; count < 3; ++count) fill(*pair.a->create(bytes(5000)).value(), 9);
    CHECK(is_filled(*seen, 4));
    pair.b->release(*seen);
}

TEST_CASE("a name is one segment's: the second is told who has it", "[names][N1]") {
    Pair pair;
    Holding& first = lent(*pair.a, 10, 1);
    Holding& second = lent(*pair.b, 10, 2);
    REQUIRE(pair.a->publications().publish(first, "board", LeaseKind::read));
    const Result<void> late = pair.b->publications().publish(second, "board", LeaseKind::read);
    REQUIRE_FALSE(late.ok());
    CHECK(late.error().kind == ErrorKind::refused);
    CHECK_THAT(late.error().text, Catch::Matchers::Contains("'board' is taken: actor 2.1"));
    // it has a name
    CHECK(pair.a->publications().publish(first, "other", LeaseKind::read).error().kind == ErrorKind::refused);
    CHECK(pair.b->publications().publish(second, "other", LeaseKind::read));
    pair.a->publications().unpublish(first);
    CHECK(pair.b->publications().attach("board").value() == nullptr);
    CHECK(pair.a->publications().publish(first, "board", LeaseKind::read));
}

TEST_CASE("what is published to be shared is written from both sides", "[names][I2]") {
    Pair pair;
    Holding& board = lent(*pair.a, 100, 0);
    REQUIRE(pair.a->publications().publish(board, "board", LeaseKind::shared));
    Holding* const ours = pair.a->publications().attach("board").value();  // its owner borrows of itself
    Holding* const theirs = pair.b->publications().attach("board").value();
    CHECK(theirs->kind() == HandleKind::slice);
    ours->data()[0] = std::byte{1};
    theirs->data()[1] = std::byte{2};
    CHECK(theirs->data()[0] == std::byte{1});
    CHECK(ours->data()[1] == std::byte{2});
    CHECK(invariants(audit(pair.ledger())).empty());
    CHECK_FALSE(pair.a->lending().try_reclaim(board));
    pair.a->release(*ours);
    pair.b->release(*theirs);
    CHECK(pair.a->lending().try_reclaim(board));
}

TEST_CASE("while anybody may attach, no lease or slice of another kind is made, nor while somebody has",
          "[names][I2]") {
    Pair pair;
    Holding& board = lent(*pair.a, 100, 0);
    SECTION("a slice that is out keeps it from being published") {
        static_cast<void>(pair.a->lending().pledge(board, LeaseKind::slice, 0, bytes(10)));
        CHECK(pair.a->publications().publish(board, "board", LeaseKind::read).error().kind == ErrorKind::refused);
        CHECK(pair.a->publications().publish(board, "board", LeaseKind::shared).error().kind == ErrorKind::refused);
    }
    SECTION("one who reads keeps it from being shared") {
        static_cast<void>(pair.a->lending().pledge(board, LeaseKind::read, 0, board.layout));
        CHECK(pair.a->publications().publish(board, "board", LeaseKind::shared).error().kind == ErrorKind::refused);
        CHECK(pair.a->publications().publish(board, "board", LeaseKind::read));
    }
    SECTION("one that is published to be read is not written") {
        REQUIRE(pair.a->publications().publish(board, "board", LeaseKind::read));
        CHECK(pair.a->publications().permits(board, LeaseKind::read));
        CHECK_FALSE(pair.a->publications().permits(board, LeaseKind::slice).ok());
        CHECK_FALSE(pair.a->publications().permits(board, LeaseKind::shared).ok());
        Holding* const seen = pair.b->publications().attach("board").value();
        pair.a->publications().unpublish(board);
        CHECK(pair.a->publications().permits(board, LeaseKind::slice));
        CHECK(pair.a->lending().overlaps(board, LeaseKind::slice, 0, 10));  // somebody reads still
        pair.b->release(*seen);
        CHECK_FALSE(pair.a->lending().overlaps(board, LeaseKind::slice, 0, 10));
    }
}

TEST_CASE("names that are none are refused", "[names]") {
    Pair pair;
    Holding& board = lent(*pair.a, 10, 1);
    for (const std::string& name : {std::string(), std::string("a\0b", 3), std::string("a\nb"),
                                    std::string(limits::published_name_bytes_max + 1, 'n')}) {
        CHECK(pair.a->publications().publish(board, name, LeaseKind::read).error().kind == ErrorKind::refused);
        CHECK(pair.b->publications().attach(name).error().kind == ErrorKind::refused);
    }
    Holding& owned = *pair.a->create(bytes(10)).value();
    CHECK(pair.a->publications().publish(owned, "owned", LeaseKind::read).error().kind == ErrorKind::refused);
    const std::string longest(limits::published_name_bytes_max, 'n');
    REQUIRE(pair.a->publications().publish(board, longest, LeaseKind::read));
    CHECK(pair.b->publications().attach(longest).value() != nullptr);
}

TEST_CASE("who attaches again and again uses the same row again", "[names]") {
    Pair pair;
    Holding& board = lent(*pair.a, 10, 1);
    REQUIRE(pair.a->publications().publish(board, "board", LeaseKind::read));
    for (int count = 0; count < 500; ++count) pair.b->release(*pair.b->publications().attach("board").value());
    CHECK(pair.ledger().lease_blocks.rows_used() == limits::rows_per_block);
}

TEST_CASE("a session has room for so many names, and each keeps its row", "[names]") {
    HeapLedger heap;
    std::set<NameSlot> rows;
    for (std::uint32_t number = 0; number < limits::names_max; ++number)
        rows.insert(heap.ledger.names.bind("name-" + std::to_string(number)).value());
    CHECK(rows.size() == limits::names_max);
    const Result<NameSlot> more = heap.ledger.names.bind("one more");
    REQUIRE_FALSE(more.ok());
    CHECK(more.error().kind == ErrorKind::overloaded);
    CHECK_THAT(more.error().text, Catch::Matchers::Contains("limits::names_max"));
    CHECK(heap.ledger.names.find("name-77") == heap.ledger.names.bind("name-77").value());
    CHECK(heap.ledger.names.text_of(heap.ledger.names.find("name-77").value()) == "name-77");
}

TEST_CASE("a chain of names that somebody closed to a ring, or led out of the table, is walked to an end", "[names]") {
    HeapLedger heap;
    const NameSlot row = heap.ledger.names.bind("a").value();
    auto& name = heap.ledger.layout.names()[row];
    name.next.store(row + 1);
    name.name[0].store('b');
    CHECK_FALSE(heap.ledger.names.find("a"));
    name.next.store(~std::uint64_t{0});
    name.name_bytes.store(~std::uint64_t{0});
    CHECK_FALSE(heap.ledger.names.find("a"));
    CHECK(heap.ledger.names.text_of(row).size() <= limits::published_name_bytes_max);
    name.dimensions.store(9);
    CHECK_FALSE(heap.ledger.names.publication_of(row));
    name.dimensions.store(0);
    name.kind.store(1);  // an exclusive slice can't be published
    CHECK_FALSE(heap.ledger.names.publication_of(row));
}

// Goal: of several who add one name at once all get the same row.
// Method: two threads add the same names to one table, in the same order.
TEST_CASE("two add the same names at once, and each name has one row", "[names][N1]") {
    HeapLedger heap;
    Ledger other{heap.region(), [](std::size_t, std::size_t) { return Result<void>{}; }};
    constexpr std::size_t count = 2000;
    std::vector<NameSlot> first(count);
    std::vector<NameSlot> second(count);
    std::atomic<int> started = 0;
    const auto add = [&](Ledger& ledger, std::vector<NameSlot>& rows) {
        for (++started; started < 2;) {
        }
        for (std::size_t number = 0; number < count; ++number)
            rows[number] = ledger.names.bind("name-" + std::to_string(number)).value();
    };
    std::thread racer{add, std::ref(other), std::ref(second)};
    add(heap.ledger, first);
    racer.join();
    CHECK(first == second);
    CHECK(std::set<NameSlot>(first.begin(), first.end()).size() == count);
}

// Goal: nobody reads what its owner has back and writes.
// Method: one attaches, reads and leaves, the other lends, publishes, reclaims and writes, both as fast as they can.
TEST_CASE("whoever attaches and whoever reclaims never have the memory at the same time", "[names][I2]") {
    Pair pair;
    std::atomic<bool> is_over = false;
    std::atomic<std::uint64_t> reads = 0;
    std::atomic<std::uint64_t> torn = 0;
    std::thread reader{[&] {
        while (!is_over) {
            const Result<Holding*> seen = pair.b->publications().attach("board");
            if (!seen || *seen == nullptr) continue;
            const int value = std::to_integer<int>((*seen)->data()[0]);
            if (!is_filled(**seen, value)) ++torn;
            ++reads;
            pair.b->release(**seen);
        }
    }};
    Holding& board = *pair.a->create(bytes(64)).value();
    std::uint64_t rounds = 0;
    for (; rounds < 2000 || (reads < 100 && rounds < 2'000'000); ++rounds) {
        fill(board, static_cast<int>(rounds % 200));
        pair.a->lending().lend(board).value();
        pair.a->publications().publish(board, "board", LeaseKind::read).value();
        while (!pair.a->lending().try_reclaim(board)) {
        }
    }
    is_over = true;
    reader.join();
    CHECK(torn == 0);
    CHECK(reads > 0);
}
