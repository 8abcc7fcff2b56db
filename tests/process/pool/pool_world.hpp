#pragma once
// A world for tests of the pool: its workers are those of worker_main.cpp.

#include <csignal>
#include <filesystem>
#include <fstream>
#include <numeric>

#include <baton/pool.hpp>
#include "tests/process/process_world.hpp"

using Numbers = std::vector<std::int64_t>;
template <class R>
using Task = baton::pool::Task<R, baton::Context>;

inline Numbers range(std::int64_t count) {
    Numbers numbers(static_cast<std::size_t>(count));
    std::iota(numbers.begin(), numbers.end(), 0);
    return numbers;
}

// A pool of test workers; without progress, which is tested apart.
class PoolWorld : public ProcessWorld {
public:
    baton::pool::Options options(std::size_t workers = 2) {
        return {.program = "pool_worker", .workers = workers, .shows_progress = false};
    }
    // A file of `count` letters: as many attempts of die_while die.
    std::string letters(std::size_t count) {
        std::string path = folder() + "/letters";
        std::ofstream(path) << std::string(count, 'x');
        return path;
    }
    void remove(const std::string& path) { std::filesystem::remove(path); }
};

template <class Pool>
const baton::detail::pool::Crew& crew_of(const Pool& pool) {
    return baton::detail::pool::Inside::core(pool).scheduler()->crew();
}

inline bool is_alive(std::int64_t pid) { return ::kill(static_cast<pid_t>(pid), 0) == 0; }
