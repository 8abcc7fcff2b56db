// Twelve frames go through two stages that abort now and then. Each stage is started again, and no frame is lost
// silently: the script is told that a stage has ended with a frame, and sends that one again.
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <vector>

#include "examples/story.hpp"

using namespace std::chrono_literals;

namespace supervised {

using Pixels = std::vector<double>;

struct Frame {
    std::int64_t number = 0;
    std::int64_t attempt = 0;
    Pixels pixels;
    using Reply = Pixels;
};
using Protocol = baton::Protocol<Frame>;

// "sharpen", which hands its frames on to "scale".
class Stage {
public:
    explicit Stage(baton::Context& context) : context_(&context) {}

    baton::Result<Pixels> on(Frame frame) {
        const bool is_last = context_->name() == "scale";
        if (frame.attempt == 1 && frame.number % (is_last ? 3 : 4) == 0) std::abort();
        for (double& pixel : frame.pixels) pixel = is_last ? pixel * 2 : pixel + 1;
        return is_last ? frame.pixels : scaled(frame);
    }

private:
    // A frame can be scaled again, so it is asked for again when the life that had it has ended.
    baton::Result<Pixels> scaled(Frame& frame) {
        for (frame.attempt = 1;; ++frame.attempt) {
            baton::Result<Pixels> pixels = context_->ask(scale_, frame, 30s);
            if (pixels || pixels.error().kind != baton::ErrorKind::gone || frame.attempt == 3) return pixels;
        }
    }

    baton::Context* context_;
    baton::Named<Protocol> scale_{"scale"};
};

void play(baton::Scenario& scenario) {
    for (const char* name : {"scale", "sharpen"}) {
        baton::SpawnOptions stage = story::role("supervised", name);
        stage.restart = baton::Restart{.restarts_max = 10, .period = 60s, .back_off_first = 10ms, .back_off_most = 1s};
        scenario.spawn<Protocol>(stage);
    }
    baton::Named<Protocol> sharpen{"sharpen"};
    std::int64_t done = 0;
    for (Frame frame{1, 1, {1, 2, 3}}; frame.number <= 12; frame = {frame.number + 1, 1, {1, 2, 3}}) {
        for (bool is_done = false; !is_done; ++frame.attempt) {
            try {
                const Pixels pixels = scenario.ask(sharpen, frame, 60s);
                story::say("scenario", "frame {}: {} {} {}", frame.number, pixels[0], pixels[1], pixels[2]);
                is_done = true;
                ++done;
            } catch (const baton::ErrorException& failed) {
                if (failed.error().kind != baton::ErrorKind::gone || frame.attempt == 3) throw;
                story::say("scenario", "frame {}: the stage has ended with it, so it is sent again", frame.number);
            }
        }
    }
    story::say("scenario", "{} frames have come back", done);
    for (const baton::RosterRow& row : scenario.roster())
        if (row.restarts) story::say("scenario", "{} was restarted {} times", row.name, row.restarts->restarts);
}

}  // namespace supervised

int main(int argc, char** argv) {
    return story::tell<supervised::Stage, supervised::Protocol>(argc, argv, supervised::play);
}
