// N trivial tasks through a pool of two workers, as one line of JSON; the yardstick is pool_multiprocessing.py.
//   pool_bench [--tasks N] [--repeats N]
#include <fmt/core.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <ranges>
#include <vector>

#include <baton/pool.hpp>
#include <baton/scenario.hpp>

namespace {

// Tasks a second of the median run. Results are looked at, all of them.
double measure(baton::Scenario& scenario, std::int64_t tasks, int repeats) {
    baton::pool::Pool pool{scenario, {.program = "pool_bench_worker", .workers = 2, .shows_progress = false}};
    pool.start();
    std::vector<double> rates;
    for (int run = 0; run <= repeats; ++run) {
        const auto start = std::chrono::steady_clock::now();
        const std::vector<std::int64_t> squares =
            pool.map<std::int64_t>("square", std::views::iota(std::int64_t{0}, tasks)).values();
        const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
        for (std::int64_t x = 0; x < tasks; ++x)
            if (squares[static_cast<std::size_t>(x)] != x * x) throw std::runtime_error("a wrong square");
        if (run > 0) rates.push_back(static_cast<double>(tasks) / seconds.count());  // the first one warms up
    }
    std::ranges::sort(rates);
    return rates[rates.size() / 2];
}

}  // namespace

int main(int argc, char** argv) {
    return baton::run_scenario(argc, argv, [](baton::Scenario& scenario) {
        CLI::App app{"Measures a pool"};
        std::int64_t tasks = 10'000;
        int repeats = 20;
        app.add_option("--tasks", tasks)->check(CLI::PositiveNumber);
        app.add_option("--repeats", repeats)->check(CLI::PositiveNumber);
        std::vector<std::string> arguments(scenario.arguments().rbegin(), scenario.arguments().rend());
        app.parse(arguments);
        fmt::print("{{\"tasks_per_second\":{:.0f},\"tasks\":{}}}\n", measure(scenario, tasks, repeats), tasks);
    });
}
