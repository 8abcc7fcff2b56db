// ControlLane and Exits: notices by their types, and the end of others.
#include "runtime/inbox/control_lane.hpp"

#include "tests/captured_stderr.hpp"
#include "tests/unit/inbox_fixture.hpp"

using namespace inbox_test;
using baton_test::CapturedStderr;
using Catch::Matchers::Contains;

namespace {

// The coordinator's place is as the test says.
struct ToldRole final : Role {
    State look() override { return std::exchange(state, state == State::passed_on ? State::held : state); }
    std::string address() const override { return "coordinator"; }
    void add_descriptors(std::vector<int>&) const override {}
    State state = State::held;
};

// A member whose control lane is open, and its coordinator.
struct Joined : Parts {
    Joined() {
        REQUIRE(control.open(role).ok());
        REQUIRE(outbox.send(coordinator_id, message("Ready"), soon).ok());
        lane = coordinator->take().at(0).link;
    }
    void notify(std::string_view tag, std::string_view body) {
        coordinator->say(lane, MessageKind::notice, 0, tag, body);
        control.serve();
    }
    ToldRole role;
    std::optional<Other> coordinator{std::in_place, network, coordinator_id, "coordinator"};
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

namespace {

// A member of which the coordinator has ended, after it had been asked what it has not answered.
struct Bereft : Joined {
    Bereft() {
        control.be_member(77);
        unanswered = asking.request(coordinator_id, message("Find"), soon).value();
        CHECK(coordinator->take_tags() == std::vector<std::string>{"Find"});
        coordinator.reset();
        role.state = Role::State::vacant;
        CHECK(control.has_session());
    }
    // The next one has bound its inbox by then.
    std::vector<Other::Got> be_succeeded() {
        successor.emplace(network, coordinator_id, "coordinator");
        role.state = Role::State::passed_on;
        CHECK(control.has_session());
        return successor->take();
    }
    AskId unanswered = 0;
    std::optional<Other> successor;
};

}  // namespace

TEST_CASE("with the session all asks end, and nothing is sent any more", "[inbox]") {
    Joined member;
    Other other{member.network, bob, "bob"};
    member.open(bob, "bob");
    const AskId ask = member.asking.request(bob, message("Count"), member.soon).value();
    CHECK(member.control.has_session());
    member.role.state = Role::State::over;
    CHECK_FALSE(member.control.has_session());
    CHECK(member.asking.await(ask, member.soon).error().kind == ErrorKind::gone);
    CHECK(member.asking.request(bob, message("Count"), member.soon).error().kind == ErrorKind::gone);
    CHECK(member.outbox.send(bob, message("One"), member.soon).error().kind == ErrorKind::gone);
}

TEST_CASE("without a coordinator a member goes on with others, and what it asks of one is kept", "[inbox]") {
    Bereft member;
    Other other{member.network, bob, "bob"};
    member.open(bob, "bob");
    CHECK(member.outbox.send(bob, message("One"), member.soon).ok());
    CHECK(other.take_tags() == std::vector<std::string>{"One"});
    CHECK(member.outbox.send(coordinator_id, message("MemoryShort"), member.soon).error().kind ==
          ErrorKind::overloaded);
    const AskId kept = member.asking.request(coordinator_id, message("Roster"), member.soon).value();
    CHECK_FALSE(member.asking.is_settled(kept));
    CHECK_FALSE(member.asking.is_settled(member.unanswered));
}

TEST_CASE("a member rejoins the next coordinator, and asks again what has no answer, in its order", "[inbox]") {
    Bereft member;
    Other other{member.network, bob, "bob"};
    member.open(bob, "bob");
    member.control.watches_exit_of({9, 1});
    const AskId kept = member.asking.request(coordinator_id, message("Roster"), member.soon).value();
    const std::vector<Other::Got> got = member.be_succeeded();
    REQUIRE(got.size() == 3);
    CHECK(got[0].tag == "Rejoin");
    CHECK((got[1].tag == "Find" && got[1].envelope.ask_id == member.unanswered));
    CHECK((got[2].tag == "Roster" && got[2].envelope.ask_id == kept));

    member.successor->say(got[0].link, MessageKind::reply, got[0].envelope.ask_id, "Rejoin",
                          encoded(coordinator::Welcome{AnyRef{me}, "me", "", 1, {}, 2}));
    member.successor->say(got[1].link, MessageKind::reply, member.unanswered, "Find", encoded(std::int64_t{1}));
    member.replies.take_all(member.control.link());
    CHECK(member.asking.await(member.unanswered, member.soon).ok());

    // What has been answered is not asked a third time.
    member.role.state = Role::State::vacant;
    CHECK(member.control.has_session());
    member.role.state = Role::State::passed_on;
    CHECK(member.control.has_session());
    std::vector<std::string> tags = member.successor->take_tags();
    CHECK(tags == std::vector<std::string>{"Rejoin", "Roster"});
}

TEST_CASE("a signal is not sent twice: its asker is told to ask again", "[inbox]") {
    Bereft member;
    const AskId signal = member.asking.request(coordinator_id, message("Signal"), member.soon).value();
    const std::vector<Other::Got> got = member.be_succeeded();
    CHECK(got.size() == 2);
    const Error error = member.asking.await(signal, member.soon).error();
    CHECK(error.kind == ErrorKind::gone);
    CHECK_THAT(error.text, Contains("ask again"));
}

TEST_CASE("an ask that is given up is not asked again of the next coordinator", "[inbox]") {
    Bereft member;
    static_cast<void>(member.asking.abandon(member.unanswered));
    const std::vector<Other::Got> got = member.be_succeeded();
    REQUIRE(got.size() == 1);
    CHECK(got[0].tag == "Rejoin");
}

TEST_CASE("a member that cannot rejoin at once tries again", "[inbox]") {
    Bereft member;
    std::vector<AskId> others;
    for (Result<AskId> ask = member.asks.begin(bob); ask; ask = member.asks.begin(bob)) others.push_back(*ask);
    CapturedStderr logged;
    CHECK(member.be_succeeded().empty());
    CHECK_THAT(logged.text(), Contains("coordinator.unreachable") && Contains("asks_in_flight_max"));
    member.asks.forget(others.back());
    member.clock.advance(1s);
    member.control.serve();
    CHECK(member.successor->take_tags() == std::vector<std::string>{"Rejoin", "Find"});
}

TEST_CASE("what a dead coordinator was asked in vain is not remembered for ever", "[inbox]") {
    Bereft member;
    for (int deaths = 0; deaths < 3; ++deaths) {
        if (!member.successor) REQUIRE(member.be_succeeded().at(0).tag == "Rejoin");
        member.role.state = Role::State::vacant;
        CHECK(member.control.has_session());
        member.role.state = Role::State::passed_on;
        CHECK(member.control.has_session());
    }
    // The one that is waited for, and the last Rejoin.
    std::size_t room = 0;
    while (member.asks.begin(bob)) ++room;
    CHECK(room == limits::asks_in_flight_max - 2);
}

TEST_CASE("a coordinator that does not know the member ends its session", "[inbox]") {
    Bereft member;
    const std::vector<Other::Got> got = member.be_succeeded();
    CapturedStderr logged;
    member.successor->say(got.at(0).link, MessageKind::error, got[0].envelope.ask_id, "Rejoin",
                          encoded(ErrorBody{"gone", "nobody", "", {}}));
    member.replies.take_all(member.control.link());
    CHECK_FALSE(member.control.has_session());
    CHECK_THAT(logged.text(), Contains("session.lost"));
    CHECK(member.asking.await(member.unanswered, member.soon).error().kind == ErrorKind::gone);
}

TEST_CASE("an exit that is told twice, by two coordinators, is told once", "[inbox]") {
    Joined member;
    std::vector<std::string> told;
    member.control.on_exited([&](const Ended& one) { told.push_back(one.name); });
    for (int coordinator = 0; coordinator < 2; ++coordinator) member.notify("Exited", encoded(exited_bob));
    member.exits.tell();
    CHECK(told == std::vector<std::string>{"bob"});
}
