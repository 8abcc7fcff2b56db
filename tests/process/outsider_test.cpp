// A program that knows protocols by their descriptions only, in a session of others; and what it can observe there.
#include <algorithm>
#include <csignal>
#include <cstring>

#include <baton/observer.hpp>
#include <baton/outsider.hpp>
#include "tests/process/vault_world.hpp"

using namespace std::chrono_literals;
using baton::ErrorKind;
using baton::Outsider;
using baton::Result;
using baton::dynamic::is_empty;
using baton::dynamic::Memory;
using baton::dynamic::Value;
using Catch::Matchers::Contains;

namespace {

Value::Map fields(std::initializer_list<std::pair<const char*, Value>> all) {
    Value::Map map;
    for (const auto& [name, value] : all) map.emplace_back(Value{std::string(name)}, value);
    return map;
}

std::unique_ptr<Outsider> enter(ProcessWorld& world, std::string name, baton::dynamic::Protocol protocol = {}) {
    Outsider::Entry entry;
    entry.session = world.session().id();
    entry.name = std::move(name);
    entry.protocol = std::move(protocol);
    return Outsider::enter(std::move(entry)).value();
}

std::shared_ptr<Memory> make(Outsider& outsider, std::uint64_t elements, std::int64_t value) {
    baton::Segment segment = outsider.context().create_array<std::int64_t>({elements}).value();
    std::ranges::fill(segment.as<std::int64_t>(), value);
    return std::make_shared<Memory>(std::move(segment));
}

struct Question {
    std::string text;
    using Reply = std::string;
};
struct Remark {
    std::string text;
};

}  // namespace

TEST_CASE("an outsider asks an actor by names that it has learned from its protocol", "[process][outsider]") {
    ProcessWorld world;
    world.spawn("Ada");
    const std::unique_ptr<Outsider> outsider = enter(world, "guest");
    const baton::dynamic::Actor ada = outsider->find("Ada").value();
    CHECK(ada.name == "Ada");
    CHECK(ada.protocol->name == "probe");
    CHECK(outsider->name_of(ada.ref).value() == "Ada");
    CHECK(outsider->ask(ada, "Echo", fields({{"text", {"hello"}}})).value() == Value{"hello"});

    const Result<Value> wrong = outsider->ask(ada, "Echo", fields({{"text", {true}}}));
    REQUIRE_FALSE(wrong.ok());
    CHECK(wrong.error().kind == ErrorKind::refused);
    CHECK_THAT(wrong.error().text, Contains("Echo.text: expected string, got bool"));
    CHECK(outsider->ask(ada, "Dance", {}).error().kind == ErrorKind::unsupported);
    CHECK_THAT(outsider->ask(ada, "Release", {}).error().text, Contains("can be sent, not asked"));

    REQUIRE(outsider->send(ada, "Count", fields({{"ballast", {""}}})).ok());
    CHECK(outsider->ask(ada, "HowMany", {}).value() == Value{std::int64_t{1}});
}

TEST_CASE("an actor answers who knows its types and who does not, each as it was asked", "[process][outsider]") {
    ProcessWorld world;
    TestScenario& scenario = world.scenario();
    const ProbeRef actor = world.spawn("Ada");
    const std::unique_ptr<Outsider> outsider = enter(world, "guest");
    const baton::dynamic::Actor ada = outsider->find("Ada").value();
    probe::Everything sent;
    sent.colour = probe::Colour::blue;
    sent.text = "h\xc3\xa9llo";
    sent.list = {1, -2, 3};
    sent.table = {{"one", 1}, {"two", 2.5}};
    sent.either = std::string("either");
    sent.ref = actor;
    for (int round = 0; round < 3; ++round) {  // the first ask of each goes with names
        const probe::Everything back = scenario.ask(actor, probe::SendEverything{sent}).value();
        CHECK(back.colour == sent.colour);
        CHECK(back.text == sent.text);
        CHECK(back.list == sent.list);
        CHECK(back.table == sent.table);
        CHECK(back.either == sent.either);
        CHECK(back.ref == sent.ref);
        CHECK(outsider->ask(ada, "Echo", fields({{"text", {"from a guest"}}})).value() == Value{"from a guest"});
        CHECK(scenario.ask(actor, probe::Echo{"from a scenario"}).value() == "from a scenario");
        CHECK(scenario.ask(actor, probe::Throw{"no"}).error().kind == ErrorKind::failed);
        CHECK(scenario.ask(actor, probe::DropAnswer{}).error().kind == ErrorKind::failed);
        auto later = scenario.request(actor, probe::AnswerLater{}).value();
        CHECK(scenario.ask(actor, probe::WhoAsks{}).value().id == world.session().loop().me());
        CHECK_FALSE(later.ready());
        scenario.send(actor, probe::Release{}).value();
        const std::string released = later.get(10s).value();
        CHECK(outsider->ask(ada, "Echo", fields({{"text", {released}}})).value() == Value{released});
    }
}

TEST_CASE("a pending reply can be waited for again, tells who ended the wait, and outlives its outsider",
          "[process][outsider]") {
    ProcessWorld world;
    world.spawn("Ada");
    std::unique_ptr<Outsider> outsider = enter(world, "guest");
    const baton::dynamic::Actor ada = outsider->find("Ada").value();
    const auto later = baton::dynamic::EncodedCommand::of(ada.protocol, "AnswerLater", {}).value();

    baton::dynamic::Pending pending = outsider->request(ada.ref, later).value();
    CHECK(pending.wait(0s).error().kind == ErrorKind::timed_out);
    CHECK_FALSE(pending.is_settled());
    REQUIRE(outsider->send(ada, "Release", {}).ok());
    REQUIRE(pending.wait(30s).ok());
    CHECK(pending.get(0s).ok());
    CHECK(pending.was_answered());

    baton::dynamic::Pending given_up = outsider->request(ada.ref, later).value();
    CHECK(given_up.get(0s).error().kind == ErrorKind::timed_out);
    CHECK_FALSE(given_up.was_answered());

    baton::dynamic::Pending orphan = outsider->request(ada.ref, later).value();
    outsider.reset();
    CHECK(orphan.get(1s).error().kind == ErrorKind::gone);
    CHECK_FALSE(orphan.cancel());
}

TEST_CASE("memory that an outsider gives leaves it with the command, and comes back in the reply",
          "[process][outsider][I3]") {
    VaultWorld vaults;
    vaults.spawn("Vault");
    const std::unique_ptr<Outsider> outsider = enter(vaults.world, "guest");
    const baton::dynamic::Actor vault = outsider->find("Vault").value();
    const std::shared_ptr<Memory> memory = make(*outsider, 4, 5);
    const Value item{Value::Held{baton::dynamic::HeldKind::segment, memory}};

    const Result<Value> refused = outsider->ask(vault, "Change", fields({{"item", item}, {"add", {"two"}}}));
    CHECK(refused.error().kind == ErrorKind::refused);
    CHECK_FALSE(is_empty(*memory));

    const Value reply = outsider->ask(vault, "Change", fields({{"item", item}, {"add", {std::int64_t{2}}}})).value();
    CHECK(is_empty(*memory));
    const auto* const back = reply.as<Value::Held>();
    REQUIRE(back != nullptr);
    CHECK(std::get<baton::Segment>(*back->memory).as<std::int64_t>()[3] == 7);
    CHECK(baton::dynamic::layout_of(*back->memory).type == "<i8");
}

TEST_CASE("a view keeps memory from being given, and keeps its content when the session has ended",
          "[process][outsider]") {
    VaultWorld vaults;
    vaults.spawn("Vault");
    std::unique_ptr<Outsider> outsider = enter(vaults.world, "guest");
    const baton::dynamic::Actor vault = outsider->find("Vault").value();
    const std::shared_ptr<Memory> memory = make(*outsider, 2, 9);
    std::optional<baton::dynamic::View> view = baton::dynamic::View::of(*memory).value();
    const Value::Map keep = fields({{"item", {Value::Held{baton::dynamic::HeldKind::segment, memory}}},
                                    {"number", {std::int64_t{1}}}});
    CHECK(outsider->send(vault, "Keep", keep).error().kind == ErrorKind::refused);

    outsider.reset();
    CHECK(is_empty(*memory));
    std::int64_t first = 0;
    std::memcpy(&first, view->bytes().data(), sizeof first);
    CHECK(first == 9);
    view.reset();

    outsider = enter(vaults.world, "guest");
    const std::shared_ptr<Memory> other = make(*outsider, 2, 9);
    CHECK(baton::dynamic::View::of(*other).ok());  // and ends at once
    CHECK(outsider->send(vault, "Keep",
                         fields({{"item", {Value::Held{baton::dynamic::HeldKind::segment, other}}},
                                 {"number", {std::int64_t{1}}}}))
              .ok());
}

TEST_CASE("what an outsider gave to an actor that dies comes back with its fields", "[process][outsider][I3]") {
    VaultWorld vaults;
    const vault::Address doomed = vaults.spawn("Doomed");
    const std::unique_ptr<Outsider> outsider = enter(vaults.world, "guest");
    const baton::dynamic::Actor actor = outsider->find("Doomed").value();
    REQUIRE(outsider->context().signal(actor.ref, SIGSTOP).ok());  // it takes nothing any more
    const std::shared_ptr<Memory> memory = make(*outsider, 2, 3);
    REQUIRE(outsider->send(actor, "Keep", fields({{"item", {Value::Held{baton::dynamic::HeldKind::segment, memory}}},
                                                  {"number", {std::int64_t{17}}}})).ok());
    CHECK(is_empty(*memory));
    vaults.kill(doomed);
    const auto bounced = outsider->collect_bounced(1, 30s, [&](const baton::AnyRef&) { return actor.protocol; });
    REQUIRE(bounced.value().size() == 1);
    const baton::dynamic::Bounced& one = bounced->front();
    CHECK(one.command == "Keep");
    CHECK_FALSE(one.is_reply);
    CHECK(one.to == actor.ref);
    CHECK(one.why.kind == ErrorKind::gone);
    CHECK(*one.fields->field("number") == Value{std::int64_t{17}});
    CHECK(std::get<baton::Segment>(*one.fields->field("item")->as<Value::Held>()->memory).as<std::int64_t>()[1] == 3);
}

TEST_CASE("an outsider answers the commands that it has published, each once", "[process][outsider]") {
    ProcessWorld world;
    const std::unique_ptr<Outsider> host =
        enter(world, "host", baton::dynamic::protocol_of<baton::Protocol<Question, Remark>>());
    const std::unique_ptr<Outsider> guest = enter(world, "guest");
    const baton::dynamic::Actor found = guest->find("host").value();
    const auto question =
        baton::dynamic::EncodedCommand::of(found.protocol, "Question", fields({{"text", {"why?"}}})).value();
    baton::dynamic::Pending first = guest->request(found.ref, question).value();
    baton::dynamic::Pending second = guest->request(found.ref, question).value();
    REQUIRE(guest->send(found, "Remark", fields({{"text", {"so"}}})).ok());

    std::vector<baton::dynamic::Message> messages = host->collect("", {.count = 3, .within = 30s}).value();
    REQUIRE(messages.size() == 3);
    CHECK(messages[0].from == guest->ref());
    CHECK(*messages[0].fields->field("text") == Value{"why?"});
    CHECK_FALSE(messages[2].answer.is_asked());
    const Result<void> misfit = messages[0].answer.reply(Value{true});
    CHECK(misfit.error().kind == ErrorKind::refused);
    CHECK(messages[0].answer.reply(Value{"because"}).ok());
    CHECK_THAT(messages[0].answer.reply(Value{"again"}).error().text, Contains("has been answered already"));
    CHECK(first.get(30s).value() == Value{"because"});
    messages.clear();  // an answer that nobody gives
    CHECK(second.get(30s).error().kind == ErrorKind::failed);
}

TEST_CASE("an actor that was spawned detached outlives the outsider that spawned it", "[process][outsider]") {
    ProcessWorld world;
    std::unique_ptr<Outsider> outsider = enter(world, "guest");
    const baton::dynamic::Actor stays = outsider->spawn_detached({.program = "probe", .name = "stays"}).value();
    const auto leaves = outsider->spawn({{.program = "probe", .name = "leaves"}}, 30s).value();
    const baton::AnyRef guest = outsider->ref();
    REQUIRE(outsider->close().ok());
    REQUIRE(world.scenario().join(guest, 30s).ok());
    CHECK(world.scenario().exit_of(leaves.front().ref)->has_ended());
    const std::vector<baton::RosterRow> rows = world.scenario().roster().value();
    const auto row = std::ranges::find_if(rows, [&](const auto& one) { return one.actor == stays.ref; });
    REQUIRE(row != rows.end());
    CHECK(row->state == "ready");
}

TEST_CASE("an observer sees what a member has in hand, whom it waits for, what it holds and what it uses",
          "[process][observer]") {
    ProcessWorld world;
    const ProbeRef ada = world.spawn("Ada");
    const ProbeRef bob = world.spawn("Bob");
    const std::string fifo = world.make_fifo("fifo");
    auto asked = world.scenario().request(ada, probe::AskAround{{bob}, fifo, 60}).value();
    const std::unique_ptr<Outsider> outsider = enter(world, "guest");
    const baton::Observer observer = baton::Observer::of(*outsider).value();
    const auto of = [&](const std::string& name) {
        const std::vector<baton::MemberSight> all = observer.members(false).value();
        const auto found =
            std::ranges::find_if(all, [&](const baton::MemberSight& one) { return one.row.name == name; });
        REQUIRE(found != all.end());
        return *found;
    };
    while (of("Ada").waits_for_name.empty() || of("Bob").row.state != "busy") {
    }
    const baton::MemberSight sight = of("Ada");
    CHECK(sight.waits_for_name == "Bob");
    CHECK(sight.waits_for == baton::AnyRef{bob});
    CHECK_FALSE(sight.waits_for_room);
    CHECK(sight.row.in_hand == "AskAround");
    REQUIRE(sight.since.has_value());
    REQUIRE(sight.process.has_value());
    CHECK(static_cast<std::uint64_t>(sight.process->pid) == sight.row.pid);
    CHECK(sight.process->resident_bytes > 0);
    CHECK(*sight.since <= sight.process->age);
    CHECK(of("coordinator").row.pid == static_cast<std::uint64_t>(outsider->coordinator_pid()));
    world.release(fifo);
    CHECK(asked.get(30s).ok());
}

TEST_CASE("an observer lists the segments with their owners, and finds a balanced ledger so", "[process][observer]") {
    VaultWorld vaults;
    const vault::Address vault = vaults.spawn("Vault");
    const std::unique_ptr<Outsider> outsider = enter(vaults.world, "guest");
    const baton::Observer observer = baton::Observer::of(*outsider).value();
    REQUIRE(vaults.scenario().ask(vault, vault::Occupy{4096, 3}).value() == 3);
    const baton::SegmentsSight all = observer.segments().value();
    CHECK(all.alive == 3);
    REQUIRE(all.rows.size() == 3);
    CHECK(all.rows[0].owner == baton::AnyRef{vault});
    CHECK(all.rows[0].state == "owned");
    CHECK(all.rows[0].bytes == 4096);
    CHECK(observer.segments(1)->rows.size() == 1);
    CHECK(observer.segments(1)->alive == 3);
    const std::vector<baton::MemberSight> members = observer.members(false).value();
    const auto sight = std::ranges::find_if(members, [](const auto& one) { return one.row.name == "Vault"; });
    REQUIRE(sight != members.end());
    CHECK(sight->held_bytes >= 3 * 4096);
    CHECK(observer.audit().value().empty());
}
