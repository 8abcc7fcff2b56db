// expect: on\(\) of a command with a Reply returns that Reply
#include <baton/actor.hpp>

struct Question {
    using Reply = int;
};
struct Evasive {
    explicit Evasive(baton::Context&) {}
    const char* on(const Question&) { return "perhaps"; }
};

int main(int argc, char** argv) { return baton::run_actor<Evasive, baton::Protocol<Question>>(argc, argv); }
