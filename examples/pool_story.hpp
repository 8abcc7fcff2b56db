#pragma once
// What the examples share whose pool and workers are one program, as in a script with multiprocessing.
//
// main() calls story::tell_with_workers(argc, argv, worker, play): started by hand it plays the scenario, as a worker
// of story::crew() it runs the tasks.

#include <charconv>
#include <thread>

#include <baton/pool.hpp>
#include <baton/worker.hpp>
#include <baton/sync.hpp>
#include "examples/story.hpp"

namespace story {

// Workers that are this program; 0: as many as there are processors. `arguments` are those of the command line.
inline baton::pool::Options crew(const std::string& program, std::size_t workers,
                                 std::span<const std::string> arguments = {}) {
    baton::pool::Options options{.program = program, .workers = workers, .name = "worker", .arguments = {"worker"}};
    options.arguments.insert(options.arguments.end(), arguments.begin(), arguments.end());
    return options;
}

// In a task: the stories slept a second, to have something to wait for. Here it is as many milliseconds as the command
// line says (1000, to see it as it was), or ten if it says nothing.
inline void pause(const baton::Context& context) {
    int milliseconds = 10;
    if (const auto said = context.arguments(); said.size() > 1)
        std::from_chars(said[1].data(), said[1].data() + said[1].size(), milliseconds);
    std::this_thread::sleep_for(std::chrono::milliseconds{milliseconds});
}

// In a task: three lines, each under the lock of the console, and a pause after each.
inline void print_thrice(baton::Context& context, std::int64_t index, const baton::sync::Address& console) {
    baton::sync::Lock lock{context, console};
    for (int step = 0; step < 3; ++step) {
        {
            const baton::sync::Hold hold = lock.acquire(std::chrono::seconds{30}).value();
            say("worker", "{} -> {}", index, step);
        }
        pause(context);
    }
}

inline int tell_with_workers(int argc, char** argv, baton::pool::Worker& worker,
                             const std::function<void(baton::Scenario&)>& play) {
    if (argc > 1 && std::string_view{argv[1]} == "worker") return worker.run(argc, argv);
    return baton::run_scenario(argc, argv, play);
}

}  // namespace story
