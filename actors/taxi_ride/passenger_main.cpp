// Passenger: calls a taxi, and hears from it until it has arrived.
#include <baton/sync/event.hpp>
#include "actors/taxi_ride/talk.hpp"
#include <baton/actor.hpp>

namespace {

class Passenger {
public:
    explicit Passenger(baton::Context& context) : context_(&context) {}

    std::vector<taxi_ride::Memory> on(const passenger::CallTaxi& command) {
        taxi_ride::Talk talk{*context_, command.end};
        baton::sync::Event arrived{*context_, command.arrived};
        talk.send("Hello, I need a taxi near the Park");
        for (;;) {
            // Asked before the look at the channel: what was said before the arrival is there by then, and is heard.
            const bool has_arrived = arrived.is_set().value();
            if (talk.poll(std::chrono::milliseconds{500})) talk.receive();
            else if (has_arrived) return talk.memories();
        }
    }

private:
    baton::Context* context_;
};

}  // namespace

int main(int argc, char** argv) { return baton::run_actor<Passenger, passenger::Protocol>(argc, argv); }
