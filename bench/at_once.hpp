#pragma once
// The same work in several processes at once, begun together. Knows nothing of Baton.

#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <exception>
#include <new>
#include <stdexcept>
#include <vector>

#include "bench/touch.hpp"

namespace bench {

// Runs `work(index)`, which does `count` of something, in `processes` processes; returns how many per second all of
// them do.
template <class Work>
double rate_of(std::size_t processes, std::size_t count, Work work) {
    struct Shared {
        std::atomic<std::size_t> ready;
        std::atomic<double> sum;
    };
    void* memory = ::mmap(nullptr, page_bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) throw std::bad_alloc();
    auto* shared = new (memory) Shared{};
    const auto run = [&](std::size_t index) {
        shared->ready.fetch_add(1);
        while (shared->ready.load() < processes) ::sched_yield();
        const std::int64_t start = nanoseconds_now();
        work(index);
        shared->sum.fetch_add(static_cast<double>(count) / microseconds_since(start) * 1e6);
    };
    std::vector<pid_t> children;
    for (std::size_t index = 1; index < processes; ++index) {
        const pid_t child = ::fork();
        if (child == 0) {
            try {
                run(index);
            } catch (const std::exception&) {
                std::_Exit(1);
            }
            std::_Exit(0);
        }
        children.push_back(child);
    }
    run(0);
    for (const pid_t child : children) {
        int status = 0;
        ::waitpid(child, &status, 0);
        if (status != 0) throw std::runtime_error("a process failed");
    }
    return shared->sum.load();
}

}  // namespace bench
