#pragma once
// Options: what a pool is made of, and how one of its calls is run. Plain values.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <baton/limits.hpp>
#include <baton/time.hpp>

namespace baton::pool {

struct Options {
    // its main() runs a Worker (<baton/worker.hpp>); looked up as by spawn()
    std::string program;
    std::size_t workers = 0;                       // 0: one for each processor that this process may use
    // of the workers, numbered as they start: "name-1"; empty: the program's
    std::string name = {};
    std::vector<std::string> arguments = {};       // that each worker is started with
    std::uint32_t retries = 2;                     // of a task after deaths of workers
    bool shows_progress = true;                    // on stderr: workers ready, tasks done, workers stopped
    Duration start_timeout = limits::spawn_timeout;  // of each worker's start
    std::vector<std::string> folders = {};         // where to look for the program first
};

enum class Errors {
    collect,        // all tasks run; each outcome says how it went
    stop_at_first,  // the first error is the result of the whole call, and tasks that have not begun never run
};

struct MapOptions {
    Errors errors = Errors::collect;
    Within within = Duration::max();            // the whole wait; of imap(): each wait, unless it is a deadline
    // of each task in a worker's hands: a worker that takes longer is killed
    Duration task_timeout = Duration::max();
    std::optional<std::uint32_t> retries = {};  // instead of the pool's
    std::size_t ahead = 0;                      // of imap(): see there
};

}  // namespace baton::pool
