// Results that are arrays, made by workers that are gone by the time somebody looks at them.
//
// In the story (bug 82300 of Python) each side had to count references and acknowledge each other's messages, so that
// the memory of an array did not end with its maker. Here a result that is a segment is handed over, and that is all.
#include <numeric>

#include "examples/pool_story.hpp"

namespace pool = baton::pool;

namespace arrays_outlive_workers {

baton::Result<baton::Segment> count_up(baton::Context& context, std::uint64_t count) {
    auto made = context.create_array<std::int64_t>(count);
    if (!made) return made.error();
    const std::span<std::int64_t> elements = made->as<std::int64_t>();
    std::iota(elements.begin(), elements.end(), 0);
    return made;
}

void play(baton::Scenario& scenario) {
    std::vector<std::uint64_t> counts;
    for (std::uint64_t count = 1; counts.size() < 8; count *= 10) counts.push_back(count);

    std::vector<baton::Segment> arrays;
    {
        pool::Pool manager{scenario, story::crew("arrays_outlive_workers", 8)};
        arrays = manager.map<baton::Segment>("count_up", counts).values();
    }
    for (const baton::RosterRow& row : scenario.roster())
        if (row.name.starts_with("worker")) fmt::print("{} is still there\n", row.name);

    std::uint64_t total = 0;
    for (const baton::Segment& array : arrays) {
        const auto elements = array.as<std::int64_t>();
        total += elements.size();
        fmt::print("{:>10} numbers, sum {}\n", elements.size(),
                   std::accumulate(elements.begin(), elements.end(), std::int64_t{0}));
    }
    fmt::print("{:>10} numbers, of workers that are gone\n", total);
}

}  // namespace arrays_outlive_workers

int main(int argc, char** argv) {
    pool::Worker worker;
    worker.task("count_up", arrays_outlive_workers::count_up, {"count"});
    return story::tell_with_workers(argc, argv, worker, arrays_outlive_workers::play);
}
