#include "runtime/process/usable_cores.hpp"

#include <fmt/format.h>
#include <sched.h>

#include <fstream>

#include "tests/unit/process_fixture.hpp"

namespace {

namespace fs = std::filesystem;
using baton::detail::usable_cores;

// What a kernel says, in files of a folder of one's own.
class Kernel {
public:
    Kernel() {
        char folder[] = "/tmp/baton-cores-XXXXXX";
        REQUIRE(::mkdtemp(folder) != nullptr);
        folder_ = folder;
    }
    ~Kernel() { fs::remove_all(folder_); }
    Kernel(const Kernel&) = delete;
    Kernel& operator=(const Kernel&) = delete;

    void says(const std::string& file, const std::string& text) const {
        fs::create_directories(fs::path(folder_ + "/" + file).parent_path());
        std::ofstream(folder_ + "/" + file) << text;
    }
    [[nodiscard]] std::size_t cores() const { return usable_cores({folder_ + "/own", folder_ + "/cgroup"}); }

private:
    std::string folder_;
};

// Binds the process to `count` of its processors while it lives.
class Bound {
public:
    explicit Bound(int count) {
        CPU_ZERO(&before_);
        REQUIRE(::sched_getaffinity(0, sizeof before_, &before_) == 0);
        cpu_set_t some;
        CPU_ZERO(&some);
        for (int cpu = 0; cpu < CPU_SETSIZE && CPU_COUNT(&some) < count; ++cpu)
            if (CPU_ISSET(cpu, &before_)) CPU_SET(cpu, &some);
        REQUIRE(::sched_setaffinity(0, sizeof some, &some) == 0);
    }
    ~Bound() { ::sched_setaffinity(0, sizeof before_, &before_); }
    Bound(const Bound&) = delete;
    Bound& operator=(const Bound&) = delete;
    [[nodiscard]] std::size_t all() const { return static_cast<std::size_t>(CPU_COUNT(&before_)); }

private:
    cpu_set_t before_;
};

}  // namespace

TEST_CASE("the cores that a process can use are those it is bound to", "[process]") {
    const Kernel without_quotas;
    const Bound one{1};
    CHECK(without_quotas.cores() == 1);
}

TEST_CASE("a quota of any cgroup above bounds the cores, rounded up, and is one at least", "[process]") {
    const Kernel kernel;
    const std::size_t all = kernel.cores();
    REQUIRE(all >= 1);
    SECTION("version 2") {
        kernel.says("own", "0::/user.slice/job\n");
        kernel.says("cgroup/user.slice/job/cpu.max", "max 100000\n");
        CHECK(kernel.cores() == all);
        kernel.says("cgroup/user.slice/cpu.max", "50000 100000\n");
        CHECK(kernel.cores() == 1);
        kernel.says("cgroup/user.slice/cpu.max", fmt::format("{} 100000\n", all * 100'000 - 50'000));
        CHECK(kernel.cores() == all);
        kernel.says("cgroup/user.slice/cpu.max", "1000000000 100000\n");
        CHECK(kernel.cores() == all);
        kernel.says("cgroup/user.slice/job/cpu.max", "1 1000000\n");
        CHECK(kernel.cores() == 1);
    }
    SECTION("version 1, under either name of its mount") {
        const std::string mount = GENERATE(as<std::string>{}, "cpu", "cpu,cpuacct");
        kernel.says("own", "5:memory:/job\n4:cpu,cpuacct:/job\n0::/\n");
        kernel.says("cgroup/" + mount + "/job/cpu.cfs_quota_us", "-1\n");
        kernel.says("cgroup/" + mount + "/job/cpu.cfs_period_us", "100000\n");
        CHECK(kernel.cores() == all);
        kernel.says("cgroup/" + mount + "/job/cpu.cfs_quota_us", "100000\n");
        CHECK(kernel.cores() == 1);
    }
    SECTION("in a container, where the path is one of the host") {
        kernel.says("own", "0::/docker/0123\n");
        kernel.says("cgroup/cpu.max", "20000 100000\n");
        CHECK(kernel.cores() == 1);
    }
    SECTION("what makes no sense is no quota") {
        kernel.says("own", "nonsense\n0::/job\n:\n");
        for (const char* text : {"", "abc", "100", "100000 x", "0 100000", "-5 100000", "100000 0",
                                 "99999999999999999999 100000"}) {
            kernel.says("cgroup/job/cpu.max", text);
            CHECK(kernel.cores() == all);
        }
    }
}
