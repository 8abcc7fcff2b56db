#include "runtime/process/usable_cores.hpp"

#include <sched.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <fstream>
#include <optional>
#include <sstream>
#include <string_view>
#include <thread>
#include <vector>

namespace baton::detail {
namespace {

std::size_t bound_cores() {
    for (std::size_t most = CPU_SETSIZE; most <= std::size_t{1} << 20; most *= 4) {  // a kernel may know more than fit
        std::vector<cpu_set_t> sets(most / CPU_SETSIZE);
        const std::size_t bytes = sets.size() * sizeof(cpu_set_t);
        if (::sched_getaffinity(0, bytes, sets.data()) == 0)
            return static_cast<std::size_t>(CPU_COUNT_S(bytes, sets.data()));
    }
    return std::thread::hardware_concurrency();
}

// Reads up to the first thing that is not a number; nothing if the text does not begin with one.
std::optional<double> number_in(const std::string& file, std::string* behind = nullptr) {
    std::string text;
    std::getline(std::ifstream{file}, text);
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc{}) return std::nullopt;
    if (behind != nullptr) *behind = text.substr(static_cast<std::size_t>(end - text.data()));
    return static_cast<double>(number);
}

// Processors' worth of time of one cgroup; nothing if it has no quota: "max", -1, or no file.
std::optional<double> quota_v2(const std::string& folder) {
    std::string behind;
    const std::optional<double> quota = number_in(folder + "/cpu.max", &behind);
    double period = 0;
    if (!quota || !(std::istringstream{behind} >> period) || *quota <= 0 || period <= 0) return std::nullopt;
    return *quota / period;
}
std::optional<double> quota_v1(const std::string& folder) {
    const std::optional<double> quota = number_in(folder + "/cpu.cfs_quota_us");
    const std::optional<double> period = number_in(folder + "/cpu.cfs_period_us");
    if (!quota || !period || *quota <= 0 || *period <= 0) return std::nullopt;
    return *quota / *period;
}

// The least of a cgroup's and those above it. In a container its path may be one of the host, and only the mount is
// there.
template <class QuotaOf>
void lower(std::optional<double>& least, const std::string& mount, std::string path, const QuotaOf& quota_of) {
    for (;;) {
        const std::optional<double> quota = quota_of(mount + path);
        if (quota && (!least || *quota < *least)) least = quota;
        const std::size_t slash = path.rfind('/');
        if (slash == std::string::npos) return;
        path.resize(slash);
    }
}

std::optional<double> quota(const CoreFiles& files) {
    std::optional<double> least;
    std::ifstream lines{files.own_cgroups};
    for (std::string line; std::getline(lines, line);) {
        const std::size_t first = line.find(':');
        const std::size_t second = first == std::string::npos ? first : line.find(':', first + 1);
        if (second == std::string::npos) continue;
        const std::string controllers = line.substr(first + 1, second - first - 1);
        const std::string path = line.substr(second + 1);
        if (controllers.empty()) {
            lower(least, files.cgroups, path, quota_v2);
            lower(least, files.cgroups + "/unified", path, quota_v2);
        } else if (("," + controllers + ",").find(",cpu,") != std::string::npos) {
            for (const std::string& folder : {std::string("/cpu"), "/" + controllers})
                lower(least, files.cgroups + folder, path, quota_v1);
        }
    }
    return least;
}

}  // namespace

std::size_t usable_cores(const CoreFiles& files) {
    const std::size_t bound = std::max<std::size_t>(bound_cores(), 1);
    const std::optional<double> time = quota(files);
    if (!time || *time >= static_cast<double>(bound)) return bound;
    return std::max<std::size_t>(static_cast<std::size_t>(std::ceil(*time)), 1);
}

}  // namespace baton::detail
