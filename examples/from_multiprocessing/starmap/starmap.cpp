// Nine tasks for three workers, which print under one lock; the results come in the order of the arguments.
#include "examples/pool_story.hpp"

namespace pool = baton::pool;

namespace starmap {

std::int64_t print(baton::Context& context, std::int64_t index, const baton::sync::Address& console) {
    story::print_thrice(context, index, console);
    return index;
}

void play(baton::Scenario& scenario) {
    const baton::sync::Address console = baton::sync::Keeper{scenario}.lock("console").address();
    std::vector<std::tuple<std::int64_t, baton::sync::Address>> rows;
    for (std::int64_t index = 0; index < 9; ++index) rows.emplace_back(index, console);

    pool::Pool workers{scenario, story::crew("starmap", 3, scenario.arguments())};
    const auto results = workers.starmap<std::int64_t>("print", rows).values();
    story::say("scenario", "[{}]", fmt::join(results, ", "));
}

}  // namespace starmap

int main(int argc, char** argv) {
    pool::Worker worker;
    worker.task("print", starmap::print, {"index", "console"});
    return story::tell_with_workers(argc, argv, worker, starmap::play);
}
