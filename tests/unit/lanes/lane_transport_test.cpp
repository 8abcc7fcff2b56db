// LaneTransport, beyond what every transport promises (tests/unit/transport_contract_test.cpp): which links outlive
// their opener, what is forgotten with a dead one, what happens when memory cannot be mapped, and when it is given
// back.
#include "runtime/lanes/lane_transport.hpp"

#include <sys/resource.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <memory>
#include <set>

#include "runtime/memory/private_memory.hpp"
#include "tests/catch.hpp"

namespace {

using namespace baton;
using namespace baton::detail;
using namespace std::chrono_literals;
using Sent = Transport::Sent;

constexpr ActorId alice{1, 1};
constexpr ActorId bob{2, 1};
constexpr ActorId carol{3, 1};
constexpr std::uint64_t page_bytes = 4096;

// The entrance for everybody else, at which nothing ever comes.
class Outside final : public Transport {
public:
    Result<void> bind(const std::string&) override { return {}; }
    Result<Link> open(const std::string&) override { return Link{++links_}; }
    void close(Link, Pending) override {}
    Sent send(Link, Outgoing) override { return Sent::full; }
    bool receive(Link&, std::string&) override { return false; }
    bool receive_from(Link, std::string&) override { return false; }
    bool wait(const Interest&, Duration) override { return false; }
    bool would_wait_for(const Interest&, std::vector<int>&) override { return false; }

private:
    std::uint32_t links_ = 0;
};

class LaneWorld {
public:
    LaneWorld() {
        std::string name = "/tmp/baton-test-XXXXXX";
        REQUIRE(::mkdtemp(name.data()) != nullptr);
        folder_ = name;
    }
    LaneWorld(const LaneWorld&) = delete;
    LaneWorld& operator=(const LaneWorld&) = delete;
    ~LaneWorld() { std::filesystem::remove_all(folder_); }

    // One life of a member, which binds its number.
    struct Member {
        std::unique_ptr<Outside> outside;
        std::unique_ptr<LaneTransport> lanes;
        LaneTransport* operator->() const { return lanes.get(); }
    };
    Member join(ActorId me, bool has_lanes = true) {
        Member member;
        member.outside = std::make_unique<Outside>();
        member.lanes = std::make_unique<LaneTransport>(*member.outside);
        bells_.prepare(me).value();
        living_.insert(me);
        if (has_lanes)
            member->enter({session_id_, folder_, me, [this](ActorId one) { return living_.contains(one); }, {}})
                .value();
        member->bind(address(me)).value();
        return member;
    }
    static std::string address(ActorId of) { return std::to_string(of.number); }
    // Its process has ended, whatever it was doing.
    void kill(ActorId one, Member& member) {
        living_.erase(one);
        member.lanes.reset();
        member.outside.reset();
    }
    [[nodiscard]] std::uint64_t lane_bytes_of(ActorId one) { return bells_.page(one.number)->lane_bytes.load(); }

private:
    const std::string session_id_ = "lane-transport-1";
    PrivateMemory memory_{"baton-lane-transport-"};
    std::string folder_;
    Bells bells_ = Bells::create(session_id_, std::uint64_t{1} << 30).value();
    std::set<ActorId> living_;
};

// What has come, until nothing has.
std::vector<std::string> receive_all(LaneWorld::Member& member) {
    std::vector<std::string> frames;
    Link from;
    std::string frame;
    while (member->receive(from, frame)) frames.push_back(frame);
    return frames;
}

std::string numbered(std::size_t number, std::size_t bytes) {
    std::string frame = std::to_string(number);
    frame.resize(std::max(frame.size(), bytes), ' ');
    return frame;
}

// A wait in which nothing comes, as of a member that has nothing to do.
void sleep_once(LaneWorld::Member& member) { static_cast<void>(member->wait({.inbox = true}, 1ms)); }

// No memory can be mapped anew.
class NoMappings {
public:
    NoMappings() {
        REQUIRE(::getrlimit(RLIMIT_AS, &before_) == 0);
        const rlimit none{page_bytes, before_.rlim_max};
        REQUIRE(::setrlimit(RLIMIT_AS, &none) == 0);
    }
    NoMappings(const NoMappings&) = delete;
    NoMappings& operator=(const NoMappings&) = delete;
    ~NoMappings() { static_cast<void>(::setrlimit(RLIMIT_AS, &before_)); }

private:
    rlimit before_{};
};

}  // namespace

TEST_CASE("what was sent over a lane outlives its sender, and over a link outside it does not", "[lanes]") {
    LaneWorld world;
    auto from = world.join(alice);
    const auto to = world.join(bob);
    const auto outsider = world.join(carol, false);
    const Link lane = from->open_to(bob, LaneWorld::address(bob)).value();
    const Link outside = from->open_to(carol, LaneWorld::address(carol)).value();
    const Link by_address = from->open(LaneWorld::address(bob)).value();
    CHECK(from->outlives_us(lane));
    CHECK_FALSE(from->outlives_us(outside));
    CHECK_FALSE(from->outlives_us(by_address));
}

TEST_CASE("a sender's end leaves what it sent over a lane, until the dead is forgotten", "[lanes]") {
    LaneWorld world;
    auto from = world.join(alice);
    auto to = world.join(bob);
    const Link link = from->open_to(bob, LaneWorld::address(bob)).value();
    for (std::size_t number = 0; number < 10; ++number) REQUIRE(from->send(link, numbered(number, 10)) == Sent::yes);
    Link accepted;
    std::string frame;
    REQUIRE(to->receive(accepted, frame));
    REQUIRE(from->send(link, numbered(10, 10)) == Sent::yes);  // so that the bell says that something has come
    world.kill(alice, from);
    const Transport::DeadPeer dead{.id = alice};
    const auto nobody = [](Link) { return Transport::Speaker{}; };

    SECTION("it is read to its end, and then nothing more can come") {
        CHECK(to->may_deliver(dead, nobody));
        CHECK(receive_all(to).size() == 10);
        CHECK_FALSE(to->may_deliver(dead, nobody));
    }
    SECTION("of a dead one that is forgotten nothing comes any more, and its link is gone") {
        to->forget(alice);
        CHECK(receive_all(to).empty());
        CHECK(to->send(accepted, std::string_view("answer")) == Sent::gone);
    }
    SECTION("forgetting another life of its number changes nothing") {
        to->forget({alice.number, alice.incarnation + 1});
        CHECK(receive_all(to).size() == 10);
    }
    SECTION("the next life of its number has a lane of its own") {
        to->forget(alice);
        const ActorId next{alice.number, alice.incarnation + 1};
        auto again = world.join(next);
        const Link its = again->open_to(bob, LaneWorld::address(bob)).value();
        REQUIRE(again->send(its, std::string_view("from the next life")) == Sent::yes);
        CHECK(receive_all(to) == std::vector<std::string>{"from the next life"});
    }
}

// Goal: a frame that cannot be mapped now is neither lost nor passed by, and holds up nobody else's.
TEST_CASE("what cannot be mapped now is read later, in order, and other lanes are read meanwhile", "[lanes]") {
    if (BATON_SANITIZED) SKIP_TEST("the sanitizer maps memory for each new stack; the optimised build runs it");
    LaneWorld world;
    auto from = world.join(alice);
    auto other = world.join(carol);
    auto to = world.join(bob);
    const Link link = from->open_to(bob, LaneWorld::address(bob)).value();
    const Link others = other->open_to(bob, LaneWorld::address(bob)).value();
    REQUIRE(other->send(others, std::string_view("hello")) == Sent::yes);
    constexpr std::size_t small = 10;
    for (std::size_t number = 0; number < small; ++number) REQUIRE(from->send(link, numbered(number, 10)) == Sent::yes);
    CHECK(receive_all(to).size() == small + 1);  // both lanes are mapped, as far as they were needed
    // More than the part of a ring that a reader maps first.
    constexpr std::size_t count = 60;
    for (std::size_t number = small; number < small + count; ++number)
        REQUIRE(from->send(link, numbered(number, 10'000)) == Sent::yes);
    REQUIRE(other->send(others, std::string_view("meanwhile")) == Sent::yes);

    std::vector<std::string> first;
    {
        std::array<std::string, count + 1> frames;  // no memory is needed below
        for (std::string& frame : frames) frame.reserve(16'000);
        std::size_t came = 0;
        Link origin;
        {
            const NoMappings none;
            for (int look = 0; look < 100; ++look)
                if (came < frames.size() && to->receive(origin, frames[came])) ++came;
        }
        first.assign(frames.begin(), frames.begin() + static_cast<std::ptrdiff_t>(came));
    }
    CHECK(first.size() < count);
    CHECK(std::erase(first, "meanwhile") == 1);
    std::vector<std::string> all = first;
    for (std::string& frame : receive_all(to)) all.push_back(std::move(frame));
    REQUIRE(all.size() == count);
    for (std::size_t number = 0; number < count; ++number) CHECK((all[number] == numbered(small + number, 10'000)));
}

// Goal: a pair that has gone quiet takes no more than the lane's words and one page.
TEST_CASE("a lane that once was large is given back when its writer has nothing to do", "[lanes]") {
    LaneWorld world;
    auto from = world.join(alice);
    auto to = world.join(bob);
    const Link link = from->open_to(bob, LaneWorld::address(bob)).value();
    for (std::size_t number = 0; number < 1'000; ++number)
        REQUIRE(from->send(link, numbered(number, 5'000)) == Sent::yes);
    const std::uint64_t grown = world.lane_bytes_of(alice);
    CHECK(grown > 5'000'000);
    sleep_once(from);
    sleep_once(from);
    CHECK(world.lane_bytes_of(alice) == grown);  // all of it is on its way
    REQUIRE(receive_all(to).size() == 1'000);
    REQUIRE(from->send(link, numbered(1'000, 10)) == Sent::yes);
    REQUIRE(receive_all(to).size() == 1);
    sleep_once(from);
    CHECK(world.lane_bytes_of(alice) == grown);  // it wrote a moment ago, and may go on
    sleep_once(from);
    CHECK(world.lane_bytes_of(alice) <= 5 * page_bytes);
    REQUIRE(from->send(link, numbered(1'001, 10)) == Sent::yes);
    CHECK(receive_all(to) == std::vector<std::string>{numbered(1'001, 10)});
    sleep_once(from);
    sleep_once(from);
    CHECK(world.lane_bytes_of(alice) == 2 * page_bytes);
}

TEST_CASE("answers that once were large are given back, too, and a lane that is closed is not looked at again",
          "[lanes]") {
    LaneWorld world;
    auto from = world.join(alice);
    auto to = world.join(bob);
    const Link link = from->open_to(bob, LaneWorld::address(bob)).value();
    REQUIRE(from->send(link, std::string_view("question")) == Sent::yes);
    Link accepted;
    std::string frame;
    REQUIRE(to->receive(accepted, frame));
    for (std::size_t number = 0; number < 100; ++number)
        REQUIRE(to->send(accepted, numbered(number, 50'000)) == Sent::yes);
    for (std::size_t number = 0; number < 100; ++number) REQUIRE(from->receive_from(link, frame));
    CHECK(receive_all(to).empty());
    CHECK(world.lane_bytes_of(bob) > 4'000'000);
    SECTION("in the same lane") {
        sleep_once(to);
        sleep_once(to);
        CHECK(world.lane_bytes_of(bob) <= 4 * page_bytes);
        REQUIRE(to->send(accepted, std::string_view("one more")) == Sent::yes);
        REQUIRE(from->receive_from(link, frame));
        CHECK(frame == "one more");
    }
    SECTION("with the lane") {
        from->close(link, Transport::Pending::discarded);
        world.kill(alice, from);
        to->forget(alice);
        sleep_once(to);
        CHECK(world.lane_bytes_of(bob) == 0);
    }
}

TEST_CASE("two that send each other something large in turn keep the memory for it", "[lanes]") {
    LaneWorld world;
    auto from = world.join(alice);
    auto to = world.join(bob);
    const Link link = from->open_to(bob, LaneWorld::address(bob)).value();
    std::uint64_t grown = 0;
    for (std::size_t number = 0; number < 20; ++number) {
        REQUIRE(from->send(link, numbered(number, 300'000)) == Sent::yes);
        REQUIRE(receive_all(to).size() == 1);
        sleep_once(from);
        if (number == 10) grown = world.lane_bytes_of(alice);
    }
    CHECK(grown > 300'000);
    CHECK(world.lane_bytes_of(alice) == grown);
}

TEST_CASE("who finds in its lanes whatever it waits for looks outside now and then all the same", "[lanes]") {
    LaneWorld world;
    auto from = world.join(alice);
    auto to = world.join(bob);
    const Link link = from->open_to(bob, LaneWorld::address(bob)).value();
    REQUIRE(from->send(link, "unread") == Sent::yes);
    int ends[2];
    REQUIRE(::pipe(ends) == 0);
    const UniqueFd reader{ends[0]};
    const UniqueFd writer{ends[1]};
    REQUIRE(::write(writer.get(), "x", 1) == 1);
    const std::array descriptors{reader.get()};
    const Transport::Interest thorough{.inbox = true, .descriptors = descriptors};
    Transport::Interest brief = thorough;
    brief.may_be_brief = true;
    std::size_t looks = 0;
    constexpr std::size_t waits = 100'000;
    for (std::size_t wait = 0; wait < waits; ++wait) looks += to->wait(brief, 1s) ? 1 : 0;
    CHECK(looks > 0);
    CHECK(looks < waits);
    for (std::size_t wait = 0; wait < 100; ++wait) CHECK(to->wait(thorough, 1s));
    for (std::size_t wait = 0; wait < 100; ++wait) CHECK(to->wait(brief, 0s));  // meant as a look
}
