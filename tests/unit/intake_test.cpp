#include "runtime/inbox/intake.hpp"

#include <array>

#include "runtime/transport/loopback_transport.hpp"
#include <baton/detail/convert.hpp>
#include "tests/captured_stderr.hpp"
#include "tests/catch.hpp"
#include "tests/hex.hpp"
#include "tests/unit/vitals_fixture.hpp"

namespace {

using namespace baton;
using namespace baton::detail;
using Catch::Matchers::Contains;
using baton_test::CapturedStderr;
using baton_test::from_hex;
using baton_test::TestVitals;

constexpr ActorId me{3, 1};
constexpr ActorId alice{4, 1};
constexpr ActorId bob{5, 1};

Buffer record(const Envelope& envelope) {
    Buffer bytes;
    Encoder encoder{bytes};
    begin_record(encoder, envelope);
    encoder.map(0);
    return bytes;
}
Buffer sent(ActorId from, std::uint64_t sequence, std::string_view tag = "GoHome") {
    return record({MessageKind::send, from, me, sequence, 0, tag});
}

// One who sends raw frames, right or wrong, to the inbox under test.
class Sender {
public:
    explicit Sender(LoopbackNetwork& network) : transport_(network), link_(transport_.open("inbox").value()) {}
    void say(std::string_view frame) { REQUIRE(transport_.send(link_, frame) == Transport::Sent::yes); }
    // What the inbox answered, each as the ErrorBody that it must be.
    std::vector<ErrorBody> answers() {
        std::vector<ErrorBody> all;
        for (std::string frame; transport_.receive_from(link_, frame);) {
            Unpacker unpacker;
            std::size_t offset = 0;
            const Envelope envelope = read_envelope(unpacker, frame, offset).value();
            CHECK(envelope.kind == MessageKind::error);
            CHECK(envelope.from == me);
            CHECK(envelope.ask_id == 0);
            const Value body = unpacker.next(frame, offset).value();
            ErrorBody error;
            Decoding at{"error"};
            REQUIRE(decode(body, error, at));
            all.push_back(std::move(error));
        }
        return all;
    }

private:
    LoopbackTransport transport_;
    Link link_;
};

struct Inbox {
    baton_test::LogLevelSetting level{"warn"};
    LoopbackNetwork network;
    LoopbackTransport transport{network};
    Log log{"test"};
    ManualClock clock;
    Self self{transport, clock, log};
    Intake intake{self};
    CapturedStderr logged;

    Inbox() {
        REQUIRE(transport.bind("inbox").ok());
        self.be(me, "me");
    }
    // The tags of all commands that are there, in order.
    std::vector<std::string> take() {
        std::vector<std::string> tags;
        transport.wait({.inbox = true}, Duration::zero());  // what came since the inbox was found empty
        for (Command command; intake.next(command);) tags.emplace_back(command.envelope.tag);
        return tags;
    }
};
using Tags = std::vector<std::string>;

}  // namespace

TEST_CASE("commands come out one by one in the order of their frames and within a frame", "[inbox]") {
    Inbox inbox;
    Sender sender{inbox.network};
    sender.say(sent(alice, 1, "One") + sent(alice, 2, "Two"));
    sender.say(sent(alice, 3, "Three"));
    CHECK(inbox.take() == Tags{"One", "Two", "Three"});
    CHECK(inbox.take().empty());
    CHECK(inbox.intake.dropped_peers() == 0);
    CHECK(sender.answers().empty());
}

TEST_CASE("a command holds the sender, the ask and the body that were sent", "[inbox]") {
    Inbox inbox;
    Sender sender{inbox.network};
    Buffer frame;
    Encoder encoder{frame};
    begin_record(encoder, {MessageKind::ask, alice, me, 1, 42, "HoldThis"});
    encoder.map(1);
    encoder.text("number");
    encoder.integer(4);
    sender.say(frame);
    Command command;
    REQUIRE(inbox.intake.next(command));
    CHECK(command.envelope.kind == MessageKind::ask);
    CHECK(command.envelope.from == alice);
    CHECK(command.envelope.ask_id == 42);
    CHECK(command.envelope.tag == "HoldThis");
    REQUIRE(command.body.kind() == ValueKind::map);
    CHECK(command.body.key_at(0).text() == "number");
    CHECK(command.link.is_some());
}

// Goal: a sender of garbage is told once, loses its connection, and nobody else notices.
TEST_CASE("bytes that do not parse drop the connection they came over, and no other", "[inbox]") {
    const std::string garbage = GENERATE(as<std::string>{}, std::string("\xc1"), std::string("GET / HTTP/1.1\r\n"),
                                         from_hex("dd ff ff ff ff"), from_hex("9a 01 01 04 01"),
                                         sent(alice, 1).substr(0, sent(alice, 1).size() - 1), std::string());
    Inbox inbox;
    Sender good{inbox.network};
    Sender bad{inbox.network};
    good.say(sent(bob, 1, "Before"));
    bad.say(garbage);
    bad.say(sent(alice, 1, "NeverSeen"));
    good.say(sent(bob, 2, "After"));
    CHECK(inbox.take() == Tags{"Before", "After"});
    CHECK(inbox.intake.dropped_peers() == 1);

    const std::vector<ErrorBody> answers = bad.answers();
    REQUIRE(answers.size() == 1);
    CHECK(answers[0].kind == "corrupt");
    CHECK_FALSE(answers[0].text.empty());
    CHECK(good.answers().empty());
    CHECK_THAT(inbox.logged.text(), Contains("peer.dropped"));

    bad.say(garbage);
    bad.say(sent(alice, 2));
    CHECK(inbox.take().empty());
    CHECK(bad.answers().empty());
    CHECK(inbox.intake.dropped_peers() == 1);
}

TEST_CASE("what stands behind garbage in one frame is not read, what stands before it is", "[inbox]") {
    Inbox inbox;
    Sender sender{inbox.network};
    sender.say(sent(alice, 1, "Good") + "\xc1" + sent(alice, 2, "Behind"));
    CHECK(inbox.take() == Tags{"Good"});
    CHECK(sender.answers().size() == 1);
}

TEST_CASE("an envelope of another version is answered as unsupported", "[inbox]") {
    Inbox inbox;
    Sender sender{inbox.network};
    sender.say(from_hex("9a 02 01 04 01 03 01 01 00 a0 90 80"));
    CHECK(inbox.take().empty());
    const std::vector<ErrorBody> answers = sender.answers();
    REQUIRE(answers.size() == 1);
    CHECK(answers[0].kind == "unsupported");
}

TEST_CASE("an inbox takes commands only: replies, errors and notices drop who sends them", "[inbox]") {
    const auto kind = GENERATE(MessageKind::reply, MessageKind::error, MessageKind::notice);
    Inbox inbox;
    Sender sender{inbox.network};
    sender.say(record({kind, coordinator_id, me, 0, 1, "Stop"}));
    CHECK(inbox.take().empty());
    const std::vector<ErrorBody> answers = sender.answers();
    REQUIRE(answers.size() == 1);
    CHECK_THAT(answers[0].text, Contains("takes commands"));
}

TEST_CASE("an ask without an id could never be answered and drops who sends it", "[inbox][I8]") {
    Inbox inbox;
    Sender sender{inbox.network};
    sender.say(record({MessageKind::ask, alice, me, 1, 0, "HoldThis"}));
    CHECK(inbox.take().empty());
    CHECK(sender.answers().size() == 1);
}

TEST_CASE("the ask id of a command that is only sent means nothing", "[inbox]") {
    Inbox inbox;
    Sender sender{inbox.network};
    sender.say(record({MessageKind::send, alice, me, 1, 42, "GoHome"}));
    Command command;
    REQUIRE(inbox.intake.next(command));
    CHECK(command.envelope.ask_id == 0);
}

TEST_CASE("one connection speaks for one actor", "[inbox]") {
    Inbox inbox;
    Sender sender{inbox.network};
    sender.say(sent(alice, 1, "Mine"));
    sender.say(sent(bob, 2, "Forged"));
    CHECK(inbox.take() == Tags{"Mine"});
    const std::vector<ErrorBody> answers = sender.answers();
    REQUIRE(answers.size() == 1);
    CHECK_THAT(answers[0].text, Contains("speaks for one actor"));
}

TEST_CASE("an outsider becomes somebody over the connection that it joined with", "[inbox]") {
    Inbox inbox;
    Sender sender{inbox.network};
    sender.say(sent({}, 0, "Join"));
    sender.say(sent(alice, 1, "Spawn"));
    sender.say(sent(bob, 2, "Forged"));
    CHECK(inbox.take() == Tags{"Join", "Spawn"});
    CHECK(inbox.intake.dropped_peers() == 1);
}

TEST_CASE("a gap in the sequence is logged and the command handled all the same", "[inbox]") {
    Inbox inbox;
    Sender sender{inbox.network};
    sender.say(sent(alice, 1, "One"));
    sender.say(sent(alice, 2, "Two"));
    CHECK(inbox.take() == Tags{"One", "Two"});
    CHECK_THAT(inbox.logged.text(), !Contains("command.missing"));
    sender.say(sent(alice, 5, "Five"));
    CHECK(inbox.take() == Tags{"Five"});
    CHECK_THAT(inbox.logged.text(), Contains("command.missing from=4.1 expected=3 got=5"));
}

// Goal: nobody handles what was meant for another, as over an address that has a new owner.
TEST_CASE("what is addressed to another actor or another life is marked, not counted, and logged once", "[inbox]") {
    const ActorId other = GENERATE(ActorId{9, 1}, ActorId{me.number, me.incarnation + 1}, coordinator_id);
    Inbox inbox;
    TestVitals vitals;
    inbox.self.attach(*vitals, vitals.own(me));
    Sender sender{inbox.network};
    for (int round = 0; round < 2; ++round) sender.say(record({MessageKind::send, alice, other, 7, 0, "Stray"}));
    sender.say(sent(alice, 1, "Mine"));
    sender.say(record({MessageKind::send, alice, {}, 2, 0, "ToWhoeverReadsIt"}));
    Command command;
    for (int round = 0; round < 2; ++round) {
        REQUIRE(inbox.intake.next(command));
        CHECK(command.is_misaddressed);
    }
    for (const std::string_view tag : {"Mine", "ToWhoeverReadsIt"}) {
        REQUIRE(inbox.intake.next(command));
        CHECK(command.envelope.tag == tag);
        CHECK_FALSE(command.is_misaddressed);
    }
    CHECK(vitals->find_traffic(*vitals->row_of(me), alice)->taken_commands.load() == 2);
    CHECK(inbox.intake.dropped_peers() == 0);
    const std::string logged = inbox.logged.text();
    const std::size_t first = logged.find("command.misaddressed from=4.1 to=" + to_string(other) + " command=Stray");
    REQUIRE(first != std::string::npos);
    CHECK(logged.find("command.misaddressed", first + 1) == std::string::npos);
    CHECK_THAT(logged, !Contains("command.missing"));
}

TEST_CASE("a command counts as taken when it leaves the inbox, with the bytes of its record", "[inbox]") {
    Inbox inbox;
    TestVitals vitals;
    inbox.self.attach(*vitals, vitals.own(me));
    Sender sender{inbox.network};
    const Buffer first = sent(alice, 1, "One");
    const Buffer second = sent(alice, 2, "Second");
    sender.say(first + second);
    CHECK(vitals->find_traffic(*vitals->row_of(me), alice) == nullptr);
    Command command;
    REQUIRE(inbox.intake.next(command));
    const Traffic* traffic = vitals->find_traffic(*vitals->row_of(me), alice);
    REQUIRE(traffic != nullptr);
    CHECK(traffic->taken_commands.load() == 1);
    CHECK(traffic->taken_bytes.load() == first.size());
    REQUIRE(inbox.intake.next(command));
    CHECK(traffic->taken_commands.load() == 2);
    CHECK(traffic->taken_bytes.load() == first.size() + second.size());
}

TEST_CASE("the connection of an actor that has exited is closed, the others stay", "[inbox]") {
    Inbox inbox;
    Sender one{inbox.network};
    Sender two{inbox.network};
    one.say(sent(alice, 1));
    two.say(sent(bob, 1));
    Link of_alice;
    Link of_bob;
    for (Command command; inbox.intake.next(command);)
        (command.envelope.from == alice ? of_alice : of_bob) = command.link;
    REQUIRE((of_alice.is_some() && of_bob.is_some()));
    inbox.intake.forget(alice);
    CHECK(inbox.transport.send(of_alice, "x") == Transport::Sent::gone);
    CHECK(inbox.transport.send(of_bob, "x") == Transport::Sent::yes);
}

TEST_CASE("the connection of one who joined over it and never spoke again is closed at its exit", "[inbox]") {
    Inbox inbox;
    Sender silent{inbox.network};
    silent.say(record({MessageKind::ask, {}, me, 0, 1, "Join"}));
    Command command;
    REQUIRE(inbox.intake.next(command));
    const Link link = command.link;
    inbox.intake.introduce(link, alice);
    inbox.intake.forget(bob);
    CHECK(inbox.transport.send(link, "x") == Transport::Sent::yes);
    inbox.intake.forget(alice);
    CHECK(inbox.transport.send(link, "x") == Transport::Sent::gone);
}
