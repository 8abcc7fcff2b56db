#pragma once
// On which processors the two processes of a round trip run. Left alone, the kernel keeps both on one or places them on
// two, by what else runs: the same round trip takes 4 us there and more than 40 here, where a sleeping processor has to
// be woken. So that two programs are compared in the same place, both are told it. Knows nothing of Baton.

#include <sched.h>
#include <sys/types.h>

#include <cerrno>
#include <map>
#include <stdexcept>
#include <string>
#include <system_error>

namespace bench {

enum class Cpus { any, one, two };

// For CLI11.
inline const std::map<std::string, Cpus>& cpus_by_name() {
    static const std::map<std::string, Cpus> names{{"any", Cpus::any}, {"one", Cpus::one}, {"two", Cpus::two}};
    return names;
}

inline void run_on(pid_t process, int cpu) {
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(cpu, &set);
    if (::sched_setaffinity(process, sizeof set, &set) != 0)
        throw std::system_error(errno, std::generic_category(), "sched_setaffinity");
}

// This thread, and the main thread of the other process.
inline void place(Cpus cpus, pid_t other) {
    if (cpus == Cpus::any) return;
    cpu_set_t usable;
    if (::sched_getaffinity(0, sizeof usable, &usable) != 0)
        throw std::system_error(errno, std::generic_category(), "sched_getaffinity");
    const auto next = [&](int cpu) {
        while (cpu < CPU_SETSIZE && !CPU_ISSET(cpu, &usable)) ++cpu;
        if (cpu == CPU_SETSIZE) throw std::runtime_error("two processors are wanted and there is only one");
        return cpu;
    };
    const int first = next(0);
    const int second = cpus == Cpus::one ? first : next(first + 1);
    run_on(0, first);
    run_on(other, second);
}

}  // namespace bench
