// Students put numbers into each other's hands, which are shared memory; one of them leaves, and the others go on.
#include <fmt/core.h>

#include <algorithm>

#include "actors/passing_student/passing_student.hpp"
#include "runtime/scenario.hpp"

using namespace std::chrono_literals;
using namespace passing_student;

namespace {

// The teacher, and who helps.
class Class {
public:
    Class(baton::Scenario& scenario, std::vector<std::string> names) : scenario_(&scenario), names_(std::move(names)) {
        std::vector<baton::Program> programs;
        for (const std::string& name : names_) programs.push_back({"passing_student", name});
        students_ = scenario.spawn_all<Protocol>(programs).value();
        for (const baton::Ref<Protocol>& student : students_)
            scenario.send(student, SpeakTo{scenario.self<audience::Protocol>()}).value();
    }

    void hold_this(const std::string& name, std::int64_t number) {
        fmt::print("[Teacher]  {}, HOLD_THIS {}\n", name, number);
        hear(scenario_->ask(student(name), HoldThis{number}));
    }
    void you_pass_to(const std::string& name, const std::string& next) {
        fmt::print("[Teacher]  {}, YOU_PASS_TO {}\n", name, next);
        hear(scenario_->ask(student(name), YouPassTo{next, student(next)}));
    }
    void whats_your_number() {
        fmt::print("[Teacher]  Everyone, WHATS_YOUR_NUMBER\n");
        for (const auto& reply : scenario_->ask_all(everyone(), WhatsYourNumber{})) hear(reply);
    }
    // All are ready before one goes; who is gone is neither waited for nor in the way.
    void pass_it_on() {
        fmt::print("[Teacher]  Everyone, PASS_IT_ON\n");
        for (const auto& reply : scenario_->ask_all(everyone(), GetReady{})) hear(reply);
        fmt::print("[Teacher]  Go!\n");
        std::size_t given = 0;
        for (const auto& went : scenario_->ask_all(everyone(), Go{})) {
            if (!went) continue;
            fmt::print("{}\n", went->line);
            if (went->has_given) ++given;
        }
        // Until each number that was given is in a hand again.
        std::vector<audience::Said> taken =
            scenario_->collect<audience::Said>({.count = given, .deadline = 10s}).value();
        std::ranges::sort(taken, {}, &audience::Said::line);
        for (const audience::Said& said : taken) fmt::print("{}\n", said.line);
    }
    void leaves(const std::string& name) {
        fmt::print("[Teacher]  {} has left the room.\n", name);
        scenario_->kill(student(name)).value();
        static_cast<void>(scenario_->join(student(name), 10s).value());
    }
    void thanks_for_helping() {
        fmt::print("[Teacher]  And that's about it!\n");
        for (const auto& reply : scenario_->ask_all(everyone(), ThanksForHelping{})) hear(reply);
    }

private:
    [[nodiscard]] std::span<const baton::Ref<Protocol>> everyone() const { return students_; }
    [[nodiscard]] baton::Ref<Protocol> student(const std::string& name) const {
        return students_[static_cast<std::size_t>(std::ranges::find(names_, name) - names_.begin())];
    }
    static void hear(const baton::Result<std::string>& line) {
        if (line) fmt::print("{}\n", *line);
    }

    baton::Scenario* scenario_;
    std::vector<std::string> names_;
    std::vector<baton::Ref<Protocol>> students_;
};

void play(baton::Scenario& scenario) {
    Class students{scenario, {"Alice", "Bob", "Charlie"}};
    students.hold_this("Alice", 4);
    students.hold_this("Bob", 5);
    students.hold_this("Charlie", 6);
    students.you_pass_to("Alice", "Bob");
    students.you_pass_to("Bob", "Charlie");
    students.pass_it_on();
    students.whats_your_number();

    students.you_pass_to("Charlie", "Alice");
    students.pass_it_on();
    students.whats_your_number();

    students.leaves("Charlie");
    students.pass_it_on();
    students.pass_it_on();
    students.whats_your_number();
    students.thanks_for_helping();
}

}  // namespace

int main(int argc, char** argv) { return baton::run_scenario(argc, argv, play); }
