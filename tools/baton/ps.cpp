// baton ps: the members of a session, and what they are doing.
#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <map>

#include "runtime/holdings/region.hpp"
#include "runtime/process/process_facts.hpp"
#include "runtime/session/environment.hpp"
#include "runtime/vitals/vitals.hpp"
#include "tools/baton/figures.hpp"
#include "tools/baton/json_object.hpp"
#include "tools/baton/subcommands.hpp"
#include "tools/baton/table.hpp"

namespace baton::tool {

using namespace detail;
namespace {

// What the roster does not tell: read from the session's shared memory and from /proc, without a message to anybody.
struct Load {
    std::optional<Duration> since;          // how long it has had the command in hand, or has run if it has none
    std::string waits_for;                  // the actor whose answer it waits for, or room in whose inbox; else empty
    bool waits_for_room = false;            // the latter
    std::uint64_t held_bytes = 0;           // in segments that it owns
    std::optional<ProcessFacts> process;    // nothing of one that has exited
};

struct Seen {
    RosterRow row;
    Load load;
};

struct Sight {
    SessionInfo place;
    std::vector<Seen> actors;  // the coordinator first
};

// It keeps no row of itself. It has answered a moment ago, so it is not frozen.
RosterRow row_of_coordinator(const SessionInfo& place) {
    RosterRow row;
    row.actor = AnyRef{coordinator_id};
    row.name = "coordinator";
    row.pid = static_cast<std::uint64_t>(place.pid);
    if (const std::optional<ProcessFacts> facts = facts_of(place.pid); facts)
        row.ppid = static_cast<std::uint64_t>(facts->ppid);
    row.state = "ready";
    return row;
}

// By the number of the owner. Any process of the session may write there: it is a figure, and no more.
std::map<ActorNumber, std::uint64_t> bytes_held(const Ledger& ledger) {
    std::map<ActorNumber, std::uint64_t> bytes;
    for (Slot slot = 0; slot < ledger.segment_blocks.rows_used(); ++slot)
        if (const SegmentWord word = ledger.segments.word_of(slot); word.is_live())
            bytes[word.owner] += ledger.segments.row(slot).used_bytes.load(std::memory_order_relaxed);
    return bytes;
}

Load load_of(const RosterRow& row, const Vitals& vitals, const std::map<ActorNumber, std::uint64_t>& held,
             const std::map<ActorId, std::string>& names) {
    Load load;
    if (row.exit.has_ended()) return load;
    const ActorId id = row.actor.id;
    if (row.pid != 0) load.process = facts_of(static_cast<pid_t>(row.pid));
    if (load.process) load.since = age_of(*load.process);
    if (const VitalsRow* const own = vitals.row_of(id); own != nullptr)
        if (const std::int64_t begun = own->work.in_hand_since.load(std::memory_order_relaxed); begun > 0)
            load.since = std::max(Duration::zero(), SystemClock{}.now() - Instant{Duration{begun}});
    const std::optional<Vitals::Wait> room = vitals.room_wait_of(id);
    const std::optional<Vitals::Wait> wait = room ? room : vitals.wait_of(id);
    if (wait) {
        const auto name = names.find(wait->whom);
        load.waits_for = name == names.end() ? to_string(wait->whom) : name->second;
        load.waits_for_room = room.has_value();
    }
    if (const auto bytes = held.find(id.number); bytes != held.end()) load.held_bytes = bytes->second;
    return load;
}

Result<Sight> look_at(SessionInfo place, const PsOptions& options, Interruption& interruption) {
    Result<std::unique_ptr<Visit>> visit = Visit::enter(std::move(place), interruption);
    if (!visit) return visit.error();
    Result<std::vector<RosterRow>> rows = (*visit)->roster(options.with_exited);
    if (!rows) return rows.error();
    Sight sight{(*visit)->place(), {}};
    rows->insert(rows->begin(), row_of_coordinator(sight.place));
    const Result<Vitals> vitals = Vitals::open(sight.place.id);
    if (!vitals) return vitals.error();
    Result<LedgerRegion> region = LedgerRegion::open(sight.place.id);
    if (!region) return region.error();
    const std::map<ActorNumber, std::uint64_t> held = bytes_held(region->ledger());
    std::map<ActorId, std::string> names;
    for (const RosterRow& row : *rows) names[row.actor.id] = row.name;
    for (RosterRow& row : *rows) {
        Load load = load_of(row, *vitals, held, names);
        sight.actors.push_back({std::move(row), std::move(load)});
    }
    return sight;
}

Paint paint_of_state(std::string_view state) {
    if (state == "ready") return Paint::good;
    if (state == "busy" || state == "starting") return Paint::busy;
    if (state == "frozen") return Paint::bad;
    return Paint::faint;
}

Paint paint_of_exit(const Exit& exit) {
    const bool is_calm = exit.kind == ExitKind::stopped || exit.kind == ExitKind::left ||
                         (exit.kind == ExitKind::returned && exit.code == 0);
    return is_calm ? Paint::faint : Paint::bad;
}

std::string count_of(std::uint64_t number) { return number == 0 ? "-" : std::to_string(number); }

std::string count_text(std::size_t count, std::string_view what) {
    return fmt::format("{} {}{}", count == 0 ? "no" : std::to_string(count), what, count == 1 ? "" : "s");
}

std::string cpu_text(Duration cpu) { return fmt::format("{:.2f} s", std::chrono::duration<double>(cpu).count()); }

std::string text_of(const Sight& sight, const PsOptions& options, Colours colours) {
    using Align = Table::Align;
    std::vector<Table::Column> columns{{"NAME"},
                                       {"PID", Align::right},
                                       {"PPID", Align::right},
                                       {"STATE"},
                                       {"SINCE", Align::right},
                                       {"INBOX", Align::right},
                                       {"HANDLED", Align::right},
                                       {"CPU", Align::right},
                                       {"HELD", Align::right},
                                       {"RESIDENT", Align::right},
                                       {"IN HAND"},
                                       {"WAITS FOR"}};
    if (options.with_exited) {
        columns.push_back({"EXIT"});
        columns.push_back({"DEAD LETTERS", Align::right});
        columns.push_back({"HELD"});
    }
    Table table{std::move(columns)};
    std::size_t actors = 0;
    for (const auto& [row, load] : sight.actors) {
        const bool is_coordinator = row.actor.id == coordinator_id;
        const bool has_ended = row.exit.has_ended();
        if (!has_ended && !row.program.empty()) ++actors;
        std::vector<Table::Cell> cells{{row.name, has_ended ? Paint::faint : Paint::bold},
                                       count_of(row.pid),
                                       has_ended ? "-" : count_of(row.ppid),
                                       {row.state, paint_of_state(row.state)},
                                       load.since ? age_text(*load.since) : "-",
                                       is_coordinator || has_ended ? "-" : std::to_string(row.inbox_depth),
                                       is_coordinator ? "-" : std::to_string(row.handled),
                                       load.process ? cpu_text(load.process->cpu) : "-",
                                       load.held_bytes == 0 ? "-" : bytes_text(load.held_bytes),
                                       load.process ? bytes_text(load.process->resident_bytes) : "-",
                                       has_ended ? row.exit.in_hand : row.in_hand,
                                       load.waits_for + (load.waits_for_room ? " (its inbox is full)" : "")};
        if (options.with_exited) {
            std::uint64_t dead_letters = 0;
            for (const DeadLetter& letter : row.exit.dead_letters) dead_letters += letter.count;
            cells.emplace_back(has_ended ? to_text(row.exit) : "", paint_of_exit(row.exit));
            cells.emplace_back(dead_letters == 0 ? "" : std::to_string(dead_letters), Paint::bad);
            cells.emplace_back(row.exit.held ? to_text(*row.exit.held) : "");
        }
        table.add(std::move(cells));
    }
    return fmt::format("session {}, {}\n\n{}", painted(sight.place.id, Paint::bold, colours),
                       count_text(actors, "actor"), table.text(colours));
}

Dynamic seconds(Duration length) { return Dynamic{std::chrono::duration<double>(length).count()}; }

// The fields of the roster's row, and then those of the load; what is not known is null.
Dynamic json_of(const Seen& seen) {
    Dynamic::Map map = std::get<Dynamic::Map>(dynamic_of(seen.row).value);
    const Load& load = seen.load;
    const auto add = [&map](const char* name, Dynamic value) {
        map.emplace_back(Dynamic{std::string(name)}, std::move(value));
    };
    add("since_seconds", load.since ? seconds(*load.since) : Dynamic{});
    add("waits_for", load.waits_for.empty() ? Dynamic{} : Dynamic{load.waits_for});
    add("waits_for_room", Dynamic{load.waits_for_room});
    add("held_bytes", Dynamic{load.held_bytes});
    add("resident_bytes", load.process ? Dynamic{load.process->resident_bytes} : Dynamic{});
    add("cpu_seconds", load.process ? seconds(load.process->cpu) : Dynamic{});
    return Dynamic{std::move(map)};
}

Dynamic json_of(const Sight& sight) {
    Dynamic::List actors;
    for (const Seen& seen : sight.actors) actors.push_back(json_of(seen));
    return object({{"session", {sight.place.id}},
                   {"folder", {sight.place.path}},
                   {"coordinator_pid", {static_cast<std::int64_t>(sight.place.pid)}},
                   {"actors", Dynamic{std::move(actors)}}});
}

}  // namespace

Result<Outcome> ps(const PsOptions& options, const Wishes& wishes, Interruption& interruption) {
    std::vector<SessionInfo> places;
    const char* const variable = std::getenv(session_variable);
    const bool names_one = wishes.session.has_value() || (variable != nullptr && *variable != '\0');
    Result<std::vector<SessionInfo>> listed = list_sessions();
    if (!names_one && listed)
        std::ranges::copy_if(*listed, std::back_inserter(places), &SessionInfo::is_live);
    if (places.empty()) {
        Result<SessionInfo> place = find_session(wishes.session);
        if (!place) return place.error();
        places.push_back(std::move(*place));
    }
    Outcome outcome;
    Dynamic::List json;
    for (SessionInfo& place : places) {
        const Result<Sight> sight = look_at(std::move(place), options, interruption);
        if (!sight) {
            outcome.troubles.push_back(sight.error());
            continue;
        }
        if (wishes.wants_json) {
            json.push_back(json_of(*sight));
        } else {
            outcome.text += (outcome.text.empty() ? "" : "\n") + text_of(*sight, options, colours_for(stdout));
        }
    }
    if (wishes.wants_json) outcome.text = json_line(Dynamic{std::move(json)});
    return outcome;
}

}  // namespace baton::tool
