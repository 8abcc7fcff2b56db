// expect: Show.*pixels
// As users meet it: in a verb of a scenario.
#include <baton/scenario.hpp>

namespace screen {
struct Show {
    std::string title;
    std::unique_ptr<int> pixels;
};
using Protocol = baton::Protocol<Show>;
}  // namespace screen
void use(baton::Scenario& scenario, baton::Ref<screen::Protocol> screen) { scenario.send(screen, screen::Show{}); }
