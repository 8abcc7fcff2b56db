// Tasks that print under one lock, with positional and named arguments, a progress bar, and errors that are collected
// beside the results.
//
// In the story a shared byte counted the tasks that were done, so the 256th hung the pool; its name was the same in
// every pool, so that two of them counted together; a second run failed; and of argument lists of unequal length the
// longer one was cut.
#include <stdexcept>

#include "examples/pool_story.hpp"

namespace pool = baton::pool;

namespace pool_with_progress {

std::string label(baton::Context& context, std::int64_t index, const baton::sync::Address& console,
                  const std::string& prefix) {
    if (index == 4) throw std::runtime_error("This should have been caught");
    story::print_thrice(context, index, console);
    return fmt::format("{} {}", prefix, index);
}

std::int64_t same(std::int64_t number) { return number; }

void play(baton::Scenario& scenario) {
    const baton::sync::Address console = baton::sync::Keeper{scenario}.lock("console").address();
    std::vector<std::tuple<std::int64_t, baton::sync::Address>> rows;
    std::vector<std::tuple<pool::Named<std::string>>> named_rows;
    for (std::int64_t index = 0; index < 10; ++index) {
        rows.emplace_back(index, console);
        named_rows.emplace_back(pool::named("prefix", std::string(index % 2 == 0 ? "even" : "odd")));
    }
    pool::Pool first{scenario, story::crew("pool_with_progress", 4, scenario.arguments())};
    for (const pool::Outcome<std::string>& one : first.starmap<std::string>("label", rows, named_rows))
        story::say("scenario", "{}", one.to_text());

    named_rows.pop_back();
    try {
        first.starmap<std::string>("label", rows, named_rows);
    } catch (const baton::ErrorException& refused) {
        story::say("scenario", "{}", refused.what());
    }

    // A second pool, many more tasks than a byte can count, and a second run of both.
    auto many = story::crew("pool_with_progress", 2);
    many.name = "other";
    pool::Pool second{scenario, many};
    const std::vector<std::int64_t> thousand(1000, 7);
    for (int run = 1; run <= 2; ++run)
        for (auto* each : {&first, &second})
            story::say("scenario", "run {}: {} results", run, each->map<std::int64_t>("same",
            thousand).values().size());
}

}  // namespace pool_with_progress

int main(int argc, char** argv) {
    pool::Worker worker;
    worker.task("label", pool_with_progress::label, {"index", "console", "prefix"});
    worker.task("same", pool_with_progress::same, {"number"});
    return story::tell_with_workers(argc, argv, worker, pool_with_progress::play);
}
