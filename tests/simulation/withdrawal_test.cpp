// Asks that are given up: whether they run afterwards, and what their asker is told (docs/decisions/0019).
#include "tests/simulation/sim_world.hpp"

using namespace sim;
using Catch::Contains;
using Tags = std::vector<std::string>;

namespace {

void answer(const Command& command, AnswerSlot slot) { slot.reply(command.body_bytes); }

struct Two {
    SimWorld world;
    SimActor& teacher = world.spawn("teacher");
    SimActor& student = world.spawn("student");
    Two() {
        student.on_command = answer;
        REQUIRE(teacher.ask(student.id, "Hello").ok());
        student.handled.clear();
    }
    // While the student takes nothing.
    Error give_up(std::string_view tag) {
        student.is_frozen = true;
        const Result<ReplyFrame> reply = teacher.ask(student.id, tag, "\x80", 1s);
        student.is_frozen = false;
        REQUIRE_FALSE(reply.ok());
        return reply.error();
    }
    std::uint64_t places_in_use() { return world.vitals().row_of(teacher.id)->withdrawn.count.load(); }
};

}  // namespace

TEST_CASE("an ask that is given up before it began does not run later, and says so", "[simulation][I8]") {
    Two two;
    const Error error = two.give_up("Pay");
    CHECK(error.kind == ErrorKind::timed_out);
    CHECK(error.is_withdrawn);
    CHECK_THAT(error.text, Contains("will not run"));
    REQUIRE(two.teacher.send(two.student.id, "Behind").ok());
    two.world.run_until_idle();
    CHECK(two.student.handled == Tags{"Behind"});
    CHECK(two.teacher.ask(two.student.id, "Pay").ok());
    CHECK(two.student.handled == Tags{"Behind", "Pay"});
    CHECK(two.places_in_use() == 0);
}

TEST_CASE("an ask that is given up after it began may still finish, and says so", "[simulation][I8]") {
    Two two;
    std::vector<AnswerSlot> kept;
    two.student.on_command = [&kept](const Command&, AnswerSlot slot) { kept.push_back(std::move(slot)); };
    const Result<ReplyFrame> reply = two.teacher.ask(two.student.id, "Pay", "\x80", 1s);
    REQUIRE_FALSE(reply.ok());
    CHECK(reply.error().kind == ErrorKind::timed_out);
    CHECK_FALSE(reply.error().is_withdrawn);
    CHECK_THAT(reply.error().text, Contains("had begun, and may still finish"));
    CHECK(two.student.handled == Tags{"Pay"});
    CHECK(two.places_in_use() == 0);
}

TEST_CASE("a request that is cancelled before it began does not run, those around it do", "[simulation]") {
    Two two;
    two.student.is_frozen = true;
    const AskId first = two.teacher.request(two.student.id, "First").value();
    const AskId second = two.teacher.request(two.student.id, "Second").value();
    const AskId third = two.teacher.request(two.student.id, "Third").value();
    CHECK(two.teacher.loop.abandon(second) == Fate::withdrawn);
    CHECK(two.teacher.loop.abandon(second) == Fate::withdrawn);  // once and for all
    two.student.is_frozen = false;
    CHECK(two.teacher.await(first, Deadline::in(two.world.clock, 1s)).ok());
    CHECK(two.teacher.await(third, Deadline::in(two.world.clock, 1s)).ok());
    CHECK(two.student.handled == Tags{"First", "Third"});
    CHECK(two.teacher.loop.abandon(first) == Fate::may_run);  // which is over
    CHECK(two.places_in_use() == 0);
}

TEST_CASE("a request that its asker has committed to runs, whoever waits for it", "[simulation]") {
    Two two;
    two.student.is_frozen = true;
    const AskId ask = two.teacher.request(two.student.id, "GiveBack").value();
    two.teacher.loop.asking().commit(ask);
    CHECK(two.teacher.loop.abandon(ask) == Fate::may_run);
    two.student.is_frozen = false;
    two.world.run_until_idle();
    CHECK(two.student.handled == Tags{"GiveBack"});
    CHECK(two.places_in_use() == 0);
}

// Goal: the number of an ask is its own, even if more is sent before it has left.
// Method: the link takes one frame; while the ask waits for room in it a watcher sends more. The asker gives up when
// the receiver has taken the ask, and nothing behind it.
TEST_CASE("what a watcher sends while an ask waits for its link does not count for the ask", "[simulation]") {
    SimWorld world{1};
    SimActor& teacher = world.spawn("teacher");
    SimActor& student = world.spawn("student");
    std::optional<Fate> fate;
    student.on_command = [&](const Command& command, AnswerSlot slot) {
        if (command.envelope.tag == "Pay") fate = teacher.loop.abandon(command.envelope.ask_id);
        answer(command, std::move(slot));
    };
    REQUIRE(teacher.send(student.id, "First").ok());
    world.run_until_idle();
    student.is_frozen = true;
    REQUIRE(teacher.send(student.id, "Second").ok());
    bool has_sent = false;
    teacher.transport.before_receive_from = [&] {
        if (std::exchange(has_sent, true)) return;
        student.is_frozen = false;
        CHECK(teacher.loop.send(student.id, "More", "\x80", 1s, Loop::Urgency::may_share).ok());
    };
    REQUIRE(teacher.request(student.id, "Pay").ok());
    teacher.transport.before_receive_from = [] {};
    world.run_until_idle();
    CHECK(student.handled == Tags{"First", "Second", "Pay", "More"});
    CHECK(fate == Fate::begun);
    CHECK(student.loop.commands().intake().dropped_peers() == 0);
}

TEST_CASE("a stop withdraws what its actor has asked for", "[simulation][I8]") {
    Two two;
    two.teacher.loop.stop(false);
    const Error error = two.give_up("Pay");
    CHECK(error.kind == ErrorKind::stopping);
    CHECK(error.is_withdrawn);
    two.world.run_until_idle();
    CHECK(two.student.handled.empty());
}

TEST_CASE("an exception out of a wait withdraws the ask", "[simulation]") {
    Two two;
    two.student.is_frozen = true;
    two.teacher.transport.before_receive_from = [] { throw std::runtime_error("an alarm"); };
    CHECK_THROWS_WITH(two.teacher.ask(two.student.id, "Pay"), "an alarm");
    two.teacher.transport.before_receive_from = [] {};
    two.student.is_frozen = false;
    two.world.run_until_idle();
    CHECK(two.student.handled.empty());
}

TEST_CASE("of more withdrawn asks than there are places the rest may run, and is said to", "[simulation]") {
    Two two;
    two.student.is_frozen = true;
    std::vector<AskId> asks;
    for (std::size_t count = 0; count < VitalsRow::withdrawn_max + 3; ++count)
        asks.push_back(two.teacher.request(two.student.id, "Pay").value());
    std::size_t withdrawn = 0;
    for (const AskId ask : asks) withdrawn += two.teacher.loop.abandon(ask) == Fate::withdrawn ? 1 : 0;
    CHECK(withdrawn == VitalsRow::withdrawn_max);
    const Error error = two.give_up("One more");
    CHECK_FALSE(error.is_withdrawn);
    CHECK_THAT(error.text, Contains("may still run"));
    two.world.run_until_idle();
    CHECK(two.student.handled == Tags{"Pay", "Pay", "Pay", "One more"});
    two.student.handled.clear();
    CHECK(two.teacher.ask(two.student.id, "Hello").ok());
    CHECK(two.places_in_use() == 0);
    CHECK(two.give_up("Pay").is_withdrawn);
}

TEST_CASE("the place of an ask whose receiver has died is free again", "[simulation]") {
    Two two;
    CHECK(two.give_up("Pay").is_withdrawn);
    CHECK(two.places_in_use() == 1);
    const auto student = two.student.id;
    two.world.kill(two.student);
    two.world.run_until_idle();
    static_cast<void>(two.teacher.ask(student, "Hello"));
    CHECK(two.places_in_use() == 0);
}

TEST_CASE("what a receiver that counts nothing does with an ask is unknown", "[simulation]") {
    Two two;
    const_cast<VitalsRow*>(two.world.vitals().row_of(two.student.id))->life.is_kept.store(0);
    const Error error = two.give_up("Pay");
    CHECK_FALSE(error.is_withdrawn);
    CHECK_THAT(error.text, Contains("may still run"));
    two.world.run_until_idle();
    CHECK(two.student.handled == Tags{"Pay"});
}

TEST_CASE("of two that ask each other the one that gives up leaves nothing behind in the other's inbox",
          "[simulation][I8]") {
    SimWorld world;
    SimActor& one = world.spawn("one");
    SimActor& two = world.spawn("two");
    std::optional<Error> inner;
    one.on_command = answer;
    two.on_command = [&](const Command&, AnswerSlot slot) {
        const Result<ReplyFrame> reply = two.ask(one.id, "Pay");
        if (!reply) inner = reply.error();
        slot.reply("\x80");
    };
    CHECK(one.ask(two.id, "YouFirst", "\x80", 2s).ok());
    world.run_until_idle();
    REQUIRE(inner);
    CHECK(inner->kind == ErrorKind::deadlock);
    CHECK(inner->is_withdrawn);
    CHECK_THAT(inner->text, Contains("waits for an answer of"));
    CHECK(one.handled.empty());
}
