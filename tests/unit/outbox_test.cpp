// Outbox: from a message to the receiver's link; what keeps it from leaving, and what is left of it if it can't leave.
#include "runtime/inbox/outbox.hpp"

#include "tests/unit/inbox_fixture.hpp"

using namespace inbox_test;
using Catch::Matchers::Contains;
using Tags = std::vector<std::string>;

TEST_CASE("messages leave in order, numbered without a gap", "[inbox]") {
    Parts parts;
    Other other{parts.network, bob, "bob"};
    parts.open(bob, "bob");
    for (const std::string_view tag : {"One", "Two", "Three"})
        REQUIRE(parts.outbox.send(bob, message(tag), parts.soon).ok());
    const std::vector<Other::Got> got = other.take();
    REQUIRE(got.size() == 3);
    for (std::size_t index = 0; index < got.size(); ++index) {
        CHECK(got[index].envelope.sequence == index + 1);
        CHECK(got[index].envelope.from == me);
        CHECK(got[index].envelope.to == bob);
    }
    CHECK(got[2].tag == "Three");
    CHECK(parts.waiting.waits == 0);
}

TEST_CASE("a message that finds the link full leaves as soon as there is room", "[inbox]") {
    Parts parts{1};
    Other other{parts.network, bob, "bob"};
    const Peer& peer = parts.open(bob, "bob");
    REQUIRE(parts.outbox.send(bob, message("One"), parts.soon).ok());
    Tags read;
    parts.waiting.on_wait = [&] { read = other.take_tags(); };
    REQUIRE(parts.outbox.send(bob, message("Two"), parts.soon).ok());
    CHECK(parts.waiting.waits == 1);
    CHECK(read == Tags{"One"});
    CHECK(other.take_tags() == Tags{"Two"});
    CHECK(peer.waiting_commands == 0);
    CHECK_FALSE(parts.peers.any_waiting());
}

// Goal: nothing of a message is left that did not leave, whatever ended the wait for it.
TEST_CASE("a message that could not leave is as if it had never been", "[inbox]") {
    Parts parts{1};
    Other other{parts.network, bob, "bob"};
    const Peer& peer = parts.open(bob, "bob");
    REQUIRE(parts.outbox.send(bob, message("One"), parts.soon).ok());
    SECTION("its deadline passes") {
        const Result<void> sent = parts.outbox.send(bob, message("Two"), parts.soon);
        REQUIRE_FALSE(sent);
        CHECK(sent.error().kind == ErrorKind::overloaded);
        CHECK(parts.soon.has_passed(parts.clock));
    }
    SECTION("its sender is told to stop") {
        parts.waiting.on_wait = [&] { parts.self.stop(false); };
        const Result<void> sent = parts.outbox.send(bob, message("Two"), parts.soon);
        REQUIRE_FALSE(sent);
        CHECK(sent.error().kind == ErrorKind::stopping);
    }
    SECTION("an exception comes out of the wait") {
        parts.waiting.on_wait = [] { throw std::runtime_error("interrupted"); };
        CHECK_THROWS_AS(parts.outbox.send(bob, message("Two"), parts.soon), std::runtime_error);
    }
    CHECK(peer.sent.commands == 1);
    CHECK(peer.waiting.empty());
    CHECK_FALSE(parts.peers.any_waiting());
    parts.waiting.on_wait = [] {};
    CHECK(other.take_tags() == Tags{"One"});
    REQUIRE(parts.outbox.send(bob, message("Three"), Deadline::in(parts.clock, 100ms)).ok());
    const std::vector<Other::Got> got = other.take();
    REQUIRE(got.size() == 1);
    CHECK(got[0].envelope.sequence == 2);
}

TEST_CASE("a sender that waits for room is told when its receiver exits", "[inbox]") {
    Parts parts{1};
    Other other{parts.network, bob, "bob"};
    parts.open(bob, "bob");
    REQUIRE(parts.outbox.send(bob, message("One"), parts.soon).ok());
    parts.waiting.on_wait = [&] { parts.exits.take({AnyRef{bob}, "bob", {ExitKind::signalled, 9, "", "", {}, {}}}); };
    const Result<void> sent = parts.outbox.send(bob, message("Two"), parts.soon);
    REQUIRE_FALSE(sent);
    CHECK(sent.error().kind == ErrorKind::gone);
    CHECK(parts.peers.find(bob) == nullptr);
    // And nobody asks where he is from then on.
    CHECK_THAT(parts.outbox.send(bob, message("Three"), parts.soon).error().text, Contains("bob has exited"));
}

TEST_CASE("only the first message to somebody asks where he is", "[inbox]") {
    struct Guide final : Locating {
        Result<Place> locate(ActorId, Deadline) override {
            if (++asked == 1) return Error{ErrorKind::timed_out, "nobody has answered"};
            return Place{"bob", "bob"};
        }
        int asked = 0;
    } guide;
    Parts parts;
    parts.outbox.locate_with(guide);
    Other other{parts.network, bob, "bob"};
    CHECK(parts.outbox.send(bob, message("Lost"), parts.soon).error().kind == ErrorKind::timed_out);
    for (const std::string_view tag : {"One", "Two"}) REQUIRE(parts.outbox.send(bob, message(tag), parts.soon).ok());
    CHECK(guide.asked == 2);
    CHECK(other.take_tags() == Tags{"One", "Two"});
}
