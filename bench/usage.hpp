#pragma once
// What processes have cost so far: the processors' time, and how often one of their threads went to sleep. Knows
// nothing of Baton.

#include <dirent.h>
#include <time.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <fstream>
#include <stdexcept>
#include <string>
#include <vector>

namespace bench {

struct Usage {
    double cpu_nanoseconds = 0;  // of all threads, those that have ended included
    std::uint64_t sleeps = 0;    // of the threads that live: each of them is one wake-up
};

inline std::uint64_t sleeps_of_thread(const std::string& folder) {
    std::ifstream status{folder + "/status"};
    std::uint64_t sleeps = 0;
    for (std::string word; status >> word;)
        if (word == "voluntary_ctxt_switches:" && status >> sleeps) break;
    return sleeps;
}

inline Usage usage_of(const std::vector<pid_t>& processes) {
    Usage usage;
    for (const pid_t process : processes) {
        clockid_t clock{};
        timespec spent{};
        if (::clock_getcpuclockid(process, &clock) != 0 || ::clock_gettime(clock, &spent) != 0)
            throw std::runtime_error("no such process to measure");
        usage.cpu_nanoseconds += static_cast<double>(spent.tv_sec) * 1e9 + static_cast<double>(spent.tv_nsec);
        const std::string tasks = "/proc/" + std::to_string(process) + "/task";
        DIR* const folder = ::opendir(tasks.c_str());
        if (folder == nullptr) throw std::runtime_error("no such process to measure");
        while (const dirent* const entry = ::readdir(folder))
            if (entry->d_name[0] != '.') usage.sleeps += sleeps_of_thread(tasks + "/" + entry->d_name);
        ::closedir(folder);
    }
    return usage;
}

// One line of JSON about `count` messages one way.
inline void print_one_way(double count, double seconds, const Usage& before, const Usage& after) {
    std::printf("{\"messages_per_second\":%.0f,\"cpu_ns_per_message\":%.1f,\"wakeups_per_message\":%.5f,"
                "\"count\":%.0f}\n",
                count / seconds, (after.cpu_nanoseconds - before.cpu_nanoseconds) / count,
                static_cast<double>(after.sleeps - before.sleeps) / count, count);
}

}  // namespace bench
