// Workers make arrays, hand them over and are gone before anybody looks at what they made.
#include <fmt/core.h>

#include <algorithm>
#include <numeric>

#include "actors/range_maker/range_maker.hpp"
#include <baton/scenario.hpp>

using namespace std::chrono_literals;

namespace {

constexpr std::size_t workers_count = 8;

// Are these 0, 1, 2, ...?
bool is_range(std::span<const std::int64_t> numbers) {
    return std::ranges::adjacent_find(numbers, [](auto a, auto b) { return b != a + 1; }) == numbers.end() &&
           (numbers.empty() || numbers.front() == 0);
}

void play(baton::Scenario& scenario) {
    std::vector<baton::SpawnOptions> programs;
    for (std::size_t number = 1; number <= workers_count; ++number)
        programs.push_back({"range_maker", fmt::format("worker-{}", number)});
    const auto workers = scenario.spawn_all<range_maker::Protocol>(programs);

    std::uint64_t count = 1;
    for (const auto& worker : workers) {
        scenario.send(worker, range_maker::MakeRange{count, scenario.self<range_maker::Collector>()});
        count *= 10;
    }
    for (const auto& worker : workers) {
        const baton::Ended ended = scenario.join(worker, 60s);
        fmt::print("{} has {}\n", ended.name, baton::to_text(ended.exit));
    }

    std::vector<range_maker::Range> ranges =
        scenario.collect<range_maker::Range>({.count = workers_count, .within = 60s});
    std::ranges::sort(ranges, {}, &range_maker::Range::maker);
    std::uint64_t total = 0;
    bool are_fine = true;
    for (const range_maker::Range& range : ranges) {
        const std::span<const std::int64_t> numbers = range.numbers.as<std::int64_t>();
        are_fine = are_fine && is_range(numbers);
        total += numbers.size();
        fmt::print("{}: {:>8} numbers, sum {}\n", range.maker, numbers.size(),
                   std::accumulate(numbers.begin(), numbers.end(), std::int64_t{0}));
    }
    fmt::print("{} numbers in {} arrays, {}\n", total, ranges.size(),
               are_fine ? "all as they were made" : "NOT as they were made");
}

}  // namespace

int main(int argc, char** argv) { return baton::run_scenario(argc, argv, play); }
