#include "runtime/inbox/asks.hpp"

#include <set>

#include "tests/catch.hpp"

namespace {

using namespace baton;
using namespace baton::detail;

constexpr ActorId alice{3, 1};
constexpr ActorId bob{4, 1};

}  // namespace

TEST_CASE("every ask has an id of its own, and none is 0", "[inbox][I8]") {
    Asks asks;
    std::set<AskId> ids;
    for (int index = 0; index < 100; ++index) ids.insert(asks.begin(alice).value());
    CHECK(ids.size() == 100);
    CHECK_FALSE(ids.contains(0));
    // Not even after one was forgotten: a late answer must not settle a younger ask.
    const AskId last = *ids.rbegin();
    asks.forget(last);
    CHECK(asks.begin(alice).value() != last);
}

TEST_CASE("only the first outcome of an ask counts", "[inbox][I8]") {
    Asks asks;
    const AskId ask = asks.begin(alice).value();
    CHECK(asks.find(ask)->to == alice);
    CHECK_FALSE(asks.find(ask)->outcome.has_value());
    CHECK(asks.settle(ask, ReplyFrame{"first", 0}));
    CHECK_FALSE(asks.settle(ask, Error{ErrorKind::gone, "second"}));
    REQUIRE(asks.find(ask)->outcome.has_value());
    REQUIRE(asks.find(ask)->outcome->ok());
    CHECK((*asks.find(ask)->outcome)->frame == "first");
}

TEST_CASE("an answer to an ask that is unknown or forgotten is dropped", "[inbox]") {
    Asks asks;
    CHECK_FALSE(asks.settle(1, ReplyFrame{"early", 0}));
    const AskId ask = asks.begin(alice).value();
    asks.forget(ask);
    CHECK(asks.find(ask) == nullptr);
    CHECK_FALSE(asks.settle(ask, ReplyFrame{"late", 0}));
}

TEST_CASE("when an actor goes its asks end, those of others go on", "[inbox][I8]") {
    Asks asks;
    const AskId answered = asks.begin(alice).value();
    const AskId open = asks.begin(alice).value();
    const AskId other = asks.begin(bob).value();
    asks.settle(answered, ReplyFrame{"in time", 0});
    asks.settle_all_to(alice, Error{ErrorKind::gone, "alice has exited"});
    CHECK(asks.find(answered)->outcome->ok());
    REQUIRE(asks.find(open)->outcome.has_value());
    CHECK(asks.find(open)->outcome->error().kind == ErrorKind::gone);
    CHECK_FALSE(asks.find(other)->outcome.has_value());
    asks.settle_all(Error{ErrorKind::gone, "the session has ended"});
    CHECK(asks.find(other)->outcome->error().text == "the session has ended");
    CHECK(asks.find(open)->outcome->error().text == "alice has exited");
}

TEST_CASE("beyond the limit an ask is refused as overloaded, and taken again when one has ended", "[inbox]") {
    Asks asks;
    AskId first = 0;
    for (std::size_t index = 0; index < limits::asks_in_flight_max; ++index) {
        const AskId ask = asks.begin(alice).value();
        if (index == 0) first = ask;
    }
    const Result<AskId> one_more = asks.begin(alice);
    REQUIRE_FALSE(one_more.ok());
    CHECK(one_more.error().kind == ErrorKind::overloaded);
    asks.forget(first);
    CHECK(asks.begin(alice).ok());
}
