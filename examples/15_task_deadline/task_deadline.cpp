// Four tasks at once, as many workers as there are processors, and one of the tasks takes too long: whoever waits for
// it gives up after three seconds.
//
// In the story that was all, and the worker went on with a result that nobody wanted. Here a task may have a deadline
// of its own too: then it is ended, and its worker replaced.
#include <boost/multiprecision/cpp_int.hpp>

#include "examples/pool_story.hpp"

using namespace std::chrono_literals;
namespace pool = baton::pool;

namespace task_deadline {

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
        pool::Pool workers{scenario.context(), story::crew("task_deadline", 0)};
        std::vector<pool::Pending<std::int64_t>> results;
        for (const std::int64_t n : {10, 100, 1'000, 10'000})
            results.push_back(workers.submit<std::int64_t>("heavy", n).value());
        for (std::size_t number = 0; number < 3; ++number)
            story::say("scenario", "{}", results[number].get(120s).value());
        story::say("scenario", "not within 3 s: {}", name_of(results[3].get(3s).error().kind));
    }
    pool::Pool workers{scenario.context(), story::crew("task_deadline", 1)};
    auto late = workers.submit<std::int64_t>(pool::call("heavy", 10'000).with_deadline(200ms)).value();
    story::say("scenario", "not within its deadline: {}", name_of(late.get(60s).error().kind));
    story::say("scenario", "the pool goes on: {}", workers.submit<std::int64_t>("heavy", 10).value().get(60s).value());
}

}  // namespace task_deadline

int main(int argc, char** argv) {
    pool::Worker worker;
    worker.task("heavy", task_deadline::heavy, {"n"});
    return story::tell_with_workers(argc, argv, worker, task_deadline::play);
}
