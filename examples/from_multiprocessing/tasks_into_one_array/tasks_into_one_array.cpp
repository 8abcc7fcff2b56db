// Tasks that write into one array, each its own element: a[i] = ..., by workers that share only what they are lent. It
// is known which worker has handled each task, and tasks and results are found by their ids.
//
// In the story a task was a text that the worker executed, and the array was found by its name. Here it is a function
// of the worker and its arguments: a message is data. Two of the story's flaws are not here: the progress bar counts
// each task once, and stop ends when the last worker has ended, not the first.
#include <algorithm>
#include <set>

#include "examples/pool_story.hpp"

using namespace std::chrono_literals;
namespace pool = baton::pool;

namespace tasks_into_one_array {

void set(baton::Slice place, std::int64_t value) { place.as<std::int64_t>()[0] = value; }

void set_slowly(baton::Slice place, std::int64_t value) {
    place.as<std::int64_t>()[0] = value;
    std::this_thread::sleep_for(100ms);  // to distribute the few tasks among the workers
}

void play(baton::Scenario& scenario) {
    baton::Segment segment = scenario.create_array<std::int64_t>({6});
    std::ranges::copy(std::to_array<std::int64_t>({1, 1, 2, 3, 5, 8}), segment.as<std::int64_t>().begin());
    baton::Loan array = scenario.lend(std::move(segment));
    {
        pool::Pool manager{scenario, story::crew("tasks_into_one_array", 2)};
        manager.add(pool::call("set", pool::slice_of(array, 5, 1), 888).with_id(1));
        for (std::uint64_t place = 0; place < 4; ++place)
            manager.add(pool::call("set_slowly", pool::slice_of(array, place, 1), 111 + place).with_id(2 + place));
        // An id that is taken is refused, and nothing else changes.
        try {
            manager.add(pool::call("set", pool::slice_of(array, 4, 1), 5).with_id(1));
        } catch (const baton::ErrorException& refused) {
            story::say("scenario", "{}", refused.what());
        }
        story::say("scenario", "tasks: {}", fmt::join(manager.pending(), " "));
        const std::vector<pool::AnyOutcome> results = manager.execute();
        story::say("scenario", "tasks without a result: {}", manager.pending().size());
        std::set<std::string> workers;
        for (std::uint64_t id = 1; id <= results.size(); ++id) {
            const pool::AnyOutcome one = *manager.find(id);
            story::say("scenario", "task {}: {}, handled by {}", one.id(), one.ok() ? "done" : to_text(one.error()),
                       one.worker());
            workers.insert(one.worker());
        }
        story::say("scenario", "workers that had tasks: {}", workers.size());
    }
    // Step by step, and with one task alone; the same pool runs a second time.
    pool::Pool manager{scenario, story::crew("tasks_into_one_array", 2)};
    for (const std::int64_t value : {5, 55}) {
        manager.start();
        manager.add(pool::call("set", pool::slice_of(array, 4, 1), value));
        story::say("scenario", "low level: {} task done", manager.execute().size());
        story::say("scenario", "workers stopped: {}", manager.stop().size());
    }
    const baton::Segment whole = array.reclaim(1s).value();
    story::say("scenario", "[{}]", fmt::join(whole.as<std::int64_t>(), " "));
}

}  // namespace tasks_into_one_array

int main(int argc, char** argv) {
    pool::Worker worker;
    worker.task("set", tasks_into_one_array::set, {"place", "value"});
    worker.task("set_slowly", tasks_into_one_array::set_slowly, {"place", "value"});
    return story::tell_with_workers(argc, argv, worker, tasks_into_one_array::play);
}
