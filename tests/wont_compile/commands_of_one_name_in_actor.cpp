// expect: two commands of this protocol have the same name
#include <baton/actor.hpp>

namespace left {
struct Turn {};
}
namespace right {
struct Turn {};
}
using Protocol = baton::Protocol<left::Turn, right::Turn>;

struct Wheel {
    explicit Wheel(baton::Context&) {}
    void on(left::Turn) {}
    void on(right::Turn) {}
};

int main(int argc, char** argv) { return baton::run_actor<Wheel, Protocol>(argc, argv); }
