// One suite for every transport: what runtime/transport/transport.hpp promises. Nothing here sleeps; where
// another thread (ZeroMQ's) has a part in what is to come, the test waits with wait(), as the loop does.

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <memory>
#include <set>
#include <sys/time.h>
#include <zmq.hpp>

#include <baton/unique_fd.hpp>
#include "runtime/lanes/lane_transport.hpp"
#include "runtime/transport/loopback_transport.hpp"
#include "runtime/transport/zmq_transport.hpp"
#include "tests/catch.hpp"

namespace {

using namespace baton;
using namespace baton::detail;
using namespace std::chrono_literals;
using Sent = Transport::Sent;

class LoopbackWorld {
public:
    static constexpr std::size_t filling_bytes = 0;
    std::unique_ptr<Transport> make() { return std::make_unique<LoopbackTransport>(network_); }
    std::string address(const std::string& name) { return name; }

private:
    LoopbackNetwork network_;
};

class ZmqWorld {
public:
    static constexpr std::size_t filling_bytes = 0;
    ZmqWorld() {
        std::string name = "/tmp/baton-test-XXXXXX";
        REQUIRE(::mkdtemp(name.data()) != nullptr);
        folder_ = name;
    }
    ZmqWorld(const ZmqWorld&) = delete;
    ZmqWorld& operator=(const ZmqWorld&) = delete;
    ~ZmqWorld() { std::filesystem::remove_all(folder_); }
    std::unique_ptr<Transport> make() { return std::make_unique<ZmqTransport>(); }
    std::string address(const std::string& name) { return "ipc://" + (folder_ / name).string(); }

private:
    std::filesystem::path folder_;
};

// Members of one session, which are found by the addresses that they bind.
class LaneWorld {
public:
    static constexpr std::size_t filling_bytes = 1'000;  // lanes are bounded by bytes
    LaneWorld() : bells_(Bells::create(session_id_, std::uint64_t{4} << 30).value()) {}
    LaneWorld(const LaneWorld&) = delete;
    LaneWorld& operator=(const LaneWorld&) = delete;
    ~LaneWorld() {
        Bells::remove(session_id_);
        for (std::uint32_t one = 1; one <= members_; ++one)
            for (std::uint32_t other = 1; other <= members_; ++other)
                Lane::remove(session_id_, {one, 1}, {other, 1});
    }
    std::unique_ptr<Transport> make() { return std::make_unique<Member>(*this); }
    std::string address(const std::string& name) { return outside_.address(name); }

private:
    class Member final : public Transport {
    public:
        explicit Member(LaneWorld& world)
            : world_(&world), me_{++world.members_, 1}, outside_(world.outside_.make()), lanes_(*outside_) {
            world.bells_.prepare(me_).value();
            world.living_.insert(me_);
            lanes_.enter({world.session_id_, std::filesystem::path(world.address("").substr(6)).parent_path(), me_,
                          [&world](ActorId actor) { return world.living_.contains(actor); }}).value();
        }
        ~Member() override { world_->living_.erase(me_); }
        Result<void> bind(const std::string& address) override {
            world_->at_.emplace(address, me_);
            return lanes_.bind(address);
        }
        Result<Link> open(const std::string& address) override {
            const auto bound = world_->at_.find(address);
            return bound == world_->at_.end() ? lanes_.open(address) : lanes_.open_to(bound->second, address);
        }
        void close(Link link, Pending pending) override { lanes_.close(link, pending); }
        Sent send(Link link, Outgoing frame) override { return lanes_.send(link, frame); }
        bool receive(Link& from, std::string& frame) override { return lanes_.receive(from, frame); }
        bool receive_from(Link link, std::string& frame) override { return lanes_.receive_from(link, frame); }
        bool wait(const Interest& interest, Duration at_most) override { return lanes_.wait(interest, at_most); }
        bool would_wait_for(const Interest& interest, std::vector<int>& watched) override {
            return lanes_.would_wait_for(interest, watched);
        }

    private:
        LaneWorld* world_;
        ActorId me_;
        std::unique_ptr<Transport> outside_;
        LaneTransport lanes_;
    };

    ZmqWorld outside_;
    const std::string session_id_ = "contract-" + std::to_string(::getpid());
    Bells bells_;
    std::uint32_t members_ = 0;
    std::set<ActorId> living_;
    std::map<std::string, ActorId> at_;
};

struct Came {
    Link from;
    std::string frame;
};

// Waits until `has_come`; a frame that never comes fails the test.
template <class HasCome>
void wait_until(Transport& transport, const Transport::Interest& interest, HasCome has_come) {
    const auto latest = std::chrono::steady_clock::now() + 60s;
    while (!has_come()) {
        if (std::chrono::steady_clock::now() > latest) FAIL("no frame has come for a minute");
        transport.wait(interest, 1s);
    }
}

// The next frame at the inbox, waited for.
Came next(Transport& inbox) {
    Came came;
    wait_until(inbox, {.inbox = true}, [&] { return inbox.receive(came.from, came.frame); });
    return came;
}

std::string next_from(Transport& opener, Link link) {
    std::string frame;
    wait_until(opener, {.links = std::array{link}}, [&] { return opener.receive_from(link, frame); });
    return frame;
}

// A frame with that number, as large as it takes to fill a link of that world.
template <class World>
std::string numbered(std::size_t number) {
    std::string frame = std::to_string(number);
    frame.resize(std::max(frame.size(), World::filling_bytes), ' ');
    return frame;
}

// Sends until the transport takes no more, and says how many it took.
template <class World>
std::size_t fill(Transport& from, Link link, std::size_t at_most) {
    std::size_t count = 0;
    while (count < at_most && from.send(link, numbered<World>(count)) == Sent::yes) ++count;
    return count;
}

// Somebody who says hello and then neither reads nor ends, as a process that is frozen.
class DeafSocket {
public:
    explicit DeafSocket(const std::string& address) : socket_(context_, zmq::socket_type::dealer) {
        socket_.set(zmq::sockopt::rcvhwm, 1);
        socket_.set(zmq::sockopt::linger, 0);
        socket_.connect(address);
        socket_.send(zmq::str_buffer("hello"), zmq::send_flags::none);
    }

private:
    zmq::context_t context_{1};
    zmq::socket_t socket_;
};

}  // namespace

#define EVERY_TRANSPORT LoopbackWorld, ZmqWorld, LaneWorld

TEMPLATE_TEST_CASE("frames of one link arrive whole, once and in order", "[transport]", EVERY_TRANSPORT) {
    TestType world;
    const auto receiver = world.make();
    const auto sender = world.make();
    REQUIRE(receiver->bind(world.address("inbox")).ok());
    const Link link = sender->open(world.address("inbox")).value();
    constexpr std::size_t count = 300;
    const auto frame_of = [](std::size_t index) {
        const std::size_t size = index == 100 ? frame_bytes_max : 1 + index * index % 3'000;
        std::string frame(size, static_cast<char>('a' + index % 26));
        const std::string number = std::to_string(index);
        frame.replace(0, std::min(number.size(), frame.size()), number);
        return frame;
    };
    for (std::size_t index = 0; index < count; ++index) REQUIRE(sender->send(link, frame_of(index)) == Sent::yes);
    Link from;
    for (std::size_t index = 0; index < count; ++index) {
        const Came came = next(*receiver);
        REQUIRE((came.frame == frame_of(index)));
        if (index == 0) from = came.from;
        REQUIRE(came.from == from);
    }
    Came none;
    CHECK_FALSE(receiver->receive(none.from, none.frame));
}

// Goal: an event loop of others waits in place of wait(), and misses nothing.
// Method: poll() for the descriptors that the transport names, and then only a wait() of no length.
TEMPLATE_TEST_CASE("whoever watches the descriptors of a transport learns of every frame", "[transport]",
                   EVERY_TRANSPORT) {
    TestType world;
    const auto receiver = world.make();
    const auto sender = world.make();
    REQUIRE(receiver->bind(world.address("inbox")).ok());
    const Link link = sender->open(world.address("inbox")).value();
    for (std::size_t index = 0; index < 100; ++index) {
        REQUIRE(sender->send(link, std::to_string(index)) == Sent::yes);
        Came came;
        const auto latest = std::chrono::steady_clock::now() + 60s;
        while (!receiver->receive(came.from, came.frame)) {
            REQUIRE(std::chrono::steady_clock::now() < latest);
            std::vector<int> watched;
            if (!receiver->would_wait_for({.inbox = true}, watched)) {
                std::vector<pollfd> polled;
                for (const int descriptor : watched) polled.push_back({descriptor, POLLIN, 0});
                REQUIRE(::poll(polled.data(), polled.size(), 60'000) > 0);
            }
            receiver->wait({.inbox = true}, 0s);
        }
        REQUIRE(came.frame == std::to_string(index));
    }
}

TEST_CASE("an inbox whose file was removed is found again, and its links stay", "[transport]") {
    ZmqWorld world;
    const auto receiver = world.make();
    const auto sender = world.make();
    const std::string address = world.address("inbox");
    REQUIRE(receiver->bind(address).ok());
    const Link before = sender->open(address).value();
    REQUIRE(sender->send(before, "before") == Sent::yes);
    CHECK(next(*receiver).frame == "before");

    std::filesystem::remove(address.substr(std::string_view("ipc://").size()));
    const auto newcomer = world.make();
    const Link after = newcomer->open(address).value();  // it tries until somebody is there
    REQUIRE(newcomer->send(after, "after") == Sent::yes);
    REQUIRE(receiver->bind_again().ok());
    REQUIRE(receiver->bind_again().ok());  // it is there: nothing is done
    const Came came = next(*receiver);
    CHECK(came.frame == "after");
    REQUIRE(receiver->send(came.from, "answer") == Sent::yes);
    CHECK(next_from(*newcomer, after) == "answer");
    REQUIRE(sender->send(before, "still") == Sent::yes);
    CHECK(next(*receiver).frame == "still");

    Result<void> bound;
    for (std::uint32_t times = 0; bound && times <= limits::bound_again_max; ++times) {
        std::filesystem::remove(address.substr(std::string_view("ipc://").size()));
        bound = receiver->bind_again();
    }
    REQUIRE_FALSE(bound.ok());
    CHECK_THAT(bound.error().text, Catch::Matchers::Contains("limits::bound_again_max"));
}

TEMPLATE_TEST_CASE("what is sent before the inbox is bound arrives once it is", "[transport]", EVERY_TRANSPORT) {
    TestType world;
    const auto sender = world.make();
    const Link link = sender->open(world.address("later")).value();
    REQUIRE(sender->send(link, "first") == Sent::yes);
    REQUIRE(sender->send(link, "second") == Sent::yes);
    const auto receiver = world.make();
    REQUIRE(receiver->bind(world.address("later")).ok());
    REQUIRE(sender->send(link, "third") == Sent::yes);
    CHECK(next(*receiver).frame == "first");
    CHECK(next(*receiver).frame == "second");
    CHECK(next(*receiver).frame == "third");
}

TEMPLATE_TEST_CASE("two openers are told apart, and an answer reaches the one it is for", "[transport]",
                   EVERY_TRANSPORT) {
    TestType world;
    const auto receiver = world.make();
    const auto one = world.make();
    const auto two = world.make();
    REQUIRE(receiver->bind(world.address("inbox")).ok());
    const Link link_one = one->open(world.address("inbox")).value();
    const Link link_two = two->open(world.address("inbox")).value();
    REQUIRE(one->send(link_one, "one") == Sent::yes);
    REQUIRE(two->send(link_two, "two") == Sent::yes);
    for (int round = 0; round < 2; ++round) {
        const Came came = next(*receiver);
        REQUIRE(receiver->send(came.from, "to " + came.frame) == Sent::yes);
    }
    CHECK(next_from(*one, link_one) == "to one");
    CHECK(next_from(*two, link_two) == "to two");
    std::string surplus;
    CHECK_FALSE(one->receive_from(link_one, surplus));
    CHECK_FALSE(two->receive_from(link_two, surplus));
}

TEMPLATE_TEST_CASE("a frame that is given in two pieces arrives as one, in both directions", "[transport]",
                   EVERY_TRANSPORT) {
    TestType world;
    const auto receiver = world.make();
    const auto sender = world.make();
    REQUIRE(receiver->bind(world.address("inbox")).ok());
    const Link link = sender->open(world.address("inbox")).value();
    const std::string large(frame_bytes_max - 2, 'x');
    REQUIRE(sender->send(link, {"en", "velope"}) == Sent::yes);
    REQUIRE(sender->send(link, {"", "body"}) == Sent::yes);
    REQUIRE(sender->send(link, {"ab", large}) == Sent::yes);
    CHECK(sender->send(link, {"abc", large}) == Sent::too_large);
    const Came came = next(*receiver);
    CHECK(came.frame == "envelope");
    CHECK(next(*receiver).frame == "body");
    CHECK((next(*receiver).frame == "ab" + large));
    REQUIRE(receiver->send(came.from, {"re", "ply"}) == Sent::yes);
    CHECK(next_from(*sender, link) == "reply");
}

TEMPLATE_TEST_CASE("two links of one opener are two links at the inbox too", "[transport]", EVERY_TRANSPORT) {
    TestType world;
    const auto receiver = world.make();
    const auto opener = world.make();
    REQUIRE(receiver->bind(world.address("inbox")).ok());
    const Link first = opener->open(world.address("inbox")).value();
    const Link second = opener->open(world.address("inbox")).value();
    CHECK(first != second);
    REQUIRE(opener->send(first, "a") == Sent::yes);
    REQUIRE(opener->send(second, "b") == Sent::yes);
    const Came one = next(*receiver);
    const Came two = next(*receiver);
    CHECK(one.from != two.from);
    REQUIRE(receiver->send(one.frame == "b" ? one.from : two.from, "for b") == Sent::yes);
    CHECK(next_from(*opener, second) == "for b");
}

TEMPLATE_TEST_CASE("a transport reaches itself", "[transport]", EVERY_TRANSPORT) {
    TestType world;
    const auto self = world.make();
    REQUIRE(self->bind(world.address("inbox")).ok());
    const Link link = self->open(world.address("inbox")).value();
    REQUIRE(self->send(link, "note to self") == Sent::yes);
    const Came came = next(*self);
    CHECK(came.frame == "note to self");
    CHECK(came.from != link);
    REQUIRE(self->send(came.from, "done") == Sent::yes);
    CHECK(next_from(*self, link) == "done");
}

// Goal: a receiver that does not read bounds what its sender can pile up, and nothing that was taken is lost.
TEMPLATE_TEST_CASE("a link whose receiver does not read is full, and takes frames again after it has read",
                   "[transport]", EVERY_TRANSPORT) {
    TestType world;
    const auto receiver = world.make();
    const auto sender = world.make();
    REQUIRE(receiver->bind(world.address("inbox")).ok());
    const Link link = sender->open(world.address("inbox")).value();
    // The marks of both sides, and what the kernel's buffer holds.
    constexpr std::size_t bound = limits::window_commands_max + limits::inbox_frames_per_peer_max + 100'000;
    std::size_t taken = fill<TestType>(*sender, link, bound);
    REQUIRE(taken > 0);
    REQUIRE(taken < bound);

    std::size_t read = 0;
    bool took_again = false;
    while (read < taken) {
        const Came came = next(*receiver);
        REQUIRE((came.frame == numbered<TestType>(read)));
        ++read;
        if (!took_again && sender->send(link, numbered<TestType>(taken)) == Sent::yes) {
            ++taken;
            took_again = true;
        }
    }
    if (!took_again) {
        while (sender->send(link, numbered<TestType>(taken)) == Sent::full) sender->wait({.writable = link}, 1s);
        CHECK((next(*receiver).frame == numbered<TestType>(taken)));
    }
}

TEMPLATE_TEST_CASE("a link to nobody is full at some time and never blocks", "[transport]", EVERY_TRANSPORT) {
    TestType world;
    const auto sender = world.make();
    const Link link = sender->open(world.address("nobody")).value();
    constexpr std::size_t bound = limits::window_commands_max + 10'000;
    CHECK(fill<TestType>(*sender, link, bound) < bound);
    CHECK(sender->send(link, "more") == Sent::full);
}

TEMPLATE_TEST_CASE("an opener that does not read its answers bounds them too", "[transport]", EVERY_TRANSPORT) {
    TestType world;
    const auto receiver = world.make();
    const auto opener = world.make();
    REQUIRE(receiver->bind(world.address("inbox")).ok());
    const Link link = opener->open(world.address("inbox")).value();
    REQUIRE(opener->send(link, "hello") == Sent::yes);
    const Link back = next(*receiver).from;
    constexpr std::size_t bound = 2 * limits::asks_in_flight_max + 100'000;
    const std::size_t taken = fill<TestType>(*receiver, back, bound);
    REQUIRE(taken > 0);
    CHECK(taken < bound);
    for (std::size_t index = 0; index < taken; ++index)
        REQUIRE((next_from(*opener, link) == numbered<TestType>(index)));
    while (receiver->send(back, "again") == Sent::full) receiver->wait({.inbox = true}, 10ms);
    CHECK(next_from(*opener, link) == "again");
}

// Goal: a connection that reads nothing costs what docs/wire/messages.md says, however large its answers are.
TEMPLATE_TEST_CASE("few answers wait in the transport for an opener that does not read", "[transport]", ZmqWorld) {
    TestType world;
    const auto receiver = world.make();
    REQUIRE(receiver->bind(world.address("inbox")).ok());
    const DeafSocket deaf{world.address("inbox")};
    const Link back = next(*receiver).from;
    const std::string large(limits::message_bytes_max, 'x');
    std::size_t taken = 0;
    while (taken < 1'000 && receiver->send(back, large) == Sent::yes) ++taken;
    CHECK(taken >= static_cast<std::size_t>(limits::answer_frames_per_peer_max));
    // and what the kernel and ZeroMQ's thread hold
    CHECK(taken <= static_cast<std::size_t>(limits::answer_frames_per_peer_max) + 8);
}

// Goal: an answer that is owed reaches its asker, however many others have come and gone in the meantime.
TEMPLATE_TEST_CASE("a connection that is owed an answer is not forgotten for others", "[transport]", ZmqWorld) {
    TestType world;
    constexpr std::size_t accepted_max = 8;
    ZmqTransport receiver{accepted_max};
    REQUIRE(receiver.bind(world.address("inbox")).ok());
    const auto asker = world.make();
    const Link link = asker->open(world.address("inbox")).value();
    REQUIRE(asker->send(link, "ask") == Sent::yes);
    const Link owed = next(receiver).from;
    receiver.hold(owed);
    const auto regular = world.make();
    const Link regulars = regular->open(world.address("inbox")).value();
    Link visits;
    const bool all_stay = GENERATE(true, false);
    std::vector<std::unique_ptr<Transport>> visitors;
    for (std::size_t number = 0; number < 5 * accepted_max; ++number) {
        auto visitor = world.make();
        const Link visit = visitor->open(world.address("inbox")).value();
        REQUIRE(visitor->send(visit, "hello") == Sent::yes);
        CHECK(next(receiver).frame == "hello");
        if (all_stay) visitors.push_back(std::move(visitor));
        REQUIRE(regular->send(regulars, "here again") == Sent::yes);
        const Link now = next(receiver).from;
        if (visits.is_some()) CHECK(now == visits);  // it is used, so it stays
        visits = now;
    }
    CHECK(receiver.send(owed, "answer") == Sent::yes);
    receiver.release(owed);
    CHECK(next_from(*asker, link) == "answer");
    CHECK(receiver.send(visits, "for the regular") == Sent::yes);
    CHECK(next_from(*regular, regulars) == "for the regular");
}

TEMPLATE_TEST_CASE("an opener that has closed its link is gone, and what it sent before arrives", "[transport]",
                   EVERY_TRANSPORT) {
    TestType world;
    const auto receiver = world.make();
    const auto opener = world.make();
    REQUIRE(receiver->bind(world.address("inbox")).ok());
    const Link link = opener->open(world.address("inbox")).value();
    REQUIRE(opener->send(link, "hello") == Sent::yes);
    const Link back = next(*receiver).from;
    REQUIRE(opener->send(link, "last words") == Sent::yes);
    opener->close(link, Transport::Pending::delivered);
    CHECK(opener->send(link, "too late") == Sent::gone);
    std::string none;
    CHECK_FALSE(opener->receive_from(link, none));
    CHECK(next(*receiver).frame == "last words");
    while (receiver->send(back, "anybody?") != Sent::gone) receiver->wait({.inbox = true}, 10ms);
    CHECK(receiver->send(back, "really?") == Sent::gone);
}

TEMPLATE_TEST_CASE("an opener that has ended altogether is gone", "[transport]", EVERY_TRANSPORT) {
    TestType world;
    const auto receiver = world.make();
    auto opener = world.make();
    REQUIRE(receiver->bind(world.address("inbox")).ok());
    const Link link = opener->open(world.address("inbox")).value();
    REQUIRE(opener->send(link, "hello") == Sent::yes);
    const Link back = next(*receiver).from;
    opener.reset();
    while (receiver->send(back, "anybody?") != Sent::gone) receiver->wait({.inbox = true}, 10ms);
    CHECK(receiver->send(back, "really?") == Sent::gone);
}

TEMPLATE_TEST_CASE("a link that the inbox has forgotten is gone for it", "[transport]", EVERY_TRANSPORT) {
    TestType world;
    const auto receiver = world.make();
    const auto opener = world.make();
    REQUIRE(receiver->bind(world.address("inbox")).ok());
    const Link link = opener->open(world.address("inbox")).value();
    REQUIRE(opener->send(link, "hello") == Sent::yes);
    const Link back = next(*receiver).from;
    receiver->close(back, Transport::Pending::delivered);
    CHECK(receiver->send(back, "hm") == Sent::gone);
    // A connection that speaks again is a new one.
    REQUIRE(opener->send(link, "hello again") == Sent::yes);
    const Came again = next(*receiver);
    CHECK(again.frame == "hello again");
    CHECK(again.from != back);
}

TEMPLATE_TEST_CASE("a link that never was is gone, and nothing comes over it", "[transport]", EVERY_TRANSPORT) {
    TestType world;
    const auto transport = world.make();
    std::string frame;
    for (const Link link : {Link{}, Link{7}, Link{8}}) {
        CHECK(transport->send(link, "x") == Sent::gone);
        CHECK_FALSE(transport->receive_from(link, frame));
        transport->close(link, Transport::Pending::discarded);
    }
}

TEMPLATE_TEST_CASE("a transport without an inbox receives nothing", "[transport]", EVERY_TRANSPORT) {
    TestType world;
    const auto transport = world.make();
    Came none;
    CHECK_FALSE(transport->receive(none.from, none.frame));
    transport->wait({.inbox = true}, 0ns);
}

TEMPLATE_TEST_CASE("a wait ends when a descriptor is readable, and at the latest when its time is over",
                   "[transport]", EVERY_TRANSPORT) {
    TestType world;
    const auto transport = world.make();
    REQUIRE(transport->bind(world.address("inbox")).ok());
    std::array<int, 2> ends{};
    REQUIRE(::pipe2(ends.data(), O_CLOEXEC) == 0);
    const UniqueFd reader{ends[0]};
    const UniqueFd writer{ends[1]};
    CHECK_FALSE(transport->wait({.inbox = true, .descriptors = std::array{reader.get()}}, 0ns));
    CHECK_FALSE(transport->wait({.inbox = true, .descriptors = std::array{reader.get()}}, 1us));
    REQUIRE(::write(writer.get(), "x", 1) == 1);
    transport->wait({.inbox = true, .descriptors = std::array{reader.get()}}, Duration::max());  // or ctest's TIMEOUT
}

TEMPLATE_TEST_CASE("a wait says whether a descriptor is readable", "[transport]", ZmqWorld) {
    TestType world;
    const auto transport = world.make();
    REQUIRE(transport->bind(world.address("inbox")).ok());
    const Link link = transport->open(world.address("inbox")).value();
    std::array<int, 2> ends{};
    REQUIRE(::pipe2(ends.data(), O_CLOEXEC) == 0);
    const UniqueFd reader{ends[0]};
    const UniqueFd writer{ends[1]};
    const std::array descriptors{reader.get()};
    CHECK_FALSE(transport->wait({.inbox = true, .descriptors = descriptors}, 0ns));
    REQUIRE(transport->send(link, "a frame is no descriptor") == Sent::yes);
    Came came;
    while (!transport->receive(came.from, came.frame))
        CHECK_FALSE(transport->wait({.inbox = true, .descriptors = descriptors}, 1s));
    REQUIRE(::write(writer.get(), "x", 1) == 1);
    CHECK(transport->wait({.inbox = true, .descriptors = descriptors}, Duration::max()));
    // This holds even if a frame is there already.
    REQUIRE(transport->send(link, "x") == Sent::yes);
    while (!transport->receive(came.from, came.frame)) static_cast<void>(transport->wait({.inbox = true}, 1s));
    REQUIRE(transport->send(link, "y") == Sent::yes);
    CHECK(transport->wait({.inbox = true, .descriptors = descriptors}, Duration::max()));
}

// Goal: no wake-up is lost. ZeroMQ's descriptor tells only once that something has come, and any call on the
// socket, a send too, may swallow that.
// Method: both directions busy at once over one link, and every wait without an end: a lost wake-up hangs.
TEMPLATE_TEST_CASE("what arrives while one sends over the same link is not missed", "[transport]", EVERY_TRANSPORT) {
    TestType world;
    const auto receiver = world.make();
    const auto opener = world.make();
    REQUIRE(receiver->bind(world.address("inbox")).ok());
    const Link link = opener->open(world.address("inbox")).value();
    constexpr std::size_t count = 20'000;
    // ZeroMQ learns late what has been read
    constexpr std::size_t outstanding = limits::answer_frames_per_peer_max / 2;
    std::size_t asked = 0, received = 0, answered = 0;
    std::size_t wrong = 0;
    while (answered < count) {
        bool any = false;
        for (int burst = 0; burst < 7 && asked < count && asked < answered + outstanding; ++burst)
            wrong += opener->send(link, std::to_string(asked++)) != Sent::yes;
        for (Came came; receiver->receive(came.from, came.frame); any = true) {
            wrong += came.frame != std::to_string(received++);
            wrong += receiver->send(came.from, came.frame) != Sent::yes;
        }
        for (std::string frame; opener->receive_from(link, frame); any = true)
            wrong += frame != std::to_string(answered++);
        if (any || (asked < count && asked < answered + outstanding)) continue;
        if (received < asked)
            receiver->wait({.inbox = true}, Duration::max());
        else
            opener->wait({.links = std::array{link}}, Duration::max());
    }
    CHECK(wrong == 0);
}

TEMPLATE_TEST_CASE("what arrives while one waits to write is not missed", "[transport]", EVERY_TRANSPORT) {
    TestType world;
    const auto receiver = world.make();
    const auto opener = world.make();
    REQUIRE(receiver->bind(world.address("inbox")).ok());
    const Link link = opener->open(world.address("inbox")).value();
    REQUIRE(opener->send(link, "hello") == Sent::yes);
    const Link back = next(*receiver).from;
    std::string frame;
    for (int round = 0; round < 300; ++round) {
        REQUIRE_FALSE(opener->receive_from(link, frame));
        REQUIRE(receiver->send(back, std::to_string(round)) == Sent::yes);
        for (int look = 0; look < 100; ++look) static_cast<void>(opener->wait({.writable = link}, 0ns));
        REQUIRE(next_from(*opener, link) == std::to_string(round));
    }
}

TEMPLATE_TEST_CASE("an inbox in a folder that does not exist is refused with its address", "[transport]", ZmqWorld) {
    TestType world;
    const auto transport = world.make();
    const Result<void> bound = transport->bind(world.address("no/such/folder/inbox"));
    REQUIRE_FALSE(bound.ok());
    CHECK(bound.error().kind == ErrorKind::refused);
    CHECK_THAT(bound.error().text, Catch::Matchers::Contains("no/such/folder/inbox"));
    CHECK(transport->open("nonsense").error().kind == ErrorKind::refused);
}

// Goal: a signal that interrupts a system call (a script's own handler, a profiler) costs no frame and is not
// taken for a peer's death.
// Method: a timer that interrupts every 100 us while frames go round.
TEMPLATE_TEST_CASE("signals at any moment lose no frame", "[transport]", EVERY_TRANSPORT) {
    struct Interruptions {
        struct sigaction before {};
        Interruptions() {
            struct sigaction action {};
            action.sa_handler = [](int) {};  // without SA_RESTART
            REQUIRE(::sigaction(SIGALRM, &action, &before) == 0);
            set(100);
        }
        ~Interruptions() {
            set(0);
            ::sigaction(SIGALRM, &before, nullptr);
        }
        static void set(suseconds_t interval) {
            const itimerval timer{{0, interval}, {0, interval}};
            ::setitimer(ITIMER_REAL, &timer, nullptr);
        }
    };
    TestType world;
    const auto receiver = world.make();
    const auto opener = world.make();
    REQUIRE(receiver->bind(world.address("inbox")).ok());
    const Link link = opener->open(world.address("inbox")).value();
    std::size_t wrong = 0;
    {
        const Interruptions interruptions;
        for (int index = 0; index < 3'000; ++index) {
            wrong += opener->send(link, std::to_string(index)) != Sent::yes;
            const Came came = next(*receiver);
            wrong += came.frame != std::to_string(index);
            wrong += receiver->send(came.from, came.frame) != Sent::yes;
            wrong += next_from(*opener, link) != came.frame;
        }
    }
    CHECK(wrong == 0);
}
