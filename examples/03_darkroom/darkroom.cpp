// A photo is lent to be looked at and given to be changed. Its bytes never move.
#include <fmt/core.h>

#include <algorithm>

#include "actors/darkroom/darkroom.hpp"
#include <baton/scenario.hpp>

int main(int argc, char** argv) {
    return baton::run_scenario(argc, argv, [](baton::Scenario& scenario) {
        const auto darkroom = scenario.spawn<darkroom::Protocol>({"darkroom"});

        baton::Segment photo = scenario.create_array<float>({480, 640});
        std::ranges::fill(photo.as<float>(), 0.25F);
        photo.at<float>({100, 200}) = 0.5F;

        baton::Loan lent = scenario.lend(std::move(photo));
        const darkroom::Exposure before = scenario.ask(darkroom, darkroom::Meter{lent.lease().value()});
        photo = lent.reclaim().value();

        photo = scenario.ask(darkroom, darkroom::Develop{std::move(photo), 2.0F});
        fmt::print("peak {} before, {} at the same place after\n", before.peak, photo.at<float>({100, 200}));
    });
}
