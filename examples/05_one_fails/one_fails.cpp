// Nine tasks print under one lock, and the one with 4 fails: the pool says which task failed, with which arguments, and
// no other result is lost.
//
// In the story the first exception ended everything, and nobody knew which call it was. Its pool was one of threads;
// here each worker is a process, so even one that crashes takes no other with it.
#include <stdexcept>

#include "examples/pool_story.hpp"

namespace pool = baton::pool;

namespace one_fails {

std::int64_t count(baton::Context& context, std::int64_t index, const baton::sync::Address& console) {
    if (index == 4) throw std::runtime_error("This should have been caught");
    story::print_thrice(context, index, console);
    return index;
}

void play(baton::Scenario& scenario) {
    const baton::sync::Address console = baton::sync::Keeper{scenario}.lock("console").address();
    std::vector<std::tuple<std::int64_t, baton::sync::Address>> rows;
    for (std::int64_t index = 0; index < 9; ++index) rows.emplace_back(index, console);
    pool::Pool workers{scenario, story::crew("one_fails", 3, scenario.arguments())};

    story::say("scenario", "== stop at the first error ==");
    try {
        workers.starmap<std::int64_t>("count", rows, {.errors = pool::Errors::stop_at_first});
    } catch (const baton::ErrorException& stopped) {
        story::say("scenario", "stopped: {}: {}", stopped.error().type, stopped.error().text);
    }
    workers.stop();

    story::say("scenario", "== collect ==");
    for (const pool::Outcome<std::int64_t>& one : workers.starmap<std::int64_t>("count", rows))
        story::say("scenario", "{}", one.to_text());
}

}  // namespace one_fails

int main(int argc, char** argv) {
    pool::Worker worker;
    worker.task("count", one_fails::count, {"index", "console"});
    return story::tell_with_workers(argc, argv, worker, one_fails::play);
}
