// The ladder of a stop, without processes: when each actor is asked, and when force is due.
#include "actors/coordinator/stop_ladder.hpp"

#include "tests/catch.hpp"

#include <algorithm>
#include <random>

using namespace std::chrono_literals;
using baton::ActorId;
using baton::Deadline;
using baton::Duration;
using baton::detail::ManualClock;
using baton::detail::coordinator::StopLadder;
using Rung = baton::detail::coordinator::StopLadder::Rung;

namespace {

constexpr ActorId actor(std::uint32_t number) { return {number, 1}; }

// `count` actors, each started after the one before was ready; the last started is the last number.
std::vector<StopLadder::Climber> started_one_by_one(std::uint32_t count) {
    std::vector<StopLadder::Climber> climbers;
    for (std::uint32_t number = 1; number <= count; ++number) climbers.push_back({actor(number), {}, number});
    return climbers;
}

// Actors that need a moment between a stop notice and their end, and the one who takes the ladder's steps.
struct Climb {
    Climb(ManualClock& time, std::vector<StopLadder::Climber> climbers, Duration deadline, Duration moment)
        : clock(&time),
          start(time.now()),
          ladder(time, std::move(climbers), Deadline::in(time, deadline)),
          needs(moment) {}

    // Until everybody has ended.
    void run() {
        while (!ladder.is_done()) {
            for (const StopLadder::Step& step : ladder.due()) take(step);
            Deadline next = ladder.next();
            for (const auto& [one, end] : ends) next = next.or_earlier(end);
            REQUIRE_FALSE(next.is_never());
            clock->advance(next.left(*clock));
            for (auto one = ends.begin(); one != ends.end();) {
                if (!one->second.has_passed(*clock)) {
                    ++one;
                    continue;
                }
                ladder.exited(one->first);
                exits.push_back(one->first);
                one = ends.erase(one);
            }
        }
        took = clock->now() - start;
    }
    void take(const StopLadder::Step& step) {
        if (step.rung == Rung::ask) {
            asked.push_back(step.actor);
            ladder.asked(step.actor);
            is_stuck(step.actor) ? void() : void(ends.emplace(step.actor, Deadline::in(*clock, needs)));
        } else {
            forced.push_back(step);
            if (step.rung == Rung::kill) ends.insert_or_assign(step.actor, Deadline{clock->now()});
        }
    }
    [[nodiscard]] bool is_stuck(ActorId one) const { return std::ranges::find(stuck, one) != stuck.end(); }

    ManualClock* clock;
    baton::Instant start;
    StopLadder ladder;
    Duration needs;
    std::vector<ActorId> stuck = {};  // ends neither when asked nor on SIGTERM
    std::map<ActorId, Deadline> ends = {};
    std::vector<ActorId> asked = {};
    std::vector<ActorId> exits = {};
    std::vector<StopLadder::Step> forced = {};
    Duration took{};
};

}  // namespace

TEST_CASE("waves stop one after the other, the last to start first", "[unit][stop]") {
    ManualClock clock;
    Climb climb{clock, {{actor(1), {}, 1}, {actor(2), {}, 2}, {actor(3), {}, 2}, {actor(4), {}, 3}}, 5s, 100ms};
    climb.run();
    CHECK(climb.asked == std::vector{actor(4), actor(2), actor(3), actor(1)});
    CHECK(climb.took == 300ms);
    CHECK(climb.forced.empty());
}

TEST_CASE(
    "a thousand actors that were started one by one end unforced, though each needs a thousandth of the deadline and "
    "more",
    "[unit][stop]") {
    ManualClock clock;
    Climb climb{clock, started_one_by_one(1000), 5s, GENERATE(1ms, 5ms, 20ms, 500ms)};
    climb.run();
    CHECK(climb.forced.empty());
    CHECK(climb.took < 4s);
    CHECK(climb.asked.size() == 1000);
    CHECK(std::ranges::is_sorted(climb.asked, std::ranges::greater{}));
}

TEST_CASE("a wave may take almost all the time there is, if those after it are quick", "[unit][stop]") {
    ManualClock clock;
    Climb climb{clock, started_one_by_one(3), 5s, 5ms};
    climb.needs = 2200ms;
    static_cast<void>(climb.ladder.due());
    clock.advance(2200ms);
    CHECK(climb.ladder.due().empty());  // nobody else has been asked yet
    climb.ladder.exited(actor(3));
    const std::vector<StopLadder::Step> steps = climb.ladder.due();
    CHECK(steps == std::vector{StopLadder::Step{actor(2), Rung::ask}});
}

TEST_CASE("one that hangs is forced late, and all others end by themselves long before", "[unit][stop][I8]") {
    ManualClock clock;
    Climb climb{clock, started_one_by_one(100), 5s, 10ms};
    climb.stuck = {actor(GENERATE(100U, 50U, 1U))};
    climb.run();
    const ActorId stuck = climb.stuck.front();
    CHECK(climb.forced == std::vector{StopLadder::Step{stuck, Rung::terminate}, StopLadder::Step{stuck, Rung::kill}});
    CHECK(climb.exits.back() == stuck);
    CHECK(climb.took < 5s);
    CHECK(climb.took >= 4s);
}

TEST_CASE("everybody is asked in time to end by himself, however many hang", "[unit][stop][I8]") {
    ManualClock clock;
    Climb climb{clock, started_one_by_one(20), 5s, 1s};
    for (std::uint32_t number = 11; number <= 20; ++number) climb.stuck.push_back(actor(number));
    climb.run();
    CHECK(climb.forced.size() == 20);  // two rungs for each that hangs, none for the others
    for (const StopLadder::Step& step : climb.forced) CHECK(climb.is_stuck(step.actor));
    CHECK(climb.took < 5s);
}

TEST_CASE("an actor is asked when its children have ended, also within one wave", "[unit][stop]") {
    ManualClock clock;
    Climb climb{
        clock, {{actor(1), {}, 1}, {actor(2), actor(1), 1}, {actor(3), actor(2), 1}, {actor(4), {}, 1}}, 5s, 100ms};
    climb.run();
    CHECK(climb.exits == std::vector{actor(3), actor(4), actor(2), actor(1)});
    CHECK(climb.took == 300ms);
    CHECK(climb.forced.empty());
}

TEST_CASE("a child that hangs does not keep its parent from being asked", "[unit][stop][I8]") {
    ManualClock clock;
    Climb climb{clock, {{actor(1), {}, 1}, {actor(2), actor(1), 2}}, 5s, 100ms};
    climb.stuck = {actor(2)};
    climb.run();
    CHECK(climb.exits == std::vector{actor(1), actor(2)});
    for (const StopLadder::Step& step : climb.forced) CHECK(step.actor == actor(2));
}

TEST_CASE("where waves must overlap, parents still wait for their children", "[unit][stop]") {
    ManualClock clock;
    std::vector<StopLadder::Climber> climbers;
    for (std::uint32_t number = 1; number <= 800; number += 2) {
        climbers.push_back({actor(number), {}, number});
        climbers.push_back({actor(number + 1), actor(number), number + 1});
    }
    Climb climb{clock, std::move(climbers), 5s, 50ms};
    climb.run();
    CHECK(climb.forced.empty());
    for (std::uint32_t number = 1; number <= 800; number += 2)
        CHECK(std::ranges::find(climb.exits, actor(number + 1)) < std::ranges::find(climb.exits, actor(number)));
}

TEST_CASE("a stop without time kills at once, and a hurried one kills everybody", "[unit][stop][I8]") {
    ManualClock clock;
    StopLadder ladder{clock, started_one_by_one(2), Deadline{clock.now()}};
    const std::vector all{StopLadder::Step{actor(2), Rung::kill}, StopLadder::Step{actor(1), Rung::kill}};
    CHECK(ladder.due() == all);
    CHECK(ladder.due().empty());
    CHECK(ladder.next().is_never());

    StopLadder hurried{clock, started_one_by_one(2), Deadline::in(clock, 5s)};
    static_cast<void>(hurried.due());
    hurried.hurry();
    CHECK(hurried.next().has_passed(clock));
    CHECK(hurried.due() == all);
}

TEST_CASE("a ladder that is looked at late asks first, and each has a quarter of the time before force",
          "[unit][stop][I8]") {
    ManualClock clock;
    StopLadder ladder{clock, started_one_by_one(2), Deadline::in(clock, 10s)};
    const Duration late = GENERATE(6000ms, 7000ms, 8000ms, 9400ms);  // such as that of a coordinator that was frozen
    clock.advance(late);
    const std::vector both{StopLadder::Step{actor(2), Rung::ask}, StopLadder::Step{actor(1), Rung::ask}};
    REQUIRE(ladder.due() == both);
    CHECK(ladder.asked(actor(1)).left(clock) == std::max(std::min(Duration{2500ms}, 9500ms - late), 7500ms - late));
    ladder.asked(actor(2));
    CHECK(ladder.due().empty());
    ladder.exited(actor(1));
    clock.advance(ladder.next().left(clock));
    const std::vector<StopLadder::Step> forced = ladder.due();
    REQUIRE(forced.size() == 1);
    CHECK(forced[0].actor == actor(2));
    CHECK(forced[0].rung == (late < 7s ? Rung::terminate : Rung::kill));  // the later one has no time for both
}

TEST_CASE("one that could not be asked is not forced before the stop ends, and is killed then", "[unit][stop][I8]") {
    ManualClock clock;
    StopLadder ladder{clock, started_one_by_one(2), Deadline::in(clock, 10s)};
    REQUIRE(ladder.due() == std::vector{StopLadder::Step{actor(2), Rung::ask}});
    const baton::Instant begun = clock.now();
    while (clock.now() < begun + 9500ms) {
        for (const StopLadder::Step& step : ladder.due()) CHECK(step.rung == Rung::ask);
        clock.advance(100ms);
    }
    CHECK(ladder.due() == std::vector{StopLadder::Step{actor(2), Rung::kill}, StopLadder::Step{actor(1), Rung::kill}});
    CHECK(ladder.due().empty());
    CHECK(ladder.next().is_never());
}

TEST_CASE("an actor's time begins once, however often it is asked", "[unit][stop]") {
    ManualClock clock;
    StopLadder ladder{clock, started_one_by_one(1), Deadline::in(clock, 10s)};
    static_cast<void>(ladder.due());
    const Deadline until = ladder.asked(actor(1));
    clock.advance(5s);
    CHECK(ladder.asked(actor(1)).at() == until.at());
    CHECK(ladder.asked(actor(2)).is_never());
}

TEST_CASE("whoever ends within the time that it was given is never signalled, in a thousand families",
          "[unit][stop][I8]") {
    std::mt19937 random{20261130};
    const auto up_to = [&](std::uint32_t most) { return static_cast<std::uint32_t>(random() % (most + 1)); };
    std::size_t forced_in_all = 0;
    for (int round = 0; round < 1000; ++round) {
        INFO("round " << round);
        ManualClock clock;
        const baton::Instant begun = clock.now();
        const std::uint32_t count = 1 + up_to(30);
        std::vector<StopLadder::Climber> climbers;
        std::map<ActorId, Duration> needs;
        std::uint64_t wave = 1;
        for (std::uint32_t number = 1; number <= count; ++number) {
            const ActorId parent = up_to(2) == 0 ? ActorId{} : actor(1 + up_to(number - 1));
            climbers.push_back({actor(number), parent == actor(number) ? ActorId{} : parent, wave += up_to(1)});
            needs[actor(number)] = up_to(20) == 0 ? Duration{1h} : std::chrono::milliseconds{up_to(3000)};
        }
        StopLadder ladder{clock, climbers, Deadline::in(clock, 10s)};
        std::map<ActorId, Deadline> ends;
        std::map<ActorId, Deadline> given;
        while (!ladder.is_done()) {
            for (const StopLadder::Step& step : ladder.due()) {
                if (step.rung == Rung::ask) {
                    ends.emplace(step.actor, Deadline::in(clock, needs[step.actor]));
                    given.emplace(step.actor, ladder.asked(step.actor));
                    continue;
                }
                ++forced_in_all;
                REQUIRE(given.contains(step.actor));
                CHECK(ends.at(step.actor).at() > given.at(step.actor).at());
                CHECK(given.at(step.actor).has_passed(clock));
                CHECK(clock.now() >= begun + 7500ms);
                if (step.rung == Rung::kill) ends[step.actor] = Deadline{clock.now()};
            }
            Deadline next = ladder.next();
            for (const auto& [one, end] : ends) next = next.or_earlier(end);
            // The one that looks is held up now and then.
            clock.advance(next.left(clock) + (up_to(9) == 0 ? Duration{std::chrono::milliseconds{up_to(400)}} : 0ms));
            for (auto one = ends.begin(); one != ends.end();) {
                if (one->second.has_passed(clock)) ladder.exited(one->first), one = ends.erase(one);
                else ++one;
            }
        }
        CHECK(clock.now() <= begun + 10s);
    }
    CHECK(forced_in_all > 100);
}

TEST_CASE("a stop of nobody is done, and exits of strangers change nothing", "[unit][stop]") {
    ManualClock clock;
    const StopLadder empty{clock, {}, Deadline::in(clock, 5s)};
    CHECK(empty.is_done());
    CHECK(empty.next().is_never());
    StopLadder ladder{clock, started_one_by_one(1), Deadline::in(clock, 5s)};
    ladder.exited(actor(77));
    CHECK_FALSE(ladder.is_done());
    ladder.exited(actor(1));
    CHECK(ladder.is_done());
}
