// What a member looks at instead of sleeping is bounded and counted. Whether it is tried at all depends on the machine.
#include <atomic>
#include <chrono>
#include <cstdint>

#include "runtime/lanes/spin.hpp"
#include "tests/catch.hpp"

using namespace std::chrono_literals;
using baton::detail::Spin;

namespace {

// Waits that took `took` and ended `ago` before now; true once it has spun.
bool spins(Spin& spin, baton::Duration took = 1us, baton::Duration ago = 0us) {
    for (int times = 0; times < 2'000; ++times) {
        const baton::Instant end = Spin::Clock::now() - ago;
        spin.note_wait(end - took, end);
        static_cast<void>(spin.look(Spin::Clock::now(), [] { return false; }));
        if (spin.spent() > 0ns) return true;
    }
    return false;
}

void skip() { WARN("skipped: on one processor, or with more threads that want to run than there are, nobody spins"); }

}  // namespace

TEST_CASE("the time that is spent on spinning is counted where others read it", "[unit][lanes]") {
    std::atomic<std::uint64_t> counted{0};
    Spin spin{Spin::usual_bound, &counted};
    if (!spins(spin)) return skip();
    CHECK(counted.load() == static_cast<std::uint64_t>(spin.spent().count()));
    CHECK(counted.load() > 0);
}

TEST_CASE("a member whose bound is zero never spins", "[unit][lanes]") {
    std::atomic<std::uint64_t> counted{0};
    Spin spin{0us, &counted};
    CHECK_FALSE(spins(spin));
    CHECK(counted.load() == 0);
}

TEST_CASE("a member that was idle does not spin, nor does one that has spoken with nobody for a while",
          "[unit][lanes]") {
    Spin busy;
    if (!spins(busy)) return skip();
    Spin idle;
    CHECK_FALSE(spins(idle, 20ms));
    Spin alone;
    CHECK_FALSE(spins(alone, 1us, 20ms));
}
