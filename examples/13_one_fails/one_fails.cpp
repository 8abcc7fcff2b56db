// One task of nine fails: the pool says which, with which arguments, and nobody else's result is lost.
//
// In the story the first exception ended everything, and nobody knew which call it was.
#include <ranges>
#include <stdexcept>

#include "examples/pool_story.hpp"

namespace pool = baton::pool;

namespace one_fails {

std::int64_t count(std::int64_t index) {
    if (index == 4) throw std::runtime_error("This should have been caught");
    return index;
}

void play(baton::Scenario& scenario) {
    pool::Pool workers{scenario.context(), story::crew("one_fails", 3)};
    const auto indices = std::views::iota(std::int64_t{0}, std::int64_t{9});

    const auto stopped = workers.map<std::int64_t>("count", indices, {.errors = pool::Errors::stop_at_first});
    // Which worker it was is another one each time.
    const std::string text = stopped.error().text;
    fmt::print("stopped: {}: {})\n", stopped.error().type, text.substr(0, text.find(", worker")));

    for (const pool::Outcome<std::int64_t>& one : workers.map<std::int64_t>("count", indices).value())
        fmt::print("{}\n", one.to_text());
}

}  // namespace one_fails

int main(int argc, char** argv) {
    pool::Worker worker;
    worker.task("count", one_fails::count, {"index"});
    return story::tell_with_workers(argc, argv, worker, one_fails::play);
}
