#include "runtime/inbox/peers.hpp"

#include "runtime/transport/loopback_transport.hpp"
#include "tests/catch.hpp"
#include "tests/unit/vitals_fixture.hpp"

namespace {

using namespace baton;
using namespace baton::detail;
using baton_test::TestVitals;

constexpr ActorId me{3, 1};
constexpr ActorId bob{4, 1};

struct Sender {
    LoopbackNetwork network;
    LoopbackTransport transport{network};
    ManualClock clock;
    Log log{"test"};
    Self self{transport, clock, log};
    Peers peers{self};
    Sender() { self.be(me, "me"); }
};

void count(Peers& peers, Peer& peer, std::size_t records, std::size_t bytes_each = 10) {
    for (std::size_t index = 0; index < records; ++index) peers.count(peer, bytes_each);
}

void take(OwnVitals& receiver, std::uint64_t commands, std::uint64_t bytes) {
    receiver.traffic_with(me)->taken_commands.fetch_add(commands);
    receiver.traffic_with(me)->taken_bytes.fetch_add(bytes);
}

}  // namespace

TEST_CASE("records that are appended go out in order, and the last can be taken back", "[inbox]") {
    Sender sender;
    Peers& peers = sender.peers;
    Peer& peer = peers.add(bob, "bob", Link{2});
    peers.append(peer, "on", "e");
    peers.append(peer, "two!", "");
    CHECK(peer.waiting == "onetwo!");
    CHECK(peer.waiting_commands == 2);
    peers.take_back(peer, 4);
    CHECK(peer.waiting == "one");
    CHECK(peer.waiting_commands == 1);
}

TEST_CASE("a record that was counted as sent and has not left is no longer counted", "[inbox]") {
    Sender sender;
    Peers& peers = sender.peers;
    Peer& peer = peers.add(bob, "bob", Link{2});
    peers.count(peer, 3);
    peers.count(peer, 4);
    peers.uncount(peer, 4);
    CHECK(peer.sent.commands == 1);
    CHECK(peer.sent.bytes == 3);
}

TEST_CASE("a peer is found until it is removed", "[inbox]") {
    Sender sender;
    Peers& peers = sender.peers;
    CHECK(peers.find(bob) == nullptr);
    CHECK(peers.add(bob, "bob", Link{2}).name == "bob");
    REQUIRE(peers.find(bob) != nullptr);
    CHECK(peers.find(bob)->link == Link{2});
    peers.remove(bob);
    CHECK(peers.find(bob) == nullptr);
}

// Goal: what a receiver has not taken is bounded, even if it writes no vitals, as a foreign client does not.
TEST_CASE("of a receiver that keeps no row all is in flight until it has answered that it has taken it", "[inbox]") {
    TestVitals vitals;
    REQUIRE(vitals->prepare(bob).ok());
    Sender sender;
    if (GENERATE(true, false)) sender.self.attach(*vitals, vitals.own(me));
    Peers& peers = sender.peers;
    Peer& peer = peers.add(bob, "bob", Link{2});
    CHECK_FALSE(peers.is_counted(peer));
    count(peers, peer, 1000);
    CHECK(peers.in_flight(peer).commands == 1000);
    CHECK(peers.in_flight(peer).bytes == 10'000);
    CHECK_FALSE(peers.is_count_due(peer));
    count(peers, peer, limits::count_asked_after_commands - 1000);
    CHECK(peers.is_count_due(peer));
    peer.count_asked = peer.sent;
    CHECK_FALSE(peers.is_count_due(peer));
    count(peers, peer, 10);
    peers.note_taken(peer, peer.count_asked);
    CHECK(peers.in_flight(peer).commands == 10);
    CHECK(peers.in_flight(peer).bytes == 100);
    peers.count(peer, limits::count_asked_after_bytes);
    CHECK(peers.is_count_due(peer));
}

TEST_CASE("in flight is what was sent and not taken, by this life of the receiver", "[inbox]") {
    TestVitals vitals;
    OwnVitals receiver = vitals.own(bob);
    Sender sender;
    sender.self.attach(*vitals, vitals.own(me));
    Peers& peers = sender.peers;
    Peer& peer = peers.add(bob, "bob", Link{2});
    count(peers, peer, 100);
    CHECK(vitals->waiting(me, bob) == 100);  // published with each record
    CHECK(peers.in_flight(peer).commands == 100);
    CHECK(peers.in_flight(peer).bytes == 1000);
    take(receiver, 30, 300);
    CHECK(peers.in_flight(peer).commands == 70);
    CHECK(peers.in_flight(peer).bytes == 700);
    peers.uncount(peer, 10);
    CHECK(vitals->waiting(me, bob) == 69);
    CHECK(peers.in_flight(peer).commands == 69);
    const OwnVitals next_life = vitals.own({4, 2});
    CHECK(peers.in_flight(peer).commands == 0);
}

TEST_CASE("what goes to the coordinator is not counted in the vitals, but bounded too", "[inbox]") {
    TestVitals vitals;
    Sender sender;
    sender.self.attach(*vitals, vitals.own(me));
    Peers& peers = sender.peers;
    Peer& peer = peers.add(coordinator_id, "coordinator", Link{2});
    count(peers, peer, 100);
    CHECK(vitals->row_of(me)->peers.pages.load() == 0);
    CHECK(peers.in_flight(peer).commands == 100);
    CHECK_FALSE(peers.is_counted(peer));
}

TEST_CASE("a window is full at its commands or at its bytes, whichever comes first", "[inbox]") {
    CHECK(Peers::InFlight{{0, 0}}.fits(limits::message_bytes_max));
    CHECK(Peers::InFlight{{limits::window_commands_max - 1, 0}}.fits(1));
    CHECK_FALSE(Peers::InFlight{{limits::window_commands_max, 0}}.fits(0));
    CHECK(Peers::InFlight{{0, limits::window_bytes_max - 10}}.fits(10));
    CHECK_FALSE(Peers::InFlight{{0, limits::window_bytes_max - 10}}.fits(11));
}
