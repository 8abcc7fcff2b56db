// Returns: what was given away and has come back, until somebody takes it.
#include "runtime/inbox/returns.hpp"

#include "runtime/transport/loopback_transport.hpp"
#include "tests/unit/holdings_fixture.hpp"

using namespace holdings_test;

namespace {

// Alice, who has given one segment with each command to Bob.
struct Giver {
    Giver() { self.attach(*pair.a); }
    Holding& give(std::uint64_t number, std::string_view type) {
        Holding& gift = *pair.a->create(bytes(10)).value();
        static_cast<void>(pair.offer(gift));
        returns.gifts().note({bob_id, Gifts::By::send, number}, "Take", "body", Parcel{type, {&gift}});
        return gift;
    }
    Pair pair;
    LoopbackNetwork network;
    LoopbackTransport transport{network};
    Log log{"test"};
    Self self{transport, pair.clock, log};
    Returns returns{self};
    const Error no{ErrorKind::refused, "no"};
};

}  // namespace

TEST_CASE("what comes back goes to the taker of its type, between commands", "[gifts]") {
    Giver giver;
    Holding& photo = giver.give(1, "Photo");
    std::vector<Bounce> taken;
    giver.returns.on_bounced("Photo", [&](Bounce bounce) {
        CHECK(giver.self.is_handling());
        taken.push_back(std::move(bounce));
    });
    giver.returns.take_back({bob_id, Gifts::By::send, 1}, giver.no);
    CHECK(taken.empty());
    giver.returns.give(Returns::Unwanted::released);
    REQUIRE(taken.size() == 1);
    CHECK(taken[0].parcel.holdings == std::vector<Holding*>{&photo});
    CHECK(taken[0].why.text == "no");
    CHECK(photo.is<Owned>());
    giver.pair.a->release(photo);
}

TEST_CASE("what nobody takes is released, or kept for a scenario that collects it by type", "[gifts]") {
    Giver giver;
    Holding& photo = giver.give(1, "Photo");
    Holding& film = giver.give(2, "Film");
    giver.returns.take_back_commands(bob_id, giver.no);
    giver.returns.give(Returns::Unwanted::kept);
    CHECK(giver.returns.count("Photo") == 1);
    CHECK_FALSE(giver.returns.next("Slide"));
    CHECK_FALSE(giver.returns.next("Film", alice_id));
    const std::optional<Bounce> back = giver.returns.next("Film", bob_id);
    REQUIRE(back);
    CHECK(back->parcel.holdings == std::vector<Holding*>{&film});
    giver.pair.a->release(film);
    giver.returns.give(Returns::Unwanted::released);
    CHECK(giver.returns.count("Photo") == 0);
    CHECK_FALSE(photo.is_in_use());
}
