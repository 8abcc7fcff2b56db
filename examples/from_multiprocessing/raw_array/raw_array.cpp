// Four processes write their own numbers over a whole array of 1,000,000 elements: element by element without the lock,
// each element under the lock, or all of them under one lock. How often is each number there afterwards?
//
// Element by element, each one has the number of the process that wrote it last: mostly a mixture, a different one each
// time. The unlocked run is repeated until it is one. In the story the array was all zero before, and zero was one of
// the four numbers; here it begins as -1, which is nobody's.
#include <algorithm>

#include <baton/sync.hpp>
#include "examples/story.hpp"

using namespace std::chrono_literals;

namespace raw_array {

constexpr std::uint64_t length = 1'000'000;
constexpr std::size_t writers = 4;
constexpr int runs_max = 200;

enum class Locking { none, fine, coarse };
struct Replace {
    baton::sync::Address array;
    Locking locking = Locking::none;
    std::int32_t number = 0;
    using Reply = void;
};
using Protocol = baton::Protocol<Replace>;

class Writer {
public:
    explicit Writer(baton::Context& context) : context_(&context) {}

    baton::Result<void> on(const Replace& command) {
        baton::sync::Array<std::int32_t> array{*context_, command.array};
        if (command.locking == Locking::coarse) {
            const auto hold = array.acquire(120s);
            if (!hold) return hold.error();
            std::ranges::fill(array.elements(), command.number);
            return {};
        }
        for (std::uint64_t index = 0; index < length; ++index) {
            const auto hold = command.locking == Locking::fine ? array.acquire(120s) : baton::sync::Hold{};
            if (!hold) return hold.error();
            array.store(index, command.number);
        }
        return {};
    }

private:
    baton::Context* context_;
};

using Counts = std::array<std::ptrdiff_t, writers>;  // of 0, 1, 2 and 3

class Run {
public:
    explicit Run(baton::Scenario& scenario)
        : scenario_(&scenario),
          array_(baton::sync::Keeper{scenario}.array<std::int32_t>("array", length)),
          writers_(scenario.spawn_all<Protocol>(story::roles("raw_array", {"0", "1", "2", "3"}))) {}

    Counts operator()(Locking locking) {
        {
            const auto hold = array_.acquire(5s);
            std::ranges::fill(array_.elements(), -1);
        }
        std::vector<baton::Pending<void>> replacing;
        for (std::size_t number = 0; number < writers; ++number)
            replacing.push_back(scenario_->request(
                writers_[number], Replace{array_.address(), locking, static_cast<std::int32_t>(number)}));
        for (auto& one : replacing) one.get(300s).value();

        const auto hold = array_.acquire(5s);
        Counts counts{};
        for (std::size_t number = 0; number < writers; ++number)
            counts[number] = std::ranges::count(array_.elements(), static_cast<std::int32_t>(number));
        return counts;
    }

private:
    baton::Scenario* scenario_;
    baton::sync::Array<std::int32_t, baton::Scenario> array_;
    std::vector<baton::Ref<Protocol>> writers_;
};

void play(baton::Scenario& scenario) {
    Run run{scenario};
    const auto say = [](const Counts& counts) {
        for (const std::ptrdiff_t count : counts) story::say("scenario", "{}", count);
    };
    story::say("scenario", "== replace without lock ==");
    const auto is_mixed = [](const Counts& counts) { return std::ranges::count(counts, 0) < 3; };
    Counts counts = run(Locking::none);
    for (int again = 1; again < runs_max && !is_mixed(counts); ++again) counts = run(Locking::none);
    say(counts);
    story::say("scenario", "== replace with lock ==");
    say(run(Locking::fine));
    story::say("scenario", "== replace with lock v2 ==");
    say(run(Locking::coarse));
}

}  // namespace raw_array

int main(int argc, char** argv) {
    return story::tell<raw_array::Writer, raw_array::Protocol>(argc, argv, raw_array::play);
}
