#include "runtime/inbox/loop.hpp"

#include "tests/catch.hpp"
#include "tests/simulation/sim_world.hpp"

namespace {

using namespace sim;
using Catch::Matchers::Contains;
using Tags = std::vector<std::string>;

// Replies with the number it was sent, plus one.
void add_one(const Command& command, AnswerSlot slot) {
    slot.reply(encoded(decoded<std::int64_t>(command.body) + 1));
}

// Lets `from` have located the others, so that what it sends them next goes out without a wait.
void make_known(SimWorld& world, SimActor& from, std::initializer_list<SimActor*> others) {
    for (SimActor* other : others) REQUIRE(from.send(other->id, "Hello").ok());
    world.run_until_idle();
    for (SimActor* other : others) other->handled.clear();
}

}  // namespace

// ---- asks, each until its one outcome ------------------------------------------------------------------

TEST_CASE("an ask brings the reply of the handler", "[simulation][I8]") {
    SimWorld world;
    SimActor& teacher = world.spawn("teacher");
    SimActor& student = world.spawn("student");
    student.on_command = add_one;
    const Result<ReplyFrame> reply = teacher.ask(student.id, "Add", encoded<std::int64_t>(41));
    REQUIRE(reply.ok());
    CHECK(decoded<std::int64_t>(*reply) == 42);
    CHECK(student.handled == Tags{"Add"});
}

TEST_CASE("an ask whose handler fails brings its error with text, type and frames", "[simulation][I8]") {
    SimWorld world;
    SimActor& teacher = world.spawn("teacher");
    SimActor& student = world.spawn("student");
    student.on_command = [](const Command&, AnswerSlot slot) {
        slot.fail({ErrorKind::failed, "no such book", "std::out_of_range", {"find(book)"}});
    };
    const Result<ReplyFrame> reply = teacher.ask(student.id, "Find");
    REQUIRE_FALSE(reply.ok());
    CHECK(reply.error().kind == ErrorKind::failed);
    CHECK(reply.error().text == "no such book");
    CHECK(reply.error().type == "std::out_of_range");
    CHECK(reply.error().frames == Tags{"find(book)"});
}

TEST_CASE("an ask that is not answered ends at its deadline, and the late reply harms nobody", "[simulation][I8]") {
    SimWorld world;
    SimActor& teacher = world.spawn("teacher");
    SimActor& student = world.spawn("student");
    std::vector<AnswerSlot> kept;
    student.on_command = [&kept](const Command&, AnswerSlot slot) { kept.push_back(std::move(slot)); };
    const AskId ask = teacher.request(student.id, "Ponder").value();
    const Instant before = world.clock.now();
    const Result<ReplyFrame> reply = teacher.await(ask, Deadline::in(world.clock, 3s));
    REQUIRE_FALSE(reply.ok());
    CHECK(reply.error().kind == ErrorKind::timed_out);
    CHECK(world.clock.now() - before == 3s);

    student.on_command = add_one;
    REQUIRE(kept.size() == 1);
    kept[0].reply(encoded<std::int64_t>(1000));
    const Result<ReplyFrame> next = teacher.ask(student.id, "Add", encoded<std::int64_t>(1));
    REQUIRE(next.ok());
    CHECK(decoded<std::int64_t>(*next) == 2);
    CHECK_FALSE(teacher.loop.is_settled(ask));  // it is forgotten, not kept for nobody
}

// Goal: an ask ends when its receiver does.
// Method: the receiver never runs; a third actor, which runs in the asker's wait, kills it.
TEST_CASE("an ask whose receiver dies ends as gone, long before its deadline", "[simulation][I8]") {
    SimWorld world;
    SimActor& teacher = world.spawn("teacher");
    SimActor& student = world.spawn("student");
    SimActor& bully = world.spawn("bully");
    make_known(world, teacher, {&student, &bully});
    bully.on_command = [&](const Command&, AnswerSlot) { world.kill(student); };
    student.is_frozen = true;

    const Result<AskId> ask = teacher.request(student.id, "HoldThis", "\x80");
    REQUIRE(ask.ok());
    REQUIRE(teacher.send(bully.id, "Push").ok());
    const Instant before = world.clock.now();
    const Result<ReplyFrame> reply = teacher.await(*ask, Deadline::in(world.clock, 1h));
    REQUIRE_FALSE(reply.ok());
    CHECK(reply.error().kind == ErrorKind::gone);
    CHECK_THAT(reply.error().text, Contains("student has exited: signal -9"));
    CHECK(world.clock.now() == before);
}

TEST_CASE("what an actor answered before it died counts", "[simulation][I8]") {
    SimWorld world;
    SimActor& teacher = world.spawn("teacher");
    SimActor& student = world.spawn("student");
    SimActor& bully = world.spawn("bully");  // runs after the student
    make_known(world, teacher, {&student, &bully});
    student.on_command = add_one;
    bully.on_command = [&](const Command&, AnswerSlot) { world.kill(student); };

    const Result<AskId> ask = teacher.request(student.id, "Add", encoded<std::int64_t>(1));
    REQUIRE(ask.ok());
    REQUIRE(teacher.send(bully.id, "Push").ok());
    const Result<ReplyFrame> reply = teacher.await(*ask, Deadline::in(world.clock, 1h));
    REQUIRE(reply.ok());
    CHECK(decoded<std::int64_t>(*reply) == 2);
}

TEST_CASE("to an actor that has exited one can neither send nor ask", "[simulation][I8]") {
    SimWorld world;
    SimActor& teacher = world.spawn("teacher");
    SimActor& student = world.spawn("student");
    const ActorId id = student.id;
    std::vector<std::string> told;
    teacher.loop.control().on_exited([&told](const Ended& exited) { told.push_back(exited.name); });

    SECTION("which it knew") {
        make_known(world, teacher, {&student});
        world.kill(student);
        world.run_until_idle();
        CHECK(told == Tags{"student"});
    }
    SECTION("which it never knew") {
        world.kill(student);
        world.run_until_idle();
        CHECK(told.empty());
    }
    CHECK(teacher.ask(id, "HoldThis").error().kind == ErrorKind::gone);
    CHECK(teacher.send(id, "HoldThis").error().kind == ErrorKind::gone);
}

TEST_CASE("a stop ends an ask that is under way", "[simulation][I8]") {
    SimWorld world;
    SimActor& teacher = world.spawn("teacher");
    SimActor& student = world.spawn("student");
    SimActor& head = world.spawn("head");
    make_known(world, teacher, {&student, &head});
    student.is_frozen = true;
    head.on_command = [&](const Command&, AnswerSlot) { world.stop(teacher); };
    REQUIRE(teacher.send(head.id, "Complain").ok());
    const Instant before = world.clock.now();
    const Result<ReplyFrame> reply = teacher.ask(student.id, "HoldThis", "\x80", 1h);
    REQUIRE_FALSE(reply.ok());
    CHECK(reply.error().kind == ErrorKind::stopping);
    CHECK(teacher.loop.is_stopping());
    CHECK(world.clock.now() == before);
}

TEST_CASE("an ask that its handler drops is answered as failed", "[simulation][I8]") {
    SimWorld world;
    SimActor& teacher = world.spawn("teacher");
    SimActor& student = world.spawn("student");
    std::optional<AnswerSlot> kept;
    const auto ends_as_failed = [](const Result<ReplyFrame>& reply) {
        REQUIRE_FALSE(reply.ok());
        CHECK(reply.error().kind == ErrorKind::failed);
        CHECK_THAT(reply.error().text, Contains("dropped without an answer"));
    };
    SECTION("at once") {
        student.on_command = [](const Command&, AnswerSlot) {};
        ends_as_failed(teacher.ask(student.id, "HoldThis", "\x80", 1h));
    }
    SECTION("later, with what kept it") {
        student.on_command = [&kept](const Command& command, AnswerSlot slot) {
            if (command.envelope.tag == "HoldThis")
                kept.emplace(std::move(slot));
            else
                kept.reset();
        };
        const AskId ask = teacher.request(student.id, "HoldThis").value();
        REQUIRE(teacher.send(student.id, "Forget").ok());
        ends_as_failed(teacher.await(ask, Deadline::in(world.clock, 1h)));
    }
    SECTION("by keeping another one in its place") {
        kept.emplace();
        student.on_command = [&kept](const Command&, AnswerSlot slot) { *kept = std::move(slot); };
        const AskId first = teacher.request(student.id, "HoldThis").value();
        const AskId second = teacher.request(student.id, "HoldThis").value();
        ends_as_failed(teacher.await(first, Deadline::in(world.clock, 1h)));
        CHECK_FALSE(teacher.loop.is_settled(second));
        kept->reply(encoded<std::int64_t>(7));
        CHECK(decoded<std::int64_t>(teacher.await(second, Deadline::in(world.clock, 1h)).value()) == 7);
    }
}

TEST_CASE("many requests are under way at once and each gets its own reply", "[simulation]") {
    SimWorld world;
    SimActor& teacher = world.spawn("teacher");
    std::vector<SimActor*> students;
    for (int index = 0; index < 5; ++index) {
        students.push_back(&world.spawn("student" + std::to_string(index)));
        students.back()->on_command = add_one;
    }
    std::vector<AskId> asks;
    for (std::int64_t index = 0; index < 50; ++index)
        asks.push_back(teacher.request(students[static_cast<std::size_t>(index) % 5]->id, "Add",
                                            encoded<std::int64_t>(index * 10)).value());
    for (std::size_t index = asks.size(); index-- > 0;) {  // in another order than they were asked
        const Result<ReplyFrame> reply = teacher.await(asks[index], Deadline::in(world.clock, 5s));
        REQUIRE(reply.ok());
        CHECK(decoded<std::int64_t>(*reply) == static_cast<std::int64_t>(index) * 10 + 1);
    }
}

TEST_CASE("only who was asked can answer", "[simulation]") {
    SimWorld world;
    SimActor& teacher = world.spawn("teacher");
    SimActor& student = world.spawn("student");
    SimActor& copycat = world.spawn("copycat");
    make_known(world, teacher, {&student, &copycat});
    student.is_frozen = true;
    const AskId for_student = teacher.request(student.id, "Add", encoded<std::int64_t>(1)).value();
    copycat.on_command = [&](const Command& command, AnswerSlot slot) {
        const Envelope forged{MessageKind::reply, student.id, teacher.id, 0, for_student, "Add"};
        Answers& answers = copycat.loop.commands().answers();
        CHECK(answers.post(command.link, forged, encoded<std::int64_t>(666)) == Answers::Posted::yes);
        slot.reply(encoded<std::int64_t>(3));
    };
    REQUIRE(teacher.ask(copycat.id, "Add", encoded<std::int64_t>(2)).ok());
    CHECK_FALSE(teacher.loop.is_settled(for_student));
    student.is_frozen = false;
    student.on_command = add_one;
    CHECK(decoded<std::int64_t>(teacher.await(for_student, Deadline::in(world.clock, 5s)).value()) == 2);
}

TEST_CASE("of two actors that ask each other one is told of the deadlock, and both go on", "[simulation][I8]") {
    SimWorld world;
    SimActor& one = world.spawn("one");
    SimActor& two = world.spawn("two");
    std::optional<ErrorKind> inner;
    two.on_command = [&](const Command& command, AnswerSlot slot) {
        if (command.envelope.tag == "Add") return add_one(command, std::move(slot));
        const Result<ReplyFrame> reply = two.ask(one.id, "YouFirst", "\x80", 1s);
        if (!reply) inner = reply.error().kind;
        slot.reply(encoded<std::int64_t>(7));
    };
    const Result<ReplyFrame> reply = one.ask(two.id, "YouFirst", "\x80", 2s);
    CHECK(inner == ErrorKind::deadlock);
    REQUIRE(reply.ok());
    CHECK(decoded<std::int64_t>(*reply) == 7);
    CHECK(decoded<std::int64_t>(one.ask(two.id, "Add", encoded<std::int64_t>(1)).value()) == 2);
}

TEST_CASE("while a handler waits for an answer other commands wait, and come after it", "[simulation]") {
    SimWorld world;
    SimActor& teacher = world.spawn("teacher");
    SimActor& student = world.spawn("student");
    SimActor& library = world.spawn("library");
    make_known(world, teacher, {&student});
    std::vector<std::string> story;
    library.on_command = add_one;
    student.on_command = [&](const Command& command, AnswerSlot) {
        const std::string tag{command.envelope.tag};
        story.push_back("begin " + tag);
        if (tag == "Look") {
            CHECK(teacher.send(student.id, "Listen").ok());
            CHECK(student.ask(library.id, "Add", encoded<std::int64_t>(1)).ok());
        }
        story.push_back("end " + tag);
    };
    REQUIRE(teacher.send(student.id, "Look").ok());
    world.run_until_idle();
    CHECK(story == Tags{"begin Look", "end Look", "begin Listen", "end Listen"});
}

TEST_CASE("an actor can't ask itself, and nobody can't be addressed", "[simulation][I8]") {
    SimWorld world;
    SimActor& teacher = world.spawn("teacher");
    CHECK(teacher.ask(teacher.id, "HoldThis").error().kind == ErrorKind::refused);
    CHECK(teacher.ask(ActorId{}, "HoldThis").error().kind == ErrorKind::refused);
}

TEST_CASE("an actor may send to itself", "[simulation]") {
    SimWorld world;
    SimActor& teacher = world.spawn("teacher");
    REQUIRE(teacher.send(teacher.id, "Remember").ok());
    world.run_until_idle();
    CHECK(teacher.handled == Tags{"Remember"});
}

TEST_CASE("when the session has ended every ask ends as gone", "[simulation][I8]") {
    SimWorld world;
    SimActor& teacher = world.spawn("teacher");
    SimActor& student = world.spawn("student");
    make_known(world, teacher, {&student});
    student.is_frozen = true;
    const AskId ask = teacher.request(student.id, "HoldThis", "\x80").value();
    teacher.loop.control().lose_coordinator();
    const Result<ReplyFrame> reply = teacher.await(ask, Deadline::never());
    REQUIRE_FALSE(reply.ok());
    CHECK(reply.error().kind == ErrorKind::gone);
    CHECK(teacher.ask(student.id, "HoldThis").error().kind == ErrorKind::gone);
}

TEST_CASE("an abandoned ask is forgotten, and its reply dropped", "[simulation][I8]") {
    SimWorld world;
    SimActor& teacher = world.spawn("teacher");
    SimActor& student = world.spawn("student");
    student.on_command = add_one;
    const AskId ask = teacher.request(student.id, "Add", encoded<std::int64_t>(1)).value();
    teacher.loop.abandon(ask);
    world.run_until_idle();
    CHECK_FALSE(teacher.loop.is_settled(ask));
    CHECK(decoded<std::int64_t>(teacher.ask(student.id, "Add", encoded<std::int64_t>(5)).value()) == 6);
}

// ---- the control lane, stopping ------------------------------------------------------------------------

TEST_CASE("a stop overtakes the commands that wait, and these are reported as dead letters", "[simulation][I8]") {
    SimWorld world;
    SimActor& teacher = world.spawn("teacher");
    SimActor& other = world.spawn("other");
    SimActor& student = world.spawn("student");
    make_known(world, teacher, {&student});
    make_known(world, other, {&student});
    student.is_frozen = true;
    for (int index = 0; index < 100; ++index) REQUIRE(teacher.send(student.id, "HoldThis").ok());
    REQUIRE(other.send(student.id, "GoHome").ok());
    const AskId ask = other.request(student.id, "Add", encoded<std::int64_t>(1)).value();
    teacher.loop.outbox().flush();
    world.stop(student);

    CHECK(student.loop.serve(&student, [] { return false; }, Deadline::never()) == Loop::Waited::stopping);
    CHECK(student.handled.empty());
    const std::vector<DeadLetter> dead = student.loop.finish(student);
    CHECK(student.handled.empty());
    REQUIRE(dead.size() == 3);
    CHECK((dead[0].from == "2.1" && dead[0].command == "HoldThis" && dead[0].count == 100));
    CHECK((dead[1].from == "3.1" && dead[1].command == "Add" && dead[1].count == 1));
    CHECK((dead[2].from == "3.1" && dead[2].command == "GoHome" && dead[2].count == 1));
    // The asker is not left waiting.
    const Result<ReplyFrame> reply = other.await(ask, Deadline::in(world.clock, 1h));
    REQUIRE_FALSE(reply.ok());
    CHECK(reply.error().kind == ErrorKind::stopping);
}

TEST_CASE("a stop that drains handles what waits first, and leaves nothing", "[simulation][I8]") {
    SimWorld world;
    SimActor& teacher = world.spawn("teacher");
    SimActor& student = world.spawn("student");
    make_known(world, teacher, {&student});
    student.is_frozen = true;
    for (int index = 0; index < 10; ++index) REQUIRE(teacher.send(student.id, "HoldThis").ok());
    world.stop(student, true);
    CHECK(student.loop.serve(&student, [] { return false; }, Deadline::never()) == Loop::Waited::stopping);
    CHECK(student.loop.finish(student).empty());
    CHECK(student.handled == Tags(10, "HoldThis"));
}

TEST_CASE("a second stop that does not drain ends the draining", "[simulation][I8]") {
    SimWorld world;
    SimActor& teacher = world.spawn("teacher");
    SimActor& student = world.spawn("student");
    make_known(world, teacher, {&student});
    student.is_frozen = true;
    for (int index = 0; index < 10; ++index) REQUIRE(teacher.send(student.id, "HoldThis").ok());
    student.on_command = [&](const Command&, AnswerSlot) {
        if (student.handled.size() == 4) world.stop(student, false);
    };
    world.stop(student, true);
    CHECK(student.loop.serve(&student, [] { return false; }, Deadline::never()) == Loop::Waited::stopping);
    const std::vector<DeadLetter> dead = student.loop.finish(student);
    CHECK(student.handled.size() == 4);
    REQUIRE(dead.size() == 1);
    CHECK(dead[0].count == 6);
}

TEST_CASE("a stop that drains, after one that does not, changes nothing", "[simulation][I8]") {
    SimWorld world;
    SimActor& teacher = world.spawn("teacher");
    SimActor& student = world.spawn("student");
    make_known(world, teacher, {&student});
    student.is_frozen = true;
    REQUIRE(teacher.send(student.id, "HoldThis").ok());
    world.stop(student, false);
    world.stop(student, true);
    CHECK(student.loop.serve(&student, [] { return false; }, Deadline::never()) == Loop::Waited::stopping);
    CHECK(student.loop.finish(student).size() == 1);
    CHECK(student.handled.empty());
}

// Goal: what a dead peer had sent is handled before `Drained` says that nothing of it can come any more.
// Method: the heir has found its inbox empty; then a message comes, its sender dies, and the heir is asked for Drained;
// and in the same turn, before it looks at its inbox again, its user's code waits for an answer.
TEST_CASE("user code that waits in the middle of a turn does not make an actor say Drained too soon",
          "[simulation][T6]") {
    SimWorld world;
    SimActor& giver = world.spawn("giver");
    SimActor& heir = world.spawn("heir");
    SimActor& friendly = world.spawn("friendly");
    make_known(world, giver, {&heir});
    make_known(world, heir, {&friendly});
    friendly.on_command = add_one;
    std::vector<Tags> handled_when_drained;
    world.on_told = [&](const Envelope& told) {
        if (told.tag == "Drained") handled_when_drained.push_back(heir.handled);
    };
    bool has_waited = false;
    const auto wait_for_an_answer = [&] {
        heir.due = Deadline::never();
        heir.watched_descriptor = -1;
        has_waited = heir.loop.ask(friendly.id, "Add", encoded<std::int64_t>(1), 5s).ok();
    };
    const ActorId dead = giver.id;
    REQUIRE(giver.send(heir.id, "Gift").ok());

    SECTION("in on_deadline()") {
        heir.at_deadline = wait_for_an_answer;
        heir.due = Deadline{world.clock.now()};
    }
    SECTION("in on_descriptor()") {
        heir.at_descriptor = wait_for_an_answer;
        heir.watched_descriptor = 0;
    }
    SECTION("while it is told of an exit") {
        heir.loop.control().on_exited([&](const Ended&) { wait_for_an_answer(); });
        world.notify(heir.id, "Exited", encoded(notice::Exited{AnyRef{ActorId{99, 1}}, "another", {}}));
    }
    world.kill(giver);
    world.notify(heir.id, "Drain", encoded(notice::Drain{AnyRef{dead}, 4711}));
    world.run_until_idle();
    CHECK(has_waited);
    REQUIRE(handled_when_drained.size() == 1);
    CHECK(handled_when_drained[0] == Tags{"Gift"});
}

TEST_CASE("an unknown notice, of a later version, is passed over", "[simulation]") {
    SimWorld world;
    SimActor& student = world.spawn("student");
    world.notify(student.id, "Bounced", "\x80");
    world.notify(student.id, "Stop", encoded(notice::Stop{false}));
    student.run();
    CHECK(student.loop.is_stopping());
}

TEST_CASE("a notice counts only on the control lane", "[simulation]") {
    SimWorld world;
    SimActor& teacher = world.spawn("teacher");
    SimActor& student = world.spawn("student");
    student.on_command = [&](const Command& command, AnswerSlot slot) {
        const Envelope forged{MessageKind::notice, coordinator_id, teacher.id, 0, 0, "Stop"};
        Answers& answers = student.loop.commands().answers();
        CHECK(answers.post(command.link, forged, encoded(notice::Stop{false})) == Answers::Posted::yes);
        slot.reply(encoded<std::int64_t>(1));
    };
    CHECK(teacher.ask(student.id, "HoldThis").ok());
    CHECK_FALSE(teacher.loop.is_stopping());
}

TEST_CASE("a sync is answered when all that was sent before it has been handled", "[simulation]") {
    SimWorld world;
    SimActor& teacher = world.spawn("teacher");
    SimActor& student = world.spawn("student");
    make_known(world, teacher, {&student});
    for (int index = 0; index < 200; ++index) REQUIRE(teacher.send(student.id, "HoldThis").ok());
    REQUIRE(teacher.ask(student.id, "baton.Sync").ok());
    CHECK(student.handled == Tags(200, "HoldThis"));
}

// ---- order, batches, back-pressure ---------------------------------------------------------------------

TEST_CASE("commands to an actor that is behind share frames and keep their order", "[simulation]") {
    SimWorld world;
    SimActor& teacher = world.spawn("teacher");
    SimActor& student = world.spawn("student");
    make_known(world, teacher, {&student});
    std::vector<std::int64_t> numbers;
    student.on_command = [&numbers](const Command& command, AnswerSlot slot) {
        numbers.push_back(decoded<std::int64_t>(command.body));
        if (slot.is_asked()) slot.reply(encoded<std::int64_t>(0));
    };
    student.is_frozen = true;
    const std::uint64_t frames_before = world.traffic.frames_sent;
    std::int64_t next = 0;
    for (; next < 1'000; ++next) REQUIRE(teacher.send(student.id, "HoldThis", encoded(next)).ok());
    const std::uint64_t frames = world.traffic.frames_sent - frames_before;
    CHECK(frames < limits::batch_from_waiting + 1'000 / limits::batch_commands_max + 2);
    student.is_frozen = false;
    REQUIRE(teacher.ask(student.id, "HoldThis", encoded(next)).ok());  // takes along what still waits for a frame
    REQUIRE(numbers.size() == 1'001);
    for (std::size_t index = 0; index < numbers.size(); ++index)
        REQUIRE(numbers[index] == static_cast<std::int64_t>(index));
}

TEST_CASE("what waits to share a frame leaves when the sender waits or its handler has returned", "[simulation]") {
    SimWorld world;
    SimActor& teacher = world.spawn("teacher");
    SimActor& student = world.spawn("student");
    make_known(world, teacher, {&student});
    student.is_frozen = true;
    for (int index = 0; index < 70; ++index) REQUIRE(teacher.send(student.id, "HoldThis").ok());
    student.run();
    CHECK(student.handled.size() < 70);
    teacher.run();
    student.run();
    CHECK(student.handled.size() == 70);
}

TEST_CASE("an actor that keeps up is sent each command at once", "[simulation]") {
    SimWorld world;
    SimActor& teacher = world.spawn("teacher");
    SimActor& student = world.spawn("student");
    make_known(world, teacher, {&student});
    for (std::size_t count = 1; count <= 200; ++count) {
        REQUIRE(teacher.send(student.id, "HoldThis").ok());
        student.run();
        REQUIRE(student.handled.size() == count);
    }
}

// Goal: a receiver that stands still costs its senders time and a bounded amount of memory, never more.
// Method: send large commands to a frozen actor until the window is full, then many times more; let it run.
TEST_CASE("a full window is overloaded after the deadline, with memory flat, and opens again", "[simulation][I8]") {
    SimWorld world{1'000'000};  // so that the window is what bounds
    SimActor& teacher = world.spawn("teacher");
    SimActor& student = world.spawn("student");
    make_known(world, teacher, {&student});
    student.is_frozen = true;
    const Buffer body = encoded(std::string(200'000, 'x'));
    std::size_t sent = 0;
    while (teacher.send(student.id, "Carry", body, 10ms).ok()) REQUIRE(++sent < 1'000);
    CHECK(sent * body.size() <= limits::window_bytes_max);
    CHECK((sent + 1) * (body.size() + 50) > limits::window_bytes_max);

    const std::uint64_t bytes_then = world.traffic.bytes_on_the_way;
    for (int again = 0; again < 100; ++again) {
        const Instant before = world.clock.now();
        const Result<void> refused = teacher.send(student.id, "Carry", body, 10ms);
        REQUIRE_FALSE(refused.ok());
        REQUIRE(refused.error().kind == ErrorKind::overloaded);
        REQUIRE(world.clock.now() - before >= 10ms);
        REQUIRE(world.clock.now() - before < 20ms);
    }
    CHECK(world.traffic.bytes_on_the_way == bytes_then);
    CHECK(world.traffic.bytes_on_the_way_max <= limits::window_bytes_max + limits::batch_bytes_max);
    CHECK(world.vitals().waiting(teacher.id, student.id) == sent);

    student.is_frozen = false;
    CHECK(teacher.send(student.id, "Carry", body, 10ms).ok());
    world.run_until_idle();
    CHECK(student.handled.size() == sent + 1);
    CHECK(world.vitals().waiting(teacher.id, student.id) == 0);
}

TEST_CASE("a window is also full at its number of commands, however small they are", "[simulation][I8]") {
    SimWorld world{1'000'000};
    SimActor& teacher = world.spawn("teacher");
    SimActor& student = world.spawn("student");
    make_known(world, teacher, {&student});
    student.is_frozen = true;
    std::uint64_t sent = 0;
    Result<void> last;
    while ((last = teacher.send(student.id, "Tap", "\x80", 1ms)).ok()) ++sent;
    CHECK(last.error().kind == ErrorKind::overloaded);
    CHECK(sent == limits::window_commands_max);
}

TEST_CASE("a full link is overloaded, and what was refused is not sent, what was not is not lost", "[simulation][I8]") {
    SimWorld world{8};
    SimActor& teacher = world.spawn("teacher");
    SimActor& student = world.spawn("student");
    make_known(world, teacher, {&student});
    std::vector<std::int64_t> numbers;
    student.on_command = [&numbers](const Command& command, AnswerSlot) {
        numbers.push_back(decoded<std::int64_t>(command.body));
    };
    student.is_frozen = true;
    std::vector<std::int64_t> accepted;
    for (std::int64_t number = 0; number < 20; ++number) {
        const Result<void> sent = teacher.send(student.id, "HoldThis", encoded(number), 10ms);
        if (sent.ok())
            accepted.push_back(number);
        else
            CHECK(sent.error().kind == ErrorKind::overloaded);
    }
    CHECK(accepted.size() == 8);
    CHECK(world.vitals().waiting(teacher.id, student.id) == 8);
    student.is_frozen = false;
    REQUIRE(teacher.send(student.id, "HoldThis", encoded<std::int64_t>(99)).ok());
    accepted.push_back(99);
    world.run_until_idle();
    CHECK(numbers == accepted);
}

TEST_CASE("a stop ends a send that waits for room", "[simulation][I8]") {
    const std::size_t link_frames_max = GENERATE(std::size_t{8}, std::size_t{1'000'000});  // link or window
    SimWorld world{link_frames_max};
    SimActor& teacher = world.spawn("teacher");
    SimActor& student = world.spawn("student");
    SimActor& head = world.spawn("head");
    make_known(world, teacher, {&student, &head});
    head.on_command = [&](const Command&, AnswerSlot) { world.stop(teacher); };
    student.is_frozen = true;
    const Buffer body = encoded(std::string(1'000'000, 'x'));
    while (teacher.send(student.id, "Carry", body, 1ms).ok()) {}
    REQUIRE(teacher.send(head.id, "Complain").ok());
    const Instant before = world.clock.now();
    CHECK(teacher.send(student.id, "Carry", body, 1h).error().kind == ErrorKind::stopping);
    CHECK(world.clock.now() - before < 1s);
}

TEST_CASE("a receiver that dies ends a send that waits for room", "[simulation][I8]") {
    const std::size_t link_frames_max = GENERATE(std::size_t{8}, std::size_t{1'000'000});
    SimWorld world{link_frames_max};
    SimActor& teacher = world.spawn("teacher");
    SimActor& student = world.spawn("student");
    SimActor& bully = world.spawn("bully");
    make_known(world, teacher, {&student, &bully});
    bully.on_command = [&](const Command&, AnswerSlot) { world.kill(student); };
    student.is_frozen = true;
    const ActorId id = student.id;
    const Buffer body = encoded(std::string(1'000'000, 'x'));
    while (teacher.send(student.id, "Carry", body, 1ms).ok()) {}
    REQUIRE(teacher.send(bully.id, "Push").ok());
    const Instant before = world.clock.now();
    const Result<void> sent = teacher.send(id, "Carry", body, 1h);
    REQUIRE_FALSE(sent.ok());
    CHECK(sent.error().kind == ErrorKind::gone);
    CHECK(world.clock.now() - before < 1s);
}

TEST_CASE("an asker that reads slowly still gets all its answers, in order", "[simulation][I8]") {
    SimWorld world{8};
    SimActor& teacher = world.spawn("teacher");
    SimActor& student = world.spawn("student");
    make_known(world, teacher, {&student});
    std::vector<AnswerSlot> kept;
    student.on_command = [&kept](const Command&, AnswerSlot slot) { kept.push_back(std::move(slot)); };
    std::vector<AskId> asks;
    for (int index = 0; index < 50; ++index) asks.push_back(teacher.request(student.id, "Ponder").value());
    world.run_until_idle();
    REQUIRE(kept.size() == 50);
    // More answers at once than the link holds.
    for (std::size_t index = 0; index < kept.size(); ++index)
        kept[index].reply(encoded(static_cast<std::int64_t>(index)));
    for (std::size_t index = 0; index < asks.size(); ++index) {
        const Result<ReplyFrame> reply = teacher.await(asks[index], Deadline::in(world.clock, 5s));
        REQUIRE(reply.ok());
        CHECK(decoded<std::int64_t>(*reply) == static_cast<std::int64_t>(index));
    }
}

TEST_CASE("who reads no answers is dropped when too many bytes wait for it, and nobody else", "[simulation][I8]") {
    SimWorld world{8};
    SimActor& teacher = world.spawn("teacher");
    SimActor& other = world.spawn("other");
    SimActor& student = world.spawn("student");
    make_known(world, teacher, {&student});
    make_known(world, other, {&student});
    const Buffer large = encoded(std::string(limits::message_bytes_max - 100, 'x'));
    student.on_command = [&large](const Command&, AnswerSlot slot) { slot.reply(large); };
    teacher.is_frozen = true;
    constexpr std::size_t enough = limits::answer_bytes_waiting_max / (limits::message_bytes_max - 100) + 10;
    for (std::size_t count = 0; count < enough; ++count) {
        REQUIRE(teacher.loop.request(student.id, "Fetch", "\x80", 5s).ok());
        student.run();
    }
    CHECK(student.loop.commands().intake().dropped_peers() == 1);
    CHECK(student.handled.size() < enough);
    CHECK(other.ask(student.id, "Fetch").ok());
}

TEST_CASE("a command larger than a message is refused, and so is such a reply", "[simulation]") {
    SimWorld world;
    SimActor& teacher = world.spawn("teacher");
    SimActor& student = world.spawn("student");
    const Buffer large = encoded(std::string(limits::message_bytes_max, 'x'));
    const Result<void> sent = teacher.send(student.id, "Carry", large);
    REQUIRE_FALSE(sent.ok());
    CHECK(sent.error().kind == ErrorKind::refused);
    CHECK_THAT(sent.error().text, Contains("limits::message_bytes_max"));
    student.on_command = [&large](const Command&, AnswerSlot slot) { slot.reply(large); };
    CHECK(teacher.ask(student.id, "Fetch").error().kind == ErrorKind::refused);
    CHECK(student.handled == Tags{"Fetch"});
}

TEST_CASE("an exit that can't be read still takes the actor out, and is logged", "[simulation][I8]") {
    SimWorld world;
    SimActor& teacher = world.spawn("teacher");
    SimActor& student = world.spawn("student");
    make_known(world, teacher, {&student});
    student.is_frozen = true;
    const Result<AskId> ask = teacher.request(student.id, "HoldThis", "\x80");
    REQUIRE(ask.ok());
    const baton_test::LogLevelSetting level{"warn"};
    const baton_test::CapturedStderr logged;
    Log log{"teacher"};
    // The command in hand was cut within a character: the text of the notice is not UTF-8.
    world.notify(teacher.id, "Exited",
                 encoded(notice::Exited{AnyRef{student.id}, "student", {ExitKind::signalled, 9, "", "Hold\xC3", {}}}));
    const Result<ReplyFrame> reply = teacher.await(*ask, Deadline::in(world.clock, 1h));
    REQUIRE_FALSE(reply.ok());
    CHECK(reply.error().kind == ErrorKind::gone);
    CHECK_THAT(reply.error().text, Contains("student has exited: left"));
    CHECK(teacher.send(student.id, "Late").error().kind == ErrorKind::gone);
}

TEST_CASE("an error keeps its kind, its type and its text, whatever bytes they are", "[simulation]") {
    SimWorld world;
    SimActor& teacher = world.spawn("teacher");
    SimActor& student = world.spawn("student");
    Error thrown;
    student.on_command = [&thrown](const Command&, AnswerSlot slot) { slot.fail(thrown); };
    const auto told = [&](Error error) {
        thrown = std::move(error);
        return teacher.ask(student.id, "HoldThis").error();
    };
    // 4,095 letters and one of two bytes: the cut falls within it.
    const Error cut = told({ErrorKind::failed,
                            std::string(limits::error_text_bytes_max - 1, 'x') + "\xC3\xA9",
                            "std::runtime_error",
                            {"frame"}});
    CHECK(cut.kind == ErrorKind::failed);
    CHECK(cut.type == "std::runtime_error");
    CHECK(cut.text.size() <= limits::error_text_bytes_max);
    CHECK(cut.text.ends_with("xxx..."));
    CHECK(cut.frames == std::vector<std::string>{"frame"});

    const Error latin = told({ErrorKind::failed, "cannot open 'caf\xE9'", "std::bad\xFF", {"in \xE9"}});
    CHECK(latin.kind == ErrorKind::failed);
    CHECK(latin.text == "cannot open 'caf\xEF\xBF\xBD'");
    CHECK(latin.type == "std::bad\xEF\xBF\xBD");

    // Of any size: an error always fits into an answer.
    const std::string large(std::size_t{4} << 20, 'x');
    CHECK(told({ErrorKind::failed, large, large, {large, large, large, large, large}}).kind == ErrorKind::failed);
}

TEST_CASE("a command with a name that no message has room for is refused by its sender", "[simulation]") {
    SimWorld world;
    SimActor& teacher = world.spawn("teacher");
    SimActor& student = world.spawn("student");
    CHECK(teacher.send(student.id, std::string(limits::tag_bytes_max, 'T')).ok());
    const Result<void> sent = teacher.send(student.id, std::string(limits::message_bytes_max, 'T'));
    REQUIRE_FALSE(sent.ok());
    CHECK(sent.error().kind == ErrorKind::refused);
    CHECK_THAT(sent.error().text, Contains("limits::tag_bytes_max"));
    CHECK(teacher.ask(student.id, "HoldThis", nested_too_deep).error().kind == ErrorKind::refused);
    student.on_command = [](const Command&, AnswerSlot slot) { slot.reply(nested_too_deep); };
    const Error deep = teacher.ask(student.id, "HoldThis").error();
    CHECK(deep.kind == ErrorKind::refused);
    CHECK_THAT(deep.text, Contains("limits::message_depth_max"));
}

TEST_CASE("a Ref of another session is refused by the session's name, wherever it is used", "[simulation]") {
    SimWorld world;
    SimActor& teacher = world.spawn("teacher");
    SimActor& student = world.spawn("student");
    teacher.loop.be_in(SessionTag::of("k3v9x2ab"));
    student.on_command = [](const Command&, AnswerSlot slot) { slot.reply("\xc0"); };
    const AnyRef ours{student.id, SessionTag::of("k3v9x2ab")};
    const AnyRef other{student.id, SessionTag::of("mnpqrstu")};
    CHECK(teacher.loop.send(ours, "GoHome", "\x80", 5s, Loop::Urgency::now).ok());
    CHECK(teacher.loop.send(AnyRef{student.id}, "GoHome", "\x80", 5s, Loop::Urgency::now).ok());
    for (const Error& error : {teacher.loop.send(other, "GoHome", "\x80", 5s, Loop::Urgency::now).error(),
                               teacher.loop.request(other, "HoldThis", "\x80", 5s).error(),
                               teacher.loop.ask(other, "HoldThis", "\x80", 5s).error()}) {
        CHECK(error.kind == ErrorKind::refused);
        CHECK_THAT(error.text, Contains("mnpqrstu") && Contains("k3v9x2ab"));
    }
}

TEST_CASE("an actor that was asked before it existed is no stranger when it has come", "[simulation]") {
    SimWorld world;
    SimActor& teacher = world.spawn("teacher");
    const ActorId next{teacher.id.number + 1, 1};
    CHECK(teacher.send(next, "GoHome").error().kind == ErrorKind::gone);
    SimActor& student = world.spawn("student");
    REQUIRE(student.id == next);
    CHECK(teacher.send(next, "GoHome").ok());
    world.run_until_idle();
    CHECK(student.handled == Tags{"GoHome"});
}
