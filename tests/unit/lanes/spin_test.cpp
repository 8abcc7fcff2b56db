// What a member looks at instead of sleeping is bounded and counted. Whether it is tried at all depends on the machine.
#include <atomic>
#include <chrono>
#include <cstdint>

#include "runtime/lanes/spin.hpp"
#include "tests/catch.hpp"

using namespace std::chrono_literals;
using baton::detail::Spin;

namespace {

// Waits that were short, so that it is worth it; true once it has spun.
bool spins(Spin& spin) {
    for (int times = 0; times < 2'000; ++times) {
        spin.note_wait(1us);
        static_cast<void>(spin.look([] { return false; }));
        if (spin.spent() > 0ns) return true;
    }
    return false;
}

}  // namespace

TEST_CASE("the time that is spent on spinning is counted where others read it", "[unit][lanes]") {
    std::atomic<std::uint64_t> counted{0};
    Spin spin{Spin::usual_bound, &counted};
    if (!spins(spin)) {
        WARN("skipped: on one processor, or with more threads that want to run than there are, nobody spins");
        return;
    }
    CHECK(counted.load() == static_cast<std::uint64_t>(spin.spent().count()));
    CHECK(counted.load() > 0);
}

TEST_CASE("a member whose bound is zero never spins", "[unit][lanes]") {
    std::atomic<std::uint64_t> counted{0};
    Spin spin{0us, &counted};
    CHECK_FALSE(spins(spin));
    CHECK(counted.load() == 0);
}
