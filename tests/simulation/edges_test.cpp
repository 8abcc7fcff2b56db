// What happens at the edges of a hand-over: an exception out of a wait, a taker that sends, a flood of answers, a
// forged reply, a link that is dropped, the end of the coordinator.
#include "runtime/inbox/access.hpp"
#include <baton/context.hpp>
#include "runtime/holdings/arrivals.hpp"
#include "tests/catch.hpp"
#include "tests/simulation/sim_world.hpp"

namespace {

using namespace sim;
using Catch::Matchers::Contains;
using Tags = std::vector<std::string>;

struct Interrupted {};

void make_known(SimWorld& world, SimActor& from, std::initializer_list<SimActor*> others) {
    for (SimActor* other : others) REQUIRE(from.send(other->id, "Hello").ok());
    world.run_until_idle();
    for (SimActor* other : others) other->handled.clear();
}

// As a signal's handler of a script raises out of a wait.
template <class Work>
void interrupt(SimWorld& world, const Work& work) {
    const auto before = std::exchange(world.network.on_wait, [](Duration) { throw Interrupted{}; });
    CHECK_THROWS_AS(work(), Interrupted);
    world.network.on_wait = before;
}

// A segment with one number in it, and the parcel that carries it.
struct OneGift {
    explicit OneGift(SimActor& giver) : holding(giver.holdings->create({"<i8", {1}}).value()) {}
    Holding* holding;
    Parcel parcel{"Gift", {holding}};
    // The body of a command whose one field is the segment.
    static Buffer body() { return "\x80"; }
};

// Takes what a command carries and keeps it.
SimActor::OnCommand keeper(SimActor& actor, std::vector<std::shared_ptr<Arrivals>>& kept,
                           std::vector<std::string>& refused) {
    return [&](const Command& command, AnswerSlot) {
        if (command.envelope.manifest.empty()) return;
        auto arrivals =
            std::make_shared<Arrivals>(actor.loop.holdings(), command.envelope.from, command.envelope.manifest);
        if (Result<void> accepted = arrivals->accept_all(); accepted) kept.push_back(std::move(arrivals));
        else refused.push_back(accepted.error().text);
    };
}

}  // namespace

// ---- an exception out of a wait ------------------------------------------------------------------------

TEST_CASE("a send that an exception ends has not been made, and is not made later", "[simulation][I8]") {
    const bool is_window = GENERATE(false, true);
    SimWorld world{is_window ? std::size_t{1'000'000} : std::size_t{8}};
    SimActor& teacher = world.spawn("teacher");
    SimActor& student = world.spawn("student");
    make_known(world, teacher, {&student});
    student.is_frozen = true;
    const Buffer body = encoded(std::string(1'000'000, 'x'));
    std::size_t taken = 0;
    while (teacher.send(student.id, "Carry", body, 1ms).ok()) ++taken;

    SECTION("sent") { interrupt(world, [&] { static_cast<void>(teacher.send(student.id, "Lost", body, 1h)); }); }
    SECTION("requested") { interrupt(world, [&] { static_cast<void>(teacher.request(student.id, "Lost", body)); }); }
    SECTION("asked") { interrupt(world, [&] { static_cast<void>(teacher.ask(student.id, "Lost", body, 1h)); }); }
    student.is_frozen = false;
    world.run_until_idle();
    CHECK(student.handled == Tags(taken, "Carry"));
    REQUIRE(teacher.send(student.id, "Last").ok());
    world.run_until_idle();
    CHECK(student.handled.size() == taken + 1);
    CHECK(student.handled.back() == "Last");
}

TEST_CASE("a wait for an address that an exception ends leaves nothing, and the next send goes out",
          "[simulation][I8]") {
    SimWorld world;
    SimActor& teacher = world.spawn("teacher");
    SimActor& student = world.spawn("student");
    interrupt(world, [&] { static_cast<void>(teacher.send(student.id, "Lost")); });
    REQUIRE(teacher.send(student.id, "Hello").ok());
    world.run_until_idle();
    CHECK(student.handled == Tags{"Hello"});
}

TEST_CASE("a wait for an answer that an exception ends can be made again", "[simulation][I8]") {
    SimWorld world;
    SimActor& teacher = world.spawn("teacher");
    SimActor& student = world.spawn("student");
    make_known(world, teacher, {&student});
    student.on_command = [](const Command&, AnswerSlot slot) { slot.reply(encoded(std::int64_t{7})); };
    Pending<std::int64_t> pending{PendingReply{teacher.loop, teacher.request(student.id, "Fetch").value()}};
    interrupt(world, [&] { static_cast<void>(pending.get(1h)); });
    CHECK(pending.get(1h).value() == 7);
}

TEST_CASE("what a send was to carry is where it was after an exception", "[simulation][T4][I3]") {
    SimWorld world{8};
    world.add_memory();
    SimActor& giver = world.spawn("giver");
    SimActor& heir = world.spawn("heir");
    make_known(world, giver, {&heir});
    heir.is_frozen = true;
    const Buffer body = encoded(std::string(100'000, 'x'));
    while (giver.send(heir.id, "Carry", body, 1ms).ok()) {}
    OneGift gift{giver};
    const std::uint32_t ticket = gift.holding->ticket;
    const auto give = [&](bool is_asked) {
        if (is_asked) static_cast<void>(giver.loop.ask(heir.id, "Gift", OneGift::body(), 1h, &gift.parcel));
        else static_cast<void>(giver.loop.send(heir.id, "Gift", OneGift::body(), 1h, Loop::Urgency::now, &gift.parcel));
    };
    interrupt(world, [&] { give(GENERATE(false, true)); });
    CHECK(gift.holding->is<Owned>());
    CHECK(gift.holding->ticket == ticket);
    const SegmentWord word = world.region->ledger().segments.word_of(gift.holding->slot);
    CHECK(word == SegmentWord{Phase::owned, giver.id.number, 0, gift.holding->epoch});
    heir.is_frozen = false;
    world.run_until_idle();
    CHECK(std::ranges::count(heir.handled, "Gift") == 0);
    giver.holdings->release(*gift.holding);
}

// ---- user code in the middle of a send -----------------------------------------------------------------

struct Long {
    std::string text;
};
struct Short {
    std::int64_t number = 0;
};

// Goal: a command that waits for its receiver's address keeps its bytes, whatever is sent in the meantime. Method:
// while a dead peer may still bring something, a wait of a scenario serves its mail and tells it of exits; there it
// sends over the same context.
TEST_CASE("a command that is on its way out is not changed by what is sent meanwhile", "[simulation]") {
    using Protocol = baton::Protocol<Long, Short>;
    SimWorld world;
    SimActor& scenario = world.spawn("scenario");
    SimActor& known = world.spawn("known");
    SimActor& fresh = world.spawn("fresh");
    make_known(world, scenario, {&known});
    Context context{scenario.loop};
    scenario.loop.commands().collect_with(scenario);
    std::string text;
    fresh.on_command = [&](const Command& command, AnswerSlot) { text = decoded<Long>(command.body).text; };
    std::int64_t number = 0;
    known.on_command = [&](const Command& command, AnswerSlot) { number = decoded<Short>(command.body).number; };
    context.on_exited([&](const Ended&) { CHECK(context.send(Ref<Protocol>{known.id}, Short{7}).ok()); });
    scenario.transport.may_still_deliver = true;
    world.notify(scenario.id, "Drain", encoded(notice::Drain{AnyRef{ActorId{98, 1}}, 1}));
    world.notify(scenario.id, "Exited", encoded(notice::Exited{AnyRef{ActorId{99, 1}}, "another", {}}));

    const std::string sent(1'000, 'y');
    scenario.is_busy = true;
    CHECK(context.send(Ref<Protocol>{fresh.id}, Long{sent}).ok());
    Access::loop(context).outbox().flush();
    scenario.is_busy = false;
    world.run_until_idle();
    CHECK(number == 7);
    CHECK(text == sent);
}

// ---- an actor that answers what nobody asked -----------------------------------------------------------

TEST_CASE("an answerer that never stops answering does not hold its asker beyond its deadline", "[simulation][I8]") {
    SimWorld world;
    SimActor& teacher = world.spawn("teacher");
    SimActor& flooder = world.spawn("flooder");
    make_known(world, teacher, {&flooder});
    Link back;
    std::vector<AnswerSlot> kept;
    flooder.on_command = [&](const Command& command, AnswerSlot slot) {
        back = command.link;
        kept.push_back(std::move(slot));
    };
    const AskId ask = teacher.request(flooder.id, "Ponder").value();
    world.run_until_idle();
    REQUIRE(back.is_some());
    // Faster than it reads, for ever.
    Buffer junk;
    Encoder encoder{junk};
    begin_record(encoder, {MessageKind::reply, flooder.id, teacher.id, 0, 4711, "Ponder"});
    Encoder{junk}.nil();
    std::uint64_t frames = 0;
    teacher.transport.before_receive_from = [&] {
        if (++frames > 100'000) throw std::logic_error("the asker reads on and on");
        static_cast<void>(flooder.transport.send(back, junk));
        world.clock.advance(1ms);
    };
    const Result<ReplyFrame> reply = teacher.await(ask, Deadline::in(world.clock, 3s));
    REQUIRE_FALSE(reply.ok());
    CHECK(reply.error().kind == ErrorKind::timed_out);
    // A stop is heard, too.
    world.stop(teacher);
    CHECK(teacher.ask(flooder.id, "Ponder", "\x80", 1h).error().kind == ErrorKind::stopping);
    teacher.transport.before_receive_from = [] {};
    kept.clear();
}

// Goal: what the giver remembers as sent is on its way, though commands without gifts may wait to share a frame.
TEST_CASE("a gift leaves at once, however far its receiver is behind", "[simulation][I3]") {
    SimWorld world;
    world.add_memory();
    SimActor& giver = world.spawn("giver");
    SimActor& heir = world.spawn("heir");
    make_known(world, giver, {&heir});
    heir.is_frozen = true;
    for (std::uint64_t count = 0; count < limits::batch_from_waiting; ++count)
        REQUIRE(giver.loop.send(heir.id, "Note", "\x80", 1s, Loop::Urgency::now).ok());
    const std::uint64_t before = world.traffic.frames_sent;
    REQUIRE(giver.loop.send(heir.id, "Note", "\x80", 1s, Loop::Urgency::may_share).ok());
    CHECK(world.traffic.frames_sent == before);
    OneGift gift{giver};
    REQUIRE(giver.loop.send(heir.id, "Gift", OneGift::body(), 1s, Loop::Urgency::may_share, &gift.parcel).ok());
    CHECK(world.traffic.frames_sent == before + 1);  // together with the note that waited
    std::vector<std::shared_ptr<Arrivals>> kept;
    Tags refused;
    heir.on_command = keeper(heir, kept, refused);
    heir.is_frozen = false;
    world.run_until_idle();
    CHECK(kept.size() == 1);
    CHECK(refused.empty());
}

// Goal: only the actor to which a link leads can give something over it. Method: an actor that was asked for something
// else answers what nobody asked, in the name of a third one whose gift lies in the asker's inbox, with that gift's
// handle.
TEST_CASE("a reply in another's name does not take that one's gift", "[simulation][I3]") {
    SimWorld world;
    world.add_memory();
    SimActor& giver = world.spawn("giver");
    SimActor& heir = world.spawn("heir");
    SimActor& forger = world.spawn("forger");
    make_known(world, giver, {&heir});
    make_known(world, heir, {&forger});
    OneGift gift{giver};
    const Slot slot_of_gift = gift.holding->slot;
    REQUIRE(giver.loop.send(heir.id, "Gift", OneGift::body(), 1s, Loop::Urgency::now, &gift.parcel).ok());
    const bool was_asked = GENERATE(false, true);
    forger.on_command = [&](const Command& command, AnswerSlot slot) {
        Envelope forged{MessageKind::reply, giver.id, heir.id, 0, was_asked ? command.envelope.ask_id : 4711, "Fetch"};
        forged.manifest.push_back(gift.holding->handle());
        Buffer frame;
        Encoder encoder{frame};
        begin_record(encoder, forged);
        Encoder{frame}.nil();
        REQUIRE(forger.transport.send(command.link, frame) == Transport::Sent::yes);
        slot.reply(encoded(std::int64_t{1}));
    };
    const Result<ReplyFrame> reply = heir.ask(forger.id, "Fetch");
    CHECK(reply.ok() != was_asked);
    CHECK(world.region->ledger().segments.word_of(slot_of_gift).phase == Phase::offered);
    std::vector<std::shared_ptr<Arrivals>> kept;
    Tags refused;
    heir.on_command = keeper(heir, kept, refused);
    world.run_until_idle();
    CHECK(kept.size() == 1);
    CHECK(refused.empty());
}

TEST_CASE("who reads no answers still gets what it was sent", "[simulation][I3]") {
    SimWorld world;
    world.add_memory();
    SimActor& deaf = world.spawn("deaf");
    SimActor& giver = world.spawn("giver");
    make_known(world, deaf, {&giver});
    make_known(world, giver, {&deaf});
    deaf.is_frozen = true;
    OneGift gift{giver};
    const Slot slot_of_gift = gift.holding->slot;
    REQUIRE(giver.loop.send(deaf.id, "Gift", OneGift::body(), 1s, Loop::Urgency::now, &gift.parcel).ok());
    const Buffer large = encoded(std::string(limits::message_bytes_max - 100, 'x'));
    giver.on_command = [&large](const Command&, AnswerSlot slot) { slot.reply(large); };
    constexpr std::size_t enough = 1'024 + limits::answer_bytes_waiting_max / (limits::message_bytes_max - 100) + 10;
    for (std::size_t count = 0; count < enough && giver.loop.commands().intake().dropped_peers() == 0; ++count) {
        REQUIRE(deaf.loop.request(giver.id, "Fetch", "\x80", 5s).ok());
        giver.run();
    }
    REQUIRE(giver.loop.commands().intake().dropped_peers() == 1);
    CHECK(world.region->ledger().segments.word_of(slot_of_gift).phase == Phase::offered);
    std::vector<std::shared_ptr<Arrivals>> kept;
    Tags refused;
    deaf.on_command = keeper(deaf, kept, refused);
    deaf.is_frozen = false;
    world.run_until_idle();
    CHECK(kept.size() == 1);
    CHECK(refused.empty());
}

// ---- actors that have ended ----------------------------------------------------------------------------

TEST_CASE("when the session has ended every wait ends as gone, at once", "[simulation][I8]") {
    SimWorld world;
    SimActor& teacher = world.spawn("teacher");
    SimActor& student = world.spawn("student");
    make_known(world, teacher, {&student});
    student.is_frozen = true;
    // In the middle of the wait.
    world.network.on_wait = [&](Duration) { teacher.loop.control().lose_coordinator(); };
    const Instant before = world.clock.now();
    const auto never = [] { return false; };
    const Deadline late = Deadline::in(world.clock, 1h);
    SECTION("serving") { CHECK(teacher.loop.serve(&teacher, never, late) == Loop::Waited::gone); }
    SECTION("not serving") { CHECK(teacher.loop.serve(nullptr, never, late) == Loop::Waited::gone); }
    SECTION("looking again and again") { CHECK(teacher.loop.poll(never, 1ms, late) == Loop::Waited::gone); }
    SECTION("for an answer") { CHECK(teacher.ask(student.id, "Ponder", "\x80", 1h).error().kind == ErrorKind::gone); }
    SECTION("for room") {
        const Buffer body = encoded(std::string(1'000'000, 'x'));
        Result<void> sent;
        while ((sent = teacher.send(student.id, "Carry", body, 1h)).ok()) {}
        CHECK(sent.error().kind == ErrorKind::gone);
        CHECK_THAT(sent.error().text, Contains("the session has ended"));
    }
    CHECK(world.clock.now() - before < 1s);
    world.network.on_wait = [](Duration) { throw std::logic_error("nothing is waited for"); };
    CHECK(teacher.send(student.id, "Late").error().kind == ErrorKind::gone);
    CHECK(teacher.loop.serve(nullptr, never, late) == Loop::Waited::gone);
    CHECK(teacher.loop.serve(nullptr, [] { return true; }, late) == Loop::Waited::done);
}

TEST_CASE("what is sent to an actor whose death is being settled is refused as gone", "[simulation][I8]") {
    SimWorld world;
    world.add_memory();
    SimActor& teacher = world.spawn("teacher");
    SimActor& student = world.spawn("student");
    make_known(world, teacher, {&student});
    REQUIRE(teacher.send(student.id, "Before").ok());
    const std::uint64_t waiting = world.vitals().waiting(teacher.id, student.id);
    world.region->ledger().lives.take(student.id);
    const Result<void> sent = teacher.send(student.id, "After");
    REQUIRE_FALSE(sent.ok());
    CHECK(sent.error().kind == ErrorKind::gone);
    CHECK(teacher.request(student.id, "After").error().kind == ErrorKind::gone);
    // Only what was accepted counts.
    CHECK(world.vitals().waiting(teacher.id, student.id) == waiting);
}
