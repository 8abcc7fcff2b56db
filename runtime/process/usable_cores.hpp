#pragma once
// Usable cores: how many processors this process can keep busy at once, which is what a pool has workers for.
//
// Not how many the machine has: fewer if the process is bound to some of them (taskset, a batch system), or if
// its cgroup, or one above it, has a quota of processor time (a container with --cpus, a service with CPUQuota=), which
// is rounded up. At least one. Reads what the kernel says at the time of the call.

#include <cstddef>
#include <string>

namespace baton::detail {

// Where the kernel says so; others in tests.
struct CoreFiles {
    // a line for each hierarchy: "0::/path" (v2), "4:cpu,cpuacct:/path" (v1)
    std::string own_cgroups = "/proc/self/cgroup";
    std::string cgroups = "/sys/fs/cgroup";         // where they are mounted
};

[[nodiscard]] std::size_t usable_cores(const CoreFiles& files = {});

}  // namespace baton::detail
