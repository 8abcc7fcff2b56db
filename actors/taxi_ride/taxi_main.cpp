// Taxi: drives to its caller, and says how far it is. Its argument is the time of one leg in milliseconds.
#include <charconv>
#include <chrono>
#include <thread>

#include <baton/sync/event.hpp>
#include "actors/taxi_ride/talk.hpp"
#include <baton/actor.hpp>

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

    std::vector<taxi_ride::Memory> on(const taxi::Drive& command) {
        taxi_ride::Talk talk{*context_, command.end};
        talk.receive();
        talk.send("Ok, going!");
        std::this_thread::sleep_for(leg_);  // driving
        talk.send("I'm around");
        std::this_thread::sleep_for(leg_);
        talk.send("I arrived");
        baton::sync::Event{*context_, command.arrived}.set().value();
        talk.close();
        return talk.memories();
    }

private:
    baton::Context* context_;
    std::chrono::milliseconds leg_;
};

}  // namespace

int main(int argc, char** argv) { return baton::run_actor<Taxi, taxi::Protocol>(argc, argv); }
