// Locks, conditions, barriers, semaphores and queues among real processes that are killed, stopped and too late.
#include <sys/eventfd.h>
#include <unistd.h>

#include <csignal>

#include <baton/sync.hpp>
#include <baton/unique_fd.hpp>
#include "tests/process/process_world.hpp"
#include "tests/process/sync/player.hpp"

using namespace std::chrono_literals;
using namespace baton;
using namespace baton::detail;
using player::Do;
using Player = Ref<player::Protocol>;
using Said = Pending<std::string>;
using Catch::Contains;
using Catch::StartsWith;

namespace {

// A session with a keeper, and players that are told what to do.
class SyncWorld : public ProcessWorld {
public:
    SyncWorld() : keeper_(context()) {}

    Context& context() { return scenario().context(); }
    sync::Keeper<>& keeper() { return keeper_; }
    [[nodiscard]] Ref<sync::Protocol> keeper_actor() const { return keeper_.actor().value(); }
    Player player(const std::string& name) { return scenario().spawn<player::Protocol>({"player", name}).value(); }

    std::string tell(Player player, Do command) { return scenario().ask(player, command, 20s).value(); }
    // Does not wait for the end of it.
    Said begin(Player player, Do command) { return scenario().request(player, command).value(); }
    static std::string end(Said& said) { return said.get(20s).value(); }
    // Until that number of clients wait at it.
    void wait_until_waiting(const sync::Address& address, std::uint64_t clients) {
        while (look(address).waiting != clients) {
        }
    }
    sync::Looked look(const sync::Address& address) {
        return scenario().ask(keeper_actor(), sync::Look{address.number}).value();
    }

    void kill(Player player) {
        scenario().kill(player).value();
        scenario().join(player, 10s).value();
    }
    void freeze(Player player, const std::string& name) {
        ::kill(pid_of(player), SIGSTOP);
        wait_for_state(name, "frozen");
    }
    void thaw(Player player) { ::kill(pid_of(player), SIGCONT); }

    sync::Address lock(const std::string& name = "lock") { return keeper_.lock(name).value().address(); }
    // Of the lock at that address.
    sync::Address condition(const sync::Address& lock, const std::string& name) {
        sync::Lock handle{context(), lock};
        return keeper_.condition(handle, name).value().address();
    }

private:
    sync::Keeper<> keeper_;
};

}  // namespace

// ---- locks -----------------------------------------------------------------------------------------

TEST_CASE("the next who waits for a lock has it when its owner dies, and is told whose it was", "[process][sync]") {
    SyncWorld world;
    const Player alice = world.player("alice");
    const Player bob = world.player("bob");
    const sync::Address lock = world.lock();
    REQUIRE(world.tell(alice, {"acquire", lock}) == "ok");
    SECTION("somebody waits") {
        Said bobs = world.begin(bob, {"acquire", lock});
        world.wait_until_waiting(lock, 1);
        world.kill(alice);
        CHECK(world.end(bobs) == "ok after alice");
    }
    SECTION("nobody waits yet") {
        world.kill(alice);
        CHECK_THAT(world.tell(bob, {"acquire", lock}), StartsWith("ok after "));
    }
    CHECK(world.tell(bob, {"release", lock}) == "ok");
    sync::Lock mine{world.context(), lock};
    CHECK_FALSE(mine.acquire(1s).value().owner_died());
}

TEST_CASE("an owner that is stopped is not dead, and a wait for its lock ends at the deadline", "[process][sync][I8]") {
    SyncWorld world;
    const Player alice = world.player("alice");
    const Player bob = world.player("bob");
    const sync::Address lock = world.lock();
    REQUIRE(world.tell(alice, {"acquire", lock}) == "ok");
    world.freeze(alice, "alice");
    CHECK_THAT(world.tell(bob, {"acquire", lock, 300}), StartsWith("timed_out: bob waited 300 ms for lock 'lock'"));
    CHECK_THAT(world.tell(bob, {"acquire", lock, 0}), StartsWith("timed_out"));
    Said bobs = world.begin(bob, {"acquire", lock});
    world.wait_until_waiting(lock, 1);
    world.thaw(alice);
    CHECK(world.tell(alice, {"release", lock}) == "ok");
    CHECK(world.end(bobs) == "ok");
}

TEST_CASE("who waits for a lock and is killed, stopped by the session or late is out of its line",
          "[process][sync][I8]") {
    SyncWorld world;
    const Player alice = world.player("alice");
    const Player bob = world.player("bob");
    const Player carol = world.player("carol");
    const sync::Address lock = world.lock();
    REQUIRE(world.tell(alice, {"acquire", lock}) == "ok");
    enum class Ends { killed, stopped, late };
    const Ends ends = GENERATE(Ends::killed, Ends::stopped, Ends::late);
    Said bobs = world.begin(bob, {"acquire", lock, ends == Ends::late ? 100 : 10'000});
    world.wait_until_waiting(lock, 1);
    Said carols = world.begin(carol, {"acquire", lock});
    if (ends != Ends::late) world.wait_until_waiting(lock, 2);  // both, so that the one who is left is Carol
    if (ends == Ends::killed) world.kill(bob);
    if (ends == Ends::stopped) CHECK(world.scenario().stop(bob).value().exit.kind == ExitKind::stopped);
    if (ends == Ends::late) CHECK_THAT(world.end(bobs), StartsWith("timed_out"));
    world.wait_until_waiting(lock, 1);
    CHECK(world.tell(alice, {"release", lock}) == "ok");
    CHECK(world.end(carols) == "ok");
}

// Goal: no lock is lost to somebody who does not wait for it any more.
// Method: the keeper is stopped while a wait reaches its deadline, so that it grants first and reads the withdrawal
// then; and, many times, the lock is released at about the deadline, so that they cross on the way.
TEST_CASE("a lock that is granted to who has just given up is free again", "[process][sync]") {
    SyncWorld world;
    const Player alice = world.player("alice");
    const Player bob = world.player("bob");
    const sync::Address lock = world.lock();
    sync::Lock mine{world.context(), lock};
    {
        const sync::Hold hold = mine.acquire(1s).value();
        REQUIRE(world.tell(bob, {"acquire", lock, 50}).starts_with("timed_out"));
        ::kill(world.pid_of(world.keeper_actor()), SIGSTOP);
        world.wait_for_state("sync", "frozen");
        CHECK_THAT(world.tell(bob, {"acquire", lock, 50}), StartsWith("timed_out"));
        ::kill(world.pid_of(world.keeper_actor()), SIGCONT);
    }
    CHECK(world.tell(alice, {"acquire", lock}) == "ok");
    CHECK(world.tell(alice, {"release", lock}) == "ok");

    for (int round = 0; round < 40; ++round) {
        sync::Hold hold = mine.acquire(10s).value();
        Said bobs = world.begin(bob, {"acquire", lock, 2});
        const auto release_at = std::chrono::steady_clock::now() + 1800us + 10us * round;
        while (std::chrono::steady_clock::now() < release_at) {
        }
        REQUIRE(hold.release().ok());
        const std::string outcome = world.end(bobs);
        if (outcome == "ok") REQUIRE(world.tell(bob, {"release", lock}) == "ok");
        else REQUIRE_THAT(outcome, StartsWith("timed_out"));
    }
    CHECK_FALSE(mine.acquire(10s).value().owner_died());
}

// Goal: whichever process dies, and wherever, the others go on, and what was done under the lock counts. Method: two
// processes count under a lock while others count too and kill themselves: before they have the lock, with it, with the
// value changed, after its release; 200 of them.
TEST_CASE("owners that die between taking and releasing a lock stop nobody and lose no count", "[process][sync][I8]") {
    SyncWorld world;
    using Number = sync::Value<std::uint64_t>;
    const sync::Address counter = world.keeper().value<std::uint64_t>("counter", 0).value().address();
    auto is_over = world.keeper().value<std::uint64_t>("is over", 0).value();
    std::vector<Pending<player::Counted>> counting;
    for (const char* name : {"alice", "bob"})
        counting.push_back(
            world.scenario().request(world.player(name), player::CountUp{counter, is_over.address()}).value());

    std::uint64_t expected = 0;
    constexpr std::uint64_t lives = 200;
    constexpr std::uint64_t places = 4;
    for (std::uint64_t life = 0; life < lives; life += 2 * places) {
        const auto mortals =
            world.scenario()
                .spawn_all<player::Protocol>(std::vector<SpawnOptions>(2 * places, SpawnOptions{"player"}))
                .value();
        std::vector<Pending<player::Counted>> dying;
        for (std::uint64_t number = 0; number < mortals.size(); ++number) {
            const std::uint64_t before = (life * 7 + number) % 50;
            const auto place = static_cast<std::uint32_t>(number % places);
            dying.push_back(world.scenario()
                                .request(mortals[number], player::CountUp{counter, is_over.address(), before, place})
                                .value());
            expected += before + (place >= 2 ? 1 : 0);
        }
        for (auto& one : dying) REQUIRE(one.get(30s).error().kind == ErrorKind::gone);
    }
    is_over.store(1).value();
    std::uint64_t dead_owners = 0;
    for (auto& one : counting) {
        const player::Counted counted = one.get(30s).value();
        expected += counted.count;
        dead_owners += counted.dead_owners;
    }
    Number number{world.context(), counter};
    const sync::Hold hold = number.acquire(10s).value();
    CHECK(number.load().value() == expected);
    CHECK(dead_owners > 0);
}

TEST_CASE("values are exact under their lock and by fetch_add, and arrays hold what fits", "[process][sync]") {
    SyncWorld world;
    using Number = sync::Value<double>;
    const sync::Address address = world.keeper().value<double>("number", 2.5).value().address();
    Number number{world.context(), address};
    CHECK(number.load().value() == 2.5);
    CHECK(number.fetch_add(0.5).value() == 2.5);
    CHECK(number.update([](double& value) { value *= 2; }, 1s).value() == 6.0);
    CHECK(number.store(-1).ok());
    CHECK(number.load().value() == -1);

    auto text = world.keeper().byte_array("text", 5).value();
    CHECK(text.text().empty());
    CHECK(text.assign("abc").ok());
    CHECK(text.text() == "abc");
    CHECK(text.assign("abcde").ok());
    CHECK(text.assign("abcdef").error().text == "a text of 6 bytes is too long for array 'text', which holds 5");
    text.store(1, 'B');
    CHECK(text.raw() == "aBcde");
    CHECK_THROWS_AS(text.load(5), ErrorException);
    CHECK_THROWS_AS(text.elements(), ErrorException);
    const sync::Hold hold = text.acquire(1s).value();
    CHECK(text.elements().size() == 5);
}

TEST_CASE("a text of any length is read as it was assigned, and what lies behind it stays", "[process][sync]") {
    SyncWorld world;
    constexpr std::size_t size = 37;  // some words and a rest
    auto text = world.keeper().byte_array("text", size).value();
    for (std::size_t length = 0; length <= size; ++length) {
        text.assign(std::string(size, '-')).value();
        const std::string written = std::string("abcdefghijklmnopqrstuvwxyz0123456789.").substr(0, length);
        text.assign(written).value();
        CHECK(text.text() == written);
        const std::string behind = length == size ? "" : '\0' + std::string(size - length - 1, '-');
        CHECK(text.raw() == written + behind);
    }
}

TEST_CASE("a lock is acquired again by its owner only where it may be", "[process][sync]") {
    SyncWorld world;
    const Player alice = world.player("alice");
    const sync::Address address = world.lock("printer");
    sync::Lock plain{world.context(), address};
    {
        const sync::Hold hold = plain.acquire(1s).value();
        CHECK_THAT(plain.acquire(1s).error().text, Contains("holds lock 'printer' already"));
    }
    sync::RecursiveLock nested{world.context(), address};
    {
        sync::Hold outer = nested.acquire(1s).value();
        sync::Hold inner = nested.acquire(1s).value();
        CHECK(inner.release().ok());
        CHECK_THAT(world.tell(alice, {"acquire", address, 20}), StartsWith("timed_out"));
        CHECK(outer.release().ok());
        CHECK(outer.release().ok());  // nothing any more
    }
    CHECK(world.tell(alice, {"acquire", address, 1000}) == "ok");
}

// ---- hostile ---------------------------------------------------------------------------------------

TEST_CASE("whatever somebody writes over the words of a lock, the keeper and the waiters go on", "[process][sync]") {
    SyncWorld world;
    const Player alice = world.player("alice");
    const Player bob = world.player("bob");
    const sync::Address lock = world.lock();
    sync::Attached attached = world.scenario().ask(world.keeper_actor(), sync::Attach{lock.number}).value();
    const std::span<std::uint64_t> words = attached.cell.as<std::uint64_t>();
    REQUIRE(words.size() == sync::cell_words);
    for (const std::uint64_t junk :
         {std::uint64_t{0}, ~std::uint64_t{0}, std::uint64_t{77} << 32, std::uint64_t{1} << 62}) {
        REQUIRE(world.tell(alice, {"acquire", lock}).starts_with("ok"));
        Said bobs = world.begin(bob, {"acquire", lock});
        world.wait_until_waiting(lock, 1);
        sync::Word{words[0]}.store(junk);
        CHECK_THAT(world.end(bobs), StartsWith("ok"));
        CHECK_THAT(world.tell(alice, {"release", lock}), StartsWith("refused: lock 'lock' is not alice's any more"));
        CHECK(world.tell(bob, {"release", lock}) == "ok");
    }
}

TEST_CASE("what can't be asked of a primitive is refused with its kind and name, and the keeper goes on",
          "[process][sync]") {
    SyncWorld world;
    TestScenario& scenario = world.scenario();
    const sync::Address event = world.keeper().event("rain").value().address();
    CHECK(scenario.ask(world.keeper_actor(), sync::Acquire{event.number}).error().text ==
          "number 1 of sync is event 'rain', not a lock");
    CHECK(scenario.ask(world.keeper_actor(), sync::Acquire{0}).error().kind == ErrorKind::refused);
    CHECK(scenario.ask(world.keeper_actor(), sync::Get{4'000'000'000}).error().kind == ErrorKind::refused);
    CHECK(scenario.ask(world.keeper_actor(), sync::Attach{event.number}).error().kind == ErrorKind::refused);
    CHECK(scenario.ask(world.keeper_actor(), sync::MakeCondition{"c", event.number}).error().kind ==
          ErrorKind::refused);
    CHECK(scenario.ask(world.keeper_actor(), sync::MakeBarrier{"b", 0, {}, false}).error().kind == ErrorKind::refused);
    CHECK(scenario.ask(world.keeper_actor(), sync::MakeBarrier{"b", 0, {AnyRef{ActorId{99, 1}}}, false}).error().kind ==
          ErrorKind::gone);
    CHECK(scenario.ask(world.keeper_actor(), sync::MakeArray{"a", "nonsense", 4}).error().kind == ErrorKind::refused);
    CHECK(scenario.ask(world.keeper_actor(), sync::MakeArray{"a", "<f8", std::uint64_t{1} << 60}).error().kind ==
          ErrorKind::refused);
    CHECK(scenario.ask(world.keeper_actor(), sync::MakeQueue{"q", 0}).error().kind == ErrorKind::refused);
    CHECK(scenario.ask(world.keeper_actor(), sync::Release{world.lock().number}).error().kind == ErrorKind::refused);
    scenario.send(world.keeper_actor(), sync::Withdraw{event.number}).value();
    scenario.send(world.keeper_actor(), sync::Withdraw{77}).value();
    scenario.send(world.keeper_actor(), sync::Withdraw{0}).value();
    std::size_t made = 0;
    while (scenario.ask(world.keeper_actor(), sync::MakeEvent{"more"}).ok()) ++made;
    CHECK(made == sync::limits::primitives_max - 2);
    CHECK(scenario.ask(world.keeper_actor(), sync::MakeEvent{"more"}).error().kind == ErrorKind::overloaded);
    CHECK(world.look(event).name == "rain");
}

// ---- deadlines and exceptions ---------------------------------------------------------------------------

TEST_CASE("with a deadline of 0 what the keeper has at once is had, each time", "[process][sync][I8]") {
    SyncWorld world;
    Context& context = world.context();
    sync::Keeper<>& keeper = world.keeper();
    const sync::Address lock = world.lock();
    auto event = keeper.event("event").value();
    auto semaphore = keeper.semaphore("semaphore", 1).value();
    auto jobs = keeper.queue<std::int64_t>("jobs").value();
    auto barrier = keeper.barrier("barrier", {.parties = 1}).value();
    CHECK(event.set().ok());
    for (std::int64_t round = 0; round < 200; ++round) {
        sync::Lock fresh{context, lock};
        REQUIRE(fresh.acquire(0s).ok());
        REQUIRE(event.wait(0s).ok());
        REQUIRE(semaphore.acquire(0s).ok());
        REQUIRE(semaphore.release().ok());
        REQUIRE(jobs.put(round, 0s).ok());
        REQUIRE(jobs.get(-1s).value() == round);
        REQUIRE(jobs.task_done().ok());
        REQUIRE(jobs.join(0s).ok());
        REQUIRE(barrier.wait(0s).value() == 0);
    }
    CHECK(event.clear().ok());
    for (int round = 0; round < 20; ++round) {
        CHECK(event.wait(0s).error().kind == ErrorKind::timed_out);
        CHECK(jobs.get(0s).error().kind == ErrorKind::timed_out);
    }
    CHECK(world.look(event.address()).waiting == 0);
}

TEST_CASE("a session's wait ends at its deadline as a context's does", "[process][I8]") {
    SyncWorld world;
    CHECK(world.session().wait_for([] { return false; }, 1ms).error().kind == ErrorKind::timed_out);
    CHECK(world.context().wait_for([] { return false; }, 1ms).error().kind == ErrorKind::timed_out);
    CHECK(world.session().wait_for([] { return true; }, 0ms).ok());
}

// Goal: a client that an exception tears out of a wait waits no more, and gets nothing afterwards. Method: a descriptor
// that the loop watches is readable, and what is called then throws.
TEST_CASE("what throws out of a wait leaves nobody in line and gives back what came", "[process][sync]") {
    const UniqueFd bell{::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)};
    SyncWorld world;
    Context& context = world.context();
    const Player alice = world.player("alice");
    world.session().loop().watch(bell.get(), [&] {
        std::uint64_t rung = 0;
        if (::read(bell.get(), &rung, sizeof rung) == sizeof rung) throw std::runtime_error("the bell has rung");
    });
    const auto torn = [&](const auto& wait) {
        const std::uint64_t one = 1;
        REQUIRE(::write(bell.get(), &one, sizeof one) == sizeof one);
        CHECK_THROWS_WITH(static_cast<void>(wait()), "the bell has rung");
    };
    const sync::Address address = world.lock();
    sync::Lock lock{context, address};
    sync::Condition condition{context, world.condition(address, "fed"), lock};
    REQUIRE(world.tell(alice, {"acquire", address}) == "ok");
    CHECK(lock.acquire(0s).error().kind == ErrorKind::timed_out);  // it has its word from here
    torn([&] { return lock.acquire(30s); });
    CHECK_FALSE(lock.is_held());
    CHECK(world.look(address).waiting == 0);
    CHECK(world.tell(alice, {"release", address}) == "ok");
    CHECK(world.tell(alice, {"acquire", address, 0}) == "ok");
    CHECK(world.tell(alice, {"release", address}) == "ok");
    {
        const sync::Hold hold = lock.acquire(1s).value();
        torn([&] { return condition.wait(30s); });
        CHECK_FALSE(lock.is_held());
        CHECK(world.tell(alice, {"acquire", address}) == "ok");
        CHECK(world.tell(alice, {"release", address}) == "ok");
    }
    auto jobs = world.keeper().queue<std::int64_t>("jobs").value();
    torn([&] { return jobs.get(30s); });
    REQUIRE(world.tell(alice, {"put", jobs.address(), 1000, 7}) == "ok");
    CHECK(world.tell(alice, {"get", jobs.address(), 1000}) == "ok 7");
    auto barrier = world.keeper().barrier("start", {.parties = 2}).value();
    torn([&] { return barrier.wait(30s); });
    CHECK(world.look(barrier.address()).waiting == 0);  // behind the word that it is given up, which Alice may overtake
    CHECK_THAT(world.tell(alice, {"arrive", barrier.address()}), Contains("gave up waiting"));
}

TEST_CASE("an action that throws anything at all breaks its barrier", "[process][sync]") {
    SyncWorld world;
    const Player alice = world.player("alice");
    const bool has_text = GENERATE(true, false);
    sync::Barrier barrier{
        world.context(),
        world.keeper().barrier("start", {.parties = 2, .has_action = true}).value().address(),
        [has_text] { has_text ? throw std::runtime_error("") : throw 3; }};
    Said arrives = world.begin(alice, {"arrive", barrier.address()});
    world.wait_until_waiting(barrier.address(), 1);
    CHECK(barrier.wait(10s).error().kind == ErrorKind::failed);
    CHECK_THAT(SyncWorld::end(arrives), Contains("is broken: its action failed in ") && Contains("exception"));
}

// ---- removed ---------------------------------------------------------------------------------------

TEST_CASE("what is removed makes room for more, and whoever waits there or comes later is told", "[process][sync]") {
    SyncWorld world;
    const Player alice = world.player("alice");
    auto event = world.keeper().event("rain").value();
    Said waits = world.begin(alice, {"await", event.address()});
    world.wait_until_waiting(event.address(), 1);
    CHECK(event.remove().ok());
    CHECK_THAT(SyncWorld::end(waits), StartsWith("gone: event 'rain' was removed by "));
    for (const Error& later : {event.set().error(), event.wait(0s).error(), event.remove().error()})
        CHECK(to_text(later) == "gone: event 'rain' was removed by scenario");

    auto [mine, other] = world.keeper().channel<std::int64_t>("talk").value();
    Said hears = world.begin(alice, {"hear", other.address()});
    world.wait_until_waiting(other.address(), 1);
    CHECK(mine.remove().ok());
    CHECK_THAT(SyncWorld::end(hears), StartsWith("gone: "));
    CHECK(mine.poll(0s).error().kind == ErrorKind::gone);

    const auto fill = [&] {
        std::vector<std::uint32_t> numbers;
        for (;;) {
            const auto made = world.scenario().ask(world.keeper_actor(), sync::MakeEvent{"more"});
            if (!made) {
                CHECK_THAT(made.error().text, Contains("remove those that nobody uses any more"));
                return numbers;
            }
            numbers.push_back(made->number);
        }
    };
    const std::vector<std::uint32_t> first = fill();
    CHECK(first.size() == sync::limits::primitives_max);
    for (const std::uint32_t number : std::span(first).first(10))
        CHECK(world.scenario().ask(world.keeper_actor(), sync::Remove{number}).ok());
    const std::vector<std::uint32_t> second = fill();
    CHECK(second.size() == 10);
    CHECK(second.front() > first.back());  // no number is given twice
}

TEST_CASE("the keeper knows who removed the last primitives, and only that older ones were", "[process][sync]") {
    SyncWorld world;
    auto first = world.keeper().event("first").value();
    CHECK(first.remove().ok());
    for (std::size_t number = 1; number < sync::limits::removed_told_max; ++number)
        world.keeper().event("more").value().remove().value();
    CHECK(first.set().error().text == "event 'first' was removed by scenario");
    world.keeper().event("one too many").value().remove().value();
    CHECK(first.set().error().text == "sync keeps number 1 no longer: it was removed");
    CHECK(first.set().error().kind == ErrorKind::gone);
}

TEST_CASE("what is held, waited for and full is removed as documented", "[process][sync]") {
    SyncWorld world;
    const Player alice = world.player("alice");
    SECTION("a semaphore, with a permit out") {
        auto semaphore = world.keeper().semaphore("one", 1).value();
        REQUIRE(world.tell(alice, {"take", semaphore.address()}) == "ok");
        CHECK(semaphore.remove().ok());
        CHECK(world.tell(alice, {"give back", semaphore.address()}) ==
              "gone: semaphore 'one' was removed by scenario");
    }
    SECTION("a queue, with an item in hand, one in it, and somebody that joins") {
        auto jobs = world.keeper().queue<std::int64_t>("jobs").value();
        const Player bob = world.player("bob");
        REQUIRE(jobs.put(1).ok());
        REQUIRE(jobs.put(2).ok());
        REQUIRE(world.tell(alice, {"get", jobs.address()}) == "ok 1");
        Said bobs = world.begin(bob, {"join", jobs.address()});
        world.wait_until_waiting(jobs.address(), 1);
        CHECK(jobs.remove().ok());
        CHECK(world.end(bobs) == "gone: queue 'jobs' was removed by scenario");
        CHECK(world.tell(alice, {"task done", jobs.address()}) == "gone: queue 'jobs' was removed by scenario");
    }
    SECTION("a barrier, with one party there") {
        auto start = world.keeper().barrier("start", {.parties = 2}).value();
        Said alices = world.begin(alice, {"arrive", start.address()});
        world.wait_until_waiting(start.address(), 1);
        CHECK(start.remove().ok());
        CHECK(world.end(alices) == "gone: barrier 'start' was removed by scenario");
    }
    SECTION("a value, while somebody holds it, and then while somebody reads it") {
        auto counter = world.keeper().value<std::int64_t>("counter", 4).value();
        {
            const auto hold = counter.acquire();
            CHECK(counter.remove().error().text == "value 'counter' can't be removed: scenario holds it");
        }
        CHECK(counter.remove().ok());
        CHECK(counter.fetch_add(1).value() == 4);
        CHECK(counter.load().value() == 5);
        CHECK(to_text(counter.acquire().error()) == "gone: value 'counter' was removed by scenario");
    }
}

// Goal: a removed condition leaves nobody in the line of its lock, who would get the lock and not know.
// Method: alice is notified while the lock is held, so that she waits in its line, and then the condition goes.
TEST_CASE("who was notified at a condition that is removed does not get its lock", "[process][sync]") {
    SyncWorld world;
    const Player alice = world.player("alice");
    const Player bob = world.player("bob");
    auto lock = world.keeper().lock("lock").value();
    auto fed = world.keeper().condition(lock, "fed").value();
    REQUIRE(world.tell(alice, {"acquire", lock.address()}) == "ok");
    Said alices = world.begin(alice, {"wait", fed.address(), 10'000, 0, lock.address()});
    world.wait_until_waiting(fed.address(), 1);
    auto hold = lock.acquire().value();
    REQUIRE(fed.notify().value() == 1);
    CHECK(fed.waiting().value() == 0);
    CHECK(fed.remove().ok());
    CHECK(world.end(alices) == "gone: condition 'fed' was removed by scenario");
    CHECK(world.tell(alice, {"is held", lock.address()}) == "no");
    CHECK(hold.release().ok());
    CHECK(world.tell(bob, {"acquire", lock.address(), 1000}) == "ok");
}

TEST_CASE("a keeper removes what it has only the address of, and nothing of another keeper", "[process][sync]") {
    SyncWorld world;
    const sync::Address address = world.keeper().latch("loaded").value().address();
    sync::Keeper other{world.context(), "another"};
    CHECK(other.remove(address).error().text == "'loaded' is kept by another keeper: remove it there");
    CHECK(world.keeper().remove(address).ok());
    CHECK(world.keeper().remove(address).error().kind == ErrorKind::gone);
}

// ---- two faces -------------------------------------------------------------------------------------

namespace {

template <class M>
using Made = decltype(std::declval<sync::Keeper<M>&>().lock(""));
static_assert(std::is_same_v<Made<Context>, Result<sync::Lock<Context>>>);
static_assert(std::is_same_v<Made<Scenario>, sync::Lock<Scenario>>);
static_assert(std::is_same_v<decltype(sync::Lock{std::declval<Scenario&>(), sync::Address{}}), sync::Lock<Scenario>>);
static_assert(std::is_same_v<decltype(sync::Lock{std::declval<Context&>(), sync::Address{}}), sync::Lock<>>);
static_assert(std::is_same_v<decltype(std::declval<sync::Lock<Scenario>&>().acquire()), sync::Hold<Scenario>>);
static_assert(std::is_same_v<decltype(std::declval<sync::Lock<>&>().acquire()), Result<sync::Hold<>>>);

template <class Call>
std::string thrown(Call call) {
    try {
        call();
    } catch (const ErrorException& caught) {
        return to_text(caught.error());
    }
    return "nothing";
}

}  // namespace

TEST_CASE("in a scenario each verb of synchronization returns its value or throws", "[process][sync]") {
    ProcessWorld world;
    Scenario scenario{world.session(), {}};
    sync::Keeper keeper{scenario};
    auto lock = keeper.lock("printer");
    auto fed = keeper.condition(lock, "fed");
    {
        auto hold = lock.acquire();
        CHECK_FALSE(hold.owner_died());
        CHECK(fed.notify_all() == 0);
        CHECK(thrown([&] { fed.wait(1ms); }) == "timed_out: scenario waited 1 ms for condition 'fed', in vain");
        fed.wait_for([] { return true; });
        CHECK_THAT(thrown([&] { static_cast<void>(lock.acquire()); }), StartsWith("refused: scenario holds lock"));
        hold.release();
        CHECK_FALSE(lock.is_held());
    }
    auto nested = keeper.recursive_lock("nested");
    {
        const auto outer = nested.acquire();
        const auto inner = nested.acquire();
        CHECK(nested.is_held());
    }
    auto event = keeper.event("rain");
    CHECK(thrown([&] { event.wait(0s); }) == "timed_out: scenario waited 0 ms for event 'rain', in vain");
    event.set();
    event.wait();
    CHECK(event.is_set());
    event.clear();
    auto semaphore = keeper.semaphore("unbounded");
    semaphore.release();
    CHECK(semaphore.free() == 2);
    auto bounded = keeper.bounded_semaphore("bounded");
    bounded.acquire();
    bounded.release();
    CHECK_THAT(thrown([&] { bounded.release(); }), StartsWith("refused: semaphore 'bounded' has all of its 1 permits"));
    int actions = 0;
    auto barrier = keeper.barrier("start", {.parties = 1, .action = [&] { ++actions; }});
    CHECK(barrier.wait() == 0);
    CHECK(actions == 1);
    barrier.abort();
    CHECK_THAT(thrown([&] { static_cast<void>(barrier.wait()); }), Contains("is broken: scenario aborted it"));
    barrier.reset();
    auto latch = keeper.latch("loaded", 2);
    CHECK(latch.count_down() == 1);
    CHECK(latch.left() == 1);
    latch.count_down();
    latch.wait();
    fed.remove();
    lock.remove();
    CHECK(thrown([&] { static_cast<void>(lock.acquire()); }) == "gone: lock 'printer' was removed by scenario");
}

TEST_CASE("in a scenario values, arrays, queues and channels are used without a Result", "[process][sync]") {
    ProcessWorld world;
    Scenario scenario{world.session(), {}};
    sync::Keeper keeper{scenario};
    auto counter = keeper.value<std::int64_t>("counter", 40);
    CHECK(counter.fetch_add(1) == 40);
    CHECK(counter.update([](std::int64_t& count) { ++count; }) == 42);
    sync::Value<std::int64_t, Scenario> same{scenario, counter.address()};
    same.store(same.load() + 1);
    CHECK(counter.load() == 43);
    auto array = keeper.array<double>("array", 3);
    array.store(2, 0.5);
    CHECK(array.load(2) == 0.5);
    auto text = keeper.byte_array("text", 3);
    CHECK_THAT(thrown([&] { text.assign("long"); }), StartsWith("refused: a text of 4 bytes is too long"));
    auto jobs = keeper.queue<std::string>("jobs");
    jobs.put("water");
    CHECK(jobs.size() == 1);
    CHECK(jobs.get() == "water");
    CHECK(jobs.is_empty());
    jobs.task_done();
    jobs.join();
    auto ends = keeper.channel<std::string>("talk");
    auto& [mine, other] = ends;
    CHECK_FALSE(other.poll(0s));
    mine.send("hello");
    CHECK(other.poll());
    CHECK(other.receive() == "hello");
    mine.close();
    CHECK_THAT(thrown([&] { static_cast<void>(ends.second.receive()); }), StartsWith("gone: nothing more will come"));
}

TEST_CASE("a keeper that can't be started throws in a scenario, and in an actor every verb says why",
          "[process][sync]") {
    SyncWorld world;
    sync::Keeper second{world.context()};  // there is one of that name
    const Error error = second.actor().error();
    CHECK_THAT(error.text, Contains("sync"));
    CHECK(second.lock("printer").error().text == error.text);
    CHECK(second.channel<int>("talk").error().text == error.text);
    CHECK(second.remove(world.lock()).error().text == error.text);
    Scenario scenario{world.session(), {}};
    CHECK(thrown([&] { sync::Keeper{scenario}; }) == to_text(error));
    sync::Keeper shared{scenario, world.keeper_actor()};
    CHECK(shared.actor() == world.keeper_actor());
    CHECK(shared.lock("printer").acquire().dead_owner().empty());
}

TEST_CASE("a wait takes a timeout or a deadline, and several may share one", "[process][sync]") {
    SyncWorld world;
    auto event = world.keeper().event("rain").value();
    const Deadline end = world.context().deadline(30ms);
    CHECK_THAT(event.wait(end).error().text, Contains(" ms for event 'rain', in vain"));
    CHECK(event.wait(end).error().text == "scenario waited 0 ms for event 'rain', in vain");
    CHECK(world.context().now() >= end.at());
    CHECK(event.set().ok());
    CHECK(event.wait(Deadline::never()).ok());
    auto lock = world.keeper().lock("lock").value();
    const auto hold = lock.acquire(end);
    CHECK(hold.has_value());
}

TEST_CASE("a handle can be moved while its lock is held", "[process][sync]") {
    SyncWorld world;
    const Player alice = world.player("alice");
    auto lock = world.keeper().lock("lock").value();
    {
        const auto hold = lock.acquire();
        sync::Lock moved = std::move(lock);
        CHECK(moved.is_held());
        CHECK_THAT(world.tell(alice, {"acquire", moved.address(), 20}), StartsWith("timed_out"));
        lock = std::move(moved);
    }
    CHECK_FALSE(lock.is_held());
    CHECK(world.tell(alice, {"acquire", lock.address(), 1000}) == "ok");
}

TEST_CASE("a lock is removed when nobody holds it and nothing needs it, and its memory with it", "[process][sync]") {
    SyncWorld world;
    const Player alice = world.player("alice");
    const sync::Address address = world.lock("printer");
    sync::Lock lock{world.context(), address};
    sync::Condition condition{world.context(), world.condition(address, "fed"), lock};
    CHECK_THAT(lock.remove().error().text, Contains("condition 'fed' is one of it; remove that first"));
    CHECK(condition.remove().ok());
    REQUIRE(world.tell(alice, {"acquire", address}) == "ok");
    CHECK_THAT(lock.remove().error().text, Contains("lock 'printer' can't be removed: alice holds it"));
    REQUIRE(world.tell(alice, {"release", address}) == "ok");
    CHECK(lock.remove().ok());
    // Those who have its word are told, too.
    CHECK(lock.acquire(1s).error().kind == ErrorKind::gone);
    CHECK_THAT(world.tell(alice, {"acquire", address}), StartsWith("gone: "));

    const auto rows_of_keeper = [&] {
        const coordinator::SegmentList list = call(world.session().loop(), coordinator::Segments{}, 5s).value();
        return std::ranges::count_if(
            list.rows, [&](const auto& row) { return row.owner.id == world.keeper_actor().id && row.state == "lent"; });
    };
    // The first page is not full, so it stays.
    const auto before = rows_of_keeper();
    for (int round = 0; round < 300; ++round) {
        sync::Lock one{world.context(), world.lock("one")};
        REQUIRE(one.acquire(1s).ok());
        REQUIRE(one.remove().ok());
    }
    CHECK(rows_of_keeper() <= before + 1);
}

// ---- conditions, events, latches -------------------------------------------------------------------

TEST_CASE("two conditions on one lock wake each its own, and a wait gives the lock back to who waited",
          "[process][sync]") {
    SyncWorld world;
    const Player alice = world.player("alice");
    const Player bob = world.player("bob");
    const sync::Address address = world.lock();
    const sync::Address first = world.condition(address, "first");
    const sync::Address second = world.condition(address, "second");
    const auto wait_at = [&](Player player, const sync::Address& condition) {
        REQUIRE(world.tell(player, {"acquire", address}) == "ok");
        Said said = world.begin(player, {"wait", condition, 10'000, 0, address});
        world.wait_until_waiting(condition, 1);
        return said;
    };
    Said alices = wait_at(alice, first);
    Said bobs = wait_at(bob, second);
    sync::RecursiveLock lock{world.context(), address};
    sync::Condition second_here{world.context(), second, lock};
    CHECK(second_here.notify().error().kind == ErrorKind::refused);
    {
        const sync::Hold outer = lock.acquire(1s).value();
        const sync::Hold inner = lock.acquire(1s).value();
        CHECK(second_here.notify_all().value() == 1);
        Said bob_releases = world.begin(bob, {"release", address});  // as soon as it goes on
        CHECK_THAT(second_here.wait(100ms).error().text, StartsWith("scenario waited 100 ms for condition 'second'"));
        CHECK(lock.is_held());
        CHECK(world.end(bobs) == "ok");
        CHECK(world.end(bob_releases) == "ok");
        CHECK_THAT(world.tell(bob, {"acquire", address, 20}), StartsWith("timed_out"));
        CHECK_FALSE(alices.ready());
    }
    CHECK_FALSE(lock.is_held());
    CHECK(world.tell(bob, {"acquire", address}) == "ok");
}

TEST_CASE("who waits for a condition has the lock again after the deadline, and a killed one holds up nobody",
          "[process][sync][I8]") {
    SyncWorld world;
    const Player alice = world.player("alice");
    const Player bob = world.player("bob");
    const sync::Address lock = world.lock();
    const sync::Address fed = world.condition(lock, "fed");
    REQUIRE(world.tell(alice, {"acquire", lock}) == "ok");
    CHECK_THAT(world.tell(alice, {"wait", fed, 30, 0, lock}),
               StartsWith("timed_out: alice waited 30 ms for condition 'fed'"));
    CHECK(world.tell(alice, {"is held", lock}) == "yes");
    Said alices = world.begin(alice, {"wait", fed, 10'000, 0, lock});
    world.wait_until_waiting(fed, 1);
    REQUIRE(world.tell(bob, {"acquire", lock}) == "ok");
    Said bobs = world.begin(bob, {"wait", fed, 10'000, 0, lock});
    world.wait_until_waiting(fed, 2);

    sync::Lock mine{world.context(), lock};
    sync::Condition fed_here{world.context(), fed, mine};
    sync::Hold hold = mine.acquire(5s).value();
    CHECK(fed_here.notify().value() == 1);  // alice, who dies before she can have the lock
    world.kill(alice);
    CHECK(hold.release().ok());
    CHECK(world.end(bobs) == "ok");
}

TEST_CASE("waits for an event and a latch end when it comes, at the deadline, and at a stop", "[process][sync][I8]") {
    SyncWorld world;
    const Player alice = world.player("alice");
    const Player bob = world.player("bob");
    const sync::Address address = world.keeper().event("rain").value().address();
    sync::Event event{world.context(), address};
    CHECK_THAT(world.tell(alice, {"await", address, 20}), StartsWith("timed_out: alice waited 20 ms for event 'rain'"));
    Said alices = world.begin(alice, {"await", address});
    Said bobs = world.begin(bob, {"await", address});
    world.wait_until_waiting(address, 2);
    world.scenario().send(bob, Do{"nothing", address}).value();
    CHECK(world.scenario().stop(bob).value().exit.kind == ExitKind::stopped);
    CHECK_FALSE(event.is_set().value());
    CHECK(event.set().ok());
    CHECK(world.end(alices) == "ok");
    CHECK(event.wait(1s).ok());
    CHECK(event.clear().ok());
    CHECK_FALSE(event.is_set().value());

    auto latch = world.keeper().latch("loaded", 2).value();
    CHECK(latch.wait(10ms).error().kind == ErrorKind::timed_out);
    CHECK(latch.count_down().value() == 1);
    CHECK(latch.count_down(2).error().kind == ErrorKind::refused);
    CHECK(latch.count_down().value() == 0);
    CHECK(latch.wait(1s).ok());
}

TEST_CASE("waits end as stopping or gone when the keeper is stopped or killed", "[process][sync][I8]") {
    SyncWorld world;
    const Player alice = world.player("alice");
    const sync::Address event = world.keeper().event("rain").value().address();
    const sync::Address lock = world.lock();
    REQUIRE(world.tell(alice, {"acquire", lock}) == "ok");
    Said alices = world.begin(alice, {"await", event});
    world.wait_until_waiting(event, 1);
    if (GENERATE(true, false)) {
        world.scenario().kill(world.keeper_actor()).value();
        CHECK_THAT(world.end(alices), StartsWith("gone"));
    } else {
        CHECK(world.scenario().stop(world.keeper_actor()).value().exit.kind == ExitKind::stopped);
        CHECK_THAT(world.end(alices), StartsWith("stopping") || StartsWith("gone"));
    }
    CHECK(world.tell(alice, {"release", lock}) == "ok");  // nobody waits: no message
    CHECK_THAT(world.tell(alice, {"await", event}), StartsWith("gone"));
}

// ---- semaphores ------------------------------------------------------------------------------------

TEST_CASE("the permit of a killed holder returns, and one too many is refused", "[process][sync]") {
    SyncWorld world;
    const Player alice = world.player("alice");
    const Player bob = world.player("bob");
    const sync::Address address = world.keeper().bounded_semaphore("three", 1).value().address();
    sync::BoundedSemaphore semaphore{world.context(), address};
    CHECK(semaphore.release().error().text == "semaphore 'three' has all of its 1 permits: there is none to give back");
    REQUIRE(world.tell(alice, {"take", address}) == "ok");
    CHECK_THAT(world.tell(bob, {"take", address, 30}), StartsWith("timed_out: bob waited 30 ms for semaphore 'three'"));
    Said bobs = world.begin(bob, {"take", address});
    world.wait_until_waiting(address, 1);
    world.kill(alice);
    CHECK(world.end(bobs) == "ok");
    CHECK(semaphore.free().value() == 0);
    CHECK(world.tell(bob, {"give back", address}) == "ok");
    CHECK(semaphore.free().value() == 1);
}

// ---- barriers --------------------------------------------------------------------------------------

// The story: a student died, the others waited for ever, and what it held broke the next run.
TEST_CASE("a dead student breaks the barrier by name, and the next round is without it", "[process][sync][I8]") {
    SyncWorld world;
    const Player alice = world.player("alice");
    const Player bob = world.player("bob");
    const Player charlie = world.player("charlie");
    const sync::Address ready =
        world.keeper().barrier("all ready", {.members = {alice, bob, charlie}}).value().address();
    const auto round = [&](std::vector<Player> players) {
        std::vector<Said> said;
        for (const Player& player : players) said.push_back(world.begin(player, {"arrive", ready}));
        std::set<std::string> outcomes;
        for (Said& one : said) outcomes.insert(world.end(one));
        return outcomes;
    };
    CHECK(round({alice, bob, charlie}) == std::set<std::string>{"ok 0", "ok 1", "ok 2"});
    Said alices = world.begin(alice, {"arrive", ready});
    world.wait_until_waiting(ready, 1);
    const std::string broken = "refused: barrier 'all ready' is broken: charlie has exited: signal -9 (Killed)";
    if (GENERATE(true, false)) {  // dead before it came, or while it waited
        Said charlies = world.begin(charlie, {"arrive", ready});
        world.wait_until_waiting(ready, 2);
    }
    world.kill(charlie);
    CHECK(world.end(alices) == broken);
    CHECK(world.tell(bob, {"arrive", ready}) == broken);
    CHECK(world.tell(bob, {"reset", ready}) == "ok");
    CHECK(round({alice, bob}) == std::set<std::string>{"ok 0", "ok 1"});
}

TEST_CASE("a barrier runs its action once a round, waits for a frozen party, and breaks when one gives up",
          "[process][sync][I8]") {
    SyncWorld world;
    const Player alice = world.player("alice");
    const sync::Address address =
        world.keeper().barrier("start", {.parties = 2, .has_action = true}).value().address();
    int actions = 0;
    bool fails = false;
    sync::Barrier barrier{world.context(), address, [&] {
        ++actions;
        if (fails) throw std::runtime_error("no paper");
    }};
    const auto begin_alice = [&](std::int64_t milliseconds = 10'000) {
        Said said = world.begin(alice, {"arrive", address, milliseconds});
        world.wait_until_waiting(address, 1);
        return said;
    };
    for (int number = 0; number < 2; ++number) {
        Said alices = begin_alice();
        CHECK(barrier.wait(5s).value() == 1);
        CHECK(world.end(alices) == "ok 0");
    }
    CHECK(actions == 2);
    {
        Said alices = begin_alice();
        world.freeze(alice, "alice");
        CHECK(barrier.wait(5s).value() == 1);
        world.thaw(alice);
        CHECK(world.end(alices) == "ok 0");
    }
    {
        fails = true;
        Said alices = begin_alice();
        CHECK(barrier.wait(5s).error().kind == ErrorKind::failed);
        CHECK(world.end(alices) == "refused: barrier 'start' is broken: its action failed in scenario: no paper");
        CHECK(barrier.reset().ok());
    }
    Said alices = begin_alice(50);
    CHECK_THAT(world.end(alices), StartsWith("timed_out: alice waited 50 ms for barrier 'start'"));
    world.wait_until_waiting(address, 0);  // until the keeper has been told
    CHECK(barrier.wait(5s).error().text == "barrier 'start' is broken: alice gave up waiting");
}

// ---- queues and channels ---------------------------------------------------------------------------

TEST_CASE("what a killed taker had is taken by another, and join waits for that", "[process][sync][I8]") {
    SyncWorld world;
    const Player alice = world.player("alice");
    const Player bob = world.player("bob");
    const sync::Address address =
        world.keeper().queue<std::int64_t>("jobs", 2).value().address();
    sync::JoinableQueue<std::int64_t> queue{world.context(), address};
    CHECK(queue.join(1s).ok());
    CHECK_THAT(world.tell(alice, {"task done", address}), StartsWith("refused: alice has no item of queue 'jobs'"));
    REQUIRE(queue.put(7, 1s).ok());
    REQUIRE(queue.put(8, 1s).ok());
    CHECK(queue.put(9, 20ms).error().kind == ErrorKind::timed_out);
    CHECK(queue.size().value() == 2);
    CHECK(world.tell(alice, {"get", address}) == "ok 7");
    world.kill(alice);
    while (queue.size().value() < 2) {}  // until the keeper has been told
    CHECK(world.tell(bob, {"get", address}) == "ok 7");
    CHECK(world.tell(bob, {"get", address}) == "ok 8");
    CHECK(queue.is_empty().value());
    CHECK(queue.join(20ms).error().kind == ErrorKind::timed_out);
    Said bobs = world.begin(bob, {"get", address, 50});
    CHECK_THAT(world.end(bobs), StartsWith("timed_out"));
    CHECK(world.tell(bob, {"task done", address}) == "ok");
    CHECK(world.tell(bob, {"task done", address}) == "ok");
    CHECK(queue.join(5s).ok());

    sync::JoinableQueue<std::string> texts{world.context(), address};
    REQUIRE(queue.put(1, 1s).ok());
    CHECK(texts.get(1s).error().text == "item: expected string, got 1");
    CHECK(texts.task_done().ok());
}

TEST_CASE("the end of one side of a channel is told to the other, after what it had said", "[process][sync][I8]") {
    SyncWorld world;
    const Player alice = world.player("alice");
    auto [mine, other] = world.keeper().channel<std::int64_t>("talk").value();
    CHECK_FALSE(mine.poll(20ms).value());
    CHECK(world.tell(alice, {"say", other.address(), 1000, 5}) == "ok");
    CHECK(mine.poll(1s).value());
    CHECK(mine.poll(1s).value());
    CHECK(mine.receive(1s).value() == 5);
    Said hears = world.begin(alice, {"hear", other.address()});
    CHECK(mine.send(6, 1s).ok());
    CHECK(world.end(hears) == "ok 6");
    CHECK_THAT(world.tell(alice, {"hear", mine.address(), 1000}), Contains("belongs to scenario"));
    CHECK(world.tell(alice, {"say", other.address(), 1000, 7}) == "ok");
    const bool is_killed = GENERATE(true, false);
    if (is_killed) world.kill(alice);
    else CHECK(world.tell(alice, {"close", other.address()}) == "ok");
    CHECK(mine.receive(1s).value() == 7);
    const Error end = mine.receive(5s).error();
    CHECK(end.kind == ErrorKind::gone);
    CHECK_THAT(end.text, Contains(is_killed ? "alice has exited: signal -9 (Killed)" : "alice has closed its end"));
    CHECK(mine.send(1, 1s).error().kind == ErrorKind::gone);
}

// ---- deadlocks -------------------------------------------------------------------------------------

TEST_CASE("actors that wait for each other's locks are told the circle, and the others go on", "[process][sync][I8]") {
    SyncWorld world;
    const Player alice = world.player("alice");
    const Player bob = world.player("bob");
    const sync::Address left = world.lock("left");
    const sync::Address right = world.lock("right");
    REQUIRE(world.tell(alice, {"acquire", right}) == "ok");
    REQUIRE(world.tell(bob, {"acquire", left}) == "ok");
    Said bobs = world.begin(bob, {"acquire", right});
    world.wait_until_waiting(right, 1);
    CHECK(world.tell(alice, {"acquire", left}) ==
          "deadlock: alice waits for lock 'left' held by bob, bob waits for lock 'right' held by alice");
    CHECK(world.tell(alice, {"release", right}) == "ok");
    CHECK(world.end(bobs) == "ok");
}

TEST_CASE("a lock and an ask, a lock and a barrier, a lock and a join make circles too", "[process][sync][I8]") {
    SyncWorld world;
    const Player alice = world.player("alice");
    const Player bob = world.player("bob");
    const sync::Address lock = world.lock("left");
    REQUIRE(world.tell(alice, {"acquire", lock}) == "ok");
    SECTION("an ask") {
        // Bob waits for alice's lock on behalf of alice, who asked him to.
        Pending<std::string> asked = world.scenario().request(alice, player::Ask{bob, {"acquire", lock}}).value();
        CHECK(asked.get(20s).value() ==
              "ok deadlock: bob waits for lock 'left' held by alice, alice waits for an answer of bob");
    }
    SECTION("a barrier") {
        const sync::Address start =
            world.keeper().barrier("start", {.members = {alice, bob}}).value().address();
        Said bobs = world.begin(bob, {"acquire", lock});
        world.wait_until_waiting(lock, 1);
        CHECK(world.tell(alice, {"arrive", start}) ==
              "deadlock: alice waits at barrier 'start' for bob, bob waits for lock 'left' held by alice");
        CHECK(world.tell(alice, {"release", lock}) == "ok");
        CHECK(world.end(bobs) == "ok");
    }
    SECTION("a join") {
        const sync::Address jobs =
            world.keeper().queue<std::int64_t>("jobs").value().address();
        REQUIRE(world.tell(bob, {"put", jobs}) == "ok");
        REQUIRE(world.tell(bob, {"get", jobs}) == "ok 0");
        Said alices = world.begin(alice, {"join", jobs});
        world.wait_until_waiting(jobs, 1);
        CHECK_THAT(world.tell(bob, {"acquire", lock}),
                   StartsWith("deadlock: bob waits for lock 'left' held by alice, alice "
                              "waits until queue 'jobs' is finished, items of which are with bob"));
        CHECK(world.tell(bob, {"task done", jobs}) == "ok");
        CHECK(world.end(alices) == "ok");
    }
}

// Goal: what counts is what is on its way, not whether somebody gets to run.
// Method: both wait for each other's lock, and one of them is frozen: it has no answer that it has not read yet.
TEST_CASE("a circle with a frozen actor in it is told too", "[process][sync]") {
    SyncWorld world;
    const Player alice = world.player("alice");
    const Player bob = world.player("bob");
    const sync::Address left = world.lock("left");
    const sync::Address right = world.lock("right");
    REQUIRE(world.tell(alice, {"acquire", right}) == "ok");
    REQUIRE(world.tell(bob, {"acquire", left}) == "ok");
    Said bobs = world.begin(bob, {"acquire", right});
    world.wait_until_waiting(right, 1);
    world.freeze(bob, "bob");
    CHECK_THAT(world.tell(alice, {"acquire", left}), StartsWith("deadlock: alice waits"));
    CHECK(world.tell(alice, {"release", right}) == "ok");
    world.thaw(bob);
    CHECK(world.end(bobs) == "ok");
}
