// Segments that share an object of shared memory: where each lies, what that costs, and how the memory returns.
#include "runtime/memory/size_class.hpp"
#include "tests/unit/holdings_fixture.hpp"

#include <sys/resource.h>
#include <sys/stat.h>

#include <set>

using namespace holdings_test;

namespace {

constexpr std::uint64_t page = page_bytes;

// What the memory of that name takes of the machine.
std::uint64_t bytes_committed(const std::string& name) {
    struct stat facts {};
    REQUIRE(::stat(("/dev/shm/" + name).c_str(), &facts) == 0);
    return static_cast<std::uint64_t>(facts.st_blocks) * 512;
}

// Of shared memory: a sanitizer has mappings of its own, more with each of ours.
std::size_t mappings_of_this_process() {
    std::ifstream maps{"/proc/self/maps"};
    std::size_t count = 0;
    for (std::string line; std::getline(maps, line);) count += line.find("/dev/shm/") != std::string::npos ? 1 : 0;
    return count;
}

std::vector<Holding*> made_by(Holdings& home, std::size_t count, std::uint64_t size) {
    std::vector<Holding*> made;
    for (std::size_t number = 0; number < count; ++number) {
        made.push_back(home.create(bytes(size)).value());
        fill(*made.back(), static_cast<int>(number % 251));
    }
    return made;
}

bool are_whole(const std::vector<Holding*>& made) {
    bool all = true;
    for (std::size_t number = 0; number < made.size(); ++number)
        all = all && is_filled(*made[number], static_cast<int>(number % 251));
    return all;
}

}  // namespace

TEST_CASE("a run of places is of whole pages, begins where it may, and is no longer than asked", "[shelf]") {
    using shelf::bits;
    using shelf::run_in;
    CHECK(run_in(0, page).count == 0);
    CHECK(run_in(bits(3, 5), page).first == 3);
    CHECK(run_in(bits(3, 5), page).count == 5);
    CHECK(run_in(bits(3, 5), page, 0, 2).count == 2);
    CHECK(run_in(bits(3, 5) | bits(20, 1), page, 8).first == 20);
    CHECK(run_in(bits(1, 7), 1024).first == 4);  // four to a page, and of the first one is missing
    CHECK(run_in(bits(1, 6), 1024).count == 0);
    CHECK(run_in(bits(1, 8), 1024).count == 4);
    CHECK(run_in(bits(0, 63), 64).count == 0);  // all of them are one page
    CHECK(run_in(bits(0, 64), 64).count == 64);
    CHECK(run_in(bits(0, 64), 64, 64).count == 0);
}

TEST_CASE("what a row says of its place is believed only if a shelf can have such places", "[shelf]") {
    for (const std::uint64_t no : {0ULL, 1ULL, 63ULL, 65ULL, 96ULL, 4097ULL, 65'537ULL, 131'072ULL, ~0ULL, 1ULL << 63})
        CHECK_FALSE(shelf::is_place(no));
    for (const std::uint64_t yes : {64ULL, 128ULL, 4096ULL, 8192ULL, 20'480ULL, 65'536ULL}) CHECK(shelf::is_place(yes));
}

TEST_CASE("small segments share objects, and each has its bytes to itself", "[shelf][T1]") {
    const std::uint64_t size = GENERATE(1U, 64U, 100U, 3000U, 4096U, 5000U, 65'536U);
    Pair pair;
    const std::vector<Holding*> made = made_by(*pair.a, 200, size);
    CHECK(pair.memories().size() == 4);  // 64 to an object
    CHECK(are_whole(made));
    const std::uint64_t capacity = made[0]->memory()->capacity;
    CHECK(pair.ledger().budget.bytes_of(alice) >= 200 * capacity);
    CHECK(pair.ledger().budget.bytes_of(alice) <= 250 * capacity + page);  // a quarter in advance
    for (const Holding* one : made)
        CHECK(reinterpret_cast<std::uintptr_t>(one->data()) % std::min(capacity, page) == 0);
    CHECK(audit(pair.ledger()).empty());
}

TEST_CASE("an object has memory only for the places that are needed", "[shelf]") {
    Pair pair;
    const Holding& one = *pair.a->create(bytes(50'000)).value();
    REQUIRE(pair.memories().size() == 1);
    CHECK(bytes_committed(pair.memories()[0]) == one.memory()->capacity);
    CHECK(pair.ledger().budget.bytes_of(alice) == one.memory()->capacity);
}

// Goal: neither files nor mappings nor descriptors limit how many segments are alive.
// Method: more than the kernel lets a process map by default, in a process that may open few files; another one takes
// them all, and both look at every byte.
TEST_CASE("seventy thousand segments of a process need a thousand files and mappings, and no descriptors",
          "[shelf][T1][T3]") {
    constexpr std::size_t count = 70'000;
    static_assert(count > limits::mappings_max);
    Pair pair;
    const std::size_t mappings_before = mappings_of_this_process();
    rlimit before{};
    REQUIRE(::getrlimit(RLIMIT_NOFILE, &before) == 0);
    const rlimit few{64, before.rlim_max};
    REQUIRE(::setrlimit(RLIMIT_NOFILE, &few) == 0);
    const std::vector<Holding*> made = made_by(*pair.a, count, 100);
    std::vector<Holding*> taken(count, nullptr);
    bool is_taken = true;
    for (std::size_t number = 0; number < count; ++number)
        is_taken = pair.accept(pair.offer(*made[number]), &taken[number]).ok() && is_taken;
    REQUIRE(::setrlimit(RLIMIT_NOFILE, &before) == 0);
    CHECK(is_taken);
    CHECK(are_whole(taken));
    CHECK(pair.memories().size() == count / shelf::places + 1);
    CHECK(mappings_of_this_process() <= mappings_before + 2 * (count / shelf::places + 1));
    CHECK(audit(pair.ledger()).empty());
    for (Holding* one : taken) pair.b->release(*one);
    pair.a->trim();
    CHECK(pair.memories().empty());
}

TEST_CASE("memory of free places returns by whole pages, and an object with its last segment", "[shelf][T10]") {
    Pair pair;
    std::vector<Holding*> made = made_by(*pair.a, 64, 1024);  // four to a page
    REQUIRE(pair.memories().size() == 1);
    const std::string name = pair.memories()[0];
    REQUIRE(bytes_committed(name) == 16 * page);
    for (std::size_t number = 1; number < made.size(); ++number) pair.a->release(*made[number]);
    pair.a->trim();
    CHECK(bytes_committed(name) == page);  // of the first one, and its three neighbours
    CHECK(pair.ledger().budget.bytes_of(alice) == page);
    CHECK(is_filled(*made[0], 0));
    CHECK(pair.a->has_pooled());
    const std::vector<Holding*> more = made_by(*pair.a, 63, 1024);
    CHECK(pair.memories() == std::vector<std::string>{name});
    CHECK(is_filled(*made[0], 0));
    CHECK(are_whole(more));
    for (Holding* one : more) pair.a->release(*one);
    pair.a->release(*made[0]);
    pair.a->trim();
    CHECK(pair.memories().empty());
    CHECK(pair.ledger().budget.bytes_of(alice) == 0);
    // Its rows serve again, under other names.
    const Holding& next = *pair.a->create(bytes(100'000)).value();
    CHECK(next.slot < limits::rows_per_block);
    CHECK(next.memory()->generation > 1);
}

TEST_CASE("a place that another has released is used again by its home", "[shelf][T10]") {
    Pair pair;
    for (int round = 0; round < 1000; ++round) {
        Holding* got = nullptr;
        REQUIRE(pair.accept(pair.offer(*pair.a->create(bytes(64)).value()), &got));
        pair.b->release(*got);
    }
    CHECK(pair.memories().size() == 1);
    CHECK(pair.ledger().budget.bytes_of(alice) == page);
}

TEST_CASE("over the budget fewer places are made in advance, and what is free in others makes room", "[shelf]") {
    Pair pair{64 * page};
    std::vector<Holding*> made = made_by(*pair.a, 64, page);
    CHECK(pair.a->create(bytes(page)).error().kind == ErrorKind::overloaded);
    CHECK(pair.a->create(bytes(64)).error().kind == ErrorKind::overloaded);
    pair.a->release(*made.back());
    made.pop_back();
    Holding& small = *pair.a->create(bytes(64)).value();  // in the page that was the last one's
    CHECK(are_whole(made));
    pair.a->release(small);
    Holding& again = *pair.a->create(bytes(page)).value();
    fill(again, 9);
    CHECK(are_whole(made));
}

TEST_CASE("with the guard each place is guarded by itself, and no two segments share a page", "[shelf][guard]") {
    Pair pair{~std::uint64_t{0}, Store::Idle::guarded};
    Holding& sent = *pair.a->create(bytes(10)).value();
    Holding& kept = *pair.a->create(bytes(10)).value();
    REQUIRE(pair.memories().size() == 1);
    CHECK(sent.memory()->capacity == page);
    const std::byte* const data = sent.data();
    Holding* got = nullptr;
    REQUIRE(pair.accept(pair.offer(sent), &got));
    CHECK(rights_at(data) == "---s");
    CHECK(rights_at(kept.data()) == "rw-s");
    CHECK(rights_at(got->data()) == "rw-s");
    CHECK(rights_at(got->data() + (kept.data() - data)) == "---s");  // the neighbour, as bob has it mapped
    pair.b->release(*got);
    CHECK(rights_at(kept.data()) == "rw-s");
    CHECK(pair.a->create(bytes(10)).value()->data() == data);
    CHECK(rights_at(data) == "rw-s");
}

TEST_CASE("leases, slices and published names work on places like on any segment", "[shelf][L1][N1]") {
    Pair pair;
    const std::vector<Holding*> made = made_by(*pair.a, 3, 1024);
    REQUIRE(pair.a->lending().lend(*made[1]));
    Holding* const slice = pair.a->lending().pledge(*made[1], LeaseKind::slice, 512, bytes(512));
    Holding* const lease = pair.a->lending().pledge(*made[1], LeaseKind::read, 0, bytes(256));
    Holding* const both[] = {slice, lease};
    pair.a->transfers().depart(both, bob_id).value();
    Holding* const arriving[] = {&pair.b->transfers().expect(slice->handle(), alice),
                                 &pair.b->transfers().expect(lease->handle(), alice)};
    REQUIRE(pair.b->transfers().accept(arriving));
    CHECK(rights_at(arriving[0]->data()) == "rw-s");
    CHECK(rights_at(arriving[1]->data()) == "r--s");
    fill(*arriving[0], 77);
    CHECK(is_filled(*arriving[1], 1));
    CHECK(made[1]->data()[511] == std::byte{1});
    CHECK(made[1]->data()[512] == std::byte{77});
    CHECK(is_filled(*made[0], 0));
    CHECK(is_filled(*made[2], 2));
    for (Holding* one : arriving) pair.b->release(*one);
    CHECK(pair.a->lending().try_reclaim(*made[1]));
    CHECK(audit(pair.ledger()).empty());
}

// Goal: no number that stands in a row leads out of the memory that was mapped.
TEST_CASE("a row that lies about its place is refused, and nothing is touched", "[shelf][I2]") {
    const std::uint64_t place_bytes = GENERATE(0ULL, 1ULL, 63ULL, 128ULL, 8192ULL, 65'536ULL, ~0ULL, 1ULL << 40);
    Pair pair;
    Holding& sent = *pair.a->create(bytes(64)).value();
    const Handle handle = pair.offer(sent);
    SegmentRow& row = pair.ledger().segments.row(handle.slot);
    row.place_bytes.store(place_bytes);
    SECTION("with its number of bytes") {}
    SECTION("with another") { row.bytes.store(std::uint64_t{1} << 30); }
    const Result<void> accepted = pair.accept(handle);
    REQUIRE_FALSE(accepted.ok());
    row.place_bytes.store(64);
    row.bytes.store(64);
    CHECK(pair.ledger().segments.word_of(handle.slot).phase == Phase::offered);
    CHECK(pair.accept(handle).ok());
}

TEST_CASE("the audit names a segment that lies elsewhere than its block, or is too large for its place",
          "[shelf][I5]") {
    Pair pair;
    const std::vector<Holding*> made = made_by(*pair.a, 2, 64);
    REQUIRE(audit(pair.ledger()).empty());
    SegmentRow& row = pair.ledger().segments.row(made[1]->slot);
    SECTION("on no shelf") { row.place_bytes.store(0); }
    SECTION("on another") { row.generation.store(99); }
    SECTION("with larger places") { row.place_bytes.store(128); }
    SECTION("with more bytes than places have") { row.bytes.store(65); }
    CHECK(invariants(audit(pair.ledger())) == std::vector<int>{5});
    row.place_bytes.store(64);
    row.bytes.store(64);
    row.generation.store(made[1]->memory()->generation);
}

TEST_CASE("views that somebody still has at the end stay, and what others write there is not seen", "[shelf]") {
    Pair pair;
    const std::vector<Holding*> made = made_by(*pair.a, 2, page);
    made[1]->exports = 1;
    const std::byte* const view = made[1]->data();
    pair.a->release_all();
    pair.a->trim();
    CHECK(pair.memories().empty());
    CHECK(std::all_of(view, view + page, [](std::byte one) { return one == std::byte{1}; }));
}
