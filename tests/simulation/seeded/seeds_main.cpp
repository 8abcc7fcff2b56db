// simulation_seeds: plays worlds from seeds, and says which of them broke a promise.
//
//     simulation_seeds --seeds 2000              seeds 0 to 1999
//     simulation_seeds --seeds 500 --from 1500
//     simulation_seeds --seed 8114 --story       one world, told line by line
//     simulation_seeds --seeds 2000 --planted offer_unlooked --expect-broken
//
// Worlds are played in processes of their own, some in each, because what a simulated process had when it was killed is
// not freed, as nobody is left who could. If one of them ends the process, that is a finding, too.
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <cstring>
#include <new>
#include <string_view>

#include <fmt/core.h>

#include "runtime/base/planted_bug.hpp"
#include "tests/simulation/seeded/world.hpp"

// Nothing that was killed frees what it had.
extern "C" const char* __asan_default_options();
extern "C" const char* __asan_default_options() { return "detect_leaks=0:detect_stack_use_after_return=0"; }

namespace {

using namespace seeded;

constexpr std::uint64_t worlds_per_process = 20;
constexpr int exit_usage = 64;

struct Options {
    std::uint64_t from = 0;
    std::uint64_t seeds = 1;
    bool wants_story = false;
    bool expects_broken = false;
    PlantedBug planted = PlantedBug::none;
};

// Of all worlds, in memory that the processes share.
struct Tally {
    std::uint64_t seed;     // that is being played
    std::uint64_t worlds;
    std::uint64_t steps;
    std::uint64_t points;
    std::uint64_t kills[3];
    std::uint64_t kills_at_points;
    std::uint64_t freezes;
    std::uint64_t letters;
    std::uint64_t frames;
    std::uint64_t broken;   // 1 + the seed of the first one
};

void add(Tally& tally, World& world) {
    ++tally.worlds;
    tally.steps += world.kernel.count.steps;
    tally.points += world.kernel.count.points;
    for (std::size_t kind = 0; kind < 3; ++kind) tally.kills[kind] += world.kernel.count.kills_of[kind];
    tally.kills_at_points += world.kernel.count.kills_at_points;
    tally.freezes += world.kernel.count.freezes;
    tally.letters += world.judge.letters();
    tally.frames += world.network.frames;
}

// True if nothing was broken.
bool play(std::uint64_t seed, bool wants_story, Tally& tally) {
    tally.seed = seed;
    World world{seed, wants_story};
    const std::vector<std::string>& broken = world.play();
    add(tally, world);
    if (wants_story)
        for (const std::string& line : world.story.lines()) fmt::print("{}\n", line);
    for (const std::string& what : broken) fmt::print("seed {}: {}\n", seed, what);
    if (!broken.empty()) tally.broken = seed + 1;
    std::fflush(stdout);
    return broken.empty();
}

// The seeds from `from` on, in a process of their own; how many have been played is in the tally.
bool play_some(std::uint64_t from, std::uint64_t count, bool wants_story, Tally& tally) {
    std::fflush(stdout);
    const pid_t child = ::fork();
    if (child == 0) {
        for (std::uint64_t seed = from; seed < from + count; ++seed)
            if (!play(seed, wants_story, tally)) ::_exit(1);
        ::_exit(0);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return true;
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 1) {
        fmt::print("seed {}: the process that played it ended ({})\n", tally.seed,
                   WIFSIGNALED(status) ? fmt::format("signal {}", WTERMSIG(status))
                                       : fmt::format("exit code {}", WEXITSTATUS(status)));
        tally.broken = tally.seed + 1;
    }
    return false;
}

bool read_options(int argc, char** argv, Options& options) {
    for (int index = 1; index < argc; ++index) {
        const std::string_view option = argv[index];
        const auto number = [&] { return ++index < argc ? std::strtoull(argv[index], nullptr, 10) : 0; };
        if (option == "--seeds") options.seeds = number();
        else if (option == "--from" || option == "--seed") options.from = number();
        else if (option == "--story") options.wants_story = true;
        else if (option == "--expect-broken") options.expects_broken = true;
        else if (option == "--planted" && ++index < argc) {
            for (std::size_t bug = 0; bug < planted_bug_names.size(); ++bug)
                if (planted_bug_names[bug] == argv[index]) options.planted = static_cast<PlantedBug>(bug);
            if (options.planted == PlantedBug::none) return false;
        } else {
            return false;
        }
    }
    return true;
}

}  // namespace

int main(int argc, char** argv) {
    Options options;
    if (!read_options(argc, argv, options)) {
        fmt::print(stderr, "usage: {} [--seed N [--story] | --seeds N [--from N]] [--planted BUG [--expect-broken]]\n",
                   argv[0]);
        return exit_usage;
    }
    if (std::getenv("BATON_LOG") == nullptr) ::setenv("BATON_LOG", "off", 1);
    rlimit descriptors{};
    ::getrlimit(RLIMIT_NOFILE, &descriptors);
    descriptors.rlim_cur = descriptors.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &descriptors);
    plant(options.planted);
    void* const shared = ::mmap(nullptr, sizeof(Tally), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    Tally& tally = *new (shared) Tally{};
    const auto begun = std::chrono::steady_clock::now();
    for (std::uint64_t done = 0; done < options.seeds && tally.broken == 0; done += worlds_per_process)
        static_cast<void>(play_some(options.from + done, std::min(worlds_per_process, options.seeds - done),
                                    options.wants_story, tally));
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begun;
    fmt::print("{} worlds in {:.1f} s ({:.0f}/s): {} steps, {} crash points passed, {} messages, {} frames; killed: {} "
               "coordinators, {} actors, {} of both at crash points; {} frozen\n",
               tally.worlds, took.count(), static_cast<double>(tally.worlds) / took.count(), tally.steps, tally.points,
               tally.letters, tally.frames, tally.kills[0], tally.kills[1], tally.kills_at_points, tally.freezes);
    if (tally.broken == 0) return options.expects_broken ? 1 : 0;
    const std::uint64_t seed = tally.broken - 1;
    if (options.expects_broken) return 0;
    if (!options.wants_story) {
        fmt::print("its story:\n");
        static_cast<void>(play_some(seed, 1, true, tally));
    }
    fmt::print("to play it again: {} --seed {} --story\n", argv[0], seed);
    return 1;
}
