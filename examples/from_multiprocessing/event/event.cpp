// Three groups wait for the rain to stop: it stops, it has stopped before, it does not stop.
#include <baton/sync.hpp>
#include "examples/story.hpp"

using namespace std::chrono_literals;

namespace event {

struct StayHome {
    baton::sync::Address rain_stopped;
    std::int64_t patience_milliseconds = 0;
    using Reply = std::vector<std::string>;  // what it said
};
using Protocol = baton::Protocol<StayHome>;

class Person {
public:
    explicit Person(baton::Context& context) : context_(&context) {}

    baton::Result<std::vector<std::string>> on(const StayHome& command) {
        baton::sync::Event rain_stopped{*context_, command.rain_stopped};
        const auto can_leave = rain_stopped.is_set();
        if (!can_leave) return can_leave.error();
        std::vector<std::string> said{fmt::format("Can leave home?: {}", *can_leave ? "Yes" : "No")};
        if (!*can_leave) said.push_back("Wait for the rain to stop");
        const auto waited = rain_stopped.wait(std::chrono::milliseconds{command.patience_milliseconds});
        said.push_back(waited ? "Leave home" : "The wait was very long...");
        return said;
    }

private:
    baton::Context* context_;
};

class Street {
public:
    explicit Street(baton::Scenario& scenario)
        : scenario_(&scenario),
          people_(scenario.spawn_all<Protocol>(story::roles("event", {"Alice", "Bob", "Charlie"}))),
          rain_stopped_(baton::sync::Keeper{scenario}.event("rain stopped")) {}

    void first_group() { group("First", 10s, [this] {
        while (rain_stopped_.waiting() < people_.size()) {
        }
        rain_stopped_.set();
    }); }
    void second_group() { group("Second", 10s, [] {}); }
    void third_group() {
        rain_stopped_.clear();
        group("Third", 50ms, [] {});
    }

private:
    void group(const char* which, std::chrono::milliseconds patience, const std::function<void()>& weather) {
        story::say("scenario", "== {} group ==", which);
        std::vector<baton::Pending<std::vector<std::string>>> staying;
        for (const auto& person : people_)
            staying.push_back(scenario_->request(person, StayHome{rain_stopped_.address(), patience.count()}));
        weather();
        for (std::size_t number = 0; number < people_.size(); ++number)
            for (const std::string& line : staying[number].get(15s).value()) story::say(names_[number], "{}", line);
    }

    baton::Scenario* scenario_;
    std::vector<std::string> names_{"Alice", "Bob", "Charlie"};
    std::vector<baton::Ref<Protocol>> people_;
    baton::sync::Event<baton::Scenario> rain_stopped_;
};

void play(baton::Scenario& scenario) {
    Street street{scenario};
    street.first_group();
    street.second_group();
    street.third_group();
}

}  // namespace event

int main(int argc, char** argv) {
    return story::tell<event::Person, event::Protocol>(argc, argv, event::play);
}
