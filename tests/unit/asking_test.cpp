// Asking and Replies: an ask from its sending to its one outcome, and to whom belongs what comes back.
#include "runtime/inbox/asking.hpp"

#include "runtime/inbox/reply.hpp"
#include "tests/unit/inbox_fixture.hpp"

using namespace inbox_test;

namespace {

// Answers every ask that it gets while the asker waits.
void answer_in_waits(Parts& parts, Other& other, std::int64_t number) {
    parts.waiting.on_wait = [&other, number] {
        for (const Other::Got& got : other.take())
            other.say(got.link, MessageKind::reply, got.envelope.ask_id, got.tag, encoded(number));
    };
}

}  // namespace

TEST_CASE("an ask ends with the answer to it", "[inbox]") {
    Parts parts;
    Other other{parts.network, bob, "bob"};
    const Peer& peer = parts.open(bob, "bob");
    answer_in_waits(parts, other, 42);
    CHECK(decoded_reply<std::int64_t>(parts.asking.ask(bob, message("Count"), parts.soon)).value() == 42);
    CHECK(peer.asks_in_flight == 0);
    CHECK_FALSE(parts.peers.any_owes_answer());
}

TEST_CASE("an ask that is not answered ends at its deadline, and its late answer is read and dropped", "[inbox]") {
    Parts parts;
    Other other{parts.network, bob, "bob"};
    const Peer& peer = parts.open(bob, "bob");
    CHECK(parts.asking.ask(bob, message("Count"), parts.soon).error().kind == ErrorKind::timed_out);
    CHECK(peer.asks_in_flight == 1);
    for (const Other::Got& got : other.take())
        other.say(got.link, MessageKind::reply, got.envelope.ask_id, got.tag, encoded(std::int64_t{1}));
    parts.replies.collect();
    CHECK(peer.asks_in_flight == 0);
    CHECK_FALSE(parts.peers.any_owes_answer());
}

TEST_CASE("who gives an ask up is told its late answer if he wants that", "[inbox]") {
    Parts parts;
    Other other{parts.network, bob, "bob"};
    parts.open(bob, "bob");
    const AskId ask = parts.asking.request(bob, message("Count"), parts.soon).value();
    std::int64_t told = 0;
    CHECK(parts.asking.abandon(ask, [&](Result<ReplyFrame> late) {
        told = decoded_reply<std::int64_t>(std::move(late)).value();
    }));
    const std::vector<Other::Got> got = other.take();
    REQUIRE(got.size() == 1);
    other.say(got[0].link, MessageKind::reply, ask, "Count", encoded(std::int64_t{7}));
    parts.replies.collect();
    CHECK(told == 7);
    CHECK_FALSE(parts.asking.is_settled(ask));
}

TEST_CASE("what could not be asked has not begun", "[inbox]") {
    Parts parts{1};
    Other other{parts.network, bob, "bob"};
    parts.open(bob, "bob");
    REQUIRE(parts.outbox.send(bob, message("One"), parts.soon).ok());
    const Result<AskId> ask = parts.asking.request(bob, message("Count"), parts.soon);
    REQUIRE_FALSE(ask);
    CHECK(ask.error().kind == ErrorKind::overloaded);
    CHECK(ask.error().is_withdrawn);
    CHECK_FALSE(parts.peers.any_owes_answer());
    CHECK(parts.asking.request(me, message("Count"), parts.soon).error().kind == ErrorKind::refused);
}

TEST_CASE("an address is asked of the coordinator, over the control lane", "[inbox]") {
    Parts parts;
    Other coordinator{parts.network, coordinator_id, "coordinator"};
    Other other{parts.network, bob, "ipc://bob"};
    CHECK(parts.outbox.send(bob, message("One"), parts.soon).error().kind == ErrorKind::gone);
    REQUIRE(parts.control.open("coordinator").ok());
    parts.waiting.on_wait = [&] {
        for (const Other::Got& got : coordinator.take()) {
            CHECK(got.tag == "Locate");
            coordinator.say(got.link, MessageKind::reply, got.envelope.ask_id, got.tag,
                            encoded(coordinator::Located{"bob", "ipc://bob"}));
        }
    };
    for (const std::string_view tag : {"One", "Two"}) REQUIRE(parts.outbox.send(bob, message(tag), parts.soon).ok());
    CHECK(parts.waiting.waits == 1);
    CHECK(other.take_tags() == std::vector<std::string>{"One", "Two"});
    CHECK(parts.peers.find(bob)->name == "bob");
}

// Goal: nobody speaks for another.
TEST_CASE("an answer counts only if it comes over the link to the actor that was asked", "[inbox]") {
    Parts parts;
    Other other{parts.network, bob, "bob"};
    Other stranger{parts.network, ActorId{5, 1}, "stranger"};
    parts.open(bob, "bob");
    parts.open({5, 1}, "stranger");
    const AskId ask = parts.asking.request(bob, message("Count"), parts.soon).value();
    REQUIRE(parts.asking.request({5, 1}, message("Count"), parts.soon).ok());
    const Link from_stranger = stranger.take().at(0).link;
    const Buffer body = encoded(std::int64_t{666});
    stranger.say(from_stranger, MessageKind::reply, ask, "Count", body);
    parts.replies.collect();
    CHECK_FALSE(parts.asking.is_settled(ask));
    other.say(other.take().at(0).link, MessageKind::reply, ask, "Count", body);
    parts.replies.collect();
    CHECK(parts.asking.is_settled(ask));
}
