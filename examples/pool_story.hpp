#pragma once
// What the examples share whose pool and workers are one program, as in a script with multiprocessing.
//
// main() calls story::tell_with_workers(argc, argv, worker, play): started by hand it plays the scenario, as a worker
// of story::crew() it runs the tasks.

#include "actors/pool/pool.hpp"
#include "actors/pool/worker.hpp"
#include "examples/story.hpp"

namespace story {

// Workers that are this program.
inline baton::pool::Options crew(const std::string& program, std::size_t workers) {
    return {.program = program, .workers = workers, .name = "worker", .arguments = {"worker"}};
}

inline int tell_with_workers(int argc, char** argv, baton::pool::Worker& worker,
                             const std::function<void(baton::Scenario&)>& play) {
    if (argc > 1 && std::string_view{argv[1]} == "worker") return worker.run(argc, argv);
    return baton::run_scenario(argc, argv, play);
}

}  // namespace story
