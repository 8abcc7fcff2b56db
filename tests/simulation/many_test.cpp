// A thousand peers of one receiver: each has its window, stands in circles, and its commands are counted as dead
// letters when the receiver dies. All in one thread; the receiver is frozen, so that what is sent stays on its way.
#include "tests/simulation/sim_world.hpp"

using namespace sim;

namespace {

constexpr std::size_t count = 1'000;

struct Crowd {
    SimWorld world;
    SimActor& receiver = world.spawn("receiver");
    std::vector<SimActor*> senders;
    Crowd() {
        for (std::size_t index = 0; index < count; ++index)
            senders.push_back(&world.spawn(fmt::format("sender-{}", index)));
    }
};

}  // namespace

TEST_CASE("what a thousand peers of one receiver have sent is counted for each of them", "[simulation][I8]") {
    Crowd crowd;
    crowd.receiver.is_frozen = true;
    for (std::size_t index = 0; index < count; ++index)
        for (std::size_t times = 0; times <= index % 3; ++times)
            REQUIRE(crowd.senders[index]->send(crowd.receiver.id, "HoldThis").ok());
    std::uint64_t wrong = 0;
    for (std::size_t index = 0; index < count; ++index)
        if (crowd.world.vitals().waiting(crowd.senders[index]->id, crowd.receiver.id) != index % 3 + 1) ++wrong;
    CHECK(wrong == 0);
    CHECK(crowd.world.vitals().senders_to(crowd.receiver.id).size() == count);

    SECTION("and taken, for each of them") {
        crowd.receiver.is_frozen = false;
        crowd.world.run_until_idle();
        for (const SimActor* sender : crowd.senders)
            REQUIRE(crowd.world.vitals().waiting(sender->id, crowd.receiver.id) == 0);
    }
    SECTION("and is a dead letter of each of them when the receiver dies") {
        const ActorId receiver = crowd.receiver.id;
        crowd.world.kill(crowd.receiver);
        std::uint64_t sum = 0;
        for (const DeadLetter& letter : crowd.world.registrar().rows().at(receiver).exit.dead_letters)
            sum += letter.count;
        CHECK(sum == count / 3 * 6 + 1);
    }
}

TEST_CASE("the last of a thousand peers has a window of its own, in bytes and in commands", "[simulation][I8]") {
    SimWorld world{1'000'000};
    SimActor& receiver = world.spawn("receiver");
    receiver.is_frozen = true;
    for (std::size_t index = 1; index < count; ++index)
        REQUIRE(world.spawn(fmt::format("sender-{}", index)).send(receiver.id, "Tap").ok());
    SimActor& last = world.spawn("last");
    std::uint64_t sent = 0;
    Result<void> outcome;
    SECTION("in commands") {
        while ((outcome = last.send(receiver.id, "Tap", "\x80", 1ms)).ok())
            REQUIRE(++sent <= limits::window_commands_max);
        CHECK(sent == limits::window_commands_max);
    }
    SECTION("in bytes") {
        const Buffer body = encoded(std::string(1'000'000, 'x'));
        while ((outcome = last.send(receiver.id, "Carry", body, 1ms)).ok()) REQUIRE(++sent < 100);
        CHECK(sent == limits::window_bytes_max / body.size());
    }
    CHECK(outcome.error().kind == ErrorKind::overloaded);
    CHECK_THAT(outcome.error().text, Catch::Contains("a full inbox"));
    CHECK(world.spawn("another").send(receiver.id, "Tap").ok());
}

TEST_CASE("a circle with the last of a thousand peers of an actor is found", "[simulation][I8]") {
    Crowd crowd;
    SimActor& last = *crowd.senders.back();
    SimActor& receiver = crowd.world.spawn("another receiver");  // of the two, the one with the higher number gives up
    for (SimActor* sender : crowd.senders) REQUIRE(sender->send(receiver.id, "Hello").ok());
    crowd.world.run_until_idle();
    std::optional<ErrorKind> inner;
    receiver.on_command = [&](const Command&, AnswerSlot slot) {
        const Result<ReplyFrame> reply = receiver.ask(last.id, "YouFirst", "\x80", 1s);
        if (!reply) inner = reply.error().kind;
        slot.reply(encoded<std::int64_t>(7));
    };
    const Result<ReplyFrame> reply = last.ask(receiver.id, "YouFirst", "\x80", 2s);
    CHECK(inner == ErrorKind::deadlock);
    REQUIRE(reply.ok());
    CHECK(decoded<std::int64_t>(*reply) == 7);
}
