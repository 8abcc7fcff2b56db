// Making shared memory, looking at it from another process, more than once, and what becomes of it afterwards.
//
// In the story memory had a name, and whoever forgot to unlink it found the old state the next time. Here memory has an owner and
// ends with it. A name is given only to what shall outlive the session, and only once taken back.
#include <unistd.h>

#include <numeric>

#include "examples/story.hpp"

using namespace std::chrono_literals;

namespace shared_memory {

struct Look {
    baton::Lease memory;
    using Reply = std::vector<std::uint8_t>;
};
using Protocol = baton::Protocol<Look>;

class Reader {
public:
    explicit Reader(baton::Context&) {}
    std::vector<std::uint8_t> on(const Look& command) {
        const auto bytes = command.memory.as<std::uint8_t>();
        return {bytes.begin(), bytes.end()};
    }
};

void play(baton::Scenario& scenario) {
    const auto reader = scenario.spawn<Protocol>(story::role("shared_memory", "reader")).value();

    baton::Segment memory = scenario.create_array<std::uint8_t>({4}).value();
    const auto bytes = memory.as<std::uint8_t>();
    std::iota(bytes.begin(), bytes.end(), std::uint8_t{0});
    baton::Lent lent = scenario.lend(std::move(memory)).value();
    for (int look = 1; look <= 2; ++look) {
        const auto seen = scenario.ask(reader, Look{lent.lease().value()}).value();
        story::say("scenario", "look {} of the reader: {}", look, fmt::join(seen, " "));
    }
    memory = lent.reclaim(1s).value();
    memory.at<std::uint8_t>({0}) = 7;

    // Out of the session by name, and back: once, as it is nobody else's then.
    const std::string name = fmt::format("multiprocessor-{}", ::getpid());
    scenario.context().hand_out(std::move(memory), name).value();
    const baton::Layout layout{"|u1", {4}};
    {
        const baton::Segment back = scenario.context().take_in(name, layout).value();
        story::say("scenario", "back by its name: {}", fmt::join(back.as<std::uint8_t>(), " "));
    }
    // Its owner has let go of it, so there is no old state to come upon.
    story::say("scenario", "and once more: {}", name_of(scenario.context().take_in(name, layout).error().kind));
}

}  // namespace shared_memory

int main(int argc, char** argv) {
    return story::tell<shared_memory::Reader, shared_memory::Protocol>(argc, argv, shared_memory::play);
}
