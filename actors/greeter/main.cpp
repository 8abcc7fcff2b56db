// The smallest actor: one command, one answer.
#include "actors/greeter/greeter.hpp"
#include <baton/actor.hpp>

class Greeter {
public:
    explicit Greeter(baton::Context&) {}

    std::string on(const greeter::Greet& command) {
        return "Hello, " + command.name + "! You are number " + std::to_string(++count_) + ".";
    }

private:
    int count_ = 0;
};

int main(int argc, char** argv) { return baton::run_actor<Greeter, greeter::Protocol>(argc, argv); }
