// Many segments, large ones, and many actors. Times are printed, for n and 2n, and nothing is said of them.
#include <sys/statvfs.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>

#include "tests/process/vault_world.hpp"

using namespace std::chrono_literals;
using baton::Segment;

namespace {

// Sanitizers make everything ten times as slow: with them there is a tenth of everything, and the names say so.
#if BATON_SANITIZED
#define IN_WORDS(whole, tenth) tenth
constexpr std::uint64_t scale = 10;
#else
#define IN_WORDS(whole, tenth) whole
constexpr std::uint64_t scale = 1;
#endif

constexpr baton::Duration long_deadline = 100s;

// What the guard costs, a system call each time, is not what these tests are about.
struct Unguarded {
    Unguarded() { ::setenv("BATON_GUARD", "0", 1); }
    ~Unguarded() { ::unsetenv("BATON_GUARD"); }
    Unguarded(const Unguarded&) = delete;
    Unguarded& operator=(const Unguarded&) = delete;
};

template <class Work>
void timed(const char* what, std::uint64_t count, Work&& work) {
    const auto start = std::chrono::steady_clock::now();
    work();
    const auto took = std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - start);
    std::printf("%-40s %9llu: %8.3f us each\n", what, static_cast<unsigned long long>(count),
                took.count() / static_cast<double>(count));
    std::fflush(stdout);
}

}  // namespace

TEST_CASE(IN_WORDS("a million",
                   "a hundred thousand") " segments made and released one after the other take the memory of one",
          "[process][many]") {
    const Unguarded unguarded;
    VaultWorld world;
    const vault::Address maker = world.spawn("maker");
    std::uint64_t bytes = 0;
    for (const std::uint64_t count : {333'334 / scale, 666'667 / scale}) {
        timed("create and release", count, [&] {
            CHECK(world.scenario().request(maker, vault::Churn{count, 100}).value().get(long_deadline).value() ==
                  count);
        });
        const auto now = world.segments();
        CHECK(now.alive == 0);
        if (bytes == 0) bytes = now.bytes;
        CHECK(now.bytes == bytes);
        CHECK(now.bytes == 4096);
        CHECK(world.memories().size() == 1);
    }
    CHECK(world.audit().empty());
}

TEST_CASE(IN_WORDS("fifty thousand", "five thousand") " segments live in one actor and go to another in a stream",
          "[process][many]") {
    const Unguarded unguarded;
    for (const std::uint64_t count : {25'000 / scale, 50'000 / scale}) {
        VaultWorld world;
        const vault::Address giver = world.spawn("giver");
        const vault::Address taker = world.spawn("taker");
        timed("alive at once", count, [&] {
            CHECK(world.scenario().request(giver, vault::Occupy{64, count}).value().get(long_deadline).value() ==
                  count);
        });
        CHECK(world.alive() == count);
        timed("given and taken", count, [&] {
            CHECK(world.scenario().request(giver, vault::GiveOccupied{taker}).value().get(long_deadline).value() ==
                  count);
            while (world.scenario().request(taker, vault::HowMany{}).value().get(long_deadline).value() < count) {
            }
        });
        const vault::Summary kept = world.scenario().request(taker, vault::Report{}).value().get(long_deadline).value();
        CHECK(kept.torn == 0);
        CHECK(kept.sum == static_cast<std::int64_t>(8 * (count * (count - 1) / 2)));
        CHECK(world.audit().empty());
        timed("released and home again", count, [&] {
            world.scenario().send(taker, vault::Drop{}).value();
            world.wait_for_alive(0);
        });
        timed("made again of what came home", count, [&] {
            CHECK(world.scenario().request(giver, vault::Occupy{64, count}).value().get(long_deadline).value() ==
                  count);
        });
        const std::uint64_t pages = (count + 63) / 64;  // each with 64 segments, and an object of its own
        CHECK(world.segments().bytes == pages * 4096);
        CHECK(world.memories().size() == pages);
        timed("settled after a death", count, [&] {
            world.kill(giver);
            world.wait_for_alive(0);
            while (world.segments().bytes > 0) {
            }
        });
        CHECK(world.audit().empty());
    }
}

TEST_CASE(IN_WORDS("eight thousand", "eight hundred") " leases of one lend come back before it is reclaimed",
          "[process][many]") {
    const Unguarded unguarded;
    VaultWorld world;
    const vault::Address reader = world.spawn("reader");
    for (const std::uint64_t count : {4'000 / scale, 8'000 / scale}) {
        baton::Loan lent = world.scenario().lend(world.make(100, 1)).value();
        std::vector<baton::Lease> leases;
        timed("leases made", count, [&] {
            for (std::uint64_t index = 0; index < count; ++index) leases.push_back(lent.lease().value());
        });
        timed("leases sent and claimed", count, [&] {
            std::vector<baton::Pending<std::int64_t>> keeping;
            for (baton::Lease& lease : leases)
                keeping.push_back(world.scenario().request(reader, vault::KeepLease{std::move(lease)}).value());
            for (auto& one : keeping) CHECK(one.get(long_deadline).value() == 100);
        });
        CHECK(lent.leases_out() == count);
        CHECK(world.report(reader).leases == count);
        world.scenario().send(reader, vault::Drop{}).value();
        CHECK(sum_of(lent.reclaim(long_deadline).value()) == 100);
        CHECK(world.audit().empty());
    }
}

TEST_CASE("four gibibytes are handed over and come back", "[process][many]") {
    const Unguarded unguarded;
    struct statvfs facts {};
    REQUIRE(::statvfs("/dev/shm", &facts) == 0);
    constexpr std::uint64_t size = std::uint64_t{4} << 30;
    const std::uint64_t available = static_cast<std::uint64_t>(::sysconf(_SC_AVPHYS_PAGES)) * 4096;
    if (facts.f_bavail * facts.f_frsize < size * 2 || available < size * 2)
        SKIP_TEST("8 GiB have to be free, of /dev/shm and of the machine's memory");
    VaultWorld world;
    const vault::Address marker = world.spawn("marker");
    Segment segment;
    timed("4 GiB made", 1, [&] { segment = world.scenario().create_array<std::int64_t>({size / 8}).value(); });
    const auto elements = segment.as<std::int64_t>();
    elements[elements.size() - 2] = 17;
    Segment back;
    timed("4 GiB there and back", 1, [&] {
        back = world.scenario().ask(marker, vault::MarkEnds{std::move(segment), 42}, long_deadline).value();
    });
    const auto now = back.as<std::int64_t>();
    REQUIRE(now.size() == size / 8);
    CHECK(now.front() == 42);
    CHECK(now[now.size() - 2] == 17);
    CHECK(now.back() == 42);
    CHECK(world.audit().empty());
}

TEST_CASE(IN_WORDS("two hundred", "twenty") " actors hand over at once, each to the next in a ring",
          "[process][many]") {
    const Unguarded unguarded;
    for (const std::uint64_t count : {100 / scale, 200 / scale}) {
        VaultWorld world;
        std::vector<vault::Address> ring;
        timed("actors spawned", count, [&] { ring = world.spawn_many("ring", count); });
        constexpr std::uint64_t gifts = 20;
        timed("gifts in a ring", count * gifts, [&] {
            std::vector<baton::Pending<std::uint64_t>> giving;
            for (std::size_t index = 0; index < ring.size(); ++index)
                giving.push_back(world.scenario()
                                     .request(ring[index], vault::Make{ring[(index + 1) % ring.size()], gifts, 8, ""})
                                     .value());
            for (auto& one : giving) CHECK(one.get(long_deadline).value() == gifts);
            for (const vault::Address& one : ring) CHECK(world.wait_for_kept(one, gifts).kept == gifts);
        });
        for (const vault::Address& one : ring) CHECK(world.report(one).torn == 0);
        CHECK(world.alive() == count * gifts);
        CHECK(world.audit().empty());
    }
}
