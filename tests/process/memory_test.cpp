// Memory that runs short: the shortage is announced, nothing dies of it, and an actor that waits gets what another one
// releases.
#include <fcntl.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>

#include "tests/process/vault_world.hpp"

using namespace std::chrono_literals;
using baton::ErrorKind;
using baton::Segment;

namespace {

constexpr std::uint64_t mebibyte = std::uint64_t{1} << 20;

std::uint64_t shm_bytes_free() {
    struct statvfs facts {};
    REQUIRE(::statvfs("/dev/shm", &facts) == 0);
    return facts.f_bavail * facts.f_frsize;
}

}  // namespace

TEST_CASE("a session's budget bounds all of its actors together, and is whole again when they let go",
          "[process][memory]") {
    VaultWorld world{8 * mebibyte};
    const vault::Address a = world.spawn("a");
    const vault::Address b = world.spawn("b");
    CHECK(world.scenario().ask(a, vault::Occupy{mebibyte, 5}).value() == 5);
    CHECK(world.scenario().ask(b, vault::Occupy{mebibyte, 5}).value() == 3);
    const auto refused = world.scenario().create_segment(mebibyte, 0s);
    REQUIRE_FALSE(refused.ok());
    CHECK(refused.error().kind == ErrorKind::overloaded);
    CHECK(world.segments().bytes == 8 * mebibyte);
    // Another size than what lies in the pools: they give it back for it.
    world.scenario().send(a, vault::Drop{}).value();
    world.scenario().send(b, vault::Drop{}).value();
    Segment large = world.scenario().create_segment(8 * mebibyte, 5s).value();
    std::memset(large.bytes().data(), 1, large.size_bytes());
    CHECK(world.segments().bytes == 8 * mebibyte);
    CHECK(world.audit().empty());
}

// Goal: back-pressure: memory that is released while an actor waits for it reaches that actor, wherever its home is.
// Method: one waits (its handler is busy) before the other releases, so that the memory it keeps for later is what is
// wanted.
TEST_CASE("an actor that waits for memory gets what another lets go meanwhile", "[process][memory]") {
    VaultWorld world{4 * mebibyte};
    const vault::Address holder = world.spawn("holder");
    const vault::Address waiter = world.spawn("waiter");
    const std::string fifo = world.world.make_fifo("fifo");
    SECTION("of its own home") { CHECK(world.scenario().ask(holder, vault::Occupy{mebibyte, 4}).value() == 4); }
    SECTION("of another's home") {
        const vault::Address maker = world.spawn("maker");
        CHECK(world.scenario().ask(maker, vault::Make{holder, 4, mebibyte / 8, ""}).value() == 4);
        world.wait_for_kept(holder, 4);
    }
    SECTION("of a home that has died") {
        const vault::Address maker = world.spawn("maker");
        CHECK(world.scenario().ask(maker, vault::Make{holder, 4, mebibyte / 8, ""}).value() == 4);
        world.wait_for_kept(holder, 4);
        world.kill(maker);
    }
    // It does not hear of the shortage until it is released.
    auto blocked = world.scenario().request(holder, vault::Block{fifo}).value();
    world.world.wait_until_in_hand("holder", "Block");
    auto waiting = world.scenario().request(waiter, vault::MakeOne{mebibyte / 8}).value();
    world.world.wait_until_in_hand("waiter", "MakeOne");
    world.world.release(fifo);
    CHECK(blocked.get(5s).ok());
    world.scenario().send(holder, vault::Drop{}).value();
    Segment got = waiting.get(5s).value();
    CHECK(sum_of(got) == static_cast<std::int64_t>(mebibyte / 8));
    CHECK(world.audit().empty());
}

TEST_CASE("an actor over its own budget gets back what others let go of its home, and nothing of others'",
          "[process][memory]") {
    VaultWorld world;
    const vault::Address small = world.spawn("small", mebibyte);
    const vault::Address other = world.spawn("other");
    CHECK(world.scenario().ask(small, vault::Make{other, 4, mebibyte / 4 / 8, ""}).value() == 4);
    world.wait_for_kept(other, 4);
    CHECK(world.scenario().ask(small, vault::Occupy{mebibyte / 4, 1}).value() == 0);
    CHECK(world.scenario().ask(other, vault::Occupy{mebibyte, 4}).value() == 4);
    world.scenario().send(other, vault::Drop{}).value();
    const std::vector<baton::AnyRef> all{other};
    CHECK(world.scenario().sync(all).ok());
    CHECK(world.scenario().ask(small, vault::Occupy{mebibyte / 4, 9}).value() == 4);
}

TEST_CASE("memory of an actor that died is there for others at once", "[process][memory]") {
    VaultWorld world{8 * mebibyte};
    const vault::Address rich = world.spawn("rich");
    CHECK(world.scenario().ask(rich, vault::Occupy{mebibyte, 8}).value() == 8);
    world.kill(rich);
    CHECK(world.scenario().create_segment(8 * mebibyte, 5s).ok());
}

// ---- in a /dev/shm of 32 MiB, which memory_test.py mounts ------------------------------------------

TEST_CASE("a full /dev/shm is overloaded for those who create, never a signal", "[.full]") {
    REQUIRE(shm_bytes_free() < 33 * mebibyte);
    VaultWorld world{std::uint64_t{1} << 40};  // it is the memory that ends, not the budget
    const vault::Address greedy = world.spawn("greedy");
    const std::uint64_t large = world.scenario().ask(greedy, vault::Occupy{mebibyte, 100}).value();
    CHECK(large > 8);
    CHECK(large < 32);
    // To the last page.
    CHECK(world.scenario().ask(greedy, vault::Occupy{4096, 10'000}).value() < 1000);
    CHECK(shm_bytes_free() < 64 << 10);
    const auto refused = world.scenario().create_segment(mebibyte, 0s);
    REQUIRE_FALSE(refused.ok());
    CHECK(refused.error().kind == ErrorKind::overloaded);
    CHECK(world.scenario().create_segment(mebibyte, 100ms).error().kind == ErrorKind::overloaded);
    // What needs pages of the tables is told so too, or finds some.
    for (int index = 0; index < 40; ++index) {
        const auto spawned = world.scenario().spawn<vault::Protocol>({"vault", "late-" + std::to_string(index)});
        if (spawned.ok()) continue;
        INFO(spawned.error().text);
        CHECK(spawned.error().kind == ErrorKind::overloaded);
    }
    CHECK(world.report(greedy).kept == 0);  // it lives
    CHECK(world.audit().empty());
    world.scenario().send(greedy, vault::Drop{}).value();
    Segment got = world.scenario().create_segment(8 * mebibyte, 5s).value();
    std::memset(got.bytes().data(), 1, got.size_bytes());
    CHECK(world.scenario().spawn<vault::Protocol>({"vault", "later"}).ok());
    CHECK(world.audit().empty());
}

TEST_CASE("memory that lies in one's own pool in another size makes room in a full /dev/shm, at once", "[.full]") {
    VaultWorld world{std::uint64_t{1} << 40};
    std::vector<Segment> all;
    for (;;) {
        auto made = world.scenario().create_segment(mebibyte, 0s);
        if (!made) break;
        all.push_back(std::move(*made));
    }
    REQUIRE(all.size() > 8);
    all.clear();
    CHECK(world.scenario().create_segment(8 * mebibyte, 0s).ok());
}

TEST_CASE("a session that finds /dev/shm full says so", "[.full]") {
    const int fd = ::open("/dev/shm/filler", O_CREAT | O_RDWR, 0600);
    REQUIRE(fd >= 0);
    const auto size = static_cast<off_t>(shm_bytes_free());
    REQUIRE(::posix_fallocate(fd, 0, size) == 0);
    {
        ProcessWorld world;
        CHECK_FALSE(baton::detail::Session::enter({}).ok());
        for (const auto& entry : std::filesystem::directory_iterator("/dev/shm"))
            CHECK(entry.path().filename() == "filler");
        CHECK(::ftruncate(fd, 0) == 0);
        auto session = baton::detail::Session::enter({}).value();
        world.watch(session->id());
        CHECK(session->close().ok());
    }
    ::close(fd);
    ::unlink("/dev/shm/filler");
}
