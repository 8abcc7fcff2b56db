// A task that takes too long: who waits gives up, and a task with a deadline of its own is ended, its worker replaced.
//
// In the story the waiting ended and the worker went on with a result that nobody wanted.
#include <cmath>

#include "examples/pool_story.hpp"

using namespace std::chrono_literals;
namespace pool = baton::pool;

namespace task_deadline {

// The digits, less one, of the sum of x^y over all y < x < n.
std::int64_t heavy(std::int64_t n) {
    double digits = 0;  // the sum's logarithm so far
    for (std::int64_t x = 1; x < n; ++x)
        for (std::int64_t y = 0; y < x; ++y) {
            const double one = static_cast<double>(y) * std::log10(static_cast<double>(x));
            const double larger = std::max(digits, one);
            digits = larger + std::log10(std::pow(10, digits - larger) + std::pow(10, one - larger));
        }
    return static_cast<std::int64_t>(digits);
}

void play(baton::Scenario& scenario) {
    pool::Pool workers{scenario.context(), story::crew("task_deadline", 2)};
    workers.start().value();
    for (const std::int64_t n : {10, 100, 1'000}) {
        auto pending = workers.submit<std::int64_t>("heavy", n).value();
        fmt::print("heavy({}): {}\n", n, pending.get(60s).value());
    }
    {
        auto pending = workers.submit<std::int64_t>(pool::call("heavy", 1'000'000).with_deadline(200ms)).value();
        fmt::print("not within 10 ms: {}\n", name_of(pending.get(10ms).error().kind));
        fmt::print("not within its deadline: {}\n", name_of(pending.get(60s).error().kind));
    }
    fmt::print("the pool goes on: heavy(10): {}\n", workers.submit<std::int64_t>("heavy", 10).value().get(60s).value());
}

}  // namespace task_deadline

int main(int argc, char** argv) {
    pool::Worker worker;
    worker.task("heavy", task_deadline::heavy, {"n"});
    return story::tell_with_workers(argc, argv, worker, task_deadline::play);
}
