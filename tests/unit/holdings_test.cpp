// Holdings of two actors over one real region: what each may do, what it is refused, and what memory lies behind it.
#include "runtime/memory/size_class.hpp"
#include "tests/unit/holdings_fixture.hpp"

#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>
#include <sstream>

using namespace holdings_test;

TEST_CASE("a size class holds what was asked for, is its own class, and wastes at most a quarter and a page, or half",
          "[holdings]") {
    CHECK(size_class_of(0) == 64);
    CHECK(size_class_of(64) == 64);
    CHECK(size_class_of(65) == 128);
    CHECK(size_class_of(2'049) == 4096);
    CHECK(size_class_of(4096) == 4096);
    CHECK(size_class_of(4097) == 8192);
    CHECK(size_class_of(8192) == 8192);
    CHECK(size_class_of(16'385) == 20'480);
    CHECK(size_class_of(std::uint64_t{1} << 20) == std::uint64_t{1} << 20);
    CHECK(size_class_of((std::uint64_t{1} << 20) + 1) == (std::uint64_t{1} << 20) / 4 * 5);
    CHECK(size_class_of(limits::segment_bytes_max) == limits::segment_bytes_max);
    std::uint64_t former = 0;
    for (std::uint64_t size = 1; size < std::uint64_t{1} << 40; size += size / 7 + 1) {
        const std::uint64_t capacity = size_class_of(size);
        const bool is_small = size <= page_bytes;
        const bool is_fine = capacity >= size && capacity >= former && size_class_of(capacity) == capacity &&
                             (is_small ? page_bytes % capacity == 0 : capacity % page_bytes == 0) &&
                             (is_small ? capacity < 2 * size || capacity == limits::place_bytes_min
                                       : capacity - size <= size / 4 + page_bytes);
        if (!is_fine) FAIL_CHECK(size << " becomes " << capacity);
        former = capacity;
    }
}

TEST_CASE("create takes a row and memory, release pools them, trim gives the memory back", "[holdings][T1][T9][T10]") {
    Pair pair;
    Holding& holding = *pair.a->create(bytes(10'000)).value();
    const Slot slot = holding.slot;
    CHECK(pair.ledger().segments.word_of(slot) == SegmentWord{Phase::owned, alice, 0, holding.epoch});
    CHECK(holding.memory()->capacity == size_class_of(10'000));
    CHECK(rights_at(holding.data()) == "rw-s");
    CHECK(pair.memories().size() == 1);
    CHECK(pair.ledger().budget.bytes_of(alice) == holding.memory()->capacity);
    CHECK(pair.ledger().counters.of(alice).created == 1);
    pair.a->release(holding);
    CHECK(pair.ledger().segments.word_of(slot).phase == Phase::free);
    CHECK(pair.a->has_pooled());
    CHECK(pair.ledger().counters.of(alice).released == 1);
    CHECK(pair.memories().size() == 1);
    pair.a->trim();
    CHECK_FALSE(pair.a->has_pooled());
    CHECK(pair.memories().empty());
    CHECK(pair.ledger().budget.bytes_of(alice) == 0);
}

TEST_CASE("a layout that is none is refused, and nothing is counted", "[holdings]") {
    Pair pair;
    CHECK(pair.a->create({"wrong", {1}}).error().kind == ErrorKind::refused);
    CHECK(pair.a->create(bytes(limits::segment_bytes_max + 1)).error().kind == ErrorKind::refused);
    CHECK(pair.a->create({"<f8", {~std::uint64_t{0}, 2}}).error().kind == ErrorKind::refused);
    CHECK(pair.a->create({"|u1", std::vector<std::uint64_t>(limits::shape_dimensions_max + 1, 1)}).error().kind ==
          ErrorKind::refused);
    CHECK(pair.ledger().counters.of(alice).created == 0);
}

TEST_CASE("a segment of the same class gets the same memory again, under a new epoch", "[holdings]") {
    Pair pair;
    Holding& first = *pair.a->create(bytes(5000)).value();
    const std::byte* const data = first.data();
    const Handle old = first.handle();
    pair.a->release(first);
    Holding& second = *pair.a->create(bytes(8000)).value();
    CHECK(second.data() == data);
    CHECK(second.slot == old.slot);
    CHECK(second.epoch > old.epoch);
    Holding& other = *pair.a->create(bytes(3)).value();
    CHECK(other.data() != data);
    CHECK(pair.memories().size() == 2);
}

// Goal: the steady state asks the kernel for nothing.
// Method: in a process that the kernel ends at the first system call but exit, after one round to warm up.
TEST_CASE("create and release out of the pool make no system call", "[holdings]") {
    if (BATON_SANITIZED) SKIP_TEST("a sanitizer's allocator makes system calls; a build without one runs this");
    Pair pair;
    pair.a->release(*pair.a->create(bytes(5000)).value());
    const pid_t child = ::fork();
    if (child == 0) {
        pair.a->release(*pair.a->create(bytes(5000)).value());
        if (::prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT) != 0) ::syscall(SYS_exit, 77);
        for (int round = 0; round < 1000; ++round) {
            const Result<Holding*> made = pair.a->create(bytes(5000));
            if (!made) ::syscall(SYS_exit, 1);
            pair.a->release(**made);
        }
        ::syscall(SYS_exit, 0);
    }
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 77) SKIP_TEST("the kernel has no strict seccomp");
    CHECK(status == 0);
}

TEST_CASE("over the budget is overloaded, and what lies in the pool in other sizes makes room", "[holdings]") {
    Pair pair{1 << 20};
    Holding& large = *pair.a->create(bytes(512 << 10)).value();
    Holding& small = *pair.a->create(bytes(256 << 10)).value();
    const auto more = pair.a->create(bytes(512 << 10));
    REQUIRE_FALSE(more);
    CHECK(more.error().kind == ErrorKind::overloaded);
    CHECK(pair.b->create(bytes(512 << 10)).error().kind == ErrorKind::overloaded);
    pair.a->release(large);
    CHECK(pair.a->create(bytes(768 << 10)).ok());
    CHECK(is_filled(small, 0));
    CHECK(pair.ledger().budget.bytes_in_session() == 1 << 20);
}

TEST_CASE("a gift is the heir's, and its memory comes home when the heir lets it go", "[holdings][T2][T3]") {
    Pair pair;
    Holding& sent = *pair.a->create(bytes(5000)).value();
    fill(sent, 42);
    const std::byte* const data = sent.data();
    const Handle handle = pair.offer(sent);
    CHECK(sent.data() == nullptr);
    Parcel parcel{"", {&sent}};
    CHECK_FALSE(pair.a->transfers().is_taken(parcel));
    Holding* got = nullptr;
    REQUIRE(pair.accept(handle, &got));
    CHECK(is_filled(*got, 42));
    CHECK_FALSE(pair.a->transfers().take_back(parcel));
    CHECK(parcel.holdings.empty());
    pair.b->release(*got);
    CHECK(pair.ledger().segments.word_of(handle.slot).phase == Phase::retired);
    // No row of the giver's is free, so it looks for returned ones.
    Holding& again = *pair.a->create(bytes(5000)).value();
    CHECK(again.slot == handle.slot);
    CHECK(again.data() == data);
    CHECK(pair.memories().size() == 1);
}

TEST_CASE("a handle that is not what the ledger says is refused and counted, and changes nothing", "[holdings]") {
    Pair pair;
    Holding& sent = *pair.a->create(bytes(5000)).value();
    const Handle handle = pair.offer(sent);
    const SegmentWord word = pair.ledger().segments.word_of(handle.slot);
    std::vector<std::pair<std::string, Handle>> forged(8, {"", handle});
    forged[0] = {"stale", handle};
    forged[0].second.epoch -= 1;
    forged[1] = {"of the future", handle};
    forged[1].second.epoch += 1;
    forged[2] = {"of another slot", handle};
    forged[2].second.slot += 1;
    forged[3] = {"of no slot", handle};
    forged[3].second.slot = ~0U;
    forged[4] = {"larger than the memory", handle};
    forged[4].second.layout = bytes(handle.layout.shape[0] * 100);
    forged[5] = {"a lease", handle};
    forged[5].second.kind = HandleKind::lease;
    forged[6] = {"a slice of a lease that is none", handle};
    forged[6].second.kind = HandleKind::slice;
    forged[6].second.lease = ~0U;
    forged[7] = {"of bytes that overflow", handle};
    forged[7].second.layout = {"<f8", {~std::uint64_t{0}}};
    std::uint64_t refused = 0;
    for (const auto& [name, one] : forged) {
        INFO(name);
        const Result<void> accepted = pair.accept(one);
        if (one.layout.bytes().has_value()) {
            CHECK_FALSE(accepted);
            CHECK(pair.ledger().counters.of(bob).refused == ++refused);
            CHECK(pair.ledger().segments.word_of(handle.slot) == word);
        }
    }
}

TEST_CASE("a repeated and a misdirected handle are refused", "[holdings][I3]") {
    Pair pair;
    Holding& sent = *pair.a->create(bytes(5000)).value();
    const Handle handle = pair.offer(sent);
    // By its own sender, as if it were the heir.
    Holding* const own[] = {&pair.a->transfers().expect(handle, bob)};
    CHECK_FALSE(pair.a->transfers().accept(own));
    // As if another had sent it.
    Holding* const others[] = {&pair.b->transfers().expect(handle, carol)};
    CHECK_FALSE(pair.b->transfers().accept(others));
    CHECK(pair.accept(handle).ok());
    CHECK_FALSE(pair.accept(handle));
    CHECK(pair.ledger().counters.of(bob).refused == 2);
}

TEST_CASE("of a message that carries several either all are accepted or none", "[holdings]") {
    Pair pair;
    Holding& first = *pair.a->create(bytes(10)).value();
    Holding& second = *pair.a->create(bytes(20)).value();
    Holding* const parcel[] = {&first, &second};
    REQUIRE(pair.a->transfers().depart(parcel, bob_id));
    Handle stale = second.handle();
    stale.epoch += 7;
    Holding* const arriving[] = {&pair.b->transfers().expect(first.handle(), alice),
                                 &pair.b->transfers().expect(stale, alice)};
    CHECK_FALSE(pair.b->transfers().accept(arriving));
    CHECK(pair.ledger().segments.word_of(first.slot).phase == Phase::offered);
    Parcel both{"", {&first, &second}};
    CHECK(pair.a->transfers().take_back(both));
    CHECK(first.data() != nullptr);
}

// Goal: a gift that comes back alone is not forgotten.
// Method: the heir accepts the first of two, dies, and the coordinator bounces the second.
TEST_CASE("of two gifts whose heir dies between taking them, the second is released by its giver",
          "[holdings][T5][I1]") {
    Pair pair;
    Holding& first = *pair.a->create(bytes(10)).value();
    Holding& second = *pair.a->create(bytes(20)).value();
    Parcel parcel{"", {&first, &second}};
    REQUIRE(pair.a->transfers().depart(parcel.holdings, bob_id));
    const Slot taken = first.slot;
    const Slot slot = second.slot;
    const std::optional<Epoch> epoch = pair.ledger().segments.accept(first.slot, first.epoch, alice, bob);
    REQUIRE(epoch);
    CHECK_FALSE(pair.a->transfers().is_taken(parcel));
    CHECK(parcel.holdings == std::vector<Holding*>{&second});
    REQUIRE(pair.ledger().segments.bounce(slot, pair.ledger().segments.word_of(slot)));
    CHECK(pair.a->transfers().is_taken(parcel));
    CHECK_FALSE(pair.ledger().segments.word_of(slot).is_live());
    CHECK(pair.ledger().segments.retire(taken, *epoch, bob));  // the dead heir's estate
}

TEST_CASE("what cannot go keeps all of its message here, mapped as before", "[holdings][I4]") {
    Pair pair;
    Holding& fine = *pair.a->create(bytes(10)).value();
    Holding& other = *pair.a->create(bytes(20)).value();
    fill(fine, 7);
    Holding* const parcel[] = {&fine, &other};
    SECTION("lent") {
        REQUIRE(pair.a->lending().lend(other));
        CHECK(pair.a->transfers().depart(parcel, bob_id).error().kind == ErrorKind::refused);
        CHECK(pair.a->lending().try_reclaim(other));
    }
    SECTION("viewed") {
        other.exports = 1;
        CHECK(pair.a->transfers().depart(parcel, bob_id).error().kind == ErrorKind::refused);
        CHECK(pair.a->lending().lend(other).error().kind == ErrorKind::refused);
        CHECK(pair.a->hand_out(other, pair.id + "-name").error().kind == ErrorKind::refused);
        other.exports = 0;
    }
    SECTION("to nobody who lives") {
        pair.ledger().lives.take(bob_id);
        CHECK(pair.a->transfers().depart(parcel, bob_id).error().kind == ErrorKind::gone);
    }
    SECTION("to oneself") { CHECK(pair.a->transfers().depart(parcel, alice_id).error().kind == ErrorKind::refused); }
    SECTION("twice the same") {
        Holding* const twice[] = {&fine, &fine};
        CHECK(pair.a->transfers().depart(twice, bob_id).error().kind == ErrorKind::refused);
    }
    CHECK(is_filled(fine, 7));
    CHECK(pair.ledger().segments.word_of(fine.slot) == SegmentWord{Phase::owned, alice, 0, fine.epoch});
    CHECK(fine.is<Owned>());
    CHECK(other.is<Owned>());
}

TEST_CASE("a gift that the coordinator bounced is ours again, once", "[holdings][T5]") {
    Pair pair;
    Holding& sent = *pair.a->create(bytes(5000)).value();
    fill(sent, 9);
    const Handle handle = pair.offer(sent);
    REQUIRE(pair.ledger().segments.bounce(handle.slot, pair.ledger().segments.word_of(handle.slot)));
    Parcel parcel{"", {&sent}};
    CHECK_FALSE(pair.a->transfers().is_taken(parcel));
    CHECK(pair.a->transfers().take_back(parcel));
    CHECK(is_filled(sent, 9));
    CHECK_FALSE(pair.accept(handle));
    // It may go out again.
    CHECK(pair.accept(pair.offer(sent)).ok());
}

TEST_CASE("a gift that nobody wants is accepted and ended at once", "[holdings]") {
    Pair pair;
    Holding& sent = *pair.a->create(bytes(5000)).value();
    const Handle handle = pair.offer(sent);
    Holding* const parcel[] = {&pair.b->transfers().expect(handle, alice), &pair.b->transfers().expect(handle, alice)};
    pair.b->transfers().accept_and_release(parcel);
    CHECK(pair.ledger().segments.word_of(handle.slot).phase == Phase::retired);
    CHECK(pair.ledger().counters.of(bob).released == 1);
}

// ---- leases ----------------------------------------------------------------------------------------

TEST_CASE("a lease is read-only, counted, and keeps the lender from reclaiming", "[holdings][T7][T8]") {
    Pair pair;
    Holding& lent = *pair.a->create(bytes(5000)).value();
    fill(lent, 5);
    REQUIRE(pair.a->lending().lend(lent));
    Holding& pledge = *pair.a->lending().pledge(lent, LeaseKind::read, 0, lent.layout);
    Holding* got = nullptr;
    const Handle handle = pair.offer(pledge);
    CHECK(pair.a->lending().leases_out(lent) == 1);
    REQUIRE(pair.accept(handle, &got));
    CHECK(rights_at(got->data()) == "r--s");
    CHECK(is_filled(*got, 5));
    CHECK_FALSE(pair.accept(handle));  // repeated
    CHECK_FALSE(pair.a->lending().try_reclaim(lent));
    Holding* const lease[] = {got};
    CHECK(pair.b->transfers().depart(lease, alice_id).error().kind == ErrorKind::refused);
    pair.b->release(*got);
    CHECK(pair.a->lending().leases_out(lent) == 0);
    CHECK(pair.a->lending().try_reclaim(lent));
}

TEST_CASE("shared slices overlap each other, and no lease or exclusive slice", "[holdings][I2]") {
    Pair pair;
    Holding& lent = *pair.a->create(bytes(5000)).value();
    REQUIRE(pair.a->lending().lend(lent));
    Holding& first = *pair.a->lending().pledge(lent, LeaseKind::shared, 0, bytes(100));
    for (int step = 0; step < 2; ++step) {
        CHECK(pair.a->lending().overlaps(lent, LeaseKind::read, 0, lent.bytes));
        CHECK_FALSE(pair.a->lending().overlaps(lent, LeaseKind::shared, 50, 100));
        CHECK(pair.a->lending().overlaps(lent, LeaseKind::slice, 50, 100));
        CHECK(pair.a->lending().overlaps(lent, LeaseKind::read, 0, 5000));
        if (step == 0) REQUIRE(pair.accept(pair.offer(first)));
    }
    Holding* second = nullptr;
    REQUIRE(pair.accept(pair.offer(*pair.a->lending().pledge(lent, LeaseKind::shared, 50, bytes(100))), &second));
    CHECK(rights_at(second->data()) == "rw-s");
    CHECK(audit(pair.ledger()).empty());
}

TEST_CASE("a lease handle of other bytes than were granted is refused", "[holdings][I2]") {
    Pair pair;
    Holding& lent = *pair.a->create(bytes(5000)).value();
    REQUIRE(pair.a->lending().lend(lent));
    Holding& pledge = *pair.a->lending().pledge(lent, LeaseKind::slice, 100, bytes(50));
    const Handle handle = pair.offer(pledge);
    const auto refused = [&](const std::function<void(Handle&)>& change) {
        Handle forged = handle;
        change(forged);
        return pair.accept(forged).error().kind == ErrorKind::refused;
    };
    CHECK(refused([](Handle& one) { one.offset = 0; }));
    CHECK(refused([](Handle& one) { one.offset = ~std::uint64_t{0}; }));
    CHECK(refused([](Handle& one) { one.layout = bytes(51); }));
    CHECK(refused([](Handle& one) { one.kind = HandleKind::lease; }));
    CHECK(refused([](Handle& one) { one.kind = HandleKind::segment; }));
    CHECK(refused([](Handle& one) { one.epoch += 1; }));
    CHECK(refused([](Handle& one) { one.lease_epoch += 1; }));
    CHECK(refused([](Handle& one) { one.lease += 1; }));
    CHECK(refused([](Handle& one) { one.slot += 1; }));
    CHECK(pair.ledger().counters.of(bob).refused == 9);
    Holding* got = nullptr;
    REQUIRE(pair.accept(handle, &got));
    CHECK(rights_at(got->data()) == "rw-s");
    CHECK(got->data() - got->offset != nullptr);
}

TEST_CASE("slices out and pledged overlap with what meets them, and with nothing beside them", "[holdings][I2]") {
    Pair pair;
    Holding& lent = *pair.a->create(bytes(5000)).value();
    REQUIRE(pair.a->lending().lend(lent));
    Holding& pledge = *pair.a->lending().pledge(lent, LeaseKind::slice, 100, bytes(50));
    for (int step = 0; step < 2; ++step) {
        CHECK(pair.a->lending().overlaps(lent, LeaseKind::read, 0, lent.bytes));
        CHECK(pair.a->lending().overlaps(lent, LeaseKind::slice, 149, 1));
        CHECK(pair.a->lending().overlaps(lent, LeaseKind::slice, 0, 101));
        CHECK_FALSE(pair.a->lending().overlaps(lent, LeaseKind::slice, 150, 50));
        CHECK_FALSE(pair.a->lending().overlaps(lent, LeaseKind::slice, 0, 100));
        if (step == 0) pair.offer(pledge);  // the same when it is on its way
    }
    Parcel parcel{"", {&pledge}};
    CHECK(pair.a->transfers().take_back(parcel));
    CHECK(pair.a->lending().overlaps(lent, LeaseKind::read, 0, lent.bytes));
    pair.a->release(pledge);
    CHECK_FALSE(pair.a->lending().overlaps(lent, LeaseKind::read, 0, lent.bytes));
    CHECK(pair.a->lending().try_reclaim(lent));
}

TEST_CASE("a lease of a range lies beside slices, is read-only and is what was granted", "[holdings][I2]") {
    Pair pair;
    Holding& lent = *pair.a->create(bytes(5000)).value();
    REQUIRE(pair.a->lending().lend(lent));
    Holding& slice = *pair.a->lending().pledge(lent, LeaseKind::slice, 100, bytes(50));
    for (int step = 0; step < 2; ++step) {
        CHECK(pair.a->lending().overlaps(lent, LeaseKind::read, 149, 10));
        CHECK(pair.a->lending().overlaps(lent, LeaseKind::read, 0, 101));
        CHECK(pair.a->lending().overlaps(lent, LeaseKind::read, 120, 1));
        CHECK_FALSE(pair.a->lending().overlaps(lent, LeaseKind::read, 150, 4850));
        CHECK_FALSE(pair.a->lending().overlaps(lent, LeaseKind::read, 0, 100));
        if (step == 0) pair.offer(slice);  // the same when it is on its way
    }
    Holding& pledge = *pair.a->lending().pledge(lent, LeaseKind::read, 150, bytes(10));
    Holding* got = nullptr;
    for (int step = 0; step < 2; ++step) {
        CHECK(pair.a->lending().overlaps(lent, LeaseKind::slice, 159, 1));
        CHECK(pair.a->lending().overlaps(lent, LeaseKind::shared, 140, 11));
        CHECK_FALSE(pair.a->lending().overlaps(lent, LeaseKind::slice, 160, 10));
        CHECK_FALSE(pair.a->lending().overlaps(lent, LeaseKind::read, 155, 10));
        if (step == 1) break;
        const Handle handle = pair.offer(pledge);
        const auto refused = [&](const std::function<void(Handle&)>& change) {
            Handle forged = handle;
            change(forged);
            return pair.accept(forged).error().kind == ErrorKind::refused;
        };
        CHECK(refused([](Handle& one) { one.offset = 100; }));  // where the slice is
        CHECK(refused([](Handle& one) { one.offset = 0; }));
        CHECK(refused([](Handle& one) { one.offset = ~std::uint64_t{0}; }));
        CHECK(refused([](Handle& one) { one.layout = bytes(5000); }));
        CHECK(refused([](Handle& one) { one.kind = HandleKind::slice; }));
        REQUIRE(pair.accept(handle, &got));
        CHECK(rights_at(got->data()) == "r--s");
        CHECK((got->offset == 150 && got->bytes == 10));
    }
    CHECK(audit(pair.ledger()).empty());
    Parcel parcel{"", {&slice}};
    CHECK(pair.a->transfers().take_back(parcel));
    pair.a->release(slice);
    CHECK_FALSE(pair.a->lending().try_reclaim(lent));
    pair.b->release(*got);
    CHECK(pair.a->lending().try_reclaim(lent));
}

TEST_CASE("a retired segment's memory is not reused under a lease", "[holdings][I5]") {
    Pair pair;
    Holding& lent = *pair.a->create(bytes(5000)).value();
    fill(lent, 3);
    const Slot slot = lent.slot;
    REQUIRE(pair.a->lending().lend(lent));
    Holding* got = nullptr;
    REQUIRE(pair.accept(pair.offer(*pair.a->lending().pledge(lent, LeaseKind::read, 0, lent.layout)), &got));
    pair.a->release(lent);
    Holding& other = *pair.a->create(bytes(5000)).value();
    CHECK(other.slot != slot);
    fill(other, 4);
    pair.a->trim();
    CHECK(is_filled(*got, 3));
    pair.b->release(*got);
    Holding& again = *pair.a->create(bytes(5000)).value();
    CHECK(again.slot == slot);
}

TEST_CASE("leases of one lend use rows again that have come back", "[holdings]") {
    Pair pair;
    Holding& lent = *pair.a->create(bytes(5000)).value();
    REQUIRE(pair.a->lending().lend(lent));
    for (int round = 0; round < 500; ++round) {
        Holding* got = nullptr;
        REQUIRE(pair.accept(pair.offer(*pair.a->lending().pledge(lent, LeaseKind::read, 0, lent.layout)), &got));
        pair.b->release(*got);
    }
    CHECK(pair.ledger().lease_blocks.rows_used() == limits::rows_per_block);
    CHECK(lent.as<LentOut>()->lease_rows.size() == 1);
    CHECK(pair.a->lending().try_reclaim(lent));
}

TEST_CASE("leases that are out at once take a row each and no more", "[holdings]") {
    Pair pair;
    Holding& lent = *pair.a->create(bytes(5000)).value();
    REQUIRE(pair.a->lending().lend(lent));
    for (int round = 0; round < 1000; ++round)
        REQUIRE(pair.accept(pair.offer(*pair.a->lending().pledge(lent, LeaseKind::read, 0, lent.layout))));
    CHECK(pair.ledger().segment_leases.live(lent.slot) == 1000);
    CHECK(pair.ledger().lease_blocks.rows_used() == 1024);
    pair.b->release_all();
    CHECK(pair.a->lending().try_reclaim(lent));
}

TEST_CASE("many lends one after the other use the same rows of leases", "[holdings]") {
    Pair pair;
    for (int round = 0; round < 500; ++round) {
        Holding& lent = *pair.a->create(bytes(10)).value();
        REQUIRE(pair.a->lending().lend(lent));
        Holding* got = nullptr;
        REQUIRE(pair.accept(pair.offer(*pair.a->lending().pledge(lent, LeaseKind::read, 0, lent.layout)), &got));
        pair.b->release(*got);
        pair.a->release(lent);
    }
    CHECK(pair.ledger().lease_blocks.rows_used() <= 3 * limits::rows_per_block);
}

// ---- guard -----------------------------------------------------------------------------------------

TEST_CASE("with the guard, memory that is not held is not accessible, and the next holder gets it back",
          "[holdings][guard]") {
    Pair pair{~std::uint64_t{0}, Store::Idle::guarded};
    Holding& sent = *pair.a->create(bytes(5000)).value();
    const std::byte* const data = sent.data();
    CHECK(rights_at(data) == "rw-s");
    Holding* got = nullptr;
    REQUIRE(pair.accept(pair.offer(sent), &got));
    CHECK(rights_at(data) == "---s");
    CHECK(rights_at(got->data()) == "rw-s");
    const std::byte* const theirs = got->data();
    pair.b->release(*got);
    CHECK(rights_at(theirs) == "---s");
    CHECK(pair.a->create(bytes(5000)).value()->data() == data);
    CHECK(rights_at(data) == "rw-s");
}

TEST_CASE("without the guard a view stays accessible", "[holdings][guard]") {
    Pair pair;
    Holding& holding = *pair.a->create(bytes(5000)).value();
    const std::byte* const data = holding.data();
    pair.a->release(holding);
    CHECK(rights_at(data) == "rw-s");
}

// ---- by name ---------------------------------------------------------------------------------------

// Memory that has an object of its own becomes the user's, of what lies on a shelf he gets a copy.
TEST_CASE("a segment leaves the session under a name, and comes in under it", "[holdings]") {
    const std::uint64_t size = GENERATE(5000U, 100'000U);
    Pair pair;
    const std::string name = pair.id + "-picture";
    Holding& out = *pair.a->create(bytes(size)).value();
    const bool is_place = out.memory()->place_bytes != 0;
    CHECK(is_place == (size == 5000));
    const std::uint64_t capacity = out.memory()->capacity;
    fill(out, 8);
    REQUIRE(pair.a->hand_out(out, name));
    CHECK(fs::file_size("/dev/shm/" + name) == capacity);
    CHECK(pair.ledger().budget.bytes_of(alice) == (is_place ? capacity : 0));
    pair.a->trim();
    CHECK(pair.ledger().budget.bytes_of(alice) == 0);
    CHECK(pair.ledger().counters.of(alice).handed_out == 1);
    CHECK(pair.b->take_in(name, bytes(capacity + 1)).error().kind == ErrorKind::refused);
    CHECK(fs::exists("/dev/shm/" + name));
    Holding& in = *pair.b->take_in(name, bytes(size)).value();
    CHECK_FALSE(fs::exists("/dev/shm/" + name));
    CHECK(is_filled(in, 8));
    CHECK(pair.ledger().budget.bytes_of(bob) == capacity);
    const Counts counts = pair.ledger().counters.of(bob);
    CHECK(counts.taken_in == 1);  // the one that did not fit never came in
    CHECK(counts.released == 0);
    CHECK(pair.b->take_in(name, bytes(1)).error().kind == ErrorKind::refused);
}

TEST_CASE("names that are none, or in use, keep the segment here", "[holdings]") {
    const std::uint64_t size = GENERATE(5000U, 100'000U);
    Pair pair;
    Holding& out = *pair.a->create(bytes(size)).value();
    fill(out, 8);
    for (const std::string& name :
         {std::string(), std::string("a/b"), std::string("baton-x"), std::string("."), std::string("..\0x", 4),
          std::string("a\0b", 3), std::string(limits::name_bytes_max + 1, 'n')})
        CHECK(pair.a->hand_out(out, name).error().kind == ErrorKind::refused);
    const std::string taken = pair.id + "-taken";
    std::ofstream{"/dev/shm/" + taken} << "bytes";
    CHECK(pair.a->hand_out(out, taken).error().kind == ErrorKind::refused);
    fs::remove("/dev/shm/" + taken);
    CHECK(is_filled(out, 8));
    CHECK(out.is<Owned>());
    // All of it is as before: its memory serves the next one.
    CHECK(pair.ledger().counters.of(alice).handed_out == 0);
    const std::uint64_t capacity = out.memory()->capacity;
    CHECK(pair.ledger().budget.bytes_of(alice) == capacity);
    pair.a->release(out);
    CHECK(pair.a->create(bytes(size)).value()->memory()->generation == 1);
    CHECK(pair.ledger().budget.bytes_of(alice) == capacity);
}

TEST_CASE("what belongs to a session, or lies elsewhere, cannot be taken in by its name", "[holdings]") {
    Pair pair;
    const std::string ledger = "baton-" + pair.id + "-ledger";
    for (const std::string& name :
         {ledger, std::string("a/b"), std::string(), std::string("."), std::string("a\0b", 3)})
        CHECK(pair.a->take_in(name, bytes(1)).error().kind == ErrorKind::refused);
    CHECK(fs::exists("/dev/shm/" + ledger));
}

// Goal: an actor that fails to take memory in has not touched it. Method: the process may map no more than it has, with
// little to spare.
TEST_CASE("shared memory that cannot be mapped stays outside under its name, as it was", "[holdings]") {
    Pair pair;
    const std::string name = pair.id + "-large";
    const std::uint64_t size = std::uint64_t{64} << 20;
    std::ofstream{"/dev/shm/" + name} << "the user's";
    fs::resize_file("/dev/shm/" + name, size);
    std::uint64_t pages = 0;
    std::ifstream{"/proc/self/statm"} >> pages;
    rlimit before{};
    REQUIRE(::getrlimit(RLIMIT_AS, &before) == 0);
    const rlimit tight{pages * page_bytes + (std::uint64_t{16} << 20), before.rlim_max};
    REQUIRE(::setrlimit(RLIMIT_AS, &tight) == 0);
    const Result<Holding*> taken = pair.a->take_in(name, bytes(size));
    REQUIRE(::setrlimit(RLIMIT_AS, &before) == 0);
    REQUIRE_FALSE(taken.ok());
    CHECK(taken.error().kind == ErrorKind::overloaded);
    CHECK(fs::file_size("/dev/shm/" + name) == size);
    std::string word;
    std::ifstream{"/dev/shm/" + name} >> word;
    CHECK(word == "the");
    CHECK(pair.ledger().budget.bytes_of(alice) == 0);
    Holding& in = *pair.a->take_in(name, bytes(size)).value();  // where there is room it comes in
    CHECK(in.data()[4] == std::byte('u'));
}

namespace {

// Makes `pair.a` forget its views of what waits in the pool: beyond the number of idle ones that are kept, the oldest
// go.
void forget_views(Pair& pair) {
    std::vector<Holding*> many;
    for (std::size_t count = 0; count < (limits::idle_mappings_max + 8) * shelf::places; ++count)
        many.push_back(pair.a->create(bytes(1)).value());
    for (Holding* one : many) pair.a->release(*one);
}

}  // namespace

TEST_CASE("memory of the pool that somebody has removed or cut is ended, and the next segment has other",
          "[holdings][T1]") {
    Pair pair;
    std::vector<Holding*> made;
    for (int count = 0; count < 3; ++count) made.push_back(pair.a->create(bytes(100'000)).value());
    std::vector<std::string> names;
    for (const Holding* one : made)
        names.push_back(fmt::format("/dev/shm/baton-{}-{}-{}", pair.id, one->slot, one->memory()->generation));
    for (Holding* one : made) pair.a->release(*one);
    forget_views(pair);
    fs::remove(names[0]);
    fs::resize_file(names[1], 100);
    made.clear();
    for (int count = 0; count < 3; ++count) {
        const Result<Holding*> one = pair.a->create(bytes(100'000));
        REQUIRE(one.ok());
        fill(**one, count);
        made.push_back(*one);
    }
    CHECK(is_filled(*made[0], 0));
    for (Holding* one : made) pair.a->release(*one);
    pair.a->trim();
    CHECK(pair.ledger().budget.bytes_of(alice) == 0);
}

TEST_CASE("a shelf that somebody has removed or cut serves nobody any more, and the next segments have another",
          "[holdings][T1]") {
    Pair pair;
    std::vector<Holding*> made;
    for (Slot count = 0; count < 3; ++count) made.push_back(pair.a->create(bytes(5000)).value());
    Holding& kept = *made.back();
    made.pop_back();
    const std::string name = fmt::format("/dev/shm/baton-{}-shelf-{}-{}", pair.id, shelf::first_of(made[0]->slot),
                                         made[0]->memory()->generation);
    REQUIRE(fs::exists(name));
    for (Holding* one : made) pair.a->release(*one);
    bool is_kept = true;  // by its owner, who has it mapped
    SECTION("removed while a place of it is held") { fs::remove(name); }
    SECTION("removed when all are free") {
        pair.a->release(kept);
        is_kept = false;
        forget_views(pair);
        fs::remove(name);
    }
    SECTION("cut when all are free") {
        pair.a->release(kept);
        is_kept = false;
        forget_views(pair);
        fs::resize_file(name, 100);
    }
    made.clear();
    for (int count = 0; count < 100; ++count) {
        const Result<Holding*> one = pair.a->create(bytes(5000));
        REQUIRE(one.ok());
        fill(**one, count);
        made.push_back(*one);
    }
    for (int count = 0; count < 100; ++count) CHECK(is_filled(*made[static_cast<std::size_t>(count)], count));
    for (Holding* one : made) pair.a->release(*one);
    if (is_kept) pair.a->release(kept);
    pair.a->trim();
    CHECK(pair.ledger().budget.bytes_of(alice) == 0);
}

// Goal: an actor that dies in the middle of handing out leaves its home nothing that it would write into. Method: what
// bob has done by then is done by hand, in the order of Holdings::hand_out; then the coordinator's T9.
TEST_CASE("memory that was handed out by somebody who died then is not its home's any more", "[holdings][T9][T10]") {
    Pair pair;
    const std::string name = pair.id + "-theirs";
    Holding& sent = *pair.a->create(bytes(100'000)).value();
    Holding* got = nullptr;
    REQUIRE(pair.accept(pair.offer(sent), &got));
    fill(*got, 3);
    SegmentRow& row = pair.ledger().segments.row(got->slot);
    const std::string own = fmt::format("/dev/shm/baton-{}-{}-{}", pair.id, got->slot, got->memory()->generation);
    row.used_bytes.store(row.bytes.load() | handed_out_mark);
    row.bytes.store(0);
    SECTION("before the memory was renamed: it ends with its row") {}
    SECTION("after it: it is the user's") { fs::rename(own, "/dev/shm/" + name); }
    REQUIRE(pair.ledger().segments.retire(got->slot, got->epoch, bob));
    pair.b->drop(*got);
    pair.a->trim();
    CHECK(pair.ledger().budget.bytes_of(alice) == 0);
    CHECK_FALSE(fs::exists(own));
    for (int count = 0; count < 3; ++count) fill(*pair.a->create(bytes(100'000)).value(), 7);
    if (!fs::exists("/dev/shm/" + name)) return;
    std::string first(1, ' ');
    std::ifstream{"/dev/shm/" + name}.read(first.data(), 1);
    CHECK(first[0] == 3);
    fs::remove("/dev/shm/" + name);
}

TEST_CASE("what another handed out makes room at its home", "[holdings]") {
    Pair pair;
    const std::string name = pair.id + "-theirs";
    Holding& sent = *pair.a->create(bytes(5000)).value();
    Holding* got = nullptr;
    REQUIRE(pair.accept(pair.offer(sent), &got));
    REQUIRE(pair.b->hand_out(*got, name));
    CHECK(pair.ledger().budget.bytes_of(alice) > 0);
    pair.a->trim();
    CHECK(pair.ledger().budget.bytes_of(alice) == 0);
    fs::remove("/dev/shm/" + name);
}

TEST_CASE("what is let go while it is held by name or message ends what it stands for, once", "[holdings]") {
    Pair pair;
    Holding& one = *pair.a->create(bytes(10)).value();
    Holding& two = *pair.a->create(bytes(10)).value();
    REQUIRE(pair.a->lending().lend(two));
    static_cast<void>(pair.a->lending().pledge(two, LeaseKind::read, 0, two.layout));
    const std::uint32_t ticket = one.ticket;
    pair.a->release_all();
    CHECK(one.ticket != ticket);
    pair.a->release_all();
    CHECK(pair.ledger().counters.of(alice).released == 2);
}
