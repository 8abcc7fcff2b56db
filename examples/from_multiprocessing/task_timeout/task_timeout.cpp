// Four tasks at once, as many workers as there are processors, and one of the tasks takes too long: the scenario gives
// up waiting for it after three seconds.
//
// In the story that was all, and the worker went on with a result that nobody wanted. Here the task can be cancelled,
// or have a timeout of its own from the start: either way it is ended, and its worker replaced.
#include <boost/multiprecision/cpp_int.hpp>

#include "examples/pool_story.hpp"

using namespace std::chrono_literals;
namespace pool = baton::pool;

namespace task_timeout {

// The decimal logarithm of the sum of x^y over all y < x < n, rounded down; the numbers have thousands of digits.
std::int64_t heavy(baton::Context& context, std::int64_t n) {
    story::say(context.name(), "Running heavy function");
    boost::multiprecision::cpp_int sum;
    for (std::int64_t x = 0; x < n; ++x) {
        boost::multiprecision::cpp_int power = 1;
        for (std::int64_t y = 0; y < x; ++y) {
            sum += power;
            power *= x;
        }
    }
    return static_cast<std::int64_t>(sum.str().size()) - 1;
}

void play(baton::Scenario& scenario) {
    {
        pool::Pool workers{scenario, story::crew("task_timeout", 0)};
        std::vector<pool::Task<std::int64_t>> results;
        for (const std::int64_t n : {10, 100, 1'000, 10'000})
            results.push_back(workers.submit<std::int64_t>("heavy", n));
        for (std::size_t number = 0; number < 3; ++number) story::say("scenario", "{}", results[number].get(120s));
        try {
            results[3].get(3s);
        } catch (const baton::ErrorException& late) {
            story::say("scenario", "not within 3 s: {}", late.kind());
        }
        const bool was_running = results[3].cancel() == pool::Cancelled::ended;
        story::say("scenario", "cancelled, {} it had begun", was_running ? "though" : "before");
    }
    pool::Pool workers{scenario, story::crew("task_timeout", 1)};
    auto late = workers.submit<std::int64_t>(pool::call("heavy", 10'000).with_timeout(200ms));
    story::say("scenario", "not within its timeout: {}", late.outcome(60s).error().kind);
    story::say("scenario", "the pool goes on: {}", workers.submit<std::int64_t>("heavy", 10).get(60s));
}

}  // namespace task_timeout

int main(int argc, char** argv) {
    pool::Worker worker;
    worker.task("heavy", task_timeout::heavy, {"n"});
    return story::tell_with_workers(argc, argv, worker, task_timeout::play);
}
