#pragma once
// Dice: every choice of a simulated world, from one number. The same seed makes the same choices on every machine. One
// thread.

#include <cstdint>

#include <baton/time.hpp>

namespace seeded {

class Dice {
public:
    explicit Dice(std::uint64_t seed) : state_(seed) {}

    // 0 to `count` - 1.
    [[nodiscard]] std::uint64_t below(std::uint64_t count) noexcept { return count == 0 ? 0 : next() % count; }
    [[nodiscard]] std::uint64_t between(std::uint64_t least, std::uint64_t most) noexcept {
        return least + below(most - least + 1);
    }
    [[nodiscard]] bool happens(unsigned percent) noexcept { return below(100) < percent; }
    [[nodiscard]] baton::Duration microseconds(std::uint64_t least, std::uint64_t most) noexcept {
        return std::chrono::microseconds{between(least, most)};
    }

private:
    // SplitMix64.
    std::uint64_t next() noexcept {
        std::uint64_t mixed = (state_ += 0x9E37'79B9'7F4A'7C15U);
        mixed = (mixed ^ (mixed >> 30)) * 0xBF58'476D'1CE4'E5B9U;
        mixed = (mixed ^ (mixed >> 27)) * 0x94D0'49BB'1331'11EBU;
        return mixed ^ (mixed >> 31);
    }
    std::uint64_t state_;
};

}  // namespace seeded
