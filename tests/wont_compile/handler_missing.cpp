// expect: the actor has no on\(\) for a command of its protocol
#include <baton/actor.hpp>

struct Heard {};
struct Unheard {};
struct Forgetful {
    explicit Forgetful(baton::Context&) {}
    void on(const Heard&) {}
};

int main(int argc, char** argv) { return baton::run_actor<Forgetful, baton::Protocol<Heard, Unheard>>(argc, argv); }
