// What a student of examples/from_multiprocessing/shared_hands leaves who dies.
#include <atomic>
#include "actors/passing_student/passing_student.hpp"
#include <baton/sync.hpp>
#include "tests/process/process_world.hpp"

using namespace std::chrono_literals;
using namespace passing_student;
using Student = baton::Ref<Protocol>;

namespace {

std::int64_t held_by(TestScenario& scenario, const Student& student) {
    return std::atomic_ref<std::int64_t>{scenario.ask(student, ShowYourHand{}).value().number.at<std::int64_t>({0})}
        .load();
}

std::uint64_t hands(ProcessWorld& world) {
    return baton::detail::call(world.session().loop(), baton::detail::coordinator::Segments{}, 5s).value().alive;
}

// Bob passes on what he has, to the student that he was told.
void pass_it_on(TestScenario& scenario, baton::sync::Keeper<TestScenario>& keeper, const std::vector<Student>& all) {
    const auto go = keeper.barrier("go", {.members = {all.begin(), all.end()}}).value();
    for (const auto& passed : scenario.ask_all(std::span<const Student>(all), PassItOn{go.address()}, 30s))
        CHECK(passed.value());
}

}  // namespace

// Goal: nobody who dies leaves a hand that is in the way of the next one of that name.
// Method: Bob may write into Charlie's hand, Charlie is killed, and a Charlie comes again, in this session and in the
// next run.
TEST_CASE("one who dies with a hand that others write into leaves nothing, and its name can be had again",
          "[process][I6][I7]") {
    ProcessWorld world;
    for (int run = 1; run <= 2; ++run) {
        TestScenario& scenario = world.scenario();
        baton::sync::Keeper keeper{scenario};
        const auto come = [&](const std::string& name) {
            return scenario.spawn<Protocol>({"passing_student", name}).value();
        };
        const Student bob = come("Bob");
        const Student former = come("Charlie");
        CHECK(scenario.ask(former, HoldThis{6}).value());
        CHECK(scenario.ask(bob, YouPassTo{"Charlie", former}).value());
        CHECK(held_by(scenario, former) == 6);
        CHECK(hands(world) == 2);
        scenario.kill(former).value();
        CHECK(scenario.join(former, 5s).value().exit.held.value().segments == 1);
        while (hands(world) != 1) {  // Bob releases it when he hears of the end
        }

        const Student charlie = come("Charlie");
        CHECK(charlie != former);
        CHECK(held_by(scenario, charlie) == nothing);
        CHECK(scenario.ask(bob, HoldThis{5}).value());
        CHECK(scenario.ask(bob, YouPassTo{"Charlie", charlie}).value());
        pass_it_on(scenario, keeper, {bob, charlie});
        CHECK(held_by(scenario, charlie) == 5);
        CHECK(held_by(scenario, bob) == nothing);
        world.close();
    }
}
