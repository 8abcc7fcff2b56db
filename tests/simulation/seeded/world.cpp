#include "tests/simulation/seeded/world.hpp"

#include <stdlib.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <filesystem>

#include "runtime/base/check.hpp"
#include "runtime/ledger/audit.hpp"

namespace seeded {
namespace {

constexpr std::uint64_t budget_bytes = std::uint64_t{64} << 20;
constexpr std::uint64_t lane_bytes = std::uint64_t{64} << 20;
// Between two audits that also look where nothing should be.
constexpr std::uint64_t points_per_whole_audit = 512;
constexpr const char* prefix = "baton-seeded-";

std::string make_folder() {
    const char* const place = ::getenv("TMPDIR");
    std::string name = fmt::format("{}/baton-seed-XXXXXX", place == nullptr ? "/tmp" : place);
    check(::mkdtemp(name.data()) != nullptr, "a simulation has a folder for its bells");
    return name;
}

}  // namespace

World::World(std::uint64_t seed, bool wants_story)
    : dice(seed),
      story(clock, wants_story),
      judge(story),
      kernel(clock, dice, story),
      network(kernel, clock, dice),
      session(kernel, dice, story,
              {[this](Process& self, std::uint64_t generation) { return coordinate(*this, self, generation); },
               [this](Process& self, ActorId me, const ChildSpec& spec) { return live(*this, self, me, spec); }}),
      mischief(kernel, clock, dice, story),
      place{"seeded", make_folder()},
      memory_(prefix) {
    kernel.odds = {static_cast<unsigned>(dice.below(50)), static_cast<unsigned>(dice.below(4))};
    if (dice.happens(40)) players.without_lanes_percent = dice.happens(50) ? 100 : 40;
    network.slowest_microseconds = dice.between(100, 10'000);
    kernel.on_end = [this](Process& process) { note_end(process); };
    kernel.next_arrival = [this] { return network.next_arrival(); };
    judge.is_alive = [this](ActorId actor) { return !ended_.contains(actor); };
}

World::~World() {
    std::error_code ignored;
    std::filesystem::remove_all(place.folder, ignored);
}

Result<void> World::make_regions() {
    if (Result<Vitals> made = Vitals::create(place.id); !made) return made.error();
    if (Result<coordinating::Estate> made = coordinating::Estate::create(place.id, budget_bytes, clock); !made)
        return made.error();
    if (Result<coordinating::Lanes> made = coordinating::Lanes::create(place.id, lane_bytes); !made)
        return made.error();
    if (Result<void> made = RosterRegion::create(place.id, {1, 1, coordinating::AnchorTable::version_word}); !made)
        return made.error();
    Result<LedgerRegion> ledger = LedgerRegion::open(place.id);
    if (!ledger) return ledger.error();
    memory_.ledger.emplace(std::move(*ledger));
    Result<RosterRegion> roster = RosterRegion::open(place.id, RosterRegion::Use::reads);
    if (!roster) return roster.error();
    memory_.roster.emplace(std::move(*roster));
    return {};
}

const std::vector<std::string>& World::play() {
    if (Result<void> made = make_regions(); !made) judge.breaks(to_text(made.error()));
    const Instant end = clock.now() + std::chrono::minutes{1};
    session.start_coordinator();
    kernel.start(Process::Kind::scenario, "scenario", {}, [this](Process& self) { return direct(*this, self); });
    while (!session.end() && judge.broken().empty()) {
        const std::uint64_t before = kernel.count.points;
        if (!kernel.step()) judge.breaks("nothing can happen any more");
        else if (clock.now() > end) judge.breaks("no end after a minute");
        // The ledger does not change without a crash point before or behind it.
        const std::uint64_t now = kernel.count.points;
        const bool is_whole = now / points_per_whole_audit != before / points_per_whole_audit;
        if (now != before) audit(is_whole ? Audited::all_blocks : Audited::rows_in_use);
        mischief.go_on();
    }
    if (session.end() && *session.end() != 0 && judge.broken().empty())
        judge.breaks(fmt::format("the last coordinator has exited with {}", *session.end()));
    for (const std::string& name : PrivateMemory::names_with(prefix)) {
        const bool is_left = name.find("-lane-") != std::string::npos || name.find("-shelf-") != std::string::npos;
        if (is_left && judge.broken().empty()) judge.breaks(fmt::format("{} is left", name));
    }
    return judge.broken();
}

bool World::is_quiet() {
    return players.busy.empty() && mischief.is_over();
}

void World::note_end(Process& process) {
    if (process.life.is_somebody()) ended_.insert(process.life);
    players.busy.erase(process.life);
    network.drop(process);
    mischief.note_end(process);
    session.note_end(process);
}

// ---- looking ---------------------------------------------------------------------------------------

// Dead actors whose rows may still be there.
std::vector<ActorNumber> World::settling() const {
    std::vector<ActorNumber> numbers;
    for (const ActorId one : ended_)
        if (!memory_.ledger->ledger().lives.of(one.number).is_somebody())
            if (const std::optional<RosterEntry> entry = memory_.roster->read(one.number);
                entry && entry->state != MemberRecord::free)
                numbers.push_back(one.number);
    return numbers;
}

void World::audit(Audited what) {
    for (const Finding& finding : detail::audit(memory_.ledger->ledger(), settling(), what)) {
        // The two exceptions of docs/ownership.md are for a moment; what stays is found at rest.
        if (finding.invariant != 6) judge.breaks(fmt::format("I{}: {}", finding.invariant, finding.text));
    }
}

void World::look_at_rest() {
    Result<RosterRegion> region = RosterRegion::open(place.id, RosterRegion::Use::reads);
    check(region.ok(), "the roster of a world can be read");
    coordinating::Records records{std::move(*region), place.id};
    std::map<ActorId, Exit> exits;
    std::map<ActorId, std::string> names;
    for (const RosterEntry& entry : records.read_members()) {
        names[entry.id] = entry.name;
        if (entry.is_alive() && ended_.contains(entry.id))
            judge.breaks(fmt::format("{} has ended, and the roster says that it lives", to_string(entry.id)));
    }
    std::set<ActorId> told;
    for (const coordinating::Past& past : records.journal().read().past) {
        if (!told.insert(past.row.actor.id).second)
            judge.breaks(fmt::format("the exit of {} stands in the journal twice", to_string(past.row.actor.id)));
        exits[past.row.actor.id] = past.row.exit;
        names[past.row.actor.id] = past.row.name;
        if (!ended_.contains(past.row.actor.id))
            judge.breaks(fmt::format("the exit of {} is recorded, and it lives", to_string(past.row.actor.id)));
    }
    judge.look_at_rest(exits, [&](ActorId actor) { return names.contains(actor) ? names[actor] : to_string(actor); });
    for (const Finding& finding : detail::audit(memory_.ledger->ledger(), settling()))
        judge.breaks(fmt::format("at rest: I{}: {}", finding.invariant, finding.text));
}

}  // namespace seeded
