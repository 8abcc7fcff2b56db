// Hand-over between real processes: what is given arrives, what is refused stays, what is lent comes back.
#include <csignal>
#include <cstdlib>

#include "tests/process/vault_world.hpp"

using namespace std::chrono_literals;
using baton::ErrorKind;
using baton::ExitKind;
using baton::Segment;

TEST_CASE("a segment given in a command is the receiver's, and comes home in the reply, the same memory",
          "[process][T2][T3]") {
    VaultWorld world;
    const vault::Address vault = world.spawn("vault");
    Segment segment = world.make(1000, 1);
    const auto* const before = segment.as<std::int64_t>().data();
    Segment back = world.scenario().ask(vault, vault::Change{std::move(segment), 41}).value();
    CHECK_FALSE(segment);
    CHECK(sum_of(back) == 42'000);
    // Mapped where it was mapped before: nothing has been copied.
    CHECK(static_cast<const void*>(back.as<std::int64_t>().data()) == before);
    CHECK(world.audit().empty());
}

TEST_CASE("a pipeline of four takes, changes and passes on one segment", "[process]") {
    VaultWorld world;
    const vault::Address a = world.spawn("a");
    const vault::Address b = world.spawn("b");
    const vault::Address c = world.spawn("c");
    const vault::Address d = world.spawn("d");
    world.scenario().send(a, vault::Pass{world.make(100, 0), {b, c, d}}).value();
    while (world.report(d).kept == 0) {
    }
    CHECK(world.report(d).sum == 400);
    CHECK(world.alive() == 1);
    CHECK(world.audit().empty());
}

TEST_CASE("what an actor gave outlives its exit", "[process][T2]") {
    VaultWorld world;
    const vault::Address giver = world.spawn("giver");
    const vault::Address taker = world.spawn("taker");
    CHECK(world.scenario().ask(giver, vault::Make{taker, 8, 1000, "exit"}).value() == 8);
    CHECK(world.scenario().join(giver, 5s).value().exit.kind == ExitKind::stopped);
    while (world.report(taker).kept < 8) {
    }
    CHECK(world.report(taker).sum == 28'000);
    CHECK(world.audit().empty());
}

TEST_CASE("several segments travel in one message, in lists and optionals", "[process]") {
    VaultWorld world;
    const vault::Address vault = world.spawn("vault");
    vault::KeepAll all;
    for (int index = 0; index < 5; ++index) all.items.push_back(world.make(10, index));
    all.more = world.make(10, 100);
    CHECK(world.scenario().ask(vault, std::move(all)).value() == 1100);
    CHECK(world.report(vault).kept == 6);
}

TEST_CASE("a refused gift is still the giver's", "[process][T4]") {
    VaultWorld world;
    const vault::Address vault = world.spawn("vault");
    world.scenario().kill(vault).value();
    static_cast<void>(world.scenario().join(vault, 5s));
    vault::Keep keep{world.make(10, 7), 1};
    const auto sent = world.scenario().send(vault, std::move(keep));
    REQUIRE_FALSE(sent.ok());
    CHECK(sent.error().kind == ErrorKind::gone);
    REQUIRE(keep.item);
    CHECK(sum_of(keep.item) == 70);
    CHECK(world.audit().empty());
}

TEST_CASE("an empty segment is refused by name, before anything is sent", "[process]") {
    VaultWorld world;
    const vault::Address vault = world.spawn("vault");
    const auto sent = world.scenario().send(vault, vault::Keep{Segment{}, 1});
    REQUIRE_FALSE(sent.ok());
    CHECK(sent.error().kind == ErrorKind::refused);
    CHECK_THAT(sent.error().text, Catch::Contains("empty"));
    // All or none: the one that is fine stays here too.
    vault::KeepAll mixed;
    mixed.items.push_back(world.make(10, 1));
    mixed.items.emplace_back();
    CHECK_FALSE(world.scenario().ask(vault, std::move(mixed)).ok());
    REQUIRE(mixed.items[0]);
    CHECK(sum_of(mixed.items[0]) == 10);
}

TEST_CASE("gifts to an actor that dies come back with the commands they were in", "[process][T5][I3][I6]") {
    VaultWorld world;
    const vault::Address giver = world.spawn("giver");
    const vault::Address taker = world.spawn("taker");
    const std::string fifo = world.world.make_fifo("fifo");
    // A blocked actor takes nothing.
    auto blocked = world.scenario().request(taker, vault::Block{fifo}).value();
    world.world.wait_until_in_hand("taker", "Block");
    CHECK(world.scenario().ask(giver, vault::Make{taker, 20, 100, ""}).value() == 20);
    world.scenario().kill(taker).value();
    while (world.report(giver).kept < 20) {
    }
    const vault::Summary back = world.report(giver);
    CHECK(back.sum == 100 * 190);
    REQUIRE(back.bounced.size() == 20);
    for (std::int64_t number = 0; number < 20; ++number)
        CHECK(back.bounced[static_cast<std::size_t>(number)] == number);
    CHECK(blocked.get(5s).error().kind == ErrorKind::gone);
    // The exit says what it never took, whatever has become of that since: what came back is among it.
    std::uint64_t letters = 0;
    const baton::Exit exit = world.scenario().exit_of(taker).value();
    for (const baton::DeadLetter& letter : exit.dead_letters) letters += letter.count;
    CHECK(letters == 20);
    CHECK(world.audit().empty());
}

TEST_CASE("an ask whose receiver dies leaves the segment where it was", "[process][T5]") {
    VaultWorld world;
    const vault::Address vault = world.spawn("vault");
    const std::string fifo = world.world.make_fifo("fifo");
    auto blocked = world.scenario().request(vault, vault::Block{fifo}).value();
    world.world.wait_until_in_hand("vault", "Block");
    vault::Change change{world.make(10, 5), 1};
    const auto late = world.scenario().ask(vault, std::move(change), 50ms);
    REQUIRE_FALSE(late.ok());
    CHECK(late.error().kind == ErrorKind::timed_out);
    REQUIRE(change.item);
    CHECK(sum_of(change.item) == 50);
    // The command is still unread; when it is read at last, its handle is stale.
    world.world.release(fifo);
    CHECK(blocked.get(5s).ok());
    const std::vector<baton::AnyRef> all{vault};
    CHECK(world.scenario().sync(all).ok());
    CHECK(sum_of(change.item) == 50);
    CHECK(world.audit().empty());
}

TEST_CASE("many read what is lent, and the lender gets it back whole", "[process][T7][T8]") {
    VaultWorld world;
    std::vector<vault::Address> readers;
    for (int index = 0; index < 4; ++index) readers.push_back(world.spawn("reader-" + std::to_string(index)));
    baton::Loan lent = world.scenario().lend(world.make(1000, 3)).value();
    for (const vault::Address& reader : readers)
        CHECK(world.scenario().ask(reader, vault::Measure{lent.lease().value()}).value() == 3000);
    for (const vault::Address& reader : readers)
        CHECK(world.scenario().ask(reader, vault::KeepLease{lent.lease().value()}).value() == 3000);
    CHECK(lent.leases_out() == 4);
    const auto early = lent.reclaim(20ms);
    REQUIRE_FALSE(early.ok());
    CHECK(early.error().kind == ErrorKind::timed_out);
    for (const vault::Address& reader : readers) world.scenario().send(reader, vault::Drop{}).value();
    Segment whole = lent.reclaim().value();
    CHECK_FALSE(lent);
    CHECK(sum_of(whole) == 3000);
    CHECK(world.audit().empty());
}

TEST_CASE("a write through a lease faults in the reader and harms nobody else", "[process][I2]") {
    VaultWorld world;
    const vault::Address rogue = world.spawn("rogue");
    baton::Loan lent = world.scenario().lend(world.make(10, 1)).value();
    const auto outcome = world.scenario().ask(rogue, vault::WriteThroughLease{lent.lease().value()});
    CHECK(outcome.error().kind == ErrorKind::gone);
    const baton::Ended ended = world.scenario().join(rogue, 5s).value();
    CHECK(ended.exit.kind == ExitKind::signalled);
    CHECK(ended.exit.code == SIGSEGV);
    // The lease of the dead actor has been returned.
    CHECK(sum_of(lent.reclaim().value()) == 10);
    CHECK(world.audit().empty());
}

namespace {

// As builds without optimisation are by themselves.
struct Guarded {
    Guarded() { ::setenv("BATON_GUARD", "1", 1); }
    ~Guarded() { ::unsetenv("BATON_GUARD"); }
    Guarded(const Guarded&) = delete;
    Guarded& operator=(const Guarded&) = delete;
};

}  // namespace

TEST_CASE("a pointer kept from before a gift faults at its next use", "[process][I2]") {
    const Guarded guarded;
    VaultWorld world;
    const vault::Address careless = world.spawn("careless");
    const vault::Address taker = world.spawn("taker");
    CHECK(world.scenario().ask(careless, vault::TouchGiven{taker}).error().kind == ErrorKind::gone);
    CHECK(world.scenario().join(careless, 5s).value().exit.code == SIGSEGV);
    CHECK(world.report(taker).sum == 8);
}

TEST_CASE("workers write disjoint slices of one array at once, and an overlap is refused", "[process][I2]") {
    VaultWorld world;
    std::vector<vault::Address> workers;
    for (int index = 0; index < 4; ++index) workers.push_back(world.spawn("worker-" + std::to_string(index)));
    baton::Loan lent = world.scenario().lend(world.make(400, 0)).value();
    std::vector<baton::Pending<std::uint64_t>> filling;
    for (std::uint64_t index = 0; index < 4; ++index)
        filling.push_back(world.scenario()
                              .request(workers[index], vault::Fill{lent.slice(index * 100, 100).value(),
                                                                   static_cast<std::int64_t>(index) + 1})
                              .value());
    for (std::uint64_t index = 0; index < 4; ++index) CHECK(filling[index].get(5s).value() == index * 100);
    {
        const baton::Slice held = lent.slice(50, 10).value();
        CHECK(lent.slice(55, 10).error().kind == ErrorKind::refused);
        CHECK(lent.lease().error().kind == ErrorKind::refused);
        CHECK(lent.slice(60, 10).ok());
        CHECK(lent.slice(395, 6).error().kind == ErrorKind::refused);
    }
    Segment whole = lent.reclaim().value();
    CHECK(sum_of(whole) == 100 * (1 + 2 + 3 + 4));
    CHECK(whole.at<std::int64_t>({399}) == 4);
    CHECK_THROWS_AS(whole.at<std::int64_t>({400}), baton::ErrorException);
    CHECK(world.audit().empty());
}

// Goal: a stencil without a copy, on one segment.
// Method: the segment holds the rows of two generations. In each step every worker has the slice of its own strip of
// the newer one, and leases of its strip and of its neighbours' edge rows of the older one, all at once.
TEST_CASE("three actors run a stencil on one segment, and read their neighbours' edge rows by lease", "[process][I2]") {
    constexpr std::uint64_t workers_max = 3, strip = 4, columns = 5, rows = workers_max * strip;
    VaultWorld world;
    const std::vector<vault::Address> workers = world.spawn_many("strip", workers_max);
    Segment grid = world.scenario().create_array<std::int64_t>({2 * rows, columns}).value();
    for (std::uint64_t row = 0; row < 2 * rows; ++row)
        for (std::uint64_t column = 0; column < columns; ++column)
            grid.at<std::int64_t>({row, column}) = row < rows ? static_cast<std::int64_t>(row * row + column) : -1;
    std::vector<std::int64_t> expected(grid.as<std::int64_t>().begin(),
                                       grid.as<std::int64_t>().begin() + rows * columns);

    baton::Loan lent = world.scenario().lend(std::move(grid)).value();
    for (std::uint64_t step = 0; step < 4; ++step) {
        const std::uint64_t older = step % 2 * rows, newer = rows - older;
        std::vector<baton::Pending<std::vector<std::uint64_t>>> steps;
        std::vector<std::vector<std::uint64_t>> firsts;
        for (std::uint64_t index = 0; index < workers_max; ++index) {
            const std::uint64_t first = index * strip;
            vault::Relax command{
                lent.slice(newer + first, strip).value(), lent.lease(older + first, strip).value(), {}, {}};
            firsts.push_back({newer + first, older + first});
            if (index > 0) command.above = lent.lease(older + first - 1, 1).value();
            if (index > 0) firsts.back().push_back(older + first - 1);
            if (index + 1 < workers_max) command.below = lent.lease(older + first + strip, 1).value();
            if (index + 1 < workers_max) firsts.back().push_back(older + first + strip);
            steps.push_back(world.scenario().request(workers[index], std::move(command)).value());
        }
        for (std::uint64_t index = 0; index < workers_max; ++index)
            CHECK(steps[index].get(5s).value() == firsts[index]);
        const std::vector<std::int64_t> before = expected;
        for (std::uint64_t at = 0; at < before.size(); ++at) {
            if (at >= columns) expected[at] += before[at - columns];
            if (at + columns < before.size()) expected[at] += before[at + columns];
        }
    }
    CHECK(world.audit().empty());
    const Segment whole = lent.reclaim().value();
    CHECK(std::ranges::equal(whole.as<std::int64_t>().first(rows * columns), expected));
}

TEST_CASE("a range is leased beside slices that do not overlap it, and never where one may write", "[process][I2]") {
    VaultWorld world;
    const vault::Address writer = world.spawn("writer");
    const vault::Address reader = world.spawn("reader");
    baton::Loan lent = world.scenario().lend(world.make(100, 2)).value();
    CHECK(world.scenario().ask(writer, vault::KeepSlice{lent.slice(10, 20).value()}).value() == 10);
    CHECK(world.scenario().ask(reader, vault::KeepLease{lent.lease(30, 5).value()}).value() == 10);
    CHECK(world.scenario().ask(reader, vault::KeepLease{lent.lease(0, 10).value()}).value() == 20);
    CHECK(world.scenario().ask(reader, vault::Measure{lent.lease(32, 60).value()}).value() == 120);  // leases overlap
    const auto text_of = [](const auto& result) { return result.error().text; };
    CHECK(lent.lease(29, 1).error().kind == ErrorKind::refused);
    CHECK_THAT(text_of(lent.lease(9, 2)), Catch::Matchers::Contains("[9, 11) of") &&
                                              Catch::Matchers::Contains("overlaps a slice that is out"));
    CHECK_THAT(text_of(lent.lease()), Catch::Matchers::Contains("lease(first, count) is the right to read a part"));
    CHECK_THAT(text_of(lent.slice(34, 1)), Catch::Matchers::Contains("overlaps a slice or lease that is out"));
    CHECK(lent.share(0, 1).error().kind == ErrorKind::refused);
    CHECK(lent.slice(35, 5).ok());  // beside what is leased
    CHECK(lent.lease(95, 6).error().kind == ErrorKind::refused);
    CHECK(lent.lease(5, 0).error().kind == ErrorKind::refused);
    CHECK(lent.lease(1, ~std::uint64_t{0}).error().kind == ErrorKind::refused);
    CHECK(world.audit().empty());
    // The range of a dead reader may be written again, that of a dead writer read.
    world.scenario().kill(reader).value();
    while (!lent.slice(30, 5).ok()) {
    }
    world.scenario().kill(writer).value();
    while (!lent.lease(10, 20).ok()) {
    }
    CHECK(sum_of(lent.reclaim().value()) == 200);
    CHECK(world.audit().empty());
}

TEST_CASE("a dead slice holder's range comes back and the lender goes on", "[process][I6]") {
    VaultWorld world;
    const vault::Address holder = world.spawn("holder");
    baton::Loan lent = world.scenario().lend(world.make(100, 2)).value();
    CHECK(world.scenario().ask(holder, vault::KeepSlice{lent.slice(10, 20).value()}).value() == 10);
    CHECK(lent.slice(0, 100).error().kind == ErrorKind::refused);
    world.scenario().kill(holder).value();
    CHECK(sum_of(lent.reclaim().value()) == 200);
    CHECK(world.audit().empty());
}

TEST_CASE("a lease outlives its dead lender, and the memory is not reused under it", "[process][I5]") {
    VaultWorld world;
    const vault::Address lender = world.spawn("lender");
    const vault::Address reader = world.spawn("reader");
    CHECK(world.scenario().ask(lender, vault::LendTo{reader, 100}).value() == 100);
    world.scenario().kill(lender).value();
    static_cast<void>(world.scenario().join(lender, 5s));
    CHECK(world.alive() == 1);
    CHECK(world.report(reader).leases == 1);
    CHECK(world.audit().empty());
    world.scenario().send(reader, vault::Drop{}).value();
    world.wait_for_alive(0);
    CHECK(world.audit().empty());
}

TEST_CASE("a lender is told when its borrower has ended, and its lease is in by then", "[process][I6]") {
    VaultWorld world;
    const vault::Address lender = world.spawn("lender");
    const vault::Address reader = world.spawn("reader");
    CHECK(world.scenario().ask(lender, vault::LendTo{reader, 100}).value() == 100);
    world.scenario().kill(reader).value();
    while (world.report(lender).exited.empty()) {
    }
    CHECK(world.report(lender).exited == std::vector<std::string>{"reader"});
    CHECK(world.scenario().ask(lender, vault::Reclaim{0}).value() == "whole");
}

TEST_CASE("the end of a session takes back what everybody held", "[process][I7]") {
    VaultWorld world;
    const vault::Address a = world.spawn("a");
    const vault::Address b = world.spawn("b");
    world.scenario().send(a, vault::Keep{world.make(1000, 1), 1}).value();
    world.scenario().ask(b, vault::LendTo{a, 10}).value();
    Segment mine = world.make(10, 1);
    world.world.close();
    CHECK_FALSE(mine);
    CHECK_THROWS_AS(mine.bytes(), baton::ErrorException);
}

TEST_CASE("a reply to nobody releases what it carried", "[process]") {
    VaultWorld world;
    const vault::Address vault = world.spawn("vault");
    {
        auto pending = world.scenario().request(vault, vault::MakeOne{10}).value();
        pending.cancel();
    }
    const std::vector<baton::AnyRef> all{vault};
    CHECK(world.scenario().sync(all).ok());
    world.wait_for_alive(0);
    auto kept = world.scenario().request(vault, vault::MakeOne{10}).value();
    while (!kept.ready()) {
    }
    Segment segment = kept.get(1s).value();
    CHECK(sum_of(segment) == 10);
}

TEST_CASE("an actor over its budget is told so, and goes on when memory has come home", "[process]") {
    VaultWorld world;
    const vault::Address small =
        world.scenario().spawn<vault::Protocol>({.program = "vault", .name = "small", .memory_bytes = 1 << 20}).value();
    CHECK(world.scenario().ask(small, vault::Occupy{64 << 10, 100}).value() == 16);
    CHECK(world.scenario().ask(small, vault::Occupy{64 << 10, 1}).value() == 0);
    const vault::Address other = world.spawn("other");
    CHECK(world.scenario().ask(other, vault::Occupy{64 << 10, 100}).value() == 100);
}
