// expect: takes a baton::Context& and behind it the further arguments of run_actor
#include <baton/actor.hpp>

struct Wave {};
class Counting {
public:
    Counting(baton::Context&, std::string&) {}
    void on(const Wave&) {}
};

int main(int argc, char** argv) {
    int first = 3;
    return baton::run_actor<Counting, baton::Protocol<Wave>>(argc, argv, first);
}
