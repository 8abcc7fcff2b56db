// ControlLane and Exits: notices by their types, and the end of others.
#include "runtime/inbox/control_lane.hpp"

#include "tests/captured_stderr.hpp"
#include "tests/unit/inbox_fixture.hpp"

using namespace inbox_test;
using baton_test::CapturedStderr;
using Catch::Matchers::Contains;

namespace {

// A member whose control lane is open, and its coordinator.
struct Joined : Parts {
    Joined() {
        REQUIRE(control.open("coordinator").ok());
        REQUIRE(outbox.send(coordinator_id, message("Ready"), soon).ok());
        lane = coordinator.take().at(0).link;
    }
    void notify(std::string_view tag, std::string_view body) {
        coordinator.say(lane, MessageKind::notice, 0, tag, body);
        control.serve();
    }
    Other coordinator{network, coordinator_id, "coordinator"};
    Link lane;
};

const notice::Exited exited_bob{AnyRef{bob}, "bob", {ExitKind::signalled, 9, "killed", "", {}, {}}};

}  // namespace

TEST_CASE("a notice is handled by the on() for its type", "[inbox]") {
    Joined member;
    member.notify("Stop", encoded(notice::Stop{true}));
    CHECK(member.self.is_stopping());
    CHECK_FALSE(member.self.ends_waits());  // it drains first
    member.notify("Stop", encoded(notice::Stop{false}));
    CHECK(member.self.ends_waits());
    member.notify("Drain", encoded(notice::Drain{AnyRef{bob}, 1}));
    CHECK(member.exits.is_draining());
}

TEST_CASE("a notice that nobody knows is ignored, and what must not be missed is read out of a broken one", "[inbox]") {
    Joined member;
    CapturedStderr logged;
    member.notify("Dance", "\x80");
    CHECK_FALSE(member.self.is_stopping());
    member.notify("Drain", "\x07");
    CHECK_FALSE(member.exits.is_draining());
    CHECK_THAT(logged.text(), Contains("notice.unreadable"));
    member.notify("Stop", "\x07");
    CHECK(member.self.is_stopping());
}

TEST_CASE("a notice over another link than the control lane is none", "[inbox]") {
    Joined member;
    Other other{member.network, bob, "bob"};
    member.open(bob, "bob");
    REQUIRE(member.asking.request(bob, message("Count"), member.soon).ok());
    other.say(other.take().at(0).link, MessageKind::notice, 0, "Stop", encoded(notice::Stop{false}));
    member.replies.collect();
    CHECK_FALSE(member.self.is_stopping());
}

TEST_CASE("an actor that has exited is forgotten, asks to it end, and who wants to know is told once", "[inbox]") {
    Joined member;
    Other other{member.network, bob, "bob"};
    member.open(bob, "bob");
    std::vector<std::string> told;
    member.control.on_exited([&](const Ended& one) { told.push_back(one.name); });
    const AskId answered = member.asking.request(bob, message("One"), member.soon).value();
    const AskId unanswered = member.asking.request(bob, message("Two"), member.soon).value();
    other.say(other.take().at(0).link, MessageKind::reply, answered, "One", encoded(std::int64_t{1}));
    member.notify("Exited", encoded(exited_bob));
    CHECK(told.empty());  // not within a wait, but between commands
    for (int round = 0; round < 2; ++round) member.exits.tell();
    CHECK(told == std::vector<std::string>{"bob"});
    CHECK(member.asking.await(answered, member.soon).ok());  // what it had answered counts
    CHECK(member.asking.await(unanswered, member.soon).error().kind == ErrorKind::gone);
    CHECK(member.peers.find(bob) == nullptr);
    CHECK_FALSE(member.peers.any_owes_answer());
}

TEST_CASE("with the coordinator all asks end, and nothing is sent any more", "[inbox]") {
    Joined member;
    Other other{member.network, bob, "bob"};
    member.open(bob, "bob");
    const AskId ask = member.asking.request(bob, message("Count"), member.soon).value();
    bool has_died = false;
    member.control.watch_coordinator(0, [&] { return has_died; });
    CHECK(member.control.has_coordinator());
    has_died = true;
    CHECK_FALSE(member.control.has_coordinator());
    CHECK(member.control.descriptor() == -1);
    CHECK(member.asking.await(ask, member.soon).error().kind == ErrorKind::gone);
    CHECK(member.asking.request(bob, message("Count"), member.soon).error().kind == ErrorKind::gone);
    CHECK(member.outbox.send(bob, message("One"), member.soon).error().kind == ErrorKind::gone);
}
