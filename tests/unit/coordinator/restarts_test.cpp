// Which actors are restarted, when, and which others with them: decided without processes.
#include "actors/coordinator/restarts.hpp"

#include "tests/catch.hpp"

using namespace std::chrono_literals;
using baton::ActorId;
using baton::Duration;
using baton::Restart;
using baton::detail::ManualClock;
using baton::detail::coordinator::Restarts;
using baton::detail::coordinator::Seat;

namespace {

constexpr ActorId spawner{2, 1};

// Seats of one spawner whose first life is ready, with numbers from 10 on.
struct House {
    explicit House(Restart each, std::uint32_t count = 1) {
        for (std::uint32_t index = 0; index < count; ++index) {
            Seat seat;
            seat.state = Seat::lives;
            seat.first = seat.life = {10 + index, 1};
            seat.parent = spawner;
            seat.name = std::string(1, static_cast<char>('a' + index));
            seat.how = each;
            seat.order = restarts.next_order();
            seat.begun = clock.now();
            restarts.add(std::move(seat));
        }
    }
    [[nodiscard]] const Seat& at(std::uint32_t index) const { return restarts.all().at(10 + index); }
    Restarts::Decision fail(std::uint32_t index) { return restarts.ended(at(index).life, true, "signal -9"); }
    Restarts::Decision stop(std::uint32_t index) { return restarts.ended(at(index).life, false, "stopped"); }
    [[nodiscard]] Duration delay(std::uint32_t index) const { return at(index).due.left(clock); }
    void settle(std::uint32_t index) { restarts.settled(10 + index); }
    // The names of those that begin now.
    std::string begin() {
        std::string names;
        for (const std::uint32_t number : restarts.due()) {
            const Seat& seat = restarts.all().at(number);
            names += seat.name;
            restarts.begun(number, {number, seat.life.incarnation + 1});
        }
        return names;
    }
    // Fails, and begins again when it is due.
    Duration fail_and_begin(std::uint32_t index) {
        REQUIRE(fail(index).restarts);
        const Duration waited = delay(index);
        settle(index);
        clock.advance(waited);
        begin();
        return waited;
    }

    ManualClock clock;
    Restarts restarts{clock};
};

Restart in_group(Restart::Strategy strategy) {
    Restart how;
    how.group = "stages";
    how.strategy = strategy;
    return how;
}

}  // namespace

TEST_CASE("an actor that never is restarted has ended for good", "[unit][restarts]") {
    House house{Restart{.policy = Restart::Policy::never}};
    CHECK_FALSE(house.fail(0).restarts);
    CHECK_FALSE(house.restarts.holds(10));
}

TEST_CASE("on failure: an end in good order is the last one, another end is not", "[unit][restarts]") {
    House house{Restart{}, 2};
    CHECK_FALSE(house.stop(0).restarts);
    CHECK_FALSE(house.restarts.holds(10));
    CHECK(house.fail(1).restarts);
    CHECK(house.at(1).failure == "signal -9");
}

TEST_CASE("always: an end in good order is followed by the next life", "[unit][restarts]") {
    House house{Restart{.policy = Restart::Policy::always}};
    CHECK(house.stop(0).restarts);
    CHECK(house.at(0).failure.empty());
}

TEST_CASE("an actor that ends before its first life was ready has no second one", "[unit][restarts]") {
    House house{Restart{}};
    house.restarts.find({10, 1})->state = Seat::founded;
    CHECK_FALSE(house.fail(0).restarts);
    CHECK_FALSE(house.restarts.holds(10));
}

TEST_CASE("the back-off doubles from its first to its most, and begins anew after a quiet period", "[unit][restarts]") {
    House house{Restart{.restarts_max = 32, .period = 10s, .back_off_first = 100ms, .back_off_most = 1s}};
    CHECK(house.fail_and_begin(0) == 100ms);
    CHECK(house.fail_and_begin(0) == 200ms);
    CHECK(house.fail_and_begin(0) == 400ms);
    CHECK(house.fail_and_begin(0) == 800ms);
    CHECK(house.fail_and_begin(0) == 1s);
    CHECK(house.fail_and_begin(0) == 1s);
    house.clock.advance(11s);
    CHECK(house.fail_and_begin(0) == 100ms);
    CHECK(house.at(0).restarts == 7);
}

TEST_CASE("one restart more than may be within the period is none: the actor is given up", "[unit][restarts]") {
    House house{Restart{.restarts_max = 2, .period = 10s, .back_off_first = 1s, .back_off_most = 1s}};
    house.fail_and_begin(0);
    house.fail_and_begin(0);
    CHECK(house.fail(0).gives_up);
    CHECK_FALSE(house.at(0).is_between_lives());
}

TEST_CASE("restarts that are older than the period do not count", "[unit][restarts]") {
    House house{Restart{.restarts_max = 2, .period = 10s, .back_off_first = 1s, .back_off_most = 1s}};
    for (int round = 0; round < 10; ++round) {
        house.fail_and_begin(0);
        house.clock.advance(6s);
    }
    CHECK(house.at(0).restarts == 10);
}

TEST_CASE("the next life begins when the last one is settled and the back-off is over", "[unit][restarts]") {
    House house{Restart{.back_off_first = 1s}};
    CHECK(house.fail(0).restarts);
    house.clock.advance(5s);
    CHECK(house.begin().empty());
    CHECK(house.restarts.next().is_never());
    house.settle(0);
    CHECK(house.restarts.next().has_passed(house.clock));
    CHECK(house.begin() == "a");
    CHECK(house.at(0).life == ActorId{10, 2});
    CHECK(house.restarts.find({10, 1}) == &house.at(0));  // a past life is of the same actor
    CHECK(house.restarts.find({10, 3}) == nullptr);
}

TEST_CASE("one for one: the others of a group live on", "[unit][restarts]") {
    House house{in_group(Restart::Strategy::one_for_one), 3};
    CHECK(house.fail(1).to_end.empty());
    house.settle(1);
    house.clock.advance(1s);
    CHECK(house.begin() == "b");
}

TEST_CASE("one for all: all of the group end, and begin together in the order of their spawns", "[unit][restarts]") {
    House house{in_group(Restart::Strategy::one_for_all), 3};
    house.restarts.find({10, 1})->order = 9;  // numbers come round: a lower one may have been spawned later
    CHECK(house.fail(1).to_end == std::vector<ActorId>{{10, 1}, {12, 1}});
    house.settle(1);
    house.clock.advance(1s);
    CHECK(house.begin().empty());  // two of them have not ended
    CHECK(house.stop(2).restarts);
    house.settle(2);
    CHECK(house.fail(0).restarts);  // however it ends
    CHECK(house.begin().empty());  // one has not been settled
    house.settle(0);
    CHECK(house.begin() == "bca");
    // It was one failure, of one of them.
    CHECK(house.at(1).recent.size() == 1);
    CHECK(house.at(0).recent.empty());
}

TEST_CASE("rest for one: those that were spawned later end and begin again", "[unit][restarts]") {
    House house{in_group(Restart::Strategy::rest_for_one), 3};
    CHECK(house.fail(1).to_end == std::vector<ActorId>{{12, 1}});
    house.settle(1);
    CHECK(house.stop(2).restarts);
    house.settle(2);
    house.clock.advance(1s);
    CHECK(house.begin() == "bc");
    CHECK(house.at(0).life == ActorId{10, 1});
}

TEST_CASE("an actor of a group does not begin before one that was spawned earlier", "[unit][restarts]") {
    House house{in_group(Restart::Strategy::rest_for_one), 2};
    house.restarts.find({10, 1})->how.back_off_first = 2s;
    CHECK(house.fail(1).restarts);
    house.settle(1);
    CHECK(house.fail(0).restarts);
    house.settle(0);
    house.clock.advance(1s);
    CHECK(house.begin().empty());
    house.clock.advance(1s);
    CHECK(house.begin() == "ab");
}

TEST_CASE("who is given up takes along those that would have been restarted with it", "[unit][restarts]") {
    Restart how = in_group(Restart::Strategy::one_for_all);
    how.restarts_max = 0;
    House house{how, 3};
    house.restarts.find({11, 1})->state = Seat::waits;
    const Restarts::Decision decision = house.fail(0);
    CHECK(decision.gives_up);
    CHECK(decision.to_end.empty());
    CHECK(decision.to_leave == std::vector<ActorId>{{11, 1}, {12, 1}});
}

TEST_CASE("groups of two spawners with one name are two groups", "[unit][restarts]") {
    House house{in_group(Restart::Strategy::one_for_all), 2};
    house.restarts.find({11, 1})->parent = ActorId{3, 1};
    CHECK(house.fail(0).to_end.empty());
}

TEST_CASE("what was decided is not decided again", "[unit][restarts]") {
    House house{in_group(Restart::Strategy::one_for_all), 2};
    CHECK(house.fail(0).to_end == std::vector<ActorId>{{11, 1}});
    const Duration delay = house.delay(0);
    const Restarts::Decision again = house.fail(0);
    CHECK(again.restarts);
    CHECK(again.to_end == std::vector<ActorId>{{11, 1}});
    CHECK(house.delay(0) == delay);
    CHECK(house.at(0).recent.size() == 1);
}

TEST_CASE("a next life that cannot begin yet is due again later", "[unit][restarts]") {
    House house{Restart{.back_off_first = 0s}};
    CHECK(house.fail(0).restarts);
    house.settle(0);
    CHECK(house.restarts.due().size() == 1);
    house.restarts.put_off(10, 20ms);
    CHECK(house.begin().empty());
    house.clock.advance(20ms);
    CHECK(house.begin() == "a");
}
