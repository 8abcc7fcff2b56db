// expect: needs a public constructor that takes a baton::Context& and nothing else
#include <baton/actor.hpp>

struct Wave {};
struct Alone {
    void on(const Wave&) {}
};

int main(int argc, char** argv) { return baton::run_actor<Alone, baton::Protocol<Wave>>(argc, argv); }
