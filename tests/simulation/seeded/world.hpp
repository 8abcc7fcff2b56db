#pragma once
// World: one session, from its start to its end, from a seed. The coordinator, the ledger, the roster, the vitals and
// the lanes are the real ones, in memory of this process alone; players (player.hpp) use them at random. Meanwhile
// processes are killed and frozen, the coordinator among them. The ledger is audited after each step, and the judge
// says what became of everything. One world at a time, in one thread.

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "actors/coordinator/coordinator_actor.hpp"
#include "runtime/memory/private_memory.hpp"
#include "tests/simulation/seeded/judge.hpp"
#include "tests/simulation/seeded/mischief.hpp"
#include "tests/simulation/seeded/network.hpp"
#include "tests/simulation/seeded/session.hpp"

namespace seeded {

class World {
public:
    World(std::uint64_t seed, bool wants_story);
    World(const World&) = delete;
    World& operator=(const World&) = delete;
    ~World();

    // What is broken; empty: nothing.
    [[nodiscard]] const std::vector<std::string>& play();

    // ---- for what the processes do
    ManualClock clock;
    Dice dice;
    Story story;
    Judge judge;
    Kernel kernel;
    Network network;
    Session session;
    Mischief mischief;
    struct Place {
        std::string id;
        std::string folder;  // for the bells
    };
    const Place place;
    struct Players {
        std::vector<AnyRef> ready;  // in this order; some of them have ended
        std::set<ActorId> busy;     // have something left to do
        unsigned started = 0;
        unsigned without_lanes_percent = 0;  // all that comes to such a one comes over the network
    };
    Players players;
    // True if nobody does anything any more, and nobody is killed any more.
    [[nodiscard]] bool is_quiet();
    void look_at_rest();

private:
    [[nodiscard]] Result<void> make_regions();
    void note_end(Process& process);
    void audit(Audited what);
    [[nodiscard]] std::vector<ActorNumber> settling() const;

    struct Memory {
        explicit Memory(std::string prefix) : its(std::move(prefix)) {}
        PrivateMemory its;
        std::optional<LedgerRegion> ledger;  // to look at
        std::optional<RosterRegion> roster;
    };
    Memory memory_;
    std::set<ActorId> ended_;
};

// What the processes of a world do, as the programs of a session do it.
[[nodiscard]] int coordinate(World& world, Process& self, std::uint64_t generation);
[[nodiscard]] int live(World& world, Process& self, ActorId me, const ChildSpec& spec);
[[nodiscard]] int direct(World& world, Process& self);

}  // namespace seeded
