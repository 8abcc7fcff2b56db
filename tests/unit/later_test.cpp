// Later and Commands: what is to be done at some time, and what comes in.
#include "runtime/inbox/later.hpp"

#include "tests/unit/inbox_fixture.hpp"

using namespace inbox_test;
using Tags = std::vector<std::string>;

TEST_CASE("a command that is to be sent later leaves at its time, and tries again until there is room", "[inbox]") {
    Parts parts{1};
    Other other{parts.network, bob, "bob"};
    parts.open(bob, "bob");
    REQUIRE(parts.later.send_after(50ms, AnyRef{bob}, "Later", "\x80").ok());
    REQUIRE(parts.outbox.send(bob, message("Now"), parts.soon).ok());
    parts.later.send_due();
    CHECK(parts.later.next(Serving::control_only).left(parts.clock) == 50ms);
    parts.clock.advance(50ms);
    parts.later.send_due();  // the link is full
    CHECK(other.take_tags() == Tags{"Now"});
    CHECK_FALSE(parts.later.next(Serving::control_only).has_passed(parts.clock));
    parts.clock.advance(10ms);
    parts.later.send_due();
    CHECK(other.take_tags() == Tags{"Later"});
    CHECK(parts.later.next(Serving::control_only).is_never());
}

TEST_CASE("the outcome of an ask goes to its function between commands, once: the answer or the deadline", "[inbox]") {
    Parts parts;
    Other other{parts.network, bob, "bob"};
    parts.open(bob, "bob");
    int given = 0;
    ErrorKind kind = ErrorKind::failed;
    const AskId ask = parts.asking.request(bob, message("Count"), parts.soon).value();
    parts.later.continue_with(ask, parts.soon, [&](Result<ReplyFrame> outcome) {
        ++given;
        if (!outcome) kind = outcome.error().kind;
        CHECK(parts.self.is_handling());
    });
    parts.later.continue_settled();
    CHECK(given == 0);
    SECTION("the answer comes") {
        other.say(other.take().at(0).link, MessageKind::reply, ask, "Count", encoded(std::int64_t{1}));
        parts.replies.collect();
        CHECK(given == 0);  // not in the middle of something else
        CHECK(parts.later.next(Serving::commands).has_passed(parts.clock));
        CHECK(parts.later.next(Serving::control_only).is_never());
    }
    SECTION("the deadline passes") {
        parts.clock.advance(100ms);
        parts.later.continue_settled();
        CHECK(kind == ErrorKind::timed_out);
    }
    for (int round = 0; round < 2; ++round) parts.later.continue_settled();
    CHECK(given == 1);
    CHECK_FALSE(parts.self.is_handling());
}

TEST_CASE("an onlooker looks as long as it lives, and says when next", "[inbox]") {
    Parts parts;
    int looks = 0;
    std::shared_ptr<void> onlooker = parts.later.look_between([&] {
        ++looks;
        return Deadline::in(parts.clock, 20ms);
    });
    parts.later.look_around();
    CHECK(looks == 1);
    CHECK(parts.later.next(Serving::commands).left(parts.clock) == 20ms);
    onlooker.reset();
    parts.later.look_around();
    CHECK(looks == 1);
    CHECK(parts.later.next(Serving::commands).is_never());
}

TEST_CASE("what an actor that ends has not handled is counted by sender and command, and answered", "[inbox]") {
    Parts parts;
    REQUIRE(parts.transport.bind("me").ok());
    LoopbackTransport client{parts.network};
    const Link link = client.open("me").value();
    for (std::uint64_t number = 1; number <= 3; ++number) {
        Buffer frame;
        Encoder encoder{frame};
        const MessageKind kind = number == 3 ? MessageKind::ask : MessageKind::send;
        begin_record(encoder, Envelope{kind, bob, me, number, number, "Do"});
        encoder.map(0);
        REQUIRE(client.send(link, frame) == Transport::Sent::yes);
    }
    Commands::Unread unread;
    while (parts.commands.refuse_next(unread)) {}
    const std::vector<DeadLetter> letters = Commands::dead_letters(unread);
    REQUIRE(letters.size() == 1);
    CHECK(letters[0].from == "4.1");
    CHECK(letters[0].command == "Do");
    CHECK(letters[0].count == 3);
    std::string frame;
    REQUIRE(client.receive_from(link, frame));
    Unpacker unpacker;
    std::size_t offset = 0;
    const Envelope answer = read_envelope(unpacker, frame, offset).value();
    CHECK(answer.kind == MessageKind::error);
    CHECK(answer.ask_id == 3);
    CHECK_FALSE(client.receive_from(link, frame));
}
