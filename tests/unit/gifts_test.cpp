// Gifts: what has been sent and is not accepted yet, and what is forgotten of it when.
#include "runtime/inbox/gifts.hpp"
#include "runtime/transport/loopback_transport.hpp"
#include "tests/unit/holdings_fixture.hpp"

using namespace holdings_test;

// Goal: a gift whose receiver takes its time does not keep the messages of all later ones.
// Method: of forty gifts all but the first are accepted; the sender looks now and then, as it sends.
TEST_CASE("gifts behind one that is undecided are forgotten as they are accepted", "[gifts]") {
    Pair pair;
    LoopbackNetwork network;
    LoopbackTransport transport{network};
    Log log{"test"};
    Self self{transport, pair.clock, log};
    self.attach(*pair.a);
    Gifts gifts{self};
    std::vector<Holding*> sent;
    for (std::uint64_t number = 1; number <= 40; ++number) {
        Holding& gift = *pair.a->create(bytes(10)).value();
        const Handle handle = pair.offer(gift);
        gifts.note({bob_id, Gifts::By::send, number}, "Take", "body", Parcel{"Take", {&gift}});
        sent.push_back(&gift);
        Holding* got = nullptr;
        if (number > 1) REQUIRE(pair.accept(handle, &got));
    }
    for (int look = 0; look < 10; ++look) gifts.look(bob_id);
    CHECK(sent[0]->is_in_transit());
    CHECK(std::all_of(sent.begin() + 1, sent.end(),
                      [](const Holding* one) { return !one->is_in_use(); }));
    CHECK(gifts.any(bob_id));
    // The one that is left can still come back.
    const std::optional<Bounce> back = gifts.take_back({bob_id, Gifts::By::send, 1}, Error{ErrorKind::refused, "no"});
    REQUIRE(back);
    CHECK(back->parcel.holdings == std::vector<Holding*>{sent[0]});
    CHECK_FALSE(gifts.any());
    pair.a->release(*sent[0]);
}
