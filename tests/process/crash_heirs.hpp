#pragma once
// Crash story of heirs: an owner leaves segments of every kind, and somebody is killed or frozen on the way. In every
// case each heir receives what it is due, once.

#include <cstdlib>
#include <string>

#include "tests/process/family_world.hpp"

namespace crash_heirs {

using namespace family;
using namespace std::chrono_literals;

enum class Victim { owner, heir, coordinator };
enum class Mode { kill, freeze };

class Story {
public:
    // `generation`: of the coordinator that is the victim.
    Story(std::string_view point, Victim victim, Mode mode, int generation)
        : point_(point), victim_(victim), mode_(mode), generation_(generation) {
        ::setenv("ASAN_OPTIONS", "detect_leaks=0", 1);
        const std::string at = std::string(point) + ":1:" + (mode == Mode::kill ? "kill" : "freeze");
        if (victim == Victim::coordinator)
            ::setenv("BATON_CRASH_AT", (at + "@" + std::to_string(generation)).c_str(), 1);
        world_.scenario();
        ::unsetenv("BATON_CRASH_AT");
        const auto armed = [&](Victim who) {
            return victim == who ? std::vector<std::string>{"crash-at=" + at} : std::vector<std::string>{};
        };
        cast_.owner = world_.spawn("owner", armed(Victim::owner));
        cast_.heir = world_.spawn("heir", armed(Victim::heir));
        cast_.unwilling = world_.spawn("unwilling", {"declines"});
        cast_.second = world_.spawn("second");
        cast_.reader = world_.spawn("reader");
        cast_.sleeper = world_.spawn("sleeper");
        cast_.dead = world_.spawn("dead");
        // Asked now: later the one that knows may be frozen or gone.
        owning_ = world_.world.pid_of(cast_.owner);
        inheriting_ = world_.world.pid_of(cast_.heir);
        sleeping_ = world_.world.pid_of(cast_.sleeper);
        world_.kill(cast_.dead);
        world_.freeze(cast_.sleeper);
    }

    // True if the victim passed the point. It waits for that, so a point that is not passed is a timeout.
    bool run() {
        leave();
        if (victim_ == Victim::owner && mode_ == Mode::kill) return end_of_owner();
        if (generation_ > 1) world_.kill_coordinator();  // the next one has all to settle
        const pid_t coordinator = world_.world.coordinator();
        ::kill(owning_, SIGKILL);
        if (mode_ == Mode::freeze && victim_ != Victim::owner)
            sleep_of(victim_ == Victim::heir ? inheriting_ : coordinator);
        world_.scenario().join(cast_.owner, FamilyWorld::patience).value();
        end_sleeper();  // what was on its way to it is the heir's
        CHECK(world_.ask(cast_.reader, Read{}) == 2);
        CHECK(world_.ask(cast_.reader, LetGo{}) == 1);
        const bool is_heir_dead = victim_ == Victim::heir && mode_ == Mode::kill;
        if (is_heir_dead) world_.scenario().join(cast_.heir, FamilyWorld::patience).value();
        const Address receiver = is_heir_dead ? cast_.second : cast_.heir;
        const Address other = is_heir_dead ? cast_.unwilling : cast_.second;
        for (const auto& [label, value] : {std::pair{"table", 1}, std::pair{"lent", 2}, std::pair{"given", 3}}) {
            const Item item = world_.wait_for(receiver, label);
            CHECK(item.value == value);
            CHECK(item.was_written == (item.label == "table"));
        }
        CHECK(world_.ask(receiver, Has{}).size() == 3);
        CHECK(world_.ask(other, Has{}).empty());
        world_.wait_for_alive(3);
        check_unclaimed();
        const bool has_another = world_.world.coordinator() != coordinator;
        CHECK(has_another == (victim_ == Victim::coordinator && mode_ == Mode::kill));
        world_.check_end(is_heir_dead ? std::vector{cast_.second, cast_.unwilling, cast_.reader}
                                      : std::vector{cast_.heir, cast_.second, cast_.unwilling, cast_.reader});
        return true;
    }

private:
    // Each kind of what an owner has: its own, lent, given away, and what nobody will want.
    void leave() {
        const std::vector<baton::AnyRef> heirs{cast_.heir, cast_.second};
        static_cast<void>(tell(Own{1, {cast_.unwilling, cast_.heir, cast_.second}, "table"}));
        if (victim_ == Victim::owner && mode_ == Mode::kill) return;
        if (victim_ == Victim::owner) {
            while (state_of(owning_) != 'T') {
            }
            CHECK(world_.ask(cast_.reader, Read{}) == -1);
            CHECK_FALSE(world_.scenario().join(cast_.owner, 1ms).ok());  // it is asleep, and nothing else
            ::kill(owning_, SIGCONT);
        }
        CHECK(tell(Own{2, heirs, "lent"}) == "");
        CHECK(tell(Lend{"lent", cast_.reader}) == "");
        CHECK(tell(Own{3, heirs, "given"}) == "");
        CHECK(tell(GiveTo{"given", cast_.sleeper}) == "");
        CHECK(tell(Own{4, {cast_.dead}, "unclaimed"}) == "");
        world_.wait_for_lease(cast_.reader, 2);
    }
    template <class C>
    std::string tell(const C& command) {
        const bool is_victim = victim_ == Victim::owner && !std::exchange(was_told_, true);
        const auto said = world_.scenario().ask(cast_.owner, command, is_victim ? 400ms : FamilyWorld::patience);
        return said ? *said : said.error().text;
    }
    // It died as it named heirs for the first time.
    bool end_of_owner() {
        const bool has_ended = world_.scenario().join(cast_.owner, FamilyWorld::patience).ok();
        end_sleeper();
        if (point_ == "heir.listed") world_.wait_for_alive(0);
        else CHECK(world_.wait_for(cast_.heir, "table").value == 1);
        world_.check_end({cast_.heir, cast_.second, cast_.unwilling, cast_.reader});
        return has_ended;
    }
    void end_sleeper() {
        ::kill(sleeping_, SIGKILL);
        world_.scenario().join(cast_.sleeper, FamilyWorld::patience).value();
    }
    // Actors talk to each other in the meantime.
    void sleep_of(pid_t pid) {
        while (state_of(pid) != 'T') {
        }
        CHECK(world_.ask(cast_.reader, Read{}) == 2);
        ::kill(pid, SIGCONT);
    }
    void check_unclaimed() {
        const auto unclaimed = world_.scenario().exit_of(cast_.owner).value().unclaimed;
        REQUIRE(unclaimed.size() == 1);
        CHECK(unclaimed[0].label == "unclaimed");
        CHECK(unclaimed[0].segments == 1);
    }
    static char state_of(pid_t pid) {
        return baton::detail::facts_of(pid).value_or(baton::detail::ProcessFacts{}).state;
    }

    std::string point_;
    Victim victim_;
    Mode mode_;
    int generation_;
    bool was_told_ = false;
    FamilyWorld world_;
    struct Cast {
        Address owner, heir, unwilling, second, reader, sleeper, dead;
    };
    Cast cast_;
    pid_t owning_ = 0;
    pid_t inheriting_ = 0;
    pid_t sleeping_ = 0;
};

}  // namespace crash_heirs
