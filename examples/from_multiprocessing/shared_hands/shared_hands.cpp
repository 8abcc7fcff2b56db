// Students whose hands are shared memory put numbers into each other's hands, a barrier between "Ready!" and "Go!". One
// of them is killed, and the others go on; then one of the same name comes, with an empty hand.
//
// In the story a hand had a name, and a student who died left it behind: the barrier waited for ever, and the next run
// failed at the hand that was there already. Here a hand ends with its owner, and a barrier breaks when a member dies.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <map>

#include "actors/passing_student/passing_student.hpp"
#include <baton/scenario.hpp>
#include <baton/sync.hpp>

using namespace std::chrono_literals;
using namespace passing_student;

namespace {

// The teacher, and who helps.
class Class {
public:
    Class(baton::Scenario& scenario, const std::vector<std::string>& names)
        : scenario_(&scenario), keeper_(scenario) {
        for (const std::string& name : names) comes(name);
    }

    void comes(const std::string& name) { students_[name] = scenario_->spawn<Protocol>({"passing_student", name}); }
    void is_killed(const std::string& name) {
        say("{} has left the room.", name);
        scenario_->kill(students_[name]);
        static_cast<void>(scenario_->join(students_[name], 10s));
        students_.erase(name);
    }
    void hold_this(const std::string& name, std::int64_t number) {
        say("{}, HOLD_THIS {}", name, number);
        scenario_->ask(students_[name], HoldThis{number});
    }
    void you_pass_to(const std::string& name, const std::string& next) {
        say("{}, YOU_PASS_TO {}", name, next);
        scenario_->ask(students_[name], YouPassTo{next, students_[next]});
    }
    void whats_your_number() {
        say("Everyone, WHATS_YOUR_NUMBER");
        ask_everyone(WhatsYourNumber{});
    }
    void pass_it_on() {
        say("Everyone, PASS_IT_ON");
        const std::vector<baton::Ref<Protocol>> all = everyone();
        auto go = keeper_.barrier("go", {.members = {all.begin(), all.end()}});
        ask_everyone(PassItOn{go.address()});
        go.remove();
    }
    void thanks_for_helping() {
        say("And that's about it!");
        ask_everyone(ThanksForHelping{});
    }

private:
    [[nodiscard]] std::vector<baton::Ref<Protocol>> everyone() const {
        std::vector<baton::Ref<Protocol>> all;
        for (const auto& [name, student] : students_) all.push_back(student);
        return all;
    }
    template <class C>
    void ask_everyone(const C& command) {
        for (const auto& done : scenario_->ask_all(std::span<const baton::Ref<Protocol>>(everyone()), command, 60s))
            done.value();
    }
    // At once, as the students write to the same place.
    template <class... Values>
    static void say(fmt::format_string<Values...> words, Values&&... values) {
        const std::string line = fmt::format("[Teacher]  {}\n", fmt::format(words, std::forward<Values>(values)...));
        static_cast<void>(!::write(STDOUT_FILENO, line.data(), line.size()));
    }

    baton::Scenario* scenario_;
    baton::sync::Keeper<baton::Scenario> keeper_;
    std::map<std::string, baton::Ref<Protocol>> students_;
};

void play(baton::Scenario& scenario) {
    Class students{scenario, {"Alice", "Bob", "Charlie"}};
    students.hold_this("Alice", 4);
    students.hold_this("Bob", 5);
    students.hold_this("Charlie", 6);
    students.you_pass_to("Alice", "Bob");
    students.you_pass_to("Bob", "Charlie");
    students.pass_it_on();  // and Charlie, who has nobody, loses the 6
    students.whats_your_number();

    students.you_pass_to("Charlie", "Alice");
    students.pass_it_on();
    students.whats_your_number();

    students.is_killed("Charlie");
    students.pass_it_on();
    students.whats_your_number();

    students.comes("Charlie");
    students.you_pass_to("Bob", "Charlie");
    students.pass_it_on();
    students.whats_your_number();
    students.thanks_for_helping();
}

}  // namespace

int main(int argc, char** argv) { return baton::run_scenario(argc, argv, play); }
