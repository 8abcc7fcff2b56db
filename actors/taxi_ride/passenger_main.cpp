// Passenger: calls a taxi, hears from it, and remembers the talk.
#include <chrono>

#include "actors/taxi_ride/taxi_ride.hpp"
#include "runtime/actor.hpp"

namespace {

class Passenger {
public:
    explicit Passenger(baton::Context& context) : context_(&context) {}

    // Answered later: this handler returns at once, so that the taxi can be heard.
    void on(const passenger::CallTaxi& command, baton::Answer<bool> answer) {
        const std::string message = "Hello, I need a taxi near the Park";
        remember("SEND", message);
        const auto sent = context_->send(command.taxi, taxi::Call{context_->self<passenger::Protocol>(), message});
        if (!sent) return answer.fail(sent.error());
        waiting_ = std::move(answer);
    }

    void on(const passenger::Hear& command) {
        remember("GET", command.message);
        if (command.has_arrived) waiting_.reply(true);
    }

    std::vector<taxi::Memory> on(const passenger::TellStory&) { return story_; }

private:
    void remember(std::string action, std::string message) {
        story_.push_back({std::chrono::system_clock::now(), std::move(action), std::move(message)});
    }

    baton::Context* context_;
    baton::Answer<bool> waiting_;
    std::vector<taxi::Memory> story_;
};

}  // namespace

int main(int argc, char** argv) { return baton::run_actor<Passenger, passenger::Protocol>(argc, argv); }
