// Bells: a sleeper is woken by what it waits for, and by nothing else.
#include "runtime/lanes/bells.hpp"

#include <poll.h>
#include <unistd.h>

#include <filesystem>
#include <thread>

#include "runtime/memory/private_memory.hpp"
#include "tests/catch.hpp"

namespace {

using namespace baton;
using namespace baton::detail;

constexpr ActorId alice{2, 1};
constexpr ActorId bob{70, 1};  // in another word of a set

class BellWorld {
public:
    BellWorld() {
        std::string name = "/tmp/baton-test-XXXXXX";
        REQUIRE(::mkdtemp(name.data()) != nullptr);
        folder = name;
        for (const ActorId one : {alice, bob}) bells.prepare(one).value();
    }
    BellWorld(const BellWorld&) = delete;
    BellWorld& operator=(const BellWorld&) = delete;
    ~BellWorld() { std::filesystem::remove_all(folder); }

    PrivateMemory memory{"baton-bells-test-"};
    std::string folder;
    Bells bells = Bells::create("bells-test-1", 1'000).value();
};

bool is_readable(const OwnBell& bell, int milliseconds = 0) {
    pollfd polled{bell.descriptor(), POLLIN, 0};
    return ::poll(&polled, 1, milliseconds) == 1;
}

}  // namespace

TEST_CASE("a set of members has what was added, gives it out once, and is empty then", "[lanes]") {
    MemberSet set{};
    set.clear();
    CHECK(set.is_empty());
    CHECK(set.add(3));
    CHECK_FALSE(set.add(3));
    CHECK(set.add(1'024));
    CHECK(set.add(64));
    CHECK(set.has(64));
    CHECK_FALSE(set.has(65));
    std::vector<std::uint32_t> numbers;
    set.take_all(numbers);
    CHECK(numbers == std::vector<std::uint32_t>{3, 64, 1'024});
    CHECK(set.is_empty());
    CHECK(set.add(3));
    set.remove(3);
    CHECK_FALSE(set.has(3));
}

TEST_CASE("a bell rings only for a sleeper, once, and only for what it waits for", "[lanes]") {
    BellWorld session;
    OwnBell bell = OwnBell::create(session.bells, session.folder, alice).value();
    Ringer ringer{session.folder, bob};
    ringer.ring_for_command(alice, session.bells);
    CHECK_FALSE(is_readable(bell));  // awake
    CHECK(bell.page().ready.has(bob.number));

    std::vector<std::uint32_t> numbers;
    bell.page().ready.take_all(numbers);
    CHECK(numbers == std::vector<std::uint32_t>{bob.number});
    bell.fall_asleep(wake::answers);
    ringer.ring_for_command(alice, session.bells);
    ringer.ring_for(alice, wake::room, session.bells);
    CHECK_FALSE(is_readable(bell));
    ringer.ring_for(alice, wake::answers, session.bells);
    CHECK(is_readable(bell));
    bell.wake_up(true);
    ringer.ring_for(alice, wake::answers, session.bells);
    CHECK_FALSE(is_readable(bell));
}

// Goal: a writer that stops between its look and its byte keeps nobody else's byte from the sleeper.
TEST_CASE("a sleeper stays one until it wakes up itself", "[lanes]") {
    BellWorld session;
    OwnBell bell = OwnBell::create(session.bells, session.folder, alice).value();
    bell.fall_asleep(wake::commands | wake::answers);
    Ringer ringer{session.folder, bob};
    ringer.ring_for_command(alice, session.bells);
    CHECK(bell.page().asleep.load() == (wake::commands | wake::answers));
    bell.wake_up(true);
    CHECK(bell.page().asleep.load() == 0);
}

TEST_CASE("a command that came before is seen by the look after falling asleep", "[lanes]") {
    BellWorld session;
    OwnBell bell = OwnBell::create(session.bells, session.folder, alice).value();
    Ringer ringer{session.folder, bob};
    ringer.ring_for_command(alice, session.bells);
    bell.fall_asleep(wake::commands);
    CHECK_FALSE(bell.page().ready.is_empty());
    bell.wake_up(false);
}

TEST_CASE("a bell of somebody who has none, or has ended, is not rung, and costs nothing", "[lanes]") {
    BellWorld session;
    Ringer ringer{session.folder, alice};
    ringer.ring_for_command(bob, session.bells);      // has not opened its lanes
    ringer.ring_for_command({70, 2}, session.bells);  // another life
    ringer.ring_for_command({5'000, 1}, session.bells);
    CHECK_FALSE(ringer.reach(bob));
    {
        const OwnBell bell = OwnBell::create(session.bells, session.folder, bob).value();
        CHECK(ringer.reach(bob));
    }
    for (int round = 0; round < 100'000; ++round) {  // more than a FIFO holds; nobody reads
        session.bells.page(bob.number)->asleep.store(wake::answers);
        ringer.ring_for(bob, wake::answers, session.bells);
    }
}

TEST_CASE("a bell whose FIFO was removed is made again, and rings for those who had it open as well", "[lanes]") {
    BellWorld session;
    OwnBell bell = OwnBell::create(session.bells, session.folder, alice).value();
    Ringer before{session.folder, bob};
    REQUIRE(before.reach(alice));
    const std::string path = session.folder + "/" + Bells::fifo_name(alice);
    CHECK(bell.make_again().ok());  // it is there: nothing is done
    std::filesystem::remove(path);
    Ringer newcomer{session.folder, {71, 1}};
    CHECK_FALSE(newcomer.reach(alice));
    REQUIRE(bell.make_again().ok());
    REQUIRE(newcomer.reach(alice));
    for (Ringer* const ringer : {&before, &newcomer}) {
        bell.fall_asleep(wake::answers);
        CHECK_FALSE(is_readable(bell));
        ringer->ring_for(alice, wake::answers, session.bells);
        CHECK(is_readable(bell));
        bell.wake_up(true);
        CHECK_FALSE(is_readable(bell));
    }
    Result<void> made;
    for (std::uint32_t times = 0; made && times <= limits::bound_again_max; ++times) {
        std::filesystem::remove(path);
        made = bell.make_again();
    }
    REQUIRE_FALSE(made.ok());
    CHECK_THAT(made.error().text, Catch::Matchers::Contains("limits::bound_again_max"));
}

TEST_CASE("a file in place of a bell's FIFO is not written", "[lanes]") {
    BellWorld session;
    OwnBell bell = OwnBell::create(session.bells, session.folder, alice).value();
    const std::string path = session.folder + "/" + Bells::fifo_name(alice);
    std::filesystem::remove(path);
    std::filesystem::create_symlink("/dev/null", path);
    Ringer ringer{session.folder, bob};
    CHECK_FALSE(ringer.reach(alice));
    CHECK(OwnBell::create(session.bells, session.folder, alice).error().kind == ErrorKind::overloaded);
}

// Goal: no wake-up is lost. Method: two threads ring each other in turn, and every sleep is without an end.
TEST_CASE("two that wake each other in turn never miss it", "[lanes]") {
    BellWorld session;
    constexpr int rounds = 20'000;
    const auto play = [&](ActorId me, ActorId other, OwnBell& bell, bool begins) {
        Ringer ringer{session.folder, me};
        std::vector<std::uint32_t> numbers;
        for (int round = 0; round < rounds; ++round) {
            if (begins) ringer.ring_for_command(other, session.bells);
            while (bell.page().ready.is_empty()) {
                bell.fall_asleep(wake::commands);
                const bool is_ready = !bell.page().ready.is_empty();
                bell.wake_up(is_readable(bell, is_ready ? 0 : -1));
            }
            numbers.clear();
            bell.page().ready.take_all(numbers);
            if (!begins) ringer.ring_for_command(other, session.bells);
        }
    };
    OwnBell of_alice = OwnBell::create(session.bells, session.folder, alice).value();
    OwnBell of_bob = OwnBell::create(session.bells, session.folder, bob).value();
    std::thread bobs{[&] { play(bob, alice, of_bob, false); }};
    play(alice, bob, of_alice, true);
    bobs.join();
}

TEST_CASE("all members together claim no more for lanes than the session has", "[lanes]") {
    BellWorld session;
    CHECK(session.bells.claim(alice.number, 600));
    CHECK_FALSE(session.bells.claim(bob.number, 500));
    CHECK(session.bells.claim(bob.number, 400));
    CHECK_FALSE(session.bells.claim(alice.number, 1));
    session.bells.give_back(bob.number, 100);
    CHECK(session.bells.claim(alice.number, 100));
    CHECK(session.bells.lane_bytes() == 1'000);
    session.bells.prepare({alice.number, 2}).value();  // another life has claimed nothing
    CHECK(session.bells.lane_bytes() == 300);
    CHECK_FALSE(session.bells.claim(7, 1));  // nobody
}
