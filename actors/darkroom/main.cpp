#include <algorithm>
#include <numeric>

#include "actors/darkroom/darkroom.hpp"
#include <baton/actor.hpp>

namespace {

class Darkroom {
public:
    explicit Darkroom(baton::Context&) {}

    darkroom::Exposure on(const darkroom::Meter& command) {
        const std::span<const float> pixels = command.photo.as<float>();
        if (pixels.empty()) return {};
        const float sum = std::accumulate(pixels.begin(), pixels.end(), 0.0F);
        return {sum / static_cast<float>(pixels.size()), *std::ranges::max_element(pixels)};
    }
    baton::Segment on(darkroom::Develop command) {
        for (float& pixel : command.photo.as<float>()) pixel *= command.gain;  // in place: nobody else can see it now
        return std::move(command.photo);
    }
};

}  // namespace

int main(int argc, char** argv) { return baton::run_actor<Darkroom, darkroom::Protocol>(argc, argv); }
