// expect: Show.*pixels
// As users meet it: in an actor that handles it.
#include <baton/actor.hpp>

namespace screen {
struct Show {
    std::string title;
    float* pixels = nullptr;
    using Reply = bool;
};
using Protocol = baton::Protocol<Show>;
}  // namespace screen

class Screen {
public:
    explicit Screen(baton::Context&) {}
    bool on(const screen::Show&) { return true; }
};
int main(int argc, char** argv) { return baton::run_actor<Screen, screen::Protocol>(argc, argv); }
