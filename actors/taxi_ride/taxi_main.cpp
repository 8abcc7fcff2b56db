// Taxi: drives to whoever calls, and says how far it is. Its argument is the time of one leg in milliseconds.
#include <charconv>
#include <chrono>
#include <thread>

#include "actors/taxi_ride/taxi_ride.hpp"
#include "runtime/actor.hpp"

namespace {

std::chrono::milliseconds leg_from(std::span<const std::string> arguments) {
    int milliseconds = 100;
    if (!arguments.empty())
        std::from_chars(arguments[0].data(), arguments[0].data() + arguments[0].size(), milliseconds);
    return std::chrono::milliseconds{milliseconds};
}

class Taxi {
public:
    explicit Taxi(baton::Context& context) : context_(&context), leg_(leg_from(context.arguments())) {}

    void on(const taxi::Call& command) {
        remember("GET", command.message);
        say(command, "Ok, going!", false);
        std::this_thread::sleep_for(leg_);  // driving
        say(command, "I'm around", false);
        std::this_thread::sleep_for(leg_);
        say(command, "I arrived", true);
    }

    std::vector<taxi::Memory> on(const taxi::TellStory&) { return story_; }

private:
    void say(const taxi::Call& command, const std::string& message, bool has_arrived) {
        remember("SEND", message);
        const auto sent = context_->send(command.passenger, passenger::Hear{message, has_arrived});
        if (!sent) context_->log().warn("passenger.lost", "{}", describe(sent.error()));
    }

    void remember(std::string action, std::string message) {
        story_.push_back({std::chrono::system_clock::now(), std::move(action), std::move(message)});
    }

    baton::Context* context_;
    std::chrono::milliseconds leg_;
    std::vector<taxi::Memory> story_;
};

}  // namespace

int main(int argc, char** argv) { return baton::run_actor<Taxi, taxi::Protocol>(argc, argv); }
